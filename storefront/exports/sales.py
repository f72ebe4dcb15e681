"""The sales export: one row for each line of a paid order, as sold (CONTRACT.md, `reporting.sales`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from flask_babel import lazy_gettext as _
from sqlalchemy import Engine

from storefront.days import ACCOUNTING_ZONE
from storefront.errors import DomainError
from storefront.exports.columns import SALES, Column, Kind
from storefront.exports.download import Download, Part
from storefront.exports.files import check_target
from storefront.exports.formats import Format
from storefront.exports.manifest import demo_note
from storefront.exports.moment import settle
from storefront.exports.table import Table, Tally, totals
from storefront.exports.written_table import download_made
from storefront.exports.written_table import write as write_table
from storefront.extensions import db
from storefront.snapshot import driver_connection, snapshot

#: A sale belongs to the moment when it was booked, not only to when it was made: one that was made without
#: a line and typed in later must not change what was exported before.
WHERE = """
  FROM reporting.sales s{lines}
 WHERE s.paid_at >= %(starts_at)s AND s.paid_at < %(ends_at)s AND s.paid_at <= %(as_of)s::timestamptz{within}
   AND NOT EXISTS (SELECT FROM journal_entries e JOIN orders o ON o.id = e.order_id
                    WHERE o.number = s.order_number AND e.kind = 'sale' AND e.posted_at > %(as_of)s::timestamptz)
"""
#: The view has the lines already: they are joined again only for the facility's id.
LINES = " JOIN order_lines l ON l.id = s.line_id"
WITHIN = " AND l.facility_id = ANY (%(facility_ids)s::bigint[])"
WIDTHS = {"facility_name": 34.0, "product": 38.0} | {
    column.name: 14.0 for column in SALES if column.kind is Kind.AMOUNT
}


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

    @property
    def name(self) -> str:
        """A file name without ending that says what is in it, such as `penjualan-2026-11-01-2026-11-30-PKL`."""
        one = self.filters["facility"]
        return f"penjualan-{self.first}-{self.last}{'-' + one if one else ''}"

    def parameters(self, as_of: datetime | None) -> dict[str, Any]:
        """What the queries of this module bind; without a moment, all that is booked."""
        starts_at = datetime(self.first.year, self.first.month, self.first.day, tzinfo=ACCOUNTING_ZONE)
        after = self.last + timedelta(days=1)
        ends_at = datetime(after.year, after.month, after.day, tzinfo=ACCOUNTING_ZONE)
        ids = None if self.facility_ids is None else list(self.facility_ids)
        return {"starts_at": starts_at, "ends_at": ends_at, "as_of": as_of or "infinity", "facility_ids": ids}


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
    table: Table

    @property
    def totals(self) -> Tally:
        """Rows and sums, by the database itself."""
        return totals(self.connection, self.table)


@contextmanager
def opened(engine: Engine, selection: Selection, as_of: datetime) -> Iterator[Source]:
    """The selection as it was at `as_of`, a moment that `settle()` has returned."""
    with snapshot(engine) as connection:
        yield Source(connection, table(selection, as_of))


def where_of(selection: Selection, *, with_lines: bool = False) -> str:
    """FROM and WHERE of the lines that a selection means; `with_lines`: a condition that follows speaks of `l`."""
    some = selection.facility_ids is not None
    return WHERE.format(lines=LINES if some or with_lines else "", within=WITHIN if some else "")


def reckon(connection: psycopg.Connection[Any], selection: Selection) -> Tally:
    """Rows and sums of all that is booked of the selection."""
    made = table(selection, datetime.now(ACCOUNTING_ZONE))
    return totals(connection, replace(made, parameters=selection.parameters(None)))


def table(selection: Selection, as_of: datetime, columns: Sequence[Column] = SALES) -> Table:
    """The sales of a selection as a table."""
    return Table(
        export="sales",
        name=selection.name,
        title="Penjualan",
        columns=columns,
        sql=f"SELECT s.* {where_of(selection)}",
        order="ORDER BY s.paid_at, s.line_id",
        parameters=selection.parameters(as_of),
        filters=selection.filters,
        as_of=as_of,
        widths=WIDTHS,
        with_totals=True,
    )


def write(
    engine: Engine,
    selection: Selection,
    as_of: datetime,
    format: Format,
    target: Path,
    *,
    note: str | None,
    begun: Callable[[int], Callable[[int], object]] | None = None,
) -> dict[str, Any]:
    """Write the export to `target` and its manifest beside it (`table.write`); returns the manifest.

    `begun` is told the number of rows and gives back what is to be called with each number of rows written; counting
    first costs as much as writing. Raises what `table.write` raises.
    """
    check_target(target)
    with opened(engine, selection, as_of) as source:
        seen = begun(source.totals.rows) if begun is not None else lambda rows: None
        return write_table(source.connection, source.table, format, target, note=note, seen=seen)


def download_of(
    selection: Selection, format: Format, *, as_of: datetime | None = None, part: Part = Part.FILE
) -> Download:
    """The selection at `as_of` (default: now) in pieces. The caller has ended its transaction.

    Raises `BadMoment`, `StillWriting`, `TooManyRows` and `CannotWrite` before the first piece.
    """
    moment = settle(db.engine, as_of)
    return download_made(db.engine, lambda _connection: table(selection, moment), format, part, note=demo_note())
