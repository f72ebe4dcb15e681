"""One parcel: its steps, and what is printed for it."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.blueprints.seller.forms import ShipForm
from storefront.blueprints.seller.parcel_filters import kept
from storefront.days import today
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.form_key import new_key
from storefront.orders import at_stand, ship
from storefront.orders.models import Parcel, ParcelState
from storefront.orders.packed_batches import food_lines
from storefront.orders.parcel_sheet import ParcelSheet, parcel_sheet
from storefront.orders.pickups import given_up_from
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import refund_list
from storefront.refunds.refund_list import RefundRow


@bp.get("/<code>/parcels/<int:parcel_id>")
@access.rule(Action.PARCELS_READ)
def parcel(code: str, parcel_id: int) -> ResponseReturnValue:
    """One parcel: its pieces, the buyer while it needs them, and the next step."""
    return page(own(parcel_id))


@bp.post("/<code>/parcels/<int:parcel_id>/packed")
@access.rule(Action.PARCELS_WRITE)
def pack(code: str, parcel_id: int) -> ResponseReturnValue:
    """All pieces are in the box."""
    return step(parcel_id, ship.mark_packed, _("Ditandai sudah dikemas."))


@bp.post("/<code>/parcels/<int:parcel_id>/to-pack")
@access.rule(Action.PARCELS_WRITE)
def unpack(code: str, parcel_id: int) -> ResponseReturnValue:
    """Undo packing."""
    return step(parcel_id, ship.unpack, _("Dikembalikan ke daftar yang perlu dikemas."))


@bp.post("/<code>/parcels/<int:parcel_id>/left")
@access.rule(Action.PARCELS_WRITE)
def leave(code: str, parcel_id: int) -> ResponseReturnValue:
    """It is on its way to its fair's stand."""
    return step(parcel_id, at_stand.mark_left, _("Ditandai dibawa ke stan. Kasir menandai tibanya di sana."))


@bp.post("/<code>/parcels/<int:parcel_id>/ready")
@access.rule(Action.PARCELS_WRITE)
def ready(code: str, parcel_id: int) -> ResponseReturnValue:
    """It lies ready at the gallery or the stand; the buyer is told."""
    return step(parcel_id, ship.mark_ready, _("Ditandai siap diambil. Pembeli diberi tahu lewat surel."))


@bp.post("/<code>/parcels/<int:parcel_id>/received")
@access.rule(Action.PARCELS_WRITE)
def receive(code: str, parcel_id: int) -> ResponseReturnValue:
    """It was handed over or delivered."""
    return step(parcel_id, ship.mark_received, _("Ditandai sudah diterima."))


@bp.post("/<code>/parcels/<int:parcel_id>/shipped")
@access.rule(Action.PARCELS_WRITE)
def send(code: str, parcel_id: int) -> ResponseReturnValue:
    """It was handed to a courier, with a tracking number."""
    sheet = own(parcel_id)
    form = ShipForm()
    if not form.validate():
        return page(sheet, form), 422
    try:
        ship.mark_shipped(sheet.id, form.chosen_courier, form.tracking.data or "", access.person_id())
    except Invalid as refusal:
        for name, sentence in refusal.errors.items():
            form[name].errors = [sentence]
        return page(sheet, form), 422
    db.session.commit()
    flash(_("Ditandai sudah dikirim. Pembeli diberi tahu lewat surel."), "ok")
    return redirect(url_for("seller.parcel", code=code, parcel_id=parcel_id, **kept()), 303)


@bp.get("/<code>/parcels/<int:parcel_id>/slip")
@access.rule(Action.PARCELS_READ)
def slip(code: str, parcel_id: int) -> ResponseReturnValue:
    """The packing slip: order code, parcel number and pieces, nothing of the buyer."""
    sheet = parcel_sheet(g.facility.id, parcel_id, with_buyer=False)
    if sheet is None:
        raise NotFound()
    return render_template("seller/slip.html", parcel=sheet, kept=kept())


@bp.get("/<code>/parcels/<int:parcel_id>/label")
@access.rule(Action.BUYERS_READ)
def label(code: str, parcel_id: int) -> ResponseReturnValue:
    """The address label, printed in the office. Gone once the parcel does not need its buyer any more."""
    sheet = own(parcel_id)
    if sheet.buyer is None:
        raise NotFound()
    return render_template("seller/label.html", parcel=sheet, kept=kept(), request_key=new_key())


def own(parcel_id: int) -> ParcelSheet:
    """The facility's own parcel. Raises `NotFound` for another's, as if it did not exist."""
    sheet = parcel_sheet(g.facility.id, parcel_id, with_buyer=allowed(Action.BUYERS_READ))
    if sheet is None:
        raise NotFound()
    return sheet


def step(parcel_id: int, take: Callable[[int, int], object], done: str) -> ResponseReturnValue:
    """Take a step with an own parcel, say so, and go back to where the button was."""
    sheet = own(parcel_id)
    take(sheet.id, access.person_id())
    db.session.commit()
    flash(done, "ok")
    if request.form.get("back") == "today":
        return redirect(url_for("seller.today", code=g.facility.code), 303)
    if request.form.get("back") == "list":
        return redirect(url_for("seller.parcels", code=g.facility.code, **kept()), 303)
    return redirect(url_for("seller.parcel", code=g.facility.code, parcel_id=sheet.id, **kept()), 303)


def page(sheet: ParcelSheet, form: ShipForm | None = None) -> str:
    """A parcel's page; a refused form keeps what was written."""
    return render_template(
        "seller/parcel.html",
        parcel=sheet,
        form=form or ShipForm(formdata=None),
        refunds=refunds_of(sheet) if allowed(Action.REFUNDS_READ) else [],
        me=access.person_id(),
        kept=kept(),
        food=food_lines(sheet.id),
        given_up_from=given_up_from(db.session.get_one(Parcel, sheet.id)) if sheet.state == ParcelState.READY else None,
        today=today(),
    )


def refunds_of(sheet: ParcelSheet) -> list[RefundRow]:
    return refund_list.of_parcel(db.session.get_one(Parcel, sheet.id))
