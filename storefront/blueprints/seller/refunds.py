"""A facility asks for a refund of pieces in its own parcel; finance decides."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.parcels import own
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key, new_key
from storefront.orders.models import Order, Parcel
from storefront.orders.parcel_sheet import ParcelSheet
from storefront.orders.split import spoken_of
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import refund_list, refunds
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refundable import LineLeft, refundable
from storefront.written import Written

#: Goodwill is finance's alone.
REASONS = ("cannot_fulfil", "returned", "damaged", "lost")


@dataclass(frozen=True)
class Asking:
    """What of a parcel can be asked for: its lines with the pieces that are left, and its shipping."""

    sheet: ParcelSheet
    order_id: int
    #: Line and the most pieces of it.
    lines: list[tuple[LineLeft, int]]
    #: Rupiah.
    shipping: int

    @property
    def is_empty(self) -> bool:
        return not self.shipping and not any(most for _line, most in self.lines)


@bp.get("/<code>/parcels/<int:parcel_id>/refund")
@access.rule(Action.REFUNDS_ASK)
def new_refund(code: str, parcel_id: int) -> ResponseReturnValue:
    """What of the parcel can be asked for."""
    return page(asking(parcel_id), Written(), new_key())


@bp.post("/<code>/parcels/<int:parcel_id>/refund")
@access.rule(Action.REFUNDS_ASK)
def ask_refund(code: str, parcel_id: int) -> ResponseReturnValue:
    """Ask finance for it."""
    found, form = asking(parcel_id), Written(request.form)
    wishes = wishes_of(form, found)
    key = form["request_key"]
    if not is_key(key):
        form.wrong("request_key", TOO_OLD)
    if form["reason"] not in REASONS:
        form.wrong("reason", _("Pilih alasan pengembalian."))
    shipping = {found.sheet.id: found.shipping} if form["shipping"] == "1" else {}
    refund = form.done(
        lambda: refunds.propose(
            found.order_id,
            wishes,
            shipping=shipping,
            reason=form["reason"],
            note=form.line("note"),
            person_id=access.person_id(),
            may_decide=False,
            facility_ids=[g.facility.id],
            request_key=key,
        )
    )
    if refund is None:
        return page(found, form, kept_key(key)), form.status
    flash(_("Permintaan dikirim ke keuangan. Keadaannya tampak di halaman ini."), "ok")
    return redirect(url_for("seller.parcel", code=code, parcel_id=parcel_id), 303)


@bp.post("/<code>/parcels/<int:parcel_id>/refunds/<int:refund_id>/withdraw")
@access.rule(Action.REFUNDS_ASK)
def withdraw_refund(code: str, parcel_id: int, refund_id: int) -> ResponseReturnValue:
    """Who asked takes it back before finance decides. Raises NotFound for what somebody else asked for."""
    sheet = own(parcel_id)
    rows = refund_list.of_parcel(db.session.get_one(Parcel, sheet.id))
    if refund_id not in {row.id for row in rows if row.proposed_by == access.person_id()}:
        raise NotFound()
    refunds.reject(refund_id, access.person_id())
    db.session.commit()
    flash(_("Permintaan ditarik."), "ok")
    return redirect(url_for("seller.parcel", code=code, parcel_id=parcel_id), 303)


def asking(parcel_id: int) -> Asking:
    """The own parcel of a paid order. Raises NotFound for all others."""
    sheet = own(parcel_id)
    parcel = db.session.get_one(Parcel, sheet.id)
    left = refundable(db.session.get_one(Order, parcel.order_id))
    if left is None:
        raise NotFound()
    lines = [left.lines[part.order_line_id] for part in parcel.lines]
    gone = spoken_of([parcel.id])
    most = {part.order_line_id: part.quantity - gone.get(part.order_line_id, 0) for part in parcel.lines}
    return Asking(
        sheet,
        parcel.order_id,
        # What is left of a line may lie in another parcel.
        [(line, min(line.quantity, most[line.id]) if line.amount else 0) for line in lines],
        left.parcels[parcel.id].amount,
    )


def wishes_of(form: Written, found: Asking) -> list[LineWish]:
    """The pieces that were filled in, each at its price."""
    wishes = []
    for line, most in found.lines:
        name = f"quantity-{line.id}"
        quantity = form.amount(name) if form[name].strip() else 0
        if quantity > most:
            form.wrong(name, _("Paling banyak %(left)d buah yang belum dikembalikan.", left=most))
        if quantity:
            wishes.append(LineWish(
                    line.id, quantity, pieces=form[f"pieces-{line.id}"] or "none", parcel_id=found.sheet.id
                ))
    return wishes


def page(found: Asking, form: Written, key: str) -> str:
    return render_template(
        "seller/ask_refund.html",
        parcel=found.sheet,
        asking=found,
        form=form,
        request_key=key,
        reasons=REASONS,
    )
