"""Slips and pick lists as PDF, for the parcels of a filter: order code, parcel number and pieces only."""

from __future__ import annotations

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.parcel_filters import asked, kept
from storefront.blueprints.seller.parcel_queue import to_pack
from storefront.errors import DomainError, NotFound
from storefront.exports import papers
from storefront.extensions import db
from storefront.orders import parcel_queue
from storefront.orders.parcel_queue import MOST_PRINTED, Asked
from storefront.orders.parcel_sheet import parcel_sheet
from storefront.orders.pick_list import packed, pick_list
from storefront.people import access
from storefront.people.policy import Action


class TooMany(DomainError):
    code, status = "too_many_parcels", 422

    def __init__(self) -> None:
        super().__init__(
            _("Saringan ini berisi lebih dari %(most)d kiriman. Persempit, lalu cetak lagi.", most=MOST_PRINTED)
        )


@bp.get("/<code>/slips.pdf")
@access.rule(Action.PARCELS_READ)
def slips_pdf(code: str) -> ResponseReturnValue:
    """The slips of all parcels of the filter, in its order."""
    found = [(parcel, lines) for parcel, lines in packed(chosen(asked())) if any(line.to_pack for line in lines)]
    if not found:
        return nothing(code)
    pdf = papers.slips_pdf(g.facility, found, paper())
    db.session.commit()  # short links that were made for it
    return pdf_answer(pdf, f"slip-{code}.pdf")


@bp.get("/<code>/parcels/<int:parcel_id>/slip.pdf")
@access.rule(Action.PARCELS_READ)
def slip_pdf(code: str, parcel_id: int) -> ResponseReturnValue:
    """The slip of one parcel."""
    sheet = parcel_sheet(g.facility.id, parcel_id, with_buyer=False)
    if sheet is None:
        raise NotFound()
    pdf = papers.slips_pdf(g.facility, packed([sheet.id]), paper("size"))
    db.session.commit()
    return pdf_answer(pdf, f"slip-{sheet.order_number}-{sheet.position}.pdf")


@bp.get("/<code>/pick-list.pdf")
@access.rule(Action.PARCELS_READ)
def pick_list_pdf(code: str) -> ResponseReturnValue:
    """What to fetch for the parcels of the filter (by default all to pack), on A4."""
    found = pick_list(chosen(to_pack(asked())))
    if not found.picks:
        return nothing(code)
    return pdf_answer(papers.pick_list_pdf(g.facility, found), f"daftar-ambil-{code}.pdf")


def chosen(wanted: Asked) -> list[int]:
    """The parcels of a filter. Raises TooMany rather than leave some out."""
    ids = parcel_queue.ids(g.facility.id, wanted)
    if len(ids) > MOST_PRINTED:
        raise TooMany()
    return ids


def paper(name: str = "paper") -> str:
    """The paper that the address names; A6 for anything unknown."""
    size = request.args.get(name, "")
    return size if size in papers.SIZES else papers.SIZES[0]


def nothing(code: str) -> ResponseReturnValue:
    flash(_("Tidak ada kiriman untuk dicetak di saringan ini."), "info")
    return redirect(url_for("seller.parcels", code=code, **kept()))


def pdf_answer(pdf: bytes, name: str) -> Response:
    """A PDF that the browser saves and nobody keeps."""
    response = Response(pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
