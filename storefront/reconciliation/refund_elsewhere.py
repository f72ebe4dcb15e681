"""A refund that somebody made in the provider's own pages: written down afterwards, never sent.

It takes lines and shipping by what is left of each, as goodwill does, since nobody said what it was for. A second
person agrees in any case; then the books take the shares back as for any refund.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.books.four_eyes import moment
from storefront.books.taken_back_models import RefundLine, RefundParcel
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.money import split
from storefront.orders.models import Order
from storefront.payments.models import Payment, Refund
from storefront.reconciliation.models import ProviderLine
from storefront.refunds.refundable import refundable


class MoreThanLeft(DomainError):
    """The provider gave back more than what is left of the order."""

    code, status = "more_than_left", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Pengembalian ini lebih besar daripada sisa pesanannya, jadi tidak dapat dibagi ke barisnya. "
                "Luruskan dengan koreksi."
            )
        )


def write_down(line: ProviderLine, person_id: int, note: str) -> Refund:
    """Propose the refund that a provider's line tells of. Raises MoreThanLeft, NotFound."""
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == line.payment_id))
    if order_id is None:
        raise NotFound()
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    left, amount = refundable(order), -line.amount
    if left is None or amount > left.total:
        raise MoreThanLeft()
    lines, parcels = list(left.lines.values()), list(left.parcels.values())
    weights = [part.amount for part in lines] + [part.amount for part in parcels]
    amounts = split(amount, [max(0, weight) for weight in weights])
    refund = Refund(
        payment_id=left.payment_id,
        order_id=order.id,
        amount=amount,
        reason="goodwill",
        note=note,
        state="proposed",
        proposed_by=person_id,
        requested_at=moment(None),
        reference=line.refund_reference,
        is_made_there=True,
    )
    db.session.add(refund)
    db.session.flush()
    db.session.add_all(
        RefundLine(refund_id=refund.id, order_line_id=part.id, quantity=0, amount=given, pieces="none")
        for part, given in zip(lines, amounts, strict=False)
        if given
    )
    db.session.add_all(
        RefundParcel(refund_id=refund.id, parcel_id=part.id, amount=given)
        for part, given in zip(parcels, amounts[len(lines) :], strict=True)
        if given
    )
    db.session.flush()
    details = {"amount": amount, "reason": "goodwill", "state": "proposed", "made_there": True}
    record("refund.proposed", "refund", refund.id, person_id=person_id, details=details)
    return refund
