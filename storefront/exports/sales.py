"""The sales export: one row for each line of a paid order, as sold (CONTRACT.md, `reporting.sales`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from flask_babel import lazy_gettext as _
from psycopg.rows import dict_row
from sqlalchemy import Engine

from storefront.days import ACCOUNTING_ZONE
from storefront.errors import DomainError
from storefront.exports.columns import SALES, Kind
from storefront.snapshot import driver_connection, snapshot

#: A sale belongs to the moment when it was booked, not only to when it was made: one that was made without
#: a line and typed in later must not change what was exported before.
WHERE = """
  FROM reporting.sales s
  JOIN order_lines l ON l.id = s.line_id
 WHERE s.paid_at >= %(starts_at)s AND s.paid_at < %(ends_at)s AND s.paid_at <= %(as_of)s::timestamptz
   AND (%(facility_ids)s::bigint[] IS NULL OR l.facility_id = ANY (%(facility_ids)s::bigint[]))
   AND NOT EXISTS (SELECT FROM journal_entries e
                    WHERE e.order_id = l.order_id AND e.kind = 'sale' AND e.posted_at > %(as_of)s::timestamptz)
"""
AMOUNTS = tuple(column.name for column in SALES if column.kind is Kind.AMOUNT)


class BadRange(DomainError):
    code, status = "bad_range", 422
    message = _("Tanggal akhir lebih awal daripada tanggal awal. Tukar keduanya.")


class UnknownFacility(DomainError):
    code, status = "unknown_facility", 404
    message = _("Kode UPT ini tidak ada.")

    def __init__(self, code: str) -> None:
        super().__init__(_("UPT dengan kode %(code)s tidak ada.", code=code[:20]))


@dataclass(frozen=True)
class Selection:
    """Which sales: days of `paid_at` in Asia/Jakarta, both included, and facilities."""

    first: date
    last: date
    #: Codes of the only facilities wanted or allowed; None: all.
    facilities: tuple[str, ...] | None
    facility_ids: tuple[int, ...] | None

    @property
    def filters(self) -> dict[str, Any]:
        """The selection as the manifest records it."""
        one = self.facilities[0] if self.facilities and len(self.facilities) == 1 else None
        found: dict[str, Any] = {"from": self.first.isoformat(), "to": self.last.isoformat(), "facility": one}
        if self.facilities is not None and one is None:
            found["facilities"] = list(self.facilities)
        return found

    def name(self, ending: str) -> str:
        """A file name that says what is in it, such as `penjualan-2026-11-01-2026-11-30-PKL.csv`."""
        one = self.filters["facility"]
        return f"penjualan-{self.first}-{self.last}{'-' + one if one else ''}.{ending}"

    def parameters(self, as_of: datetime | None) -> dict[str, Any]:
        """What the queries of this module bind; without a moment, all that is booked."""
        starts_at = datetime(self.first.year, self.first.month, self.first.day, tzinfo=ACCOUNTING_ZONE)
        after = self.last + timedelta(days=1)
        ends_at = datetime(after.year, after.month, after.day, tzinfo=ACCOUNTING_ZONE)
        ids = None if self.facility_ids is None else list(self.facility_ids)
        return {"starts_at": starts_at, "ends_at": ends_at, "as_of": as_of or "infinity", "facility_ids": ids}


@dataclass(frozen=True)
class Totals:
    """How many rows a selection has at a moment, and the sum of every amount column in whole rupiah."""

    rows: int
    sums: dict[str, int]


def select(
    engine: Engine,
    first: date,
    last: date,
    *,
    facility: str | None = None,
    reach: Collection[int] | None = None,
) -> Selection:
    """The sales of the days `first` to `last`, of one facility (its code) or of all.

    `reach`: ids of the facilities that the reader may see; None: all. A facility outside it does not exist.
    Raises `BadRange` and `UnknownFacility`.
    """
    if last < first:
        raise BadRange()
    if last.year > 9000 or first.year < 1900:
        raise BadRange(_("Tanggal ini di luar jangkauan. Pilih tahun antara 1900 dan 9000."))
    if facility is None and reach is None:
        return Selection(first, last, None, None)
    with engine.connect() as connection:
        found = (
            driver_connection(connection)
            .execute(
                "SELECT code, id FROM facilities WHERE (%(code)s::text IS NULL OR code = %(code)s)"
                " AND (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s::bigint[])) ORDER BY code",
                {"code": facility, "ids": None if reach is None else list(reach)},
            )
            .fetchall()
        )
    if facility is not None and not found:
        raise UnknownFacility(facility)
    return Selection(first, last, tuple(code for code, _id in found), tuple(id for _code, id in found))


@dataclass(frozen=True)
class Source:
    """A selection at a moment, open for reading in one snapshot."""

    connection: psycopg.Connection[Any]
    selection: Selection
    as_of: datetime
    totals: Totals
    #: Told how many rows more have been read, for a progress bar.
    seen: Callable[[int], object]

    @property
    def parameters(self) -> dict[str, Any]:
        return self.selection.parameters(self.as_of)


@contextmanager
def opened(
    engine: Engine, selection: Selection, as_of: datetime, seen: Callable[[int], object] = lambda rows: None
) -> Iterator[Source]:
    """The selection as it was at `as_of`, a moment that `settle()` has returned."""
    with snapshot(engine) as connection:
        yield Source(connection, selection, as_of, reckon(connection, selection, as_of), seen)


def reckon(connection: psycopg.Connection[Any], selection: Selection, as_of: datetime | None) -> Totals:
    """Rows and sums of the selection, by the database itself."""
    sums = ", ".join(f"COALESCE(sum(s.{name}), 0)::bigint" for name in AMOUNTS)
    row = connection.execute(f"SELECT count(*), {sums} {WHERE}", selection.parameters(as_of)).fetchone()
    assert row is not None  # an aggregate always answers
    return Totals(row[0], dict(zip(AMOUNTS, row[1:], strict=True)))


def query(expressions: list[str]) -> str:
    """SQL for the rows in their order, each column by one of `expressions`."""
    rows = f"SELECT s.* {WHERE} ORDER BY s.paid_at, s.line_id"
    return f"SELECT {', '.join(expressions)} FROM ({rows}) AS sale"  # noqa: S608  (column names of our own)


def rows(source: Source) -> Iterator[dict[str, Any]]:
    """The rows one after the other, as dicts of Python values; text guarded against formulas.

    Reads through a cursor on the server, so that memory stays flat at a million rows.
    """
    expressions = [column.name if column.kind is Kind.TIME else column.cell for column in SALES]
    with source.connection.cursor(name="sales_export", row_factory=dict_row) as cursor:
        cursor.itersize = 5000
        yield from cursor.execute(query(expressions), source.parameters)


def watched(source: Source, seen: Callable[[int], object]) -> Source:
    """The same source, telling `seen` how many rows more have been read."""
    return replace(source, seen=seen)
