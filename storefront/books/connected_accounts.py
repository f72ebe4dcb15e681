"""Facilities' own accounts at the provider, into which working capital may be transferred (STRIPE_CONNECT).

Proposed with the ministry's letter by one person, approved by another, as a bank account is. A new account ends the
one before it on the day before its first.
"""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from storefront.audit.record import record
from storefront.books.connect_models import ConnectedAccount, FacilityTransfer
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import Settlement
from storefront.days import accounting_day
from storefront.display import format_date
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.balance import lock_accounts
from storefront.payments import connect

ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{8,64}")
ONE_DAY = datetime.timedelta(days=1)


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
        facility_id=facility_id,
        account=account,
        permission_letter=permission_letter,
        valid_from=valid_from,
        proposed_by=person_id,
        proposed_at=moment(at),
    )
    db.session.add(found)
    db.session.flush()
    _record(found, "proposed", person_id)
    return found


def approve(account_id: int, person_id: int, *, at: datetime.datetime | None = None) -> ConnectedAccount:
    """A second person registers the account, which ends the one before it.

    Raises FourEyes, Decided, NotFound, and Invalid when its days overlap with another's.
    """
    found = _waiting(account_id)
    require_second(found.proposed_by, person_id)
    # One after the other, of whatever facility: an account belongs to one at a time.
    lock_accounts(["connected_accounts"])
    _refuse_if_anothers(found)
    _make_room(found, person_id)
    found.approved_by, found.approved_at = person_id, moment(at)
    db.session.flush()
    _record(found, "approved", person_id)
    return found


def reject(account_id: int, person_id: int) -> ConnectedAccount:
    """Decide against an account that waits. Who proposed it may take it back. Raises Decided, NotFound."""
    found = _waiting(account_id)
    found.rejected_by, found.rejected_at = person_id, moment(None)
    db.session.flush()
    _record(found, "rejected", person_id)
    return found


def propose_end(account_id: int, last_day: datetime.date, person_id: int) -> ConnectedAccount:
    """Name the last day of a registered account. Raises Invalid, Decided, NotFound."""
    found = _registered(account_id)
    if last_day < found.valid_from:
        raise Invalid({"end_on": _("Hari terakhir tidak bisa sebelum hari pertama.")})
    if found.valid_to is not None and last_day >= found.valid_to:
        raise Invalid(
            {"end_on": _("Rekening ini sudah berakhir pada %(day)s.", day=format_date(found.valid_to))}
        )
    _refuse_if_used_after(found, last_day, "end_on")
    before = _facts(found)
    found.end_on, found.end_proposed_by, found.end_approved_by = last_day, person_id, None
    db.session.flush()
    _record(found, "end_proposed", person_id, before)
    return found


def approve_end(account_id: int, person_id: int) -> ConnectedAccount:
    """A second person agrees that the account ends. Raises FourEyes, Decided, Invalid, NotFound."""
    found = _registered(account_id)
    if found.end_on is None or (found.valid_to is not None and found.end_on >= found.valid_to):
        raise Decided()
    require_second(found.end_proposed_by, person_id)
    lock_accounts(["connected_accounts"])
    _refuse_if_used_after(found, found.end_on, "end_on")
    before = _facts(found)
    found.valid_to, found.end_approved_by = found.end_on, person_id
    db.session.flush()
    _record(found, "ended", person_id, before)
    return found


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


def _make_room(account: ConnectedAccount, person_id: int) -> None:
    """End the account before this one on the day before it; refuse what would still overlap."""
    others = db.session.scalars(
        select(ConnectedAccount).where(
            ConnectedAccount.facility_id == account.facility_id,
            ConnectedAccount.approved_at.is_not(None),
            or_(ConnectedAccount.valid_to.is_(None), ConnectedAccount.valid_to >= account.valid_from),
        )
    )
    for other in others:
        if other.valid_from >= account.valid_from:
            raise Invalid(
                {
                    "valid_from": _(
                        "Akun %(account)s sudah berlaku sejak %(day)s. Pilih hari pertama sesudahnya.",
                        account=other.account,
                        day=format_date(other.valid_from),
                    )
                }
            )
        last_day = account.valid_from - ONE_DAY
        _refuse_if_used_after(other, last_day, "valid_from")
        before = _facts(other)
        other.valid_to = last_day
        _record(other, "ended", person_id, before)
    # Before the new one counts: the two must never overlap, not even in between.
    db.session.flush()


def _refuse_if_used_after(account: ConnectedAccount, last_day: datetime.date, field: str) -> None:
    """Money went to this account after what would be its last day, or is on its way there."""
    latest = db.session.scalar(
        select(func.max(func.coalesce(FacilityTransfer.made_at, func.now())))
        .join(Settlement, Settlement.id == FacilityTransfer.settlement_id)
        .where(Settlement.connected_account_id == account.id, FacilityTransfer.state != "dropped")
    )
    if latest is not None and accounting_day(latest) > last_day:
        raise Invalid(
            {
                field: _(
                    "Masih ada uang yang ditransfer ke akun ini pada %(day)s. Pilih hari itu atau sesudahnya.",
                    day=format_date(accounting_day(latest)),
                )
            }
        )


def _locked(account_id: int) -> ConnectedAccount:
    found = db.session.get(ConnectedAccount, account_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    return found


def _waiting(account_id: int) -> ConnectedAccount:
    found = _locked(account_id)
    if found.approved_at is not None or found.rejected_at is not None:
        raise Decided()
    return found


def _registered(account_id: int) -> ConnectedAccount:
    found = _locked(account_id)
    if found.approved_at is None or found.end_approved_by is not None:
        raise Decided()
    return found


def _facts(account: ConnectedAccount) -> dict[str, str | None]:
    days = {name: getattr(account, name) for name in ("valid_from", "valid_to", "end_on")}
    return {
        "account": account.account,
        "permission_letter": account.permission_letter,
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }


def _record(
    account: ConnectedAccount, what: str, person_id: int, before: dict[str, str | None] | None = None
) -> None:
    """Write a step to the audit trail; `before` are the account's facts before one that changed it."""
    record(
        f"connected_account.{what}",
        "connected_account",
        account.id,
        person_id=person_id,
        facility_id=account.facility_id,
        details={"before": before, "after": _facts(account)},
    )
