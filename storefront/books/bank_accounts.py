"""Registered bank accounts: of facilities, and of the central office. Money lies nowhere else.

Proposed with its permission letter by one person, approved by another. A new account ends the one before it
on the day before its first; so on any day at most one is in force.
"""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, or_, select

from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import BankAccount, Settlement
from storefront.display import format_date
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.balance import lock_accounts
from storefront.ledger.models import Account, Posting

#: Digits of an account number that are shown to everybody.
SHOWN_DIGITS = 4


class NoBankAccount(DomainError):
    """No registered account is in force on a day: money cannot go there."""

    code, status = "no_bank_account", 409


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
) -> BankAccount:
    """Write an account down; it counts once somebody else has approved it. Raises Invalid, by field."""
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
    account = BankAccount(
        facility_id=facility_id,
        bank=bank,
        number=digits,
        holder=holder,
        permission_letter=permission_letter,
        valid_from=valid_from,
        valid_to=valid_to,
        proposed_by=person_id,
        proposed_at=moment(at),
    )
    db.session.add(account)
    db.session.flush()
    _record(account, "proposed", person_id)
    return account


def approve(account_id: int, person_id: int, *, at: datetime.datetime | None = None) -> BankAccount:
    """A second person registers the account, which ends the one before it.

    Raises FourEyes, Decided, NotFound, and Invalid when its days overlap with another's.
    """
    account = _waiting(account_id)
    require_second(account.proposed_by, person_id)
    _lock(account.facility_id)
    _make_room(account, person_id)
    account.approved_by, account.approved_at = person_id, moment(at)
    db.session.flush()
    _record(account, "approved", person_id)
    return account


def reject(account_id: int, person_id: int) -> BankAccount:
    """Decide against an account that waits. Who proposed it may take it back. Raises Decided, NotFound."""
    account = _waiting(account_id)
    account.rejected_by, account.rejected_at = person_id, moment(None)
    db.session.flush()
    _record(account, "rejected", person_id)
    return account


def propose_end(account_id: int, last_day: datetime.date, person_id: int) -> BankAccount:
    """Name the last day of a registered account. Raises Invalid, Decided, NotFound."""
    account = _registered(account_id)
    if last_day < account.valid_from:
        raise Invalid({"end_on": _("Hari terakhir tidak bisa sebelum hari pertama.")})
    if account.valid_to is not None and last_day >= account.valid_to:
        raise Invalid(
            {"end_on": _("Rekening ini sudah berakhir pada %(day)s.", day=format_date(account.valid_to))}
        )
    _refuse_if_used_after(account, last_day, "end_on")
    before = _facts(account)
    account.end_on, account.end_proposed_by, account.end_approved_by = last_day, person_id, None
    db.session.flush()
    _record(account, "end_proposed", person_id, before)
    return account


def approve_end(account_id: int, person_id: int) -> BankAccount:
    """A second person agrees that the account ends. Raises FourEyes, Decided, Invalid, NotFound."""
    account = _registered(account_id)
    if account.end_on is None or (account.valid_to is not None and account.end_on >= account.valid_to):
        raise Decided()
    require_second(account.end_proposed_by, person_id)
    _lock(account.facility_id)
    _refuse_if_used_after(account, account.end_on, "end_on")
    before = _facts(account)
    account.valid_to, account.end_approved_by = account.end_on, person_id
    db.session.flush()
    _record(account, "ended", person_id, before)
    return account


def _make_room(account: BankAccount, person_id: int) -> None:
    """End the account before this one on the day before it; refuse what would still overlap."""
    last = datetime.date.max if account.valid_to is None else account.valid_to
    others = db.session.scalars(
        select(BankAccount).where(
            _of(account.facility_id),
            BankAccount.approved_at.is_not(None),
            BankAccount.valid_from <= last,
            or_(BankAccount.valid_to.is_(None), BankAccount.valid_to >= account.valid_from),
        )
    )
    for other in others:
        if other.valid_from >= account.valid_from:
            raise Invalid(
                {
                    "valid_from": _(
                        "Rekening %(bank)s %(number)s sudah berlaku sejak %(day)s. Pilih hari pertama sesudahnya.",
                        bank=other.bank,
                        number=mask(other.number),
                        day=format_date(other.valid_from),
                    )
                }
            )
        last_day = account.valid_from - datetime.timedelta(days=1)
        _refuse_if_used_after(other, last_day, "valid_from")
        before = _facts(other)
        other.valid_to = last_day
        _record(other, "ended", person_id, before)
    # Before the new one counts: the two must never overlap, not even in between.
    db.session.flush()


def _refuse_if_used_after(account: BankAccount, last_day: datetime.date, field: str) -> None:
    """Money went to this account, or (the central office's) through it, after what would be its last day."""
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
    latest = max((day for day in (paid_to, moved) if day is not None), default=None)
    if latest is not None:
        raise Invalid(
            {
                field: _(
                    "Masih ada uang yang masuk atau keluar di rekening ini pada %(day)s. "
                    "Pilih hari itu atau sesudahnya.",
                    day=format_date(latest),
                )
            }
        )


def _waiting(account_id: int) -> BankAccount:
    account = db.session.get(BankAccount, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound()
    if account.approved_at is not None or account.rejected_at is not None:
        raise Decided()
    return account


def _registered(account_id: int) -> BankAccount:
    account = db.session.get(BankAccount, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound()
    if account.approved_at is None or account.end_approved_by is not None:
        raise Decided()
    return account


def _lock(facility_id: int | None) -> None:
    """Two accounts of one facility are approved one after the other."""
    lock_accounts([f"bank_accounts:{facility_id or 0}"])


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


def _facts(account: BankAccount) -> dict[str, str | None]:
    """What an account is, for the audit trail: never its whole number."""
    days = {name: getattr(account, name) for name in ("valid_from", "valid_to", "end_on")}
    return {
        "bank": account.bank,
        "number": mask(account.number),
        "holder": account.holder,
        "permission_letter": account.permission_letter,
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }


def _record(
    account: BankAccount, what: str, person_id: int, before: dict[str, str | None] | None = None
) -> None:
    """Write a step to the audit trail; `before` are the account's facts before one that changed it."""
    record(
        f"bank_account.{what}",
        "bank_account",
        account.id,
        person_id=person_id,
        facility_id=account.facility_id,
        details={"before": before, "after": _facts(account)},
    )
