"""What must be clean before a month is closed, point by point, with what is not."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront import days
from storefront.books import attention, reconciled_days
from storefront.books.deposit import due_on
from storefront.books.models import Period, PeriodCheck
from storefront.books.span import month as whole_month
from storefront.display import format_date, format_month
from storefront.extensions import db
from storefront.ledger.models import JournalEntry
from storefront.money import format_rupiah
from storefront.reports import ageing
from storefront.snapshot import driver_connection

#: Facts named for each point; the rest is counted.
NAMED = 20

#: Events younger than a quarter of an hour are on their way.
EVENTS = text(
    """
    SELECT gateway, event_id, type, received_at FROM payment_events
     WHERE handled_at IS NULL AND (received_at < :after OR received_at < now() - interval '15 minutes')
     ORDER BY received_at"""
)
DIFFERENCES = text(
    """
    SELECT day, COALESCE(theirs, 0) - COALESCE(ours, 0) AS amount FROM reconciliation_differences
     WHERE gateway = :gateway AND state IN ('open', 'proposed') AND day BETWEEN :first AND :last ORDER BY day, id"""
)
#: Those that a person decided and the provider refused are finance's to send again or to leave.
REFUNDS = text(
    """
    SELECT r.id, r.amount, r.state, o.number FROM refunds r JOIN orders o ON o.id = r.order_id
     WHERE (r.state IN ('requested', 'pending')
            AND (r.requested_at < :after OR COALESCE(r.approved_at, r.requested_at) < now() - interval '15 minutes'))
        OR (r.state = 'failed' AND r.proposed_by IS NULL AND r.reason <> 'cancelled')
     ORDER BY r.id"""
)


@dataclass(frozen=True)
class Point:
    """One point of the list."""

    code: str
    is_clean: bool
    #: What is not clean, in words; at most `NAMED` of them.
    facts: Sequence[str] = field(default_factory=tuple)
    #: How many there are in all.
    count: int = 0
    #: The month may be closed all the same when whoever closes it names them.
    can_be_named: bool = False


def checklist(month: datetime.date) -> list[Point]:
    """Every point for the month that begins on `month`, in the order in which they are worked off."""
    after = _first_moment_after(month)
    return [
        _is_over(month),
        _month_before(month),
        _events(after),
        _reconciled(month),
        _clearing(),
        _refunds(after),
        _state_revenue(month),
        _verified(month),
    ]


def first_month() -> datetime.date | None:
    """The month of the first entry; None while the books are empty."""
    day = db.session.scalar(select(func.min(JournalEntry.effective_date)))
    return day.replace(day=1) if day else None


def content(month: datetime.date) -> bytes:
    """SHA-256 of what is booked in a month now."""
    found: bytes = db.session.execute(select(func.period_content(month))).scalar_one()
    return found


def last_check(month: datetime.date) -> PeriodCheck | None:
    """The latest check of all invariants that was asked for with a view to this month."""
    return db.session.scalar(
        select(PeriodCheck).where(PeriodCheck.month == month).order_by(PeriodCheck.id.desc()).limit(1)
    )


def _is_over(month: datetime.date) -> Point:
    last = whole_month(month).last
    if last < days.today():
        return Point("over", True)
    return Point("over", False, [_("Hari terakhirnya %(day)s.", day=format_date(last))], 1)


def _month_before(month: datetime.date) -> Point:
    first = first_month()
    before = whole_month(month).before
    if first is None or first >= month or before is None:
        return Point("month_before", True)
    state = db.session.scalar(select(Period.state).where(Period.month == before.first))
    if state == "closed":
        return Point("month_before", True)
    return Point("month_before", False, [_("Tutup %(month)s dahulu.", month=format_month(before.first))], 1)


def _events(after: datetime.datetime) -> Point:
    rows = db.session.execute(EVENTS, {"after": after}).all()
    return _point("events", rows, lambda row: f"{row.gateway}: {row.type} ({row.event_id})")


def _reconciled(month: datetime.date) -> Point:
    """Each day of the month was compared with each provider in use after it ended, and no difference is open."""
    span, facts, count = whole_month(month), [], 0
    for name in reconciled_days.in_use():
        missing = reconciled_days.not_reconciled(name, span.first, span.last)
        facts += [_("%(gateway)s: %(days)s belum dicocokkan", gateway=name, days=days_) for days_ in missing]
        found = db.session.execute(
            DIFFERENCES, {"gateway": name, "first": span.first, "last": span.last}
        ).all()
        facts += [f"{name}, {format_date(row.day)}: {format_rupiah(row.amount)}" for row in found]
        count += len(missing) + len(found)
    return Point("reconciled", not facts, facts[:NAMED], count)


def _clearing() -> Point:
    rows = [row for row in attention.gateway_balances() if row.difference]
    return _point("clearing", rows, lambda row: f"{row.gateway}: {format_rupiah(row.difference)}")


def _refunds(after: datetime.datetime) -> Point:
    rows = db.session.execute(REFUNDS, {"after": after}).all()
    return _point("refunds", rows, lambda row: f"{row.number}: {format_rupiah(row.amount)}")


def _state_revenue(month: datetime.date) -> Point:
    """State revenue that should lie at the treasury by the month's end and does not now."""
    connection = driver_connection(db.session.connection())
    last = whole_month(month).last
    overdue = ageing.older_than(connection, "state_revenue", last - (due_on(last) - last))
    rows = [
        (name, overdue[facility])
        for facility, name in connection.execute(
            "SELECT id, name FROM facilities WHERE id = ANY (%s) ORDER BY name", (list(overdue),)
        )
    ]
    return _point("deposits", rows, lambda row: f"{row[0]}: {format_rupiah(row[1])}", can_be_named=True)


def _verified(month: datetime.date) -> Point:
    """All invariants hold, and the month still holds what it held when they were checked."""
    check = last_check(month)
    if check is None:
        return Point("verified", False, [_("Belum diperiksa.")], 1)
    if check.finished_at is None or check.broken is None:
        return Point("verified", False, [_("Pemeriksaan sedang berjalan.")], 1)
    if check.broken:
        return _point("verified", check.broken, lambda row: f"{row['name']} ({row['count']})")
    if check.content != content(month):
        return Point("verified", False, [_("Isi bulan ini berubah setelah diperiksa. Periksa lagi.")], 1)
    return Point("verified", True)


def _point(
    code: str, rows: Sequence[Any], words: Callable[[Any], str], *, can_be_named: bool = False
) -> Point:
    facts = [words(row) for row in rows[:NAMED]]
    return Point(code, not rows, facts, len(rows), can_be_named)


def _first_moment_after(month: datetime.date) -> datetime.datetime:
    after = whole_month(month).last + datetime.timedelta(days=1)
    return datetime.datetime(after.year, after.month, after.day, tzinfo=days.ACCOUNTING_ZONE)
