"""The lines behind the figures of statements and reports: one for each entry and piece of work.

The postings of a line stand beside each other, a column for each fund. Filters name what a figure sums, so
that each figure on a page leads here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from storefront.books.span import Span
from storefront.reports.statement import SHIPPING, Column, Connection, accounts, columns

#: Kind of sales and refunds together: what reports and plots call net.
TRADE = "trade"
#: Entries on one page, each with all its lines.
PAGE = 50
#: An entry's place in the list: its day and its id.
KEY = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{1,18})")
#: Filters on what was sold, as SQL about a posting `p`.
FILTERS = {
    "region": """p.order_line_id IN (
                    SELECT l.id FROM order_lines l
                     WHERE l.facility_id = ANY (%(facilities)s) AND l.regional_office = %(region)s)""",
    "category": """p.order_line_id IN (
                    SELECT l.id FROM order_lines l JOIN categories_at(%(as_of)s) c ON c.id = l.category_id
                     WHERE l.facility_id = ANY (%(facilities)s) AND c.slug = %(category)s)""",
    "workshop": """p.order_line_id IN (
                    SELECT l.id FROM order_lines l
                     WHERE l.facility_id = ANY (%(facilities)s) AND l.workshop_name = %(workshop)s)""",
    "channel": "e.order_id IN (SELECT o.id FROM orders o WHERE o.channel = %(channel)s)",
}
#: The postings of a selection. Entries are looked at only when a filter asks for it.
POSTINGS = """
      FROM postings p JOIN accounts a ON a.id = p.account_id {entries}
     WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date BETWEEN %(first)s AND %(last)s {where}"""
ENTRIES = "JOIN journal_entries e ON e.id = p.entry_id AND e.effective_date BETWEEN %(first)s AND %(last)s"
GROUPED = """
    SELECT p.effective_date, p.entry_id, p.order_line_id, a.facility_id, {sums} {postings}
     GROUP BY p.effective_date, p.entry_id, p.order_line_id, a.facility_id"""
ROWS = """
    SELECT g.effective_date, e.kind, e.source, g.entry_id, g.order_line_id AS line_id,
           f.code AS facility_code, o.number AS order_number, l.workshop_name AS workshop, l.title AS product, l.sku,
           CASE e.kind WHEN 'sale' THEN l.quantity WHEN 'refund' THEN -(
               SELECT x.quantity FROM refund_lines x WHERE x.order_line_id = l.id
                  AND x.refund_id = substring(e.source FROM '^refund:([0-9]+):')::bigint) END AS quantity,
           CASE e.kind WHEN 'settlement' THEN (SELECT s.bank_reference FROM settlements s
                                 WHERE s.id = substring(e.source FROM '^settlement:([0-9]+):')::bigint)
                       WHEN 'deposit' THEN (SELECT d.ntpn FROM deposits d
                                 WHERE d.id = substring(e.source FROM '^deposit:([0-9]+):')::bigint)
           END AS reference, e.happened_on, {names}
      FROM ({grouped}) g
      JOIN journal_entries e ON e.id = g.entry_id
      JOIN facilities f ON f.id = g.facility_id
      LEFT JOIN orders o ON o.id = e.order_id
      LEFT JOIN order_lines l ON l.id = g.order_line_id"""


@dataclass(frozen=True)
class Lines:
    """Which lines are wanted; an empty text asks for nothing."""

    #: Facilities that the reader may see and has asked for.
    facility_ids: tuple[int, ...]
    span: Span
    kind: str = ""
    #: A column's code: one fund, or shipping.
    fund: str = ""
    region: str = ""
    category: str = ""
    workshop: str = ""
    channel: str = ""
    #: Only what pieces of work brought, not shipping or payments out.
    goods: bool = False
    as_of: datetime.datetime | None = None


@dataclass(frozen=True)
class LinesPage:
    """A page of lines, the latest first; the sums are of the whole selection."""

    columns: Sequence[Column]
    rows: Sequence[dict[str, Any]]
    sums: dict[str, int]
    #: Keys of the neighbouring pages; None where there is none.
    older: str | None
    newer: str | None

    @property
    def total(self) -> int:
        return sum(self.sums.values())


@dataclass(frozen=True)
class Query:
    """The selection as SQL: the columns of amounts, its postings, and what it binds."""

    columns: Sequence[Column]
    postings: str
    parameters: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Names of the columns of amounts, the total last. They are codes that the database has checked."""
        return [*(column.code for column in self.columns), "total"]

    @property
    def sums(self) -> str:
        """SQL for the columns of amounts over grouped postings."""
        sums = [
            f"COALESCE(-sum(p.amount) FILTER (WHERE {_of(c)}), 0)::bigint AS {c.code}" for c in self.columns
        ]
        return ", ".join([*sums, "-sum(p.amount)::bigint AS total"])

    def rows(self, which: str = "") -> str:
        """SQL for the lines with what people read of them, in no order; `which` narrows the postings."""
        grouped = GROUPED.format(sums=self.sums, postings=self.postings + which)
        return ROWS.format(grouped=grouped, names=", ".join(f"g.{name}" for name in self.names))


def query(connection: Connection, lines: Lines) -> Query:
    """The SQL of a selection."""
    known = accounts(connection, lines.facility_ids, lines.as_of)
    shown = columns(connection, known.columns.values())
    if lines.fund:
        shown = [column for column in shown if column.code == lines.fund]
    codes = {column.code for column in shown}
    parameters = {
        "accounts": [account for account, code in known.columns.items() if code in codes],
        "facilities": list(lines.facility_ids),
        "first": lines.span.first,
        "last": lines.span.last,
        "kind": lines.kind,
        "as_of": lines.as_of,
        **{name: getattr(lines, name) for name in FILTERS},
    }
    where = [FILTERS[name] for name in FILTERS if getattr(lines, name)]
    if lines.kind == TRADE:
        where += ["e.kind IN ('sale', 'refund')"]
    elif lines.kind:
        where += ["e.kind = %(kind)s"]
    where += ["e.posted_at <= %(as_of)s"] if lines.as_of else []
    where += ["p.order_line_id IS NOT NULL"] if lines.goods else []
    postings = POSTINGS.format(
        entries=ENTRIES if any(condition.startswith("e.") for condition in where) else "",
        where="".join(f" AND {condition}" for condition in where),
    )
    return Query(shown, postings, parameters)


def lines_page(
    connection: Connection, lines: Lines, *, older: str | None = None, newer: str | None = None
) -> LinesPage:
    """The lines of the entries that follow the key `older`, or come before the key `newer`; else the latest.

    A key that makes no sense means the first page.
    """
    found = query(connection, lines)
    back, forth = _key(older), _key(newer)
    key, sign, way = (forth, ">", "ASC") if forth and not back else (back, "<", "DESC")
    beyond = f" AND (p.effective_date, p.entry_id) {sign} (%(day)s::date, %(entry)s)" if key else ""
    day, entry = key or (None, None)
    picked = connection.execute(
        f"SELECT DISTINCT p.effective_date, p.entry_id {found.postings} {beyond}"
        f" ORDER BY p.effective_date {way}, p.entry_id {way} LIMIT {PAGE + 1:d}",
        found.parameters | {"day": day, "entry": entry},
    ).fetchall()
    more, picked = len(picked) > PAGE, picked[:PAGE]
    if sign == ">":
        picked.reverse()
    has_older, has_newer = (more, key is not None) if sign == "<" else (True, more)
    return LinesPage(
        found.columns,
        _rows(connection, found, [entry for _day, entry in picked]),
        sums(connection, found),
        _name(picked[-1]) if picked and has_older else None,
        _name(picked[0]) if picked and has_newer else None,
    )


def sums(connection: Connection, found: Query) -> dict[str, int]:
    """The sum of each column of amounts over the whole selection, without the total."""
    rows = connection.execute(
        f"SELECT a.fund_id, -sum(p.amount)::bigint {found.postings} GROUP BY a.fund_id",
        found.parameters,
    ).fetchall()
    by_fund = dict(rows)
    return {column.code: by_fund.get(column.fund_id, 0) for column in found.columns}


def _rows(connection: Connection, found: Query, entries: Sequence[int]) -> list[dict[str, Any]]:
    """The lines of some entries, the latest first."""
    order = " ORDER BY g.effective_date DESC, g.entry_id DESC, g.order_line_id DESC NULLS LAST, g.facility_id"
    with connection.cursor(row_factory=dict_row) as cursor:
        sql = found.rows(" AND p.entry_id = ANY (%(entries)s)") + order
        return cursor.execute(sql, found.parameters | {"entries": list(entries)}).fetchall()


def _of(column: Column) -> str:
    return "a.fund_id IS NULL" if column.code == SHIPPING else f"a.fund_id = {column.fund_id:d}"


def _name(place: tuple[datetime.date, int]) -> str:
    return f"{place[0]}_{place[1]}"


def _key(text: str | None) -> tuple[str, str] | None:
    found = KEY.fullmatch(text or "")
    if found is None:
        return None
    try:
        datetime.date.fromisoformat(found[1])
    except ValueError:
        return None
    return found[1], found[2]
