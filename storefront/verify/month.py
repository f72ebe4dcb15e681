"""All invariants checked with a view to closing a month, and the proof that a closed one is unchanged."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select

from storefront.books.models import Period, PeriodCheck
from storefront.extensions import db, defer
from storefront.snapshot import snapshot
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check


@dataclass(frozen=True)
class Proof:
    """What a closed month's hash is now, beside what it was closed with."""

    period: Period
    hash: bytes
    #: Hash of the month before, as it stands in its row now.
    base: bytes | None

    @property
    def holds(self) -> bool:
        return self.hash == self.period.hash and self.base == self.period.previous_hash


def ask(month: datetime.date, person_id: int) -> PeriodCheck:
    """Queue a check of all invariants; what it finds stands in the row. Never commits."""
    row = PeriodCheck(month=month, asked_by=person_id)
    db.session.add(row)
    db.session.flush()
    defer("verify.check_month", check_id=row.id)
    return row


def check_month(check_id: int) -> bool:
    """Check every invariant, and write down what was found beside what the month held. Never commits.

    Checks and content are of one state of the database. Returns whether all hold.
    """
    row = db.session.get_one(PeriodCheck, check_id)
    with snapshot(db.engine) as connection:
        found = check(connection, INVARIANTS, shown=1)
        content = connection.execute("SELECT period_content(%s)", (row.month,)).fetchone()
    assert content is not None
    finished_at = db.session.execute(select(func.clock_timestamp())).scalar_one()
    row.content = content[0]
    row.broken = [
        {"name": f.invariant.name, "promise": f.invariant.promise, "count": f.count}
        for f in found
        if not f.holds
    ]
    row.finished_at = finished_at
    db.session.flush()
    return not row.broken


def prove(month: datetime.date) -> Proof | None:
    """Reckon the hash of a closed month again; None for one that is not closed."""
    period = db.session.get(Period, month, populate_existing=True)
    if period is None or period.state != "closed":
        return None
    before = (month - datetime.timedelta(days=1)).replace(day=1)
    base = db.session.scalar(select(Period.hash).where(Period.month == before))
    found = db.session.execute(select(func.period_hash(month, period.previous_hash))).scalar_one()
    return Proof(period, found, base)
