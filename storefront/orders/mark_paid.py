"""Money has arrived: the order is paid, its pieces are sold, the books know it, the parcels may be packed.

One transaction does all of it. Called by the handler of provider events, and by whoever asked the provider.
"""

from __future__ import annotations

import datetime

from sqlalchemy import func, insert, select, update

from storefront.days import accounting_day, today
from storefront.extensions import db, defer
from storefront.facilities.working_days import all_ready_on, calendars
from storefront.integrations import events
from storefront.ledger.book import AccountKey
from storefront.ledger.closed import Counted, counting
from storefront.ledger.models import Fund
from storefront.ledger.sale import ShippingCharged, SoldLine, book_payment_held, book_sale
from storefront.ledger.shares import LineShare
from storefront.mail.owe import owe
from storefront.orders.arrivals import move_on
from storefront.orders.deposits import is_paid, take_deposit, waiting
from storefront.orders.hand_over import hand_over
from storefront.orders.held import hold
from storefront.orders.instalments import next_unpaid
from storefront.orders.models import (
    Channel,
    Order,
    OrderLine,
    OrderLineShare,
    OrderState,
    Parcel,
    ParcelState,
)
from storefront.orders.stopped import has_suspended
from storefront.payments.inbox import wake
from storefront.payments.models import Payment, PaymentAttempt, PaymentState, Refund
from storefront.payments.said import CURRENCY
from storefront.shipping import stands
from storefront.stock.reserve import reserve_again, sell


def record_payment(
    payment_id: str,
    *,
    reference: str,
    amount: int,
    happened_at: datetime.datetime | None = None,
    at: datetime.datetime | None = None,
    capture_reference: str | None = None,
    currency: str = CURRENCY,
    paid_into: AccountKey | None = None,
) -> str:
    """Take note that the provider has `amount` for a payment; the same news twice changes nothing.

    `happened_at` is when the money was taken, as the provider says; by default when it became known, `at` or now
    (history names its own moment). The order counts as paid then; where that month is closed meanwhile, it counts
    as paid when it became known. `capture_reference` is the provider's id of the money; `paid_into` the account that
    holds it, by default the gateway's clearing. Returns what it came to: `paid`, `part_paid` (more instalments are to
    come), `already_recorded`, `unknown_payment`, `paid_twice` or `paid_too_late` (both go back to the shopper in
    full), or `held`, when amount or currency is another than we asked for.
    """
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        return "unknown_payment"
    # Lock order: the order first, then its payment, then stock levels.
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if payment.state in (PaymentState.SUCCEEDED, PaymentState.HELD):
        return "already_recorded"
    known_at = at or db.session.execute(select(func.now())).scalar_one()
    happened_at = happened_at or known_at
    counted = counting(happened_at, known_at=at)
    payment.reference = reference
    payment.capture_reference = capture_reference
    if (amount, currency) != (payment.amount, CURRENCY):
        payment.held_at = happened_at
        result = hold(order, payment, amount=amount, currency=currency, counted=counted)
    else:
        payment.state = PaymentState.SUCCEEDED.value
        payment.succeeded_at = happened_at
        result = _take(order, payment)
    db.session.execute(
        insert(PaymentAttempt).values(payment_id=payment_id, action="event", outcome=result, detail="")
    )
    if result == "paid":
        payment.counts = True
        db.session.flush()
        due = next_unpaid(order.id)
        if due is None:
            _mark_paid(order, payment, counted, accounting_day(known_at), paid_into)
        else:
            result = take_deposit(order, payment, due, counted)
    elif result != "held":
        db.session.flush()
        _give_back(order, payment, result, counted)
    move_on(payment, counted.at)
    wake(f"payment:{payment_id}")
    return result


def _take(order: Order, payment: Payment) -> str:
    """Whether this payment may pay its order: `paid`, or why not."""
    if order.state == OrderState.PAID or is_paid(payment.instalment_id):
        return "paid_twice"
    if order.state == OrderState.AWAITING_PAYMENT:
        return "paid"
    # Of one in parts, what came before is on its way back.
    may_live = order.state == OrderState.EXPIRED and len(order.instalments) == 1 and not has_suspended(order.id)
    # What is to lie at a stand comes too late once the fair is over.
    may_live = may_live and stands.may_still_be_brought(order.id, today())
    if may_live and reserve_again(_line_ids(order)):
        return "paid"
    return "paid_too_late"


def _line_ids(order: Order) -> list[int]:
    return list(db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == order.id)))


def _mark_paid(
    order: Order, payment: Payment, counted: Counted, known_on: datetime.date, paid_into: AccountKey | None
) -> None:
    """`known_on`: the day from which the facilities can pack."""
    lines = list(
        db.session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        )
    )
    parcels = list(
        db.session.scalars(select(Parcel).where(Parcel.order_id == order.id).order_by(Parcel.position))
    )
    sell([line.id for line in lines], moved_at=counted.at)
    order.state = OrderState.PAID.value
    # Never in a closed month, so that what its reports and exports showed is what they will show.
    order.paid_at = counted.at
    order.closed_at = None
    codes = {line.facility_id: line.facility_code for line in lines}
    book_sale(
        payment.id,
        payment.gateway,
        _sold(lines),
        [ShippingCharged(p.facility_id, codes[p.facility_id], p.shipping_amount) for p in parcels],
        deposits=waiting(order.id),
        order_id=order.id,
        when=counted,
        paid_into=paid_into,
    )
    days = calendars({parcel.facility_id for parcel in parcels}, known_on)
    for parcel in parcels:
        lead_times = [line.lead_time_days for line in lines if line.facility_id == parcel.facility_id]
        parcel.ready_by = all_ready_on(known_on, lead_times, days[parcel.facility_id])
        parcel.state = ParcelState.TO_PACK.value
    is_with_the_buyer = order.channel in (Channel.COUNTER, Channel.MARKETPLACE)
    if is_with_the_buyer:
        hand_over(order.id, counted.at)
    else:
        owe("order_paid", order.id)
    told = {
        "order_number": order.number,
        "total": order.items_total + order.shipping_total,
        "channel": order.channel,
        "facilities": sorted(set(codes.values())),
    }
    events.tell(events.Kind.ORDER_PAID, f"order:{order.id}:paid", told, counted.at)
    if not is_with_the_buyer:  # there is nothing to pack
        defer("orders.tell_facilities", order_id=order.id)


def _sold(lines: list[OrderLine]) -> list[SoldLine]:
    rows = db.session.execute(
        select(OrderLineShare, Fund.code)
        .join(Fund, Fund.id == OrderLineShare.fund_id)
        .where(OrderLineShare.order_line_id.in_([line.id for line in lines]))
        .order_by(OrderLineShare.order_line_id, OrderLineShare.position)
    )
    shares: dict[int, list[LineShare]] = {}
    for share, code in rows:
        shares.setdefault(share.order_line_id, []).append(
            LineShare(
                share.position, share.fund_id, code, share.basis_points, share.amount, share.is_material
            )
        )
    return [SoldLine(line.id, line.facility_id, line.facility_code, tuple(shares[line.id])) for line in lines]


def _give_back(order: Order, payment: Payment, reason: str, counted: Counted) -> None:
    book_payment_held(payment.id, payment.gateway, payment.amount, order_id=order.id, when=counted)
    refund_id = db.session.execute(
        insert(Refund)
        .values(payment_id=payment.id, order_id=order.id, amount=payment.amount, reason=reason)
        .returning(Refund.id)
    ).scalar_one()
    defer("orders.send_refund", refund_id=refund_id)
    owe(f"payment_{reason}", order.id, key=f"payment:{payment.id}:{reason}")


def record_other_outcome(payment_id: str, state: PaymentState) -> str:
    """Take note that a payment is pending, failed or expired at the provider; never undoes a success."""
    changed = db.session.execute(
        update(Payment)
        .where(
            Payment.id == payment_id,
            Payment.state.in_(["created", "pending", "failed"]),
            Payment.state != state.value,
        )
        .values(state=state.value)
    )
    if db.session.scalar(select(Payment.id).where(Payment.id == payment_id)) is None:
        return "unknown_payment"
    db.session.execute(
        insert(PaymentAttempt).values(payment_id=payment_id, action="event", outcome=state.value, detail="")
    )
    return state.value if changed.rowcount else "nothing_changed"  # type: ignore[attr-defined]
