"""What comes home from a fair, counted in the store; and the papers of what goes there."""

from __future__ import annotations

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.exhibitions import fair_page
from storefront.blueprints.seller.parcel_papers import pdf_answer
from storefront.catalogue.models import Variant
from storefront.days import today
from storefront.errors import NotFound
from storefront.exhibitions import arrive, brought, fairs, give_back, stand, stand_form
from storefront.exhibitions.arrive import What
from storefront.exhibitions.models import Exhibition
from storefront.exhibitions.prices import stand_price
from storefront.exports import fair_papers
from storefront.exports.fair_papers import Packed
from storefront.extensions import db
from storefront.orders import at_stand
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.post("/<code>/exhibitions/<slug>/arrived")
@access.rule(Action.EXHIBITIONS_BRING)
def count_return(code: str, slug: str) -> ResponseReturnValue:
    """Write down what of a return arrived in the store."""
    fair, form = fairs.find(g.facility.id, slug), Written(request.form)
    number = int(form["number"]) if form["number"].isdecimal() and len(form["number"]) < 7 else 0
    done = stand_form.count(form, fair, g.facility.id, What.RETURN, number, person_id=access.person_id())
    if done is None:
        return fair_page(fairs.find(g.facility.id, slug), stand_form=form), form.status
    return _back(code, slug, _("Dicatat: isinya ada lagi di gudang."))


@bp.post("/<code>/exhibitions/<slug>/arrived/<int:arrival_id>/undo")
@access.rule(Action.EXHIBITIONS_BRING)
def undo_count_return(code: str, slug: str, arrival_id: int) -> ResponseReturnValue:
    """Take back what was counted of a return; what was counted at the stand is the stand's to undo."""
    fair, form, me = fairs.find(g.facility.id, slug), Written(), access.person_id()
    if stand.counted(fair.id, arrival_id) is not What.RETURN:
        raise NotFound()
    form.done(lambda: (arrive.undo(arrival_id, fair, facility_id=g.facility.id, person_id=me),))
    said = form.refusal or _("Hitungannya dibatalkan: dapat dihitung lagi.")
    return _back(code, slug, said, "bad" if form.refusal else "ok")


@bp.post("/<code>/exhibitions/<slug>/return")
@access.rule(Action.EXHIBITIONS_BRING)
def return_pieces(code: str, slug: str) -> ResponseReturnValue:
    """Take pieces off the stand, on their way home."""
    fair, form = fairs.find(g.facility.id, slug), Written(request.form)
    found = stand_form.pack(form, fair, g.facility.id, person_id=access.person_id())
    if found is None:
        return fair_page(fairs.find(g.facility.id, slug), stand_form=form), form.status
    return _back(code, slug, _("Pengembalian nomor %(number)d tercatat: hitung saat tiba.", number=found.number))


@bp.post("/<code>/exhibitions/<slug>/returns/<int:number>/undo")
@access.rule(Action.EXHIBITIONS_BRING)
def undo_return(code: str, slug: str, number: int) -> ResponseReturnValue:
    """All pieces of a return are at the stand again."""
    fair, form, me = fairs.find(g.facility.id, slug), Written(), access.person_id()
    form.done(lambda: (give_back.call_back(fair, g.facility.id, number, person_id=me),))
    said = form.refusal or _("Dibatalkan: isinya ada lagi di stan.")
    return _back(code, slug, said, "bad" if form.refusal else "ok")


@bp.get("/<code>/exhibitions/<slug>/packing-list.pdf")
@access.rule(Action.EXHIBITIONS_READ)
def packing_list(code: str, slug: str) -> ResponseReturnValue:
    """The packing list of a sending (`?number=`), or of what is planned and was not sent, with orders for it."""
    fair = fairs.find(g.facility.id, slug)
    number, lines = _asked(fair)
    # Parcels belong to no sending: they stand on the list of what is still to go.
    ordered = at_stand.of_facility(fair.id, g.facility.id) if number is None else ()
    ordered = [parcel for parcel in ordered if parcel.state != "ready"]
    if not lines and not ordered:
        flash(_("Tidak ada yang perlu dikemas untuk pameran ini."), "info")
        return redirect(url_for("seller.exhibition", code=code, slug=slug))
    pdf = fair_papers.packing_list_pdf(g.facility, fair, number, lines, ordered)
    return pdf_answer(pdf, f"daftar-kemas-{code}-{slug}-{number or 'rencana'}.pdf")


@bp.get("/<code>/exhibitions/<slug>/labels.pdf")
@access.rule(Action.EXHIBITIONS_READ)
def piece_labels(code: str, slug: str) -> ResponseReturnValue:
    """A label with QR code for each piece of a sending (`?number=`), or of what was not sent; `?size=58` for a roll."""
    fair = fairs.find(g.facility.id, slug)
    number, lines = _asked(fair)
    if not lines:
        flash(_("Tidak ada yang perlu dikemas untuk pameran ini."), "info")
        return redirect(url_for("seller.exhibition", code=code, slug=slug))
    size = "58" if request.args.get("size") == "58" else "a4"
    pdf = fair_papers.piece_labels_pdf(g.facility, fair, lines, size)
    return pdf_answer(pdf, f"label-{code}-{slug}-{number or 'rencana'}-{size}.pdf")


def _asked(fair: Exhibition) -> tuple[int | None, list[Packed]]:
    """What the papers are of. Raises NotFound for a sending that is not there."""
    number = request.args.get("number", type=int)
    if number is None:
        rows = [row for row in brought.to_send(fair.id, g.facility.id) if row.missing]
        found = [
            (row.sku, " · ".join(part for part in (row.title, row.variant_title) if part), row.workshop, row.missing)
            for row in rows
        ]
    else:
        sent = stand.one(fair.id, g.facility.id, What.SENDING, number) if 0 < number < 10**6 else None
        if sent is None:
            raise NotFound()
        found = [(line.sku, line.title, line.workshop, line.pieces) for line in sent.lines]
    ids = dict(
        db.session.execute(select(Variant.sku, Variant.id).where(Variant.sku.in_([one[0] for one in found]))).all()
    )
    day = min(max(today(), fair.starts_on), fair.ends_on)
    prices = stand_price(fair.id, ids.values(), day)
    # A label outlives the day: the ordinary price, unless one special price holds for all days from now on.
    shown = {
        sku: price if until is None or until == fair.ends_on else 0
        for sku, id_ in ids.items()
        for price, until in [prices[id_]]
    }
    return number, [Packed(*one, price=shown[one[0]]) for one in found]


def _back(code: str, slug: str, said: str, how: str = "ok") -> Response:
    flash(said, how)
    return redirect(url_for("seller.exhibition", code=code, slug=slug) + "#pulang", 303)  # type: ignore[return-value]
