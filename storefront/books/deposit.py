"""Deposits of state revenue: each carries the postings that it brings to the treasury.

Proposed with every posting that no living deposit carries, approved by a second person, given a billing code.
What follows once it is paid stands in `deposit_paid.py`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.books import satkers
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import Deposit, DepositDeadline
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import passing_on
from storefront.ledger.models import Fund
from storefront.ledger.passing_on import OwedTo
from storefront.money import format_rupiah

#: States in which the money is spoken for but has not left.
PENDING = ("proposed", "approved")
BILLING_CODE = re.compile(r"[0-9]{15}")
#: The state's revenue that no living deposit carries, up to a day: postings p of entries e in accounts a.
#: A deposit's own postings are no revenue. What went back to buyers is carried on whatever day it did.
UNDEPOSITED = """
      FROM accounts a
      JOIN funds u ON u.id = a.fund_id AND u.code = 'state_revenue'
      JOIN postings p ON p.account_id = a.id
      JOIN journal_entries e ON e.id = p.entry_id AND e.source NOT LIKE 'deposit:%'
     WHERE a.facility_id IS NOT NULL AND (e.effective_date <= :until OR p.amount > 0)
       AND NOT EXISTS (SELECT FROM deposit_lines l WHERE l.posting_id = p.id AND l.is_living)
"""
SUMS = text(
    f"""SELECT COALESCE(-sum(p.amount), 0)::bigint AS amount, array_agg(p.id) AS postings,
               min(e.effective_date) FILTER (WHERE p.amount < 0) AS oldest {UNDEPOSITED}
           AND a.facility_id = :facility_id"""
)
#: The very postings that were added up: a sale that was booked in between waits for the next deposit.
CARRY = text(
    """INSERT INTO deposit_lines (deposit_id, posting_id, amount)
        SELECT :deposit_id, p.id, -p.amount FROM postings p WHERE p.id = ANY (:postings) ORDER BY p.id"""
)


class NothingToDeposit(DomainError):
    """The state is owed nothing that no other deposit carries."""

    code, status = "nothing_to_deposit", 409
    message = lazy_gettext("Tidak ada PNBP yang belum disetor untuk UPT ini sampai tanggal itu.")


def propose(
    facility_id: int,
    *,
    person_id: int,
    until: datetime.date | None = None,
    at: datetime.datetime | None = None,
) -> Deposit:
    """A deposit of all that a facility owes the state from sales up to `until` (default: today).

    Due so many days after the oldest of this money arrived. Raises NothingToDeposit, NoSatker, NotFound.
    """
    proposed_at = moment(at)
    today = accounting_day(proposed_at)
    until = today if until is None else until
    of = owed_to_state(facility_id)
    passing_on.lock([of])
    sums = {"facility_id": facility_id, "until": until}
    amount, postings, oldest = db.session.execute(SUMS, sums).one()
    if amount <= 0 or oldest is None:
        raise NothingToDeposit()
    deposit = Deposit(
        facility_id=facility_id,
        satker_id=satkers.in_force(facility_id, today).id,
        amount=amount,
        due_on=due_on(oldest),
        proposed_by=person_id,
        proposed_at=proposed_at,
    )
    db.session.add(deposit)
    db.session.flush()
    db.session.execute(CARRY, {"deposit_id": deposit.id, "postings": postings})
    record_step(deposit, "proposed", person_id, due_on=deposit.due_on.isoformat())
    return deposit


def propose_many(
    facility_ids: Iterable[int],
    *,
    person_id: int,
    until: datetime.date | None = None,
    at: datetime.datetime | None = None,
) -> list[Deposit]:
    """The same for many facilities; all of them, or none."""
    wanted = sorted(set(facility_ids))
    # All accounts at once and in one order, so that nobody waits for somebody who waits for them.
    passing_on.lock([owed_to_state(facility_id) for facility_id in wanted])
    return [propose(facility_id, person_id=person_id, until=until, at=at) for facility_id in wanted]


def approve(deposit_id: int, person_id: int, *, at: datetime.datetime | None = None) -> Deposit:
    """A second person agrees. Raises FourEyes, Decided, NotFound; Invalid when money went back to buyers since."""
    deposit = locked(deposit_id, "proposed")
    require_second(deposit.proposed_by, person_id)
    of = owed_to_state(deposit.facility_id)
    passing_on.lock([of])
    approved = db.session.scalar(
        select(func.coalesce(func.sum(Deposit.amount), 0)).where(
            Deposit.facility_id == deposit.facility_id, Deposit.state == "approved"
        )
    )
    left = of.net() - int(approved or 0)
    if deposit.amount > left:
        raise Invalid(
            message=_(
                "Sejak setoran ini diusulkan, sebagian uangnya kembali ke pembeli: tinggal %(left)s. "
                "Tolak usulan ini, lalu usulkan lagi.",
                left=format_rupiah(max(0, left)),
            )
        )
    deposit.state, deposit.approved_by, deposit.approved_at = "approved", person_id, moment(at)
    db.session.flush()
    record_step(deposit, "approved", person_id, before={"state": "proposed"})
    return deposit


def reject(deposit_id: int, person_id: int, reason: str = "") -> Deposit:
    """Decide against it before it is paid; its postings are free for another. Raises Decided, NotFound."""
    deposit = locked(deposit_id, *PENDING)
    was = deposit.state
    deposit.state, deposit.rejected_by, deposit.rejected_at = "rejected", person_id, moment(None)
    db.session.flush()
    record_step(deposit, "rejected", person_id, before={"state": was}, reason=reason[:500])
    return deposit


def set_billing_code(deposit_id: int, code: str, expires_at: datetime.datetime, person_id: int) -> Deposit:
    """The code that SIMPONI gave for an approved deposit; a new one replaces one that has expired.

    Raises Invalid by field (`billing_code`, `billing_expires_at`), Decided, NotFound.
    """
    deposit = locked(deposit_id, "approved")
    code = re.sub(r"[\s-]", "", code)
    if not BILLING_CODE.fullmatch(code):
        raise Invalid({"billing_code": _("Kode billing terdiri dari 15 angka.")})
    if deposit.approved_at is not None and expires_at <= deposit.approved_at:
        raise Invalid({"billing_expires_at": _("Kode ini sudah kedaluwarsa. Buat yang baru di SIMPONI.")})
    expired = deposit.billing_expires_at
    before: dict[str, object] = {
        "state": "approved",
        "billing_code": deposit.billing_code,
        "billing_expires_at": expired.isoformat() if expired else None,
    }
    try:
        with db.session.begin_nested():
            deposit.billing_code, deposit.billing_expires_at = code, expires_at
            db.session.flush()
    except IntegrityError as refusal:
        if "deposits_billing_code" not in str(refusal.orig):
            raise
        raise Invalid({"billing_code": _("Kode billing ini sudah dipakai untuk setoran lain.")}) from None
    until = expires_at.isoformat()
    record_step(deposit, "billed", person_id, before=before, billing_code=code, billing_expires_at=until)
    return deposit


def due_on(arrival: datetime.date) -> datetime.date:
    """The day until which money that arrived on `arrival` must lie at the treasury."""
    days = db.session.scalar(
        select(DepositDeadline.days)
        .where(DepositDeadline.valid_from <= arrival)
        .order_by(DepositDeadline.valid_from.desc())
        .limit(1)
    )
    return arrival + datetime.timedelta(days=days or 0)


def owed_to_state(facility_id: int) -> OwedTo:
    """The pair of accounts of what a facility owes the state. Raises NotFound."""
    code = db.session.scalar(select(Facility.code).where(Facility.id == facility_id))
    fund_id = db.session.scalar(select(Fund.id).where(Fund.code == "state_revenue"))
    if code is None or fund_id is None:
        raise NotFound()
    return OwedTo(facility_id, code, fund_id, "state_revenue")


def locked(deposit_id: int, *states: str) -> Deposit:
    """The deposit, its row locked. Raises NotFound; Decided when it is in none of `states`."""
    deposit = db.session.get(Deposit, deposit_id, with_for_update=True, populate_existing=True)
    if deposit is None:
        raise NotFound()
    if deposit.state not in states:
        raise Decided()
    return deposit


def record_step(
    deposit: Deposit, what: str, person_id: int, *, before: Mapping[str, object] | None = None, **more: str
) -> None:
    """Write a step to the audit trail: what was `before` it, and `more` that came with it."""
    record(
        f"deposit.{what}",
        "deposit",
        deposit.id,
        person_id=person_id,
        facility_id=deposit.facility_id,
        details={
            "before": dict(before) if before is not None else None,
            "after": {"state": deposit.state, **more},
            "amount": deposit.amount,
        },
    )
