"""Facilities' own accounts at the provider, into which working capital may be transferred (STRIPE_CONNECT).

Proposed with the ministry's letter by one person, approved by another, as a bank account is. A new account ends the
one before it on the day before its first.
"""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from storefront.books.account_register import Register
from storefront.books.connect_models import ConnectedAccount, FacilityTransfer
from storefront.books.models import Settlement
from storefront.days import accounting_day
from storefront.display import format_date
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.payments import connect

ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{8,64}")


class TransfersOff(DomainError):
    """Nothing is transferred here, by decision of whoever runs the shop."""

    code, status = "transfers_off", 409

    def __init__(self) -> None:
        super().__init__(
            _("Transfer lewat Stripe sedang dimatikan. Tolak usulan ini, lalu usulkan lagi lewat bank.")
        )


def find_in_force(facility_id: int, on: datetime.date) -> ConnectedAccount | None:
    """A facility's registered account on a day; None also while transfers are off."""
    if not connect.is_on():
        return None
    return db.session.scalar(
        select(ConnectedAccount).where(
            ConnectedAccount.facility_id == facility_id,
            ConnectedAccount.approved_at.is_not(None),
            ConnectedAccount.valid_from <= on,
            or_(ConnectedAccount.valid_to.is_(None), ConnectedAccount.valid_to >= on),
        )
    )


def propose(
    facility_id: int,
    *,
    account: str,
    permission_letter: str,
    valid_from: datetime.date,
    person_id: int,
    at: datetime.datetime | None = None,
) -> ConnectedAccount:
    """Write an account down; it counts once somebody else has approved it. Raises Invalid, by field."""
    errors = {}
    if not ACCOUNT.fullmatch(account):
        errors["account"] = _("Tulis nomor akun Stripe UPT: acct_ dan 8 sampai 64 huruf atau angka.")
    if not 3 <= len(permission_letter) <= 200:
        errors["permission_letter"] = _("Tulis nomor dan tanggal surat izinnya, 3 sampai 200 huruf.")
    if errors:
        raise Invalid(errors)
    found = ConnectedAccount(
        facility_id=facility_id, account=account, permission_letter=permission_letter, valid_from=valid_from
    )
    return REGISTER.propose(found, person_id, at)


def approve(account_id: int, person_id: int, *, at: datetime.datetime | None = None) -> ConnectedAccount:
    """A second person registers the account, which ends the one before it.

    Raises FourEyes, Decided, NotFound, and Invalid when its days overlap with another's, or it is another facility's.
    """
    return REGISTER.approve(account_id, person_id, at, _refuse_if_anothers)


def _refuse_if_anothers(account: ConnectedAccount) -> None:
    other = db.session.scalar(
        select(ConnectedAccount.id).where(
            ConnectedAccount.account == account.account,
            ConnectedAccount.facility_id != account.facility_id,
            ConnectedAccount.approved_at.is_not(None),
            or_(ConnectedAccount.valid_to.is_(None), ConnectedAccount.valid_to >= account.valid_from),
        )
    )
    if other is not None:
        raise Invalid({"account": _("Akun ini sudah terdaftar untuk UPT lain.")})


def _used_after(account: ConnectedAccount, last_day: datetime.date) -> datetime.date | None:
    """Money went to this account, or is on its way there."""
    latest = db.session.scalar(
        select(func.max(func.coalesce(FacilityTransfer.made_at, func.now())))
        .join(Settlement, Settlement.id == FacilityTransfer.settlement_id)
        .where(Settlement.connected_account_id == account.id, FacilityTransfer.state != "dropped")
    )
    day = accounting_day(latest) if latest is not None else None
    return day if day is not None and day > last_day else None


REGISTER = Register(
    ConnectedAccount,
    "connected_account",
    of_owner=lambda account: ConnectedAccount.facility_id == account.facility_id,
    # One after the other, of whatever facility: an account belongs to one at a time.
    lock=lambda account: "connected_accounts",
    used_after=_used_after,
    facts=lambda account: {"account": account.account},
    in_the_way=lambda other: _(
        "Akun %(account)s sudah berlaku sejak %(day)s. Pilih hari pertama sesudahnya.",
        account=other.account,
        day=format_date(other.valid_from),
    ),
    still_used=lambda day: _(
        "Masih ada uang yang ditransfer ke akun ini pada %(day)s. Pilih hari itu atau sesudahnya.",
        day=format_date(day),
    ),
)
reject, propose_end, approve_end = REGISTER.reject, REGISTER.propose_end, REGISTER.approve_end
