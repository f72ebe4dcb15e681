"""First instalments: they wait as customers' deposits until the last one makes the sale, or go back with its order."""

from __future__ import annotations

from sqlalchemy import exists, func, insert, select, text

from storefront.days import accounting_day
from storefront.extensions import db, defer
from storefront.ledger.closed import Counted, counting
from storefront.ledger.sale import book_deposit, book_deposit_released
from storefront.mail.owe import owe
from storefront.orders.instalments import counted_before
from storefront.orders.models import Instalment, Order
from storefront.payments.models import Payment, Refund

#: Why a refund goes back whose order ended before its last instalment.
REASON = "order_ended"
#: What waits of an order, by the books: the same that `waiting` reads whichever way it came in.
WAITING = text(
    """SELECT COALESCE(-sum(p.amount), 0)::bigint FROM postings p
         JOIN accounts a ON a.id = p.account_id AND a.code = 'customer_deposits'
         JOIN journal_entries e ON e.id = p.entry_id WHERE e.order_id = :order_id"""
)


def is_paid(instalment_id: int) -> bool:
    """Whether a payment counts for an instalment."""
    return bool(db.session.scalar(select(exists().where(Payment.instalment_id == instalment_id, Payment.counts))))


def waiting(order_id: int) -> int:
    """Rupiah of an order's earlier instalments that wait for its last one."""
    return int(db.session.execute(WAITING, {"order_id": order_id}).scalar_one())


def take_deposit(order: Order, payment: Payment, due: Instalment, counted: Counted) -> str:
    """An instalment is paid and `due` is the next one: its money waits, and the order lives until that one's day.

    The caller has locked both rows and marked the payment as counting. Returns `part_paid`.
    """
    book_deposit(payment.id, payment.gateway, payment.amount, order_id=order.id, when=counted)
    order.expires_at = max(order.expires_at, due.due_at)
    db.session.flush()
    owe("instalment_paid", order.id, key=f"payment:{payment.id}:instalment_paid")
    return "part_paid"


def give_back_deposits(order: Order) -> None:
    """Give back what waits of an order that has ended unpaid, payment by payment, once. The caller has locked it.

    Money that its payer's bank took back, or may take back, goes back no second time; called again once that bank has
    let go of it, this gives it back then.
    """
    given = select(Refund.payment_id).where(Refund.order_id == order.id, Refund.reason == REASON)
    done = set(db.session.scalars(given))
    payments = [payment for payment in counted_before(order.id) if payment.id not in done]
    if not payments:
        return
    now = counting(db.session.execute(select(func.now())).scalar_one())
    for payment in payments:
        taken_back = text("SELECT EXISTS (SELECT FROM disputes WHERE payment_id = :id AND state <> 'won')")
        if db.session.execute(taken_back, {"id": payment.id}).scalar_one():
            continue
        book_deposit_released(payment.id, payment.amount, order_id=order.id, on=accounting_day(now.at))
        refund_id = db.session.execute(
            insert(Refund)
            .values(payment_id=payment.id, order_id=order.id, amount=payment.amount, reason=REASON)
            .returning(Refund.id)
        ).scalar_one()
        defer("orders.send_refund", refund_id=refund_id)
