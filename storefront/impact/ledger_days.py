"""The ledger's past days as small sums, kept in the process: what permanent figures of a day are added up from.

A day is past when no transaction that began in it can still write (`exports.moment.settle`); from then on what was
known of it at its end never changes, so a day is read once. Should an entry of a past day appear all the same (a
database put back, a history written later), everything is read anew.
"""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Engine

from storefront.days import begins
from storefront.exports.moment import settle
from storefront.snapshot import snapshot


class DayRow(NamedTuple):
    """What entries of one kind, written on one day for one accounting day, did to a fund of a facility."""

    known_on: datetime.date
    effective_date: datetime.date
    facility: str
    #: Empty for numbers of orders and pieces.
    fund: str
    #: Kind of the entries; `orders` and `pieces` are counts of the sale entries' orders and lines.
    kind: str
    #: Rupiah that became owed, below zero what was taken of it or paid out.
    amount: int
    #: Of it what entries brought, without what others took: what can grow old.
    born: int = 0


#: A sale only brings. Of other kinds each entry counts with its net effect on a fund.
SUMS = """
SELECT known_on, effective_date, facility, fund, kind, sum(amount)::bigint, sum(GREATEST(amount, 0))::bigint
  FROM (SELECT accounting_date(e.posted_at) AS known_on, e.effective_date, f.code AS facility, u.code AS fund, e.kind,
               CASE WHEN e.kind = 'sale' THEN 0 ELSE e.id END AS entry_id, -sum(p.amount) AS amount
          FROM journal_entries e
          JOIN postings p ON p.entry_id = e.id
          JOIN accounts a ON a.id = p.account_id
          JOIN facilities f ON f.id = a.facility_id
          JOIN funds u ON u.id = a.fund_id
         WHERE e.id > %(after)s AND e.posted_at >= %(start)s AND e.posted_at < %(end)s
         GROUP BY 1, 2, 3, 4, 5, 6) entries
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
COUNTS = """
SELECT accounting_date(e.posted_at), e.effective_date, x.facility, '', x.kind, sum(x.number)::bigint, 0
  FROM journal_entries e
 CROSS JOIN LATERAL (
       SELECT '' AS facility, 'orders' AS kind, 1 AS number
       UNION ALL
       SELECT l.facility_code, 'pieces', sum(l.quantity) FROM order_lines l WHERE l.order_id = e.order_id
        GROUP BY l.facility_code) x
 WHERE e.kind = 'sale' AND e.id > %(after)s AND e.posted_at >= %(start)s AND e.posted_at < %(end)s
 GROUP BY 1, 2, 3, 5 ORDER BY 1, 2, 3, 5"""
SEEN = "SELECT COALESCE(min(id), 0), COALESCE(max(id), 0) FROM journal_entries"
LATE = "SELECT count(*) FROM journal_entries WHERE id > %s AND posted_at < %s"
#: The first entry that a later reading has to begin with.
FIRST_LEFT = "SELECT COALESCE(min(id) - 1, %s) FROM journal_entries WHERE id > %s AND posted_at >= %s"
BEGINNING = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)


@dataclass
class _Kept:
    rows: list[DayRow]
    #: Everything written before this is in `rows`.
    end: datetime.datetime
    first: int
    last: int
    #: Entries up to this one are all in `rows`.
    done: int


class LedgerDays:
    """The rows of all past days; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def until(self, engine: Engine, day: datetime.date) -> list[DayRow]:
        """What was known at the end of `day`, which is over. The caller holds no transaction.

        Raises `BadMoment` for a day that is not over, `StillWriting` when its last entries are still being written.
        """
        end = begins(day + datetime.timedelta(days=1)).astimezone(datetime.UTC)
        with self._lock:
            if self._kept is None or end > self._kept.end:
                settle(engine, end)
            with snapshot(engine) as connection:
                self._kept = _read(connection, self._kept, end)
            return [row for row in self._kept.rows if row.known_on <= day]


def _read(connection: psycopg.Connection[Any], kept: _Kept | None, end: datetime.datetime) -> _Kept:
    first, last = _one(connection, SEEN)
    if kept is not None:
        is_late = last < kept.last or _one(connection, LATE, kept.last, kept.end) != (0,)
        if first != kept.first or is_late:
            kept = None
    if kept is not None and end <= kept.end:
        return kept
    known = kept or _Kept([], BEGINNING, first, 0, 0)
    parameters = {"after": known.done, "start": known.end, "end": end}
    rows = [DayRow(*row) for query in (SUMS, COUNTS) for row in connection.execute(query, parameters)]
    (done,) = _one(connection, FIRST_LEFT, last, known.done, end)
    return _Kept(known.rows + rows, end, first, last, done)


def _one(connection: psycopg.Connection[Any], query: str, *values: object) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
    assert row is not None  # an aggregate always answers
    return row
