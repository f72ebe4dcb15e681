"""A shop with a bank: files taken in, orders to be paid by transfer, and the jobs that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storefront import days
from storefront.bank import automatic, files
from storefront.bank.models import BankFile, BankLine
from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.payments.models import Payment, PaymentEvent
from storefront.payments.transfer_models import Transfer
from storefront.refunds.event_tries import try_event
from tests.bank_samples import ACCOUNT, Movement, csv_of
from tests.factories import make_order
from tests.money_out import Books, open_books
from tests.replay import replayed


@dataclass(frozen=True)
class Asked:
    """An order that waits for a transfer."""

    order: Order
    payment: Payment
    code: str

    @property
    def total(self) -> int:
        return self.payment.amount


@replayed
def open_bank() -> tuple[Books, int]:
    """A shop with sales and registered accounts, and the id of the central office's account."""
    books = open_books()
    account = files.accounts()[0]
    assert account.number == ACCOUNT
    return books, account.id


def ask_for_transfer(*wishes: tuple[Variant, int], **values: object) -> Asked:
    """An order placed to be paid by transfer, its page shown, committed."""
    order = make_order(*wishes, gateway_name="transfer", **values)
    payment_id = open_payment(order, "transfer").id
    db.session.commit()
    payment = start_payment(payment_id)
    code = db.session.scalar(select(Transfer.code).where(Transfer.id == payment_id))
    assert code is not None
    return Asked(order, payment, code)


def upload(account_id: int, person_id: int, content: bytes, name: str = "mutasi.csv") -> BankFile:
    file, _is_new = files.upload(account_id, name, content, person_id)
    db.session.commit()
    return file


def take_in(account_id: int, person_id: int, *movements: Movement, opening: int = 0) -> list[BankLine]:
    """A file with these movements is uploaded and taken in; the lines that it added."""
    file = upload(account_id, person_id, csv_of(*movements, opening=opening))
    files.take_in(file.id, person_id)
    db.session.commit()
    return list(db.session.scalars(select(BankLine).where(BankLine.file_id == file.id).order_by(BankLine.id)))


def settle(account_id: int) -> None:
    """What the jobs do after a file was taken in: match, then handle the events."""
    automatic.match_lines(account_id)
    handle_events()
    db.session.expire_all()


def handle_events() -> list[str]:
    """Handle every event that waits; what each came to."""
    waiting = db.session.scalars(
        select(PaymentEvent.id).where(PaymentEvent.handled_at.is_(None)).order_by(PaymentEvent.id)
    ).all()
    db.session.rollback()
    return [try_event(event_id) for event_id in waiting]


def paid(asked: Asked, amount: int | None = None, *, note: str | None = None, day: object = None) -> Movement:
    """The bank's line of a shopper's transfer."""
    words = f"TRSF E-BANKING CR {note if note is not None else asked.code} SARI"
    return Movement(day or days.today(), asked.total if amount is None else amount, words)  # type: ignore[arg-type]


def states(lines: Sequence[BankLine]) -> list[str]:
    for line in lines:
        db.session.refresh(line)
    return [line.state for line in lines]
