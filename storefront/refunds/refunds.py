"""Refunds that a person decides: by line and quantity, shipping, goodwill. `orders/refund.py` sends them.

Proposed by one person; above a limit, or asked for by a facility, approved by another. Sent by a job through
the gateway. Only when the provider confirms are the shares taken back, in the proportion in which they were
given (`money.take_back`), and the pieces put back or written off.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.books.disputes import refuse_while_disputed
from storefront.books.four_eyes import moment, require_second
from storefront.books.taken_back_models import RefundLine, RefundParcel
from storefront.days import accounting_day
from storefront.errors import DomainError, NotFound
from storefront.extensions import db, defer
from storefront.mail.owe import owe
from storefront.orders.models import Order
from storefront.payments.models import OF_VAIN_MONEY, Refund
from storefront.refunds.refund_limits import limit_on
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish, parts_of, refuse
from storefront.refunds.refund_request import Request, sent_before
from storefront.refunds.refundable import refundable

#: How the key of a refund begins that a shopper's report has led to (`aftercare/answers.py`).
OF_A_PROBLEM = "problem-"


class RefundDecided(DomainError):
    code, status = "refund_decided", 409

    def __init__(self) -> None:
        super().__init__(_("Pengembalian ini sudah diputuskan. Muat ulang halaman untuk melihat keadaannya."))


class NothingLeft(DomainError):
    """What a refused refund would give back has gone back otherwise since."""

    code, status = "nothing_left", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Sisa pesanan ini tidak cukup lagi untuk pengembalian ini, karena sebagian sudah dikembalikan "
                "dengan cara lain. Usulkan pengembalian baru dari halaman pesanan."
            )
        )


def propose(
    order_id: int,
    lines: Sequence[LineWish],
    *,
    shipping: dict[int, int] | None = None,
    goodwill: int = 0,
    reason: str,
    note: str = "",
    person_id: int,
    may_decide: bool = True,
    facility_ids: Iterable[int] | None = None,
    request_key: str | None = None,
    at: datetime.datetime | None = None,
) -> Refund:
    """Write a refund down, in the caller's transaction; it is sent at once when nobody else must approve.

    `shipping` maps parcels' ids to rupiah, `goodwill` is spread over the lines by what is left of each.
    `may_decide` is False for whoever may only ask (a facility). With `facility_ids` only lines and parcels of
    those facilities exist. The same `request_key` with the same wishes gives the refund that it made before.
    `at` is when it was written down, by default now. Raises Invalid, saying for each part what is left,
    RequestUsed for a key that has asked for something else, Disputed while the payment is disputed, and
    NotFound for an order that is not paid, or of no such facility.
    """
    order = db.session.get(Order, order_id, with_for_update=True, populate_existing=True)
    if order is None:
        raise NotFound()
    shipping = {parcel: amount for parcel, amount in (shipping or {}).items() if amount}
    request = Request.of(request_key, (order_id, list(lines), shipping, goodwill, reason, note.strip()))
    before = sent_before(request, order_id)
    if before is not None:
        return before
    whole = refundable(order)
    left = whole.within(facility_ids) if whole is not None else None
    if left is None or not left.lines or not shipping.keys() <= left.parcels.keys():
        raise NotFound()
    refuse_while_disputed(left.payment_id)
    errors: dict[str, str] = {}
    parts = parts_of(left, lines, goodwill, errors)
    refuse(left, parts, shipping, reason, note, errors)
    amount = sum(part.amount for part in parts) + sum(shipping.values())
    asked_at = moment(at)
    decided = may_decide and amount + decided_alone(order.id) < limit_on(accounting_day(asked_at))
    refund = Refund(
        payment_id=left.payment_id,
        order_id=order.id,
        amount=amount,
        reason=reason,
        note=note.strip(),
        state="requested" if decided else "proposed",
        proposed_by=person_id,
        requested_at=asked_at,
        request_key=request.key,
        request_hash=request.hash,
    )
    _add(refund, parts, shipping)
    if decided:
        defer("orders.send_refund", refund_id=refund.id)
    _record(refund, "proposed", person_id)
    return refund


def decided_alone(order_id: int) -> int:
    """Rupiah of an order that one person alone has decided to give back, whoever it was."""
    alone = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.order_id == order_id,
        Refund.proposed_by.is_not(None),
        Refund.approved_by.is_(None),
        Refund.state.not_in(("proposed", "rejected")),
    )
    return int(db.session.scalars(alone).one())


def _add(refund: Refund, parts: Sequence[RefundLine], shipping: dict[int, int]) -> None:
    db.session.add(refund)
    db.session.flush()
    for part in parts:
        part.refund_id = refund.id
    db.session.add_all(parts)
    db.session.add_all(
        RefundParcel(refund_id=refund.id, parcel_id=parcel, amount=given)
        for parcel, given in shipping.items()
    )
    db.session.flush()


def approve(refund_id: int, person_id: int, *, at: datetime.datetime | None = None) -> Refund:
    """A second person agrees; the money is sent. Raises FourEyes, RefundDecided, NotFound."""
    refund = _waiting(refund_id)
    require_second(refund.proposed_by, person_id)
    refuse_while_disputed(refund.payment_id)
    refund.state, refund.approved_by, refund.approved_at = "requested", person_id, moment(at)
    db.session.flush()
    if refund.is_made_there:
        refund_succeeded(refund.id)  # the provider's own books say so
    else:
        defer("orders.send_refund", refund_id=refund.id)
    _record(refund, "approved", person_id, was="proposed")
    return refund


def reject(refund_id: int, person_id: int) -> Refund:
    """A second person, or who proposed it, decides against it. Raises RefundDecided, NotFound."""
    refund = _waiting(refund_id)
    refund.state, refund.finished_at = "rejected", moment(None)
    if refund.is_made_there:  # so that it can be written down anew
        refund.is_made_there, refund.reference = False, None
    db.session.flush()
    if (refund.request_key or "").startswith(OF_A_PROBLEM):  # the shopper was told that it is being decided
        owe("refund_refused", refund.order_id, key=f"refund:{refund.id}:refused")
    _record(refund, "rejected", person_id, was="proposed")
    return refund


def try_again(refund_id: int, person_id: int) -> Refund:
    """Send a refund once more that the provider had refused.

    Raises RefundDecided, NotFound, Disputed, and NothingLeft when other refunds have taken its place since.
    """
    order_id = db.session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
    if order_id is None:
        raise NotFound()
    # The order first, as whoever proposes a refund does: what is left of it stays as it is read here.
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    refund = db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund.state != "failed":
        raise RefundDecided()
    refuse_while_disputed(refund.payment_id)
    if refund.reason not in OF_VAIN_MONEY:
        require_left(refund, order)
    # The refused try keeps its reference at the provider; this one gets its own.
    refund.state, refund.finished_at, refund.reference, refund.failure = "requested", None, None, None
    refund.attempt += 1
    refund.is_made_there = False
    db.session.flush()
    defer("orders.send_refund", refund_id=refund.id)
    _record(refund, "sent_again", person_id, was="failed")
    return refund


def require_left(refund: Refund, order: Order) -> None:
    """Return only if what a refused refund gives back is still there; its order is locked. Raises NothingLeft."""
    left = refundable(order)
    lines = db.session.scalars(select(RefundLine).where(RefundLine.refund_id == refund.id)).all()
    parcels = db.session.scalars(select(RefundParcel).where(RefundParcel.refund_id == refund.id)).all()
    if left is None or any(
        part.amount > left.lines[part.order_line_id].amount
        or part.quantity > left.lines[part.order_line_id].quantity
        for part in lines
    ):
        raise NothingLeft()
    if any(part.amount > left.parcels[part.parcel_id].amount for part in parcels):
        raise NothingLeft()


def _waiting(refund_id: int) -> Refund:
    refund = db.session.get(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund is None:
        raise NotFound()
    if refund.state != "proposed":
        raise RefundDecided()
    return refund


#: The facilities that a refund's parts belong to.
FACILITIES = text(
    """
    SELECT l.facility_id FROM refund_lines x JOIN order_lines l ON l.id = x.order_line_id WHERE x.refund_id = :id
     UNION
    SELECT p.facility_id FROM refund_parcels x JOIN parcels p ON p.id = x.parcel_id WHERE x.refund_id = :id"""
)


def _record(refund: Refund, what: str, person_id: int, *, was: str | None = None) -> None:
    facilities = db.session.scalars(FACILITIES, {"id": refund.id}).all()
    record(
        f"refund.{what}",
        "refund",
        refund.id,
        person_id=person_id,
        # The act of one facility, where it is one's alone.
        facility_id=facilities[0] if len(facilities) == 1 else None,
        details={
            "before": {"state": was} if was else None,
            "after": {"state": refund.state},
            "amount": refund.amount,
            "reason": refund.reason,
        },
    )
