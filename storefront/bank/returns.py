"""Money back by bank: the shopper is asked for an account, finance pays in batches that two people agreed on.

For refunds whose way of paying knows none, and for transfers that pay nothing. The account is written down apart
(`return_accounts`) and really deleted once it is paid, and after 30 days at the latest.
"""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.bank.models import BankReturn, HeldTransfer, ReturnAccount
from storefront.bank.payment_models import PaymentFileLine
from storefront.books.bank_accounts import mask
from storefront.books.disputes import refuse_while_disputed
from storefront.books.four_eyes import Decided, moment
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.mail.owe import owe
from storefront.orders.models import Order
from storefront.payments.models import OF_VAIN_MONEY, Refund
from storefront.refunds.refunds import RefundDecided, require_left
from storefront.written import one_line

#: Days that a shopper's account is kept at most.
KEPT_DAYS = 30


class TooLate(DomainError):
    """The account is being approved or paid, so it cannot be changed any more."""

    code, status = "return_under_way", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Uang Anda sedang kami kirim ke rekening yang sudah Anda berikan, jadi tidak dapat diubah lagi."
            )
        )


class BeingPaid(DomainError):
    """A file for the bank pays it: that is discarded first."""

    code, status = "return_in_payment_file", 409

    def __init__(self) -> None:
        super().__init__(_("Pengembalian ini ada di berkas pembayaran untuk bank. Batalkan berkas itu dulu."))


def of_refund(refund_id: int, person_id: int | None = None) -> BankReturn:
    """Give a refund back by bank that the provider could not give back; the same again changes nothing.

    Raises RefundDecided, Disputed, NothingLeft, NotFound.
    """
    order_id = db.session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
    if order_id is None:
        raise NotFound()
    order = db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    refund = db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    known: BankReturn | None = db.session.scalar(select(BankReturn).where(BankReturn.refund_id == refund_id))
    if known is not None:
        return known
    if refund.state != "failed":
        raise RefundDecided()
    refuse_while_disputed(refund.payment_id)
    if refund.reason not in OF_VAIN_MONEY:
        require_left(refund, order)
    refund.state, refund.finished_at = "by_bank", None
    db.session.flush()
    return _ask(BankReturn(order_id=order_id, refund_id=refund.id, amount=refund.amount), person_id)


def of_held(held_id: int, person_id: int) -> BankReturn:
    """Give back what is left of a held transfer. Raises Decided, NotFound."""
    order_id = db.session.scalar(select(HeldTransfer.order_id).where(HeldTransfer.id == held_id))
    if order_id is None:
        raise NotFound()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    held = db.session.get_one(HeldTransfer, held_id, with_for_update=True, populate_existing=True)
    if not held.left or db.session.scalar(select(BankReturn.id).where(BankReturn.held_id == held_id)):
        raise Decided()
    return _ask(BankReturn(order_id=order_id, held_id=held.id, amount=held.left), person_id)


def _ask(wanted: BankReturn, person_id: int | None) -> BankReturn:
    wanted.asked_by = person_id
    db.session.add(wanted)
    db.session.flush()
    _write(wanted)
    _record(wanted, "asked", person_id)
    return wanted


def ask_again(return_id: int, person_id: int) -> BankReturn:
    """Write to the shopper once more, for example because the bank did not know the account.

    What was given is deleted, and what was approved is not paid. Raises Decided for one that is paid, NotFound;
    BeingPaid while a file for the bank pays it.
    """
    found = locked(return_id)
    if found.state == "paid":
        raise Decided()
    if db.session.scalar(
        select(PaymentFileLine.file_id).where(PaymentFileLine.return_id == found.id, PaymentFileLine.is_living)
    ):
        raise BeingPaid()
    _forget(found, person_id)
    return found


def give_account(order: Order, return_id: int, *, bank: str, number: str, holder: str) -> BankReturn:
    """The shopper says where their money shall go; until somebody proposes its payment they may change it.

    Raises Invalid by field, TooLate, NotFound for a return of another order.
    """
    found = db.session.get(BankReturn, return_id, with_for_update=True, populate_existing=True)
    if found is None or found.order_id != order.id:
        raise NotFound()
    if found.state not in ("asked", "given"):
        raise TooLate()
    values = _checked(bank, number, holder)
    now = moment(None)
    db.session.execute(
        upsert(ReturnAccount)
        .values(return_id=found.id, given_at=now, **values)
        .on_conflict_do_update(index_elements=["return_id"], set_={**values, "given_at": now})
    )
    found.state = "given"
    db.session.flush()
    _record(found, "given", None)
    return found


def erase_old(limit: int = 500) -> int:
    """Delete accounts that lie here for 30 days; their returns wait for the shopper again. Never commits."""
    ids = db.session.scalars(
        select(ReturnAccount.return_id)
        .where(ReturnAccount.given_at < func.now() - datetime.timedelta(days=KEPT_DAYS))
        .order_by(ReturnAccount.return_id)
        .limit(limit)
    ).all()
    for return_id in ids:
        _forget(locked(return_id), None)
    return len(ids)


def of_order(order_id: int) -> list[BankReturn]:
    """The returns of an order, the latest first."""
    return list(
        db.session.scalars(
            select(BankReturn).where(BankReturn.order_id == order_id).order_by(BankReturn.id.desc())
        )
    )


def shown_account(return_id: int) -> str | None:
    """The account as its owner may see it again: bank and masked number; None while there is none."""
    account = db.session.get(ReturnAccount, return_id, populate_existing=True)
    return f"{account.bank} {mask(account.number)}" if account else None


def locked(return_id: int) -> BankReturn:
    """A return, its order locked first. Raises NotFound."""
    order_id = db.session.scalar(select(BankReturn.order_id).where(BankReturn.id == return_id))
    if order_id is None:
        raise NotFound()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    return db.session.get_one(BankReturn, return_id, with_for_update=True, populate_existing=True)


def delete_account(return_id: int) -> None:
    """The row is gone, not marked."""
    db.session.execute(delete(ReturnAccount).where(ReturnAccount.return_id == return_id))


def _forget(found: BankReturn, person_id: int | None) -> None:
    """Delete the account and ask anew."""
    delete_account(found.id)
    found.state, found.batch_id = "asked", None
    found.asked_at, found.times_asked = moment(None), found.times_asked + 1
    db.session.flush()
    _write(found)
    _record(found, "asked", person_id)


def _checked(bank: str, number: str, holder: str) -> dict[str, str]:
    bank, holder, digits = one_line(bank), one_line(holder), re.sub(r"[\s.-]", "", number)
    errors = {}
    if not 2 <= len(bank) <= 80:
        errors["bank"] = _("Tulis nama banknya, misalnya Bank Mandiri.")
    if not re.fullmatch(r"[0-9]{5,20}", digits):
        errors["number"] = _("Nomor rekening terdiri dari 5 sampai 20 angka.")
    if not 3 <= len(holder) <= 120:
        errors["holder"] = _("Tulis nama pemilik rekening seperti di buku bank.")
    if errors:
        raise Invalid(errors)
    return {"bank": bank, "number": digits, "holder": holder}


def _write(found: BankReturn) -> None:
    owe("return_asked", found.order_id, key=f"bank_return:{found.id}:asked:{found.times_asked}")


def _record(found: BankReturn, what: str, person_id: int | None) -> None:
    record(
        f"bank_return.{what}",
        "bank_return",
        found.id,
        person_id=person_id,
        # Never the account itself.
        details={"amount": found.amount, "order_id": found.order_id, "state": found.state},
    )
