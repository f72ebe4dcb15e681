"""Close a month, and open it again: nothing can be dated into a closed one, and its hash proves it unchanged.

Each month's hash covers the hash of the month before. `docs/ledger.md` tells how an auditor reckons it again.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.books.four_eyes import moment
from storefront.books.models import Period
from storefront.books.span import month as whole_month
from storefront.closing.checklist import Point, checklist
from storefront.display import format_month
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.integrations import events
from storefront.ledger.closed import KEY

#: Longest wait for transactions that book, in seconds.
PATIENCE = 10.0
ENTRIES = "(SELECT count(*) FROM journal_entries WHERE effective_date BETWEEN :month AND :last)"
#: Without a hash: the trigger `periods_chain` sets it.
FIRST = text(
    f"""INSERT INTO periods (month, state, closed_at, closed_by, previous_hash, entries)
        VALUES (:month, 'closed', :at, :person, :base, {ENTRIES})"""  # noqa: S608 - our own text
)
REOPENED = text(
    f"""UPDATE periods SET state = 'closed', closed_at = :at, closed_by = :person, hash = NULL, previous_hash = :base,
               entries = {ENTRIES}, reopened_at = NULL, reopened_by = NULL, reopen_reason = NULL
         WHERE month = :month"""  # noqa: S608
)
#: Shortest reason for opening a month again.
SHORTEST_REASON = 10


class NotReady(DomainError):
    """Points of the checklist are open; `points` names them."""

    code, status = "period_not_ready", 409

    def __init__(self, month: datetime.date, points: Sequence[Point]) -> None:
        super().__init__(
            _(
                "%(month)s belum dapat ditutup: masih ada yang harus dibereskan pada daftar periksanya.",
                month=format_month(month),
            ),
            extra={"points": [point.code for point in points]},
        )
        self.points = points


class WrongState(DomainError):
    """Somebody has closed or opened the month before, or a later one is closed."""

    code, status = "period_state", 409


class StillBooking(DomainError):
    """Transactions that book did not end in time."""

    code, status = "still_booking", 503

    def __init__(self) -> None:
        super().__init__(_("Masih ada transaksi yang sedang dibukukan. Tunggu sebentar, lalu tutup lagi."))


def close(
    month: datetime.date,
    person_id: int,
    *,
    are_named: bool = False,
    patience: float = PATIENCE,
    at: datetime.datetime | None = None,
) -> Period:
    """Close the month that begins on `month`. The caller commits at once: until then nobody can book.

    `are_named`: the person knows of the overdue deposits that the checklist names; they go into the audit
    trail; `at` is when it was closed, by default now. Raises NotReady with the open points, WrongState,
    StillBooking.
    """
    _alone(patience)
    period = db.session.get(Period, month, populate_existing=True)
    if period is not None and period.state == "closed":
        raise WrongState(_("%(month)s sudah ditutup.", month=format_month(month)))
    points = checklist(month)
    missing = [point for point in points if not point.is_clean and not (point.can_be_named and are_named)]
    if missing:
        raise NotReady(month, missing)
    is_reopened = period is not None
    period = _written(month, person_id, is_reopened, moment(at))
    named = [fact for point in points if not point.is_clean for fact in point.facts]
    record(
        "period.closed",
        "period",
        month.isoformat(),
        person_id=person_id,
        details={
            "before": {"state": "reopened" if is_reopened else "open"},
            "after": {"state": "closed"},
            "hash": period.hash.hex(),
            "entries": period.entries,
            "named": named,
        },
    )
    told = {"period": f"{month:%Y-%m}", "entries": period.entries, "hash": period.hash.hex()}
    # A month that was opened again is closed with another hash, or at another moment.
    key = f"period:{month}:closed:{period.closed_at.isoformat()}"
    events.tell(events.Kind.PERIOD_CLOSED, key, told, period.closed_at)
    return period


def reopen(month: datetime.date, person_id: int, reason: str) -> Period:
    """Open a closed month again, the last one alone. Raises WrongState; Invalid for a reason of few words."""
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= 1000:
        raise Invalid({"reason": _("Tulis alasannya, setidaknya sepuluh huruf.")})
    _alone(PATIENCE)
    period = db.session.get(Period, month, populate_existing=True)
    if period is None or period.state != "closed":
        raise WrongState(_("%(month)s tidak sedang tertutup.", month=format_month(month)))
    later = db.session.scalar(
        select(func.max(Period.month)).where(Period.month > month, Period.state == "closed")
    )
    if later is not None:
        raise WrongState(
            _("Bulan sesudahnya juga sudah ditutup. Buka %(month)s dahulu.", month=format_month(later))
        )
    now = db.session.execute(select(func.now())).scalar_one()
    period.state, period.reopened_at, period.reopened_by = "reopened", now, person_id
    period.reopen_reason = reason
    db.session.flush()
    record(
        "period.reopened",
        "period",
        month.isoformat(),
        person_id=person_id,
        details={
            "before": {"state": "closed"},
            "after": {"state": "reopened"},
            "reason": reason,
            "hash": period.hash.hex(),
        },
    )
    return period


def _alone(patience: float) -> None:
    """Wait until nobody books, and keep everybody from it until this transaction ends.

    Asked for again and again instead of queued: behind a queued exclusive lock the next booking would wait
    while it holds rows that a running one needs, and neither could go on.
    """
    deadline = time.monotonic() + patience
    while not db.session.execute(text(f"SELECT pg_try_advisory_xact_lock({KEY})")).scalar_one():
        if time.monotonic() >= deadline:
            raise StillBooking()
        time.sleep(0.01)


def _written(month: datetime.date, person_id: int, is_reopened: bool, at: datetime.datetime) -> Period:
    """The month's row, with its hash on top of the one of the month before: the database reckons it."""
    before = whole_month(month).before
    previous = db.session.get(Period, before.first, populate_existing=True) if before else None
    base = previous.hash if previous is not None and previous.state == "closed" else None
    written = {
        "month": month, "last": whole_month(month).last, "at": at, "person": person_id, "base": base,
    }  # fmt: skip
    db.session.execute(REOPENED if is_reopened else FIRST, written)
    return db.session.get_one(Period, month, populate_existing=True)
