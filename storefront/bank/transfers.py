"""Shoppers' transfers: counted by themselves where code and amount fit, held where they do not.

Whatever counts goes the way of any provider's event: an inbox row unique by the bank's line, then the job that
marks orders paid. So a late transfer takes the pieces again or goes back, and a second one goes back, like any.
"""

from __future__ import annotations

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.bank import match
from storefront.bank.models import BankLine, BankReturn, HeldTransfer
from storefront.books.four_eyes import Decided
from storefront.days import accounting_day
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.ledger.transfers import book_transfer_held
from storefront.money import format_rupiah
from storefront.orders.models import Order
from storefront.orders.numbers import new_payment_id
from storefront.payments.models import Payment
from storefront.payments.transfer import NAME, TransferGateway, announce, codes_in
from storefront.payments.transfer_models import Transfer


class NotEnough(DomainError):
    """What is held does not pay what was asked."""

    code, status = "transfer_not_enough", 409

    def __init__(self, held: int, asked: int) -> None:
        super().__init__(
            _(
                "Yang tertahan baru %(held)s dari %(asked)s. Tunggu sisanya, atau kembalikan kepada pembeli.",
                held=format_rupiah(held),
                asked=format_rupiah(asked),
            )
        )


class TwoAccounts(DomainError):
    """Parts of one payment lie on different accounts."""

    code, status = "transfer_two_accounts", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Bagian-bagiannya masuk ke dua rekening, jadi tidak dapat dihitung bersama. Kembalikan kepada pembeli."
            )
        )


def payments_named(text: str) -> list[Payment]:
    """The payments whose codes stand in a bank's words."""
    codes = codes_in(text)
    if not codes:
        return []
    return list(
        db.session.scalars(
            select(Payment).join(Transfer, Transfer.id == Payment.id).where(Transfer.code.in_(codes))
        )
    )


def recognise(line_id: int) -> str | None:
    """Take an open line that carries a code as that payment's; what it came to, None when it carries none.

    In the caller's transaction, which it commits.
    """
    line = db.session.get_one(BankLine, line_id)
    if line.state != "open" or line.amount <= 0 or line.hundredths:
        return None
    named = payments_named(f"{line.description} {line.bank_reference}")
    if len(named) != 1:
        return None
    return take(line_id, named[0].id, person_id=None)


def take(line_id: int, payment_id: str, *, person_id: int | None) -> str:
    """A line is money for this payment: `announced` when it is exactly what was asked, else `held`.

    A second time the same amount is another payment of the order, which is given back as any second one.
    Raises Decided, NotFound.
    """
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise NotFound()
    # The order first, as whoever records a payment does.
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    (line,) = match.locked_lines([line_id])
    if line.amount <= 0 or line.hundredths:
        raise match.NotEven()
    transfer = db.session.get(Transfer, payment_id, with_for_update=True, populate_existing=True)
    if transfer is None:  # asked for by another gateway, or never shown
        payment = _another(order, payment)
    if line.amount != payment.amount:
        _hold(line, payment, person_id)
        return "held"
    if transfer is not None and transfer.state == "succeeded":
        payment = _another(order, payment)
    line.state, line.payment_id = "announced", payment.id
    db.session.flush()
    announce(_gateway(), payment.id, line.bank_account_id, f"bank_line:{line.id}")
    _record(line, "announced", payment, person_id)
    return "announced"


def take_for_order(line_id: int, number: str, *, person_id: int) -> str:
    """A person says whose money a line is: counted when it is exactly what is asked, else held. Raises NotFound."""
    order = db.session.scalar(select(Order).where(Order.number == number.strip().upper()[:20]))
    if order is None:
        raise NotFound()
    payment = db.session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id)
        .order_by(Payment.gateway != NAME, Payment.created_at.desc(), Payment.id)
        .limit(1)
    ).first()
    if payment is None:
        raise NotFound()
    return take(line_id, payment.id, person_id=person_id)


def count(payment_id: str, person_id: int) -> list[HeldTransfer]:
    """The held transfers of a payment pay it after all; what is above the total stays held.

    Raises NotEnough, TwoAccounts, Decided when it is paid already or its money is on the way back, NotFound.
    """
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise NotFound()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    transfer = db.session.get(Transfer, payment_id, with_for_update=True, populate_existing=True)
    held = _held_for(payment_id, lock=True)
    if not held or transfer is None or transfer.state == "succeeded":
        raise Decided()
    if sum(one.left for one in held) < payment.amount:
        raise NotEnough(sum(one.left for one in held), payment.amount)
    lines = {one.id: db.session.get_one(BankLine, one.bank_line_id) for one in held}
    accounts = {line.bank_account_id for line in lines.values()}
    if len(accounts) > 1:
        raise TwoAccounts()
    missing = payment.amount
    used = []
    for one in held:
        part = min(one.left, missing)
        if part:
            one.counted, one.counted_for, one.counted_by = part, payment.id, person_id
            used.append(one)
            missing -= part
    db.session.flush()
    announce(_gateway(), payment.id, accounts.pop(), f"bank_line:{used[0].bank_line_id}")
    for one in used:
        _record(lines[one.id], "counted", payment, person_id, amount=one.counted)
    return used


def held_for_shopper(order_id: int) -> int:
    """Rupiah of an order's transfers that are held and not on their way back."""
    return sum(
        db.session.scalars(
            select(HeldTransfer.amount).where(
                HeldTransfer.order_id == order_id,
                HeldTransfer.counted == 0,
                HeldTransfer.returned == 0,
                ~select(BankReturn.id).where(BankReturn.held_id == HeldTransfer.id).exists(),
            )
        )
    )


def _hold(line: BankLine, payment: Payment, person_id: int | None) -> HeldTransfer:
    """Keep a shopper's money for a decision. The line and its order are locked."""
    held = HeldTransfer(
        bank_line_id=line.id,
        order_id=payment.order_id,
        payment_id=payment.id,
        amount=line.amount,
        held_by=person_id,
    )
    db.session.add(held)
    line.payment_id = payment.id
    db.session.flush()
    now = db.session.execute(select(func.now())).scalar_one()
    entry = book_transfer_held(
        held.id, line.bank_account_id, held.amount, order_id=held.order_id, on=accounting_day(now),
        person_id=person_id,
    )  # fmt: skip
    match.tie([line], [match.bank_posting(entry, line.bank_account_id)], person_id=person_id, is_fixed=True)
    _record(line, "held", payment, person_id, asked=payment.amount)
    return held


def _held_for(payment_id: str, *, lock: bool = False) -> list[HeldTransfer]:
    """What is held for a payment and neither decided on nor on its way back."""
    query = (
        select(HeldTransfer)
        .where(
            HeldTransfer.payment_id == payment_id,
            HeldTransfer.counted == 0,
            HeldTransfer.returned == 0,
            ~select(BankReturn.id).where(BankReturn.held_id == HeldTransfer.id).exists(),
        )
        .order_by(HeldTransfer.id)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query.with_for_update() if lock else query))


def _another(order: Order, payment: Payment) -> Payment:
    """One more payment of the order, for money that came although nobody had asked for it (again)."""
    now = db.session.execute(select(func.now())).scalar_one()
    expires_at = max(order.expires_at, now)
    more = Payment(
        id=new_payment_id(),
        order_id=order.id,
        instalment_id=payment.instalment_id,
        gateway=NAME,
        amount=payment.amount,
        expires_at=expires_at,
    )
    db.session.add(more)
    db.session.add(
        Transfer(
            id=more.id,
            code=None,
            amount=more.amount,
            description=order.number,
            locale=order.locale,
            expires_at=expires_at,
        )
    )
    db.session.flush()
    return more


def _gateway() -> TransferGateway:
    found = current_app.extensions["gateways"][NAME]
    assert isinstance(found, TransferGateway)
    return found


def _record(line: BankLine, what: str, payment: Payment, person_id: int | None, **more: int) -> None:
    record(
        f"transfer.{what}",
        "bank_line",
        line.id,
        person_id=person_id,
        details={"payment": payment.id, "order_id": payment.order_id, "amount": line.amount, **more},
    )
