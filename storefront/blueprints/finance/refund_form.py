"""The form of a refund: pieces, amounts, shipping and goodwill of an order, as finance writes them."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.finance import bp, steps
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key, new_key
from storefront.money import format_rupiah
from storefront.orders.models import Order
from storefront.payments.models import Refund
from storefront.people import access
from storefront.people.holders import holders
from storefront.people.policy import Action
from storefront.refunds import refunds
from storefront.refunds.refund_limits import limit_on
from storefront.refunds.refund_parts import PIECES, REASONS, LineWish
from storefront.refunds.refundable import Refundable, refundable
from storefront.refunds.refunds import decided_alone
from storefront.reports.order_sheet import order_id_of
from storefront.written import Written


@bp.get("/orders/<number>/refund")
@access.rule(Action.REFUNDS_WRITE)
def new_refund(number: str) -> ResponseReturnValue:
    """What is left of the order, to choose from."""
    order, left = own(number)
    return page(order, left, Written(), new_key())


@bp.post("/orders/<number>/refund")
@access.rule(Action.REFUNDS_WRITE)
def propose_refund(number: str) -> ResponseReturnValue:
    """Propose what was chosen; below the limit it is sent at once."""
    order, left = own(number)
    form = steps.written()
    wishes = wishes_of(form, left)
    shipping = {parcel: amount_of(form, f"shipping-{parcel}") or 0 for parcel in left.parcels}
    goodwill = amount_of(form, "goodwill") or 0
    key = form["request_key"]
    if not is_key(key):
        form.wrong("request_key", TOO_OLD)
    refund = form.done(
        lambda: refunds.propose(
            order.id,
            wishes,
            shipping=shipping,
            goodwill=goodwill,
            reason=form["reason"],
            note=form.line("note"),
            person_id=access.person_id(),
            facility_ids=steps.within(Action.REFUNDS_WRITE),
            request_key=key,
        )
    )
    if refund is None:
        # The key asks once more: nothing was made with it.
        return page(order, left, form, kept_key(key)), form.status
    flash(said(refund, left), "ok")
    return redirect(url_for("finance.refund_page", refund_id=refund.id), 303)


def own(number: str) -> tuple[Order, Refundable]:
    """A paid order and what is left of the reader's lines in it. Raises NotFound for all others."""
    order_id = order_id_of(number)
    order = db.session.get(Order, order_id) if order_id is not None else None
    left = refundable(order) if order is not None else None
    left = left.within(steps.within(Action.REFUNDS_WRITE)) if left is not None else None
    if order is None or left is None or not left.lines:
        raise NotFound()
    return order, left


def wishes_of(form: Written, left: Refundable) -> list[LineWish]:
    """The lines that were filled in: pieces, or an amount, or both."""
    wishes = []
    for line_id in left.lines:
        quantity = amount_of(form, f"quantity-{line_id}") or 0
        amount = amount_of(form, f"amount-{line_id}")
        if quantity or amount:
            # Without pieces nothing can become of them, whatever stands in the list.
            pieces = (form[f"pieces-{line_id}"] or "none") if quantity else "none"
            wishes.append(LineWish(line_id, quantity, amount, pieces))
    return wishes


def amount_of(form: Written, name: str) -> int | None:
    """A number, None when the field was left empty."""
    return form.amount(name) if form[name].strip() else None


def said(refund: Refund, left: Refundable) -> str:
    """What happens next with it."""
    amount = format_rupiah(refund.amount)
    if refund.state != "proposed":
        return _("%(amount)s dikirim ke penyedia pembayaran untuk dikembalikan.", amount=amount)
    names = second_people({line.facility_id for line in left.lines.values()})
    if not names:
        return _("%(amount)s diusulkan. Orang kedua dari keuangan harus menyetujuinya.", amount=amount)
    return _(
        "%(amount)s diusulkan. Orang kedua harus menyetujuinya: %(names)s.",
        amount=amount,
        names=", ".join(names),
    )


def second_people(facility_ids: set[int], besides: int | None = None) -> list[str]:
    """Names of who may approve what this reader (or `besides`) proposes."""
    return holders(Action.REFUNDS_WRITE, facility_ids, face="finance", besides=besides or access.person_id())


def page(order: Order, left: Refundable, form: Written, key: str) -> str:
    values: dict[str, Any] = {
        "order": order,
        "left": left,
        "form": form,
        "request_key": key,
        "reasons": REASONS,
        "pieces": PIECES,
        "limit": max(1, limit_on() - decided_alone(order.id)),
        "second": second_people({line.facility_id for line in left.lines.values()}),
    }
    return render_template("finance/new_refund.html", **values)
