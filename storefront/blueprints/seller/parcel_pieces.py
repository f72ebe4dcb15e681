"""Pieces of a parcel that go another way: later, not at all, or back again; and a tracking number put right."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.parcel_filters import kept
from storefront.blueprints.seller.parcels import own
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key
from storefront.orders import ship, split
from storefront.orders.models import Parcel, ParcelState
from storefront.orders.parcel_sheet import ParcelSheet
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import cannot_fulfil, parcel_returns
from storefront.refunds.parcel_returns import Back
from storefront.written import Written


@bp.get("/<code>/parcels/<int:parcel_id>/split")
@access.rule(Action.PARCELS_WRITE)
def new_split(code: str, parcel_id: int) -> ResponseReturnValue:
    """Which pieces go later; with `later=made` those that are made to order are filled in."""
    sheet = own(parcel_id)
    made = [line for line in sheet.lines if line.lead_time_days] if request.args.get("later") == "made" else []
    return split_page(sheet, Written({f"quantity-{line.order_line_id}": str(line.to_pack) for line in made}))


@bp.post("/<code>/parcels/<int:parcel_id>/split")
@access.rule(Action.PARCELS_WRITE)
def split_pieces(code: str, parcel_id: int) -> ResponseReturnValue:
    """Give them a parcel of their own."""
    sheet, form = own(parcel_id), keyed()
    pieces = quantities(form, sheet)
    ready_by = form.day_or_none("ready_by")
    key, person = form["request_key"], access.person_id()
    done = form.done(lambda: split.split_parcel(sheet.id, pieces, person, key, ready_by=ready_by))
    if done is None:
        return split_page(sheet, form), form.status
    name = f"{sheet.order_number}/{done.position}"
    flash(_("Dipisah: yang menyusul menjadi kiriman %(name)s.", name=name), "ok")
    return to_parcel(sheet.id)


@bp.post("/<code>/parcels/<int:parcel_id>/merge")
@access.rule(Action.PARCELS_WRITE)
def merge(code: str, parcel_id: int) -> ResponseReturnValue:
    """Undo a split while nothing of it is packed."""
    parcel = db.session.get(Parcel, parcel_id)
    if parcel is None or parcel.facility_id != g.facility.id or parcel.state == ParcelState.WAITING:
        raise NotFound()
    first = split.merge_back(parcel_id, access.person_id()).id
    db.session.commit()
    flash(_("Digabung lagi menjadi satu kiriman."), "ok")
    return to_parcel(first)


@bp.get("/<code>/parcels/<int:parcel_id>/cannot-fulfil")
@access.rule(Action.REFUNDS_ASK)
def new_cannot_fulfil(code: str, parcel_id: int) -> ResponseReturnValue:
    """Which pieces cannot be sent."""
    return cannot_page(own(parcel_id), Written({"shipping": "1"}))


@bp.post("/<code>/parcels/<int:parcel_id>/cannot-fulfil")
@access.rule(Action.REFUNDS_ASK)
def ask_cannot_fulfil(code: str, parcel_id: int) -> ResponseReturnValue:
    """Ask finance for a refund of them; they are not packed meanwhile."""
    sheet, form = own(parcel_id), keyed()
    pieces = quantities(form, sheet)
    done = form.done(
        lambda: cannot_fulfil.cannot_fulfil(
            sheet.id,
            pieces,
            back={line_id: form[f"pieces-{line_id}"] or "none" for line_id in pieces},
            with_shipping=form["shipping"] == "1",
            note=form.line("note"),
            person_id=access.person_id(),
            facility_id=g.facility.id,
            request_key=form["request_key"],
        )
    )
    if done is None:
        return cannot_page(sheet, form), form.status
    flash(_("Permintaan dikirim ke keuangan. Bagian itu tidak dikemas sampai ada keputusan."), "ok")
    return to_parcel(sheet.id)


@bp.get("/<code>/parcels/<int:parcel_id>/return")
@access.rule(Action.PARCELS_WRITE)
def new_return(code: str, parcel_id: int) -> ResponseReturnValue:
    """What came back."""
    return return_page(own(parcel_id), Written())


@bp.post("/<code>/parcels/<int:parcel_id>/return")
@access.rule(Action.PARCELS_WRITE)
def note_return(code: str, parcel_id: int) -> ResponseReturnValue:
    """Each piece to the shelf, or written off."""
    sheet, form = own(parcel_id), keyed()
    backs = backs_of(form, sheet)
    done = form.done(
        lambda: parcel_returns.receive_return(
            sheet.id,
            backs,
            note=form.line("note"),
            ask_refund=form["ask_refund"] == "1",
            person_id=access.person_id(),
            facility_id=g.facility.id,
            request_key=form["request_key"],
        )
    )
    if done is None:
        return return_page(sheet, form), form.status
    flash(_("Barang kembali dicatat; stoknya sudah disesuaikan."), "ok")
    return to_parcel(sheet.id)


@bp.get("/<code>/parcels/<int:parcel_id>/not-collected")
@access.rule(Action.REFUNDS_ASK)
def new_not_collected(code: str, parcel_id: int) -> ResponseReturnValue:
    """What becomes of pieces that nobody collected: all on the shelf again, unless said otherwise."""
    sheet = own(parcel_id)
    out = parcel_returns.still_out(db.session.get_one(Parcel, sheet.id))
    back = {f"{'restock' if line.has_stock else 'write_off'}-{line.order_line_id}": str(line.pieces) for line in out}
    return given_up_page(sheet, Written(back))


@bp.post("/<code>/parcels/<int:parcel_id>/not-collected")
@access.rule(Action.REFUNDS_ASK)
def give_up(code: str, parcel_id: int) -> ResponseReturnValue:
    """Nobody collected it: its pieces are back, and finance is asked to give the money back."""
    sheet, form = own(parcel_id), keyed()
    backs = backs_of(form, sheet)
    done = form.done(
        lambda: parcel_returns.not_collected(
            sheet.id,
            backs,
            note=form.line("note"),
            person_id=access.person_id(),
            facility_id=g.facility.id,
            request_key=form["request_key"],
        )
    )
    if done is None:
        return given_up_page(sheet, form), form.status
    flash(_("Dicatat tidak diambil; stoknya sudah disesuaikan. Keuangan memutuskan pengembalian dananya."), "ok")
    return to_parcel(sheet.id)


@bp.post("/<code>/parcels/<int:parcel_id>/correct-tracking")
@access.rule(Action.PARCELS_WRITE)
def correct_tracking(code: str, parcel_id: int) -> ResponseReturnValue:
    """A courier or number that was written wrongly."""
    sheet, form = own(parcel_id), Written(request.form)
    done = form.done(
        lambda: ship.correct_tracking(sheet.id, form.line("courier"), form.line("tracking"), access.person_id())
    )
    if done is None:
        flash(" ".join(form.errors.values()) or form.refusal, "bad")
    else:
        flash(_("Kurir dan resi diperbarui."), "ok")
    return to_parcel(sheet.id)


def keyed() -> Written:
    """The form that was sent; its key acts once."""
    form = Written(request.form)
    if not is_key(form["request_key"]):
        form.wrong("request_key", TOO_OLD)
    return form


def quantities(form: Written, sheet: ParcelSheet, name: str = "quantity") -> dict[int, int]:
    """Pieces by order line as they were filled in; an empty field is none."""
    found = {}
    for line in sheet.lines:
        field = f"{name}-{line.order_line_id}"
        if form[field].strip():
            found[line.order_line_id] = form.amount(field)
    return found


def backs_of(form: Written, sheet: ParcelSheet) -> dict[int, Back]:
    """Pieces that are back by order line, as they were filled in."""
    restock, write_off = quantities(form, sheet, "restock"), quantities(form, sheet, "write_off")
    return {
        line.order_line_id: Back(restock.get(line.order_line_id, 0), write_off.get(line.order_line_id, 0))
        for line in sheet.lines
    }


def to_parcel(parcel_id: int) -> ResponseReturnValue:
    return redirect(url_for("seller.parcel", code=g.facility.code, parcel_id=parcel_id, **kept()), 303)


def split_page(sheet: ParcelSheet, form: Written) -> str:
    return form_page("seller/split.html", sheet, form, ParcelState.TO_PACK)


def cannot_page(sheet: ParcelSheet, form: Written) -> str:
    return form_page("seller/cannot_fulfil.html", sheet, form, ParcelState.TO_PACK, ParcelState.PACKED)


def return_page(sheet: ParcelSheet, form: Written) -> str:
    out = parcel_returns.still_out(db.session.get_one(Parcel, sheet.id))
    return form_page("seller/return.html", sheet, form, ParcelState.SHIPPED, ParcelState.RECEIVED, out=out)


def given_up_page(sheet: ParcelSheet, form: Written) -> str:
    out = parcel_returns.still_out(db.session.get_one(Parcel, sheet.id))
    return form_page("seller/not_collected.html", sheet, form, ParcelState.READY, out=out)


def form_page(template: str, sheet: ParcelSheet, form: Written, *states: ParcelState, **more: object) -> str:
    """The form; what happened to the parcel meanwhile instead, unless it is in one of `states`."""
    if sheet.state not in states:
        template = "seller/moved_on.html"
    key = kept_key(form["request_key"])
    return render_template(template, parcel=sheet, form=form, request_key=key, kept=kept(), **more)
