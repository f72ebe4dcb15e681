"""The statement of a facility as a table for CSV and XLSX: its lines, and before them (XLSX) its figures."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from flask_babel import gettext as _
from psycopg.rows import class_row
from sqlalchemy import Engine

from storefront.books.span import Span
from storefront.exports.columns import Column, amount, day, number, text
from storefront.exports.moment import rfc3339
from storefront.exports.table import Sheet, Table
from storefront.reports import statement_lines
from storefront.reports.statement import Column as FundColumn
from storefront.reports.statement import Statement, statement
from storefront.reports.statement_lines import Lines
from storefront.snapshot import snapshot

#: Of each line, in this order; the funds, shipping and the total follow.
DESCRIBED: tuple[Column, ...] = (
    day("effective_date"),
    text("kind"),
    text("source"),
    number("entry_id"),
    number("line_id"),
    text("order_number"),
    text("workshop"),
    text("product"),
    text("sku"),
    number("quantity"),
    text("reference"),
    #: Where it became known after its own month was closed.
    day("happened_on"),
)
NAMED = "SELECT id, code, name, regional_office, city FROM facilities_at(%(as_of)s) WHERE id = %(facility)s"
ORDER = "ORDER BY effective_date, entry_id, line_id NULLS FIRST"


@dataclass(frozen=True)
class Named:
    """A facility as its papers name it: as it was called at their moment."""

    id: int
    code: str
    name: str
    regional_office: str
    city: str


@dataclass(frozen=True)
class Source:
    """A statement at a moment, open for reading in one snapshot."""

    connection: psycopg.Connection[Any]
    facility: Named
    statement: Statement
    as_of: datetime.datetime

    @property
    def name(self) -> str:
        """Name of its files without ending, such as `laporan-PKL-2026-10`."""
        return f"laporan-{self.facility.code}-{self.statement.span.name}"

    def lines(self) -> statement_lines.Query:
        """Its lines as SQL."""
        wanted = Lines((self.facility.id,), self.statement.span, as_of=self.as_of)
        return statement_lines.query(self.connection, wanted)


@contextmanager
def opened(engine: Engine, facility_id: int, span: Span, as_of: datetime.datetime) -> Iterator[Source]:
    """The statement of a facility as it was at `as_of`, a moment that `moment.settle()` has returned."""
    with snapshot(engine) as connection:
        with connection.cursor(row_factory=class_row(Named)) as cursor:
            facility = cursor.execute(NAMED, {"as_of": as_of, "facility": facility_id}).fetchone()
        assert facility is not None
        yield Source(connection, facility, statement(connection, facility_id, span, as_of), as_of)


def table(source: Source) -> Table:
    """The statement's lines, oldest first, with its figures as a sheet before them."""
    found = source.lines()
    told, span = source.statement, source.statement.span
    return Table(
        export="statement",
        name=source.name,
        title=_("Baris"),
        columns=(*DESCRIBED, *(amount(name) for name in found.names)),
        sql=f"{found.rows()} {ORDER}",
        parameters=found.parameters,
        filters={
            "facility": source.facility.code,
            "from": span.first.isoformat(),
            "to": span.last.isoformat(),
        },
        as_of=source.as_of,
        sheets=[figures(source)],
        facts={"opening": dict(told.opening), "closing": dict(told.closing)},
    )


def figures(source: Source) -> Sheet:
    """Opening, movements, closing and what must come back, as a sheet."""
    told = source.statement
    headings = [_("Uraian"), *(column.label for column in told.columns), _("Jumlah")]
    rows: list[list[str | int | None]] = [
        [words, *_amounts(told.columns, amounts)] for words, amounts in rows_of(told)
    ]
    heading: list[list[str | int | None]] = [
        [source.facility.name, *[None] * (len(headings) - 1)],
        [
            f"{told.span.label} · {_('data per %(time)s', time=rfc3339(source.as_of))}",
            *[None] * (len(headings) - 1),
        ],
    ]
    return Sheet(_("Laporan"), headings, [*heading, *rows], [44.0, *[16.0] * (len(headings) - 1)])


def rows_of(told: Statement) -> list[tuple[str, dict[str, int]]]:
    """The rows of a statement in words, with their amounts by column; distributions as a memo of premium."""
    rows: list[tuple[str, dict[str, int]]] = [(_("Saldo awal"), dict(told.opening))]
    rows += [(kind_words(movement.kind), dict(movement.amounts)) for movement in told.movements]
    rows.append((_("Saldo akhir"), dict(told.closing)))
    if any(told.receivable.values()):
        rows.append((_("di antaranya yang harus kembali"), dict(told.receivable)))
    rows.append((_("Catatan: premi yang dibagikan UPT"), {"premium": told.distributed}))
    return rows


#: What each kind of entry is called on statements, reports and files.
KIND_WORDS: dict[str, Callable[[], str]] = {
    "sale": lambda: _("Penjualan"),
    "refund": lambda: _("Pengembalian dana"),
    "fee": lambda: _("Biaya penyedia pembayaran"),
    "deposit": lambda: _("Setoran PNBP"),
    "settlement": lambda: _("Penyaluran ke UPT"),
    "dispute": lambda: _("Sengketa pembayaran"),
    "offset": lambda: _("Perhitungan"),
    "budget_return": lambda: _("Kembali sebagai anggaran"),
    "cash_banked": lambda: _("Tunai disetor ke bank"),
    "correction": lambda: _("Koreksi"),
    "reversal": lambda: _("Pembatalan"),
}


def kind_words(kind: str) -> str:
    """A kind of entry in the language of the page."""
    return KIND_WORDS[kind]() if kind in KIND_WORDS else kind


def _amounts(columns: Any, amounts: dict[str, int]) -> list[int]:
    shown: list[FundColumn] = list(columns)
    return [*(amounts.get(column.code, 0) for column in shown), sum(amounts.values())]
