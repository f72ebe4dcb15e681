"""Registered bank accounts: of facilities, and of the central office. Money lies nowhere else.

Proposed with its permission letter by one person, approved by another. A new account ends the one before it
on the day before its first; so on any day at most one is in force.
"""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, func, or_, select

from storefront.books.account_register import Register
from storefront.books.models import BankAccount, Settlement
from storefront.display import format_date
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.models import Account, Posting

#: Digits of an account number that are shown to everybody.
SHOWN_DIGITS = 4


class NoBankAccount(DomainError):
    """No registered account is in force on a day: money cannot go there."""

    code, status = "no_bank_account", 409


class FinanceDecides(DomainError):
    """The facility itself proposed the account: its head is no second pair of eyes."""

    code, status = "finance_decides", 409
    message = lazy_gettext("Rekening ini diusulkan lapas sendiri. Keuangan yang menyetujuinya.")


def mask(number: str) -> str:
    """`••••6789`: enough to recognise an account, not to use it."""
    return "••••" + number[-SHOWN_DIGITS:]


def in_force(facility_id: int | None, on: datetime.date) -> BankAccount:
    """The registered account of a facility, or (None) of the central office, on a day.

    Raises NoBankAccount, which says whose is missing.
    """
    account = find_in_force(facility_id, on)
    if account is None:
        raise NoBankAccount(_missing(facility_id, on))
    return account


def find_in_force(facility_id: int | None, on: datetime.date) -> BankAccount | None:
    """The same, or None."""
    return db.session.scalar(
        select(BankAccount).where(
            _of(facility_id),
            BankAccount.approved_at.is_not(None),
            BankAccount.valid_from <= on,
            or_(BankAccount.valid_to.is_(None), BankAccount.valid_to >= on),
        )
    )


def is_in_force(account: BankAccount, on: datetime.date) -> bool:
    """Whether the account is approved and `on` one of its days."""
    if account.approved_at is None or on < account.valid_from:
        return False
    return account.valid_to is None or on <= account.valid_to


def propose(
    facility_id: int | None,
    *,
    bank: str,
    number: str,
    holder: str,
    permission_letter: str,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
    person_id: int,
    at: datetime.datetime | None = None,
    from_facility: bool = False,
) -> BankAccount:
    """Write an account down; it counts once somebody else has approved it: finance, if it comes `from_facility`.

    A facility that asks for the same account once more is given the proposal that waits. Raises Invalid, by field.
    """
    digits = re.sub(r"[\s.-]", "", number)
    errors = {}
    if not 2 <= len(bank) <= 80:
        errors["bank"] = _("Tulis nama banknya, 2 sampai 80 huruf.")
    if not re.fullmatch(r"[0-9]{5,20}", digits):
        errors["number"] = _("Nomor rekening terdiri dari 5 sampai 20 angka.")
    if not 3 <= len(holder) <= 120:
        errors["holder"] = _("Tulis nama pemilik rekening seperti di buku bank, 3 sampai 120 huruf.")
    if not 3 <= len(permission_letter) <= 200:
        errors["permission_letter"] = _("Tulis nomor dan tanggal surat izin pembukaan rekening.")
    if valid_to is not None and valid_to < valid_from:
        errors["valid_to"] = _("Hari terakhir tidak bisa sebelum hari pertama.")
    if errors:
        raise Invalid(errors)
    if from_facility and (waits := _same_waits(facility_id, bank, digits, valid_from)) is not None:
        return waits
    account = BankAccount(
        facility_id=facility_id,
        from_facility=from_facility,
        bank=bank,
        number=digits,
        holder=holder,
        permission_letter=permission_letter,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    return REGISTER.propose(account, person_id, at)


def approve(
    account_id: int, person_id: int, *, at: datetime.datetime | None = None, in_facility: bool = False
) -> BankAccount:
    """A second person registers the account, which ends the one before it. `in_facility`: the facility's head does.

    Raises FourEyes, Decided, NotFound, FinanceDecides, and Invalid when its days overlap with another's.
    """
    if in_facility and db.session.scalar(select(BankAccount.from_facility).where(BankAccount.id == account_id)):
        raise FinanceDecides()
    return REGISTER.approve(account_id, person_id, at)


def _same_waits(facility_id: int | None, bank: str, digits: str, valid_from: datetime.date) -> BankAccount | None:
    same = (BankAccount.bank == bank) & (BankAccount.number == digits) & (BankAccount.valid_from == valid_from)
    waits = BankAccount.approved_at.is_(None) & BankAccount.rejected_at.is_(None) & BankAccount.from_facility
    return db.session.scalar(select(BankAccount).where(_of(facility_id), same, waits))


def _used_after(account: BankAccount, last_day: datetime.date) -> datetime.date | None:
    """Money went to this account, or (the central office's) through it."""
    paid_to = db.session.scalar(
        select(func.max(Settlement.paid_on)).where(
            Settlement.bank_account_id == account.id, Settlement.paid_on > last_day
        )
    )
    moved = db.session.scalar(
        select(func.max(Posting.effective_date))
        .join(Account, Account.id == Posting.account_id)
        .where(Account.bank_account_id == account.id, Posting.effective_date > last_day)
    )
    return max((day for day in (paid_to, moved) if day is not None), default=None)


def _of(facility_id: int | None) -> ColumnElement[bool]:
    if facility_id is None:
        return BankAccount.facility_id.is_(None)
    return BankAccount.facility_id == facility_id


def _missing(facility_id: int | None, on: datetime.date) -> object:
    if facility_id is None:
        return _(
            "Kantor pusat tidak punya rekening terdaftar yang berlaku pada %(day)s. "
            "Daftarkan dulu di Rekening bank.",
            day=format_date(on),
        )
    name = db.session.scalar(select(Facility.name).where(Facility.id == facility_id))
    return _(
        "%(facility)s tidak punya rekening terdaftar yang berlaku pada %(day)s. "
        "Daftarkan dulu di Rekening bank.",
        facility=name,
        day=format_date(on),
    )


REGISTER = Register(
    BankAccount,
    "bank_account",
    of_owner=lambda account: _of(account.facility_id),
    lock=lambda account: f"bank_accounts:{account.facility_id or 0}",
    used_after=_used_after,
    facts=lambda account: {
        "bank": account.bank,
        "number": mask(account.number),
        "holder": account.holder,
    },
    in_the_way=lambda other: _(
        "Rekening %(bank)s %(number)s sudah berlaku sejak %(day)s. Pilih hari pertama sesudahnya.",
        bank=other.bank,
        number=mask(other.number),
        day=format_date(other.valid_from),
    ),
    still_used=lambda day: _(
        "Masih ada uang yang masuk atau keluar di rekening ini pada %(day)s. Pilih hari itu atau sesudahnya.",
        day=format_date(day),
    ),
)
reject, propose_end, approve_end = REGISTER.reject, REGISTER.propose_end, REGISTER.approve_end
