"""Payouts: money that a gateway passed on to our bank, recorded once each from the bank's statement."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.audit.record import record
from storefront.books.bank_accounts import NoBankAccount, in_force, mask
from storefront.books.four_eyes import moment
from storefront.books.models import Payout
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance, lock_accounts
from storefront.ledger.book import clearing
from storefront.ledger.clearing import book_payout
from storefront.ledger.closed import PeriodClosed, require_open
from storefront.ledger.models import Account
from storefront.money import format_rupiah

LONGEST_REFERENCE = 100
#: What reconciliation has copied of the provider's own list.
SENT = text(
    """
    SELECT EXISTS (SELECT FROM provider_payouts WHERE gateway = :gateway AND :reference IN (reference, bank_reference)
                      AND amount = :amount AND state <> 'failed')"""
)


def gateways() -> list[str]:
    """The gateways that have held money for us."""
    return list(
        db.session.scalars(
            select(Account.gateway)
            .where(Account.code == "clearing:" + Account.gateway)
            .order_by(Account.gateway)
        )
    )


def record_payout(
    *,
    gateway: str,
    reference: str,
    amount: int,
    arrived_on: datetime.date,
    person_id: int,
    at: datetime.datetime | None = None,
) -> Payout:
    """Write down that `amount` rupiah arrived on the central office's account, by the provider's reference.

    Never more than the gateway holds by the books, unless the gateway itself has told us of this payout: refunds
    and disputes since may have taken more than came in. Each reference once. Two at the same moment wait for each
    other on the clearing account. `at` is when it was written down, by default now. Raises Invalid, by field.
    Never commits.
    """
    reference = " ".join(reference.split())
    errors = _refused(gateway, reference, amount, arrived_on)
    account_id = 0
    if "arrived_on" not in errors:
        try:
            require_open(arrived_on)
            account_id = in_force(None, arrived_on).id
        except (PeriodClosed, NoBankAccount) as refusal:
            errors["arrived_on"] = str(refusal.message)
    if errors:
        raise Invalid(errors)
    account = clearing(gateway)
    lock_accounts([account.code])
    if db.session.scalar(select(Payout.id).where(Payout.gateway == gateway, Payout.reference == reference)):
        raise Invalid({"reference": _("Pencairan dengan nomor ini sudah dicatat. Periksa daftar di bawah.")})
    held = balance(account.code)
    if amount > held and not _is_told(gateway, reference, amount):
        raise Invalid(
            {"amount": _("Menurut buku, penyedia ini hanya memegang %(held)s.", held=format_rupiah(held))}
        )
    payout = Payout(
        gateway=gateway,
        reference=reference,
        amount=amount,
        bank_account_id=account_id,
        arrived_on=arrived_on,
        recorded_by=person_id,
        recorded_at=moment(at),
    )
    db.session.add(payout)
    db.session.flush()
    book_payout(payout.id, gateway, amount, account_id, on=arrived_on, person_id=person_id, posted_at=at)
    _record(payout, person_id)
    return payout


def _is_told(gateway: str, reference: str, amount: int) -> bool:
    """Whether the provider says that it has sent this payout, by its own reference or by the bank's."""
    values = {"gateway": gateway, "reference": reference, "amount": amount}
    return bool(db.session.scalar(SENT, values))


def _refused(gateway: str, reference: str, amount: int, arrived_on: datetime.date) -> dict[str, str]:
    errors = {}
    if gateway not in gateways():
        errors["gateway"] = _("Pilih penyedia pembayarannya.")
    if not 3 <= len(reference) <= LONGEST_REFERENCE:
        errors["reference"] = _("Tulis nomor pencairan dari penyedia, 3 sampai 100 karakter.")
    if amount <= 0:
        errors["amount"] = _("Tulis jumlahnya dalam rupiah, mulai dari 1.")
    if arrived_on > today():
        errors["arrived_on"] = _("Tanggal ini belum tiba. Tulis hari uangnya masuk ke rekening.")
    return errors


def _record(payout: Payout, person_id: int) -> None:
    account = in_force(None, payout.arrived_on)
    record(
        "payout.recorded",
        "payout",
        payout.id,
        person_id=person_id,
        details={
            "gateway": payout.gateway,
            "reference": payout.reference,
            "amount": payout.amount,
            "arrived_on": payout.arrived_on.isoformat(),
            "bank_account": mask(account.number),
        },
    )
