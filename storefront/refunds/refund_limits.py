"""From how many rupiah of one order on a second person approves a refund: dated, and agreed on by two administrators.

A large refund in small pieces is a large one. The database asks the same (`refund_limit`), by each refund's own day.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from storefront.audit.record import record
from storefront.books.four_eyes import moment, require_second, undecided
from storefront.books.taken_back_models import RefundLimit
from storefront.days import today
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.people.models import Person

#: What the shop is shipped with.
SHIPPED = 500_000
LEAST, MOST = 1, 1_000_000_000


class OneWaits(DomainError):
    """There is a proposal already that nobody has decided on."""

    code, status = "one_waits", 409

    def __init__(self) -> None:
        super().__init__(_("Sudah ada usulan batas yang menunggu keputusan. Putuskan yang itu dahulu."))


@dataclass(frozen=True)
class LimitRow:
    """A limit that holds, held, will hold or waits, with the names that belong to it."""

    limit: RefundLimit
    #: `proposed`, `rejected`, `to_come`, `in_force` or `ended`.
    state: str
    #: None: it came with the shop.
    proposed_by: str | None
    approved_by: str | None
    rejected_by: str | None


def limit_on(day: datetime.date | None = None) -> int:
    """Rupiah of one order from which on a second person approves a refund that is asked for on `day` (None: today)."""
    return int(db.session.execute(select(func.refund_limit(day or today()))).scalar_one())


def rows() -> Sequence[LimitRow]:
    """All of them: the one that waits first, then by day, the latest first."""
    first, second, other = aliased(Person), aliased(Person), aliased(Person)
    found = db.session.execute(
        select(RefundLimit, first.name, second.name, other.name)
        .outerjoin(first, first.id == RefundLimit.proposed_by)
        .outerjoin(second, second.id == RefundLimit.approved_by)
        .outerjoin(other, other.id == RefundLimit.rejected_by)
        .order_by(RefundLimit.valid_from.desc(), RefundLimit.id.desc())
    ).all()
    agreed = [row for row, *_names in found if row.approved_at is not None and row.valid_from <= today()]
    current = agreed[0] if agreed else None

    def state(row: RefundLimit) -> str:
        if row.rejected_at is not None:
            return "rejected"
        if row.approved_at is None:
            return "proposed"
        return "in_force" if row is current else "to_come" if row.valid_from > today() else "ended"

    listed = [LimitRow(row, state(row), *names) for row, *names in found]
    return sorted(listed, key=lambda one: one.state != "proposed")


def propose(amount: int, *, valid_from: datetime.date, legal_basis: str, person_id: int) -> RefundLimit:
    """Write another limit down; it counts once another administrator has agreed. Raises Invalid by field, OneWaits."""
    errors = {}
    if not LEAST <= amount <= MOST:
        errors["amount"] = _("Tulis jumlah dari Rp 1 sampai Rp 1.000.000.000.")
    if not 10 <= len(legal_basis) <= 300:
        errors["legal_basis"] = _("Tulis dasar atau alasannya, 10 sampai 300 huruf.")
    refused = _day_refused(valid_from)
    if refused:
        errors["valid_from"] = refused
    if errors:
        raise Invalid(errors)
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext("refund_limits"))))
    waits = RefundLimit.approved_at.is_(None) & RefundLimit.rejected_at.is_(None)
    if db.session.scalar(select(RefundLimit.id).where(waits)) is not None:
        raise OneWaits()
    limit = RefundLimit(
        amount=amount, valid_from=valid_from, legal_basis=legal_basis, proposed_by=person_id, proposed_at=moment(None)
    )
    db.session.add(limit)
    db.session.flush()
    _record(limit, "proposed", person_id)
    return limit


def approve(limit_id: int, person_id: int) -> RefundLimit:
    """A second administrator agrees. Raises FourEyes, Decided, NotFound, or says why its day cannot be kept."""
    limit = undecided(RefundLimit, limit_id)
    require_second(limit.proposed_by, person_id)
    refused = _day_refused(limit.valid_from)
    if refused:
        raise DomainError(refused, code="day_refused", status=409)
    limit.approved_by, limit.approved_at = person_id, moment(None)
    db.session.flush()
    _record(limit, "approved", person_id)
    return limit


def reject(limit_id: int, person_id: int) -> RefundLimit:
    """Decide against a proposal, or take one's own back. Raises Decided, NotFound."""
    limit = undecided(RefundLimit, limit_id)
    limit.rejected_by, limit.rejected_at = person_id, moment(None)
    db.session.flush()
    _record(limit, "rejected", person_id)
    return limit


def _day_refused(day: datetime.date) -> str | None:
    if day <= today():
        return str(_("Paling cepat mulai besok: yang sudah lewat tetap seperti waktu itu."))
    latest = db.session.scalar(select(func.max(RefundLimit.valid_from)).where(RefundLimit.approved_at.is_not(None)))
    if latest is not None and day <= latest:
        return str(_("Sudah ada ketentuan yang mulai sesudah itu. Pilih hari yang lebih kemudian."))
    return None



def _record(limit: RefundLimit, what: str, person_id: int) -> None:
    before = {"amount": limit_on(limit.valid_from - datetime.timedelta(days=1))}
    after = {"amount": limit.amount, "valid_from": limit.valid_from.isoformat(), "legal_basis": limit.legal_basis}
    details = {"before": before, "after": after}
    record(f"refund_limit.{what}", "refund_limit", limit.id, person_id=person_id, details=details)
