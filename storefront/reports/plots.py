"""What plots show: net sales of some days by month, region, category and channel, each divided into shares.

The sums are those of `reports.sales_report`; here one reading of the postings answers all four questions.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storefront.books.span import EARLIEST, Span, month
from storefront.languages import locale
from storefront.ledger.earnings import last_months
from storefront.ledger.shares import STANDARD_FUNDS
from storefront.reports.reports import By
from storefront.reports.statement import Connection
from storefront.reports.sums import KINDS

#: The groupings that are drawn, in their order.
DRAWN = (By.MONTH, By.REGION, By.CATEGORY, By.CHANNEL)

QUERY = """
    SELECT CASE WHEN GROUPING(s.month) = 0 THEN 'month' WHEN GROUPING(l.regional_office) = 0 THEN 'region'
                WHEN GROUPING(c.slug) = 0 THEN 'category' ELSE 'channel' END AS drawn,
           COALESCE(to_char(s.month, 'YYYY-MM'), l.regional_office, c.slug, o.channel) AS key,
           COALESCE(CASE WHEN %(english)s THEN c.name_en ELSE c.name END, '') AS category,
           s.kind, sum(s.amount)::bigint AS amount
      FROM (SELECT p.order_line_id, date_trunc('month', p.effective_date)::date AS month,
                   CASE WHEN u.code = ANY (%(standard)s) THEN u.code ELSE 'other' END AS kind, -sum(p.amount) AS amount
              FROM journal_entries e
              JOIN postings p ON p.entry_id = e.id
              JOIN accounts a ON a.id = p.account_id
              JOIN funds u ON u.id = a.fund_id
             WHERE e.kind IN ('sale', 'refund') AND e.effective_date BETWEEN %(first)s AND %(last)s
               AND p.order_line_id IS NOT NULL
               AND (%(facilities)s::bigint[] IS NULL OR a.facility_id = ANY (%(facilities)s::bigint[]))
             GROUP BY 1, 2, 3) s
      JOIN order_lines l ON l.id = s.order_line_id
      JOIN orders o ON o.id = l.order_id
      JOIN categories c ON c.id = l.category_id
     GROUP BY GROUPING SETS ((s.month, s.kind), (l.regional_office, s.kind), (c.slug, c.name, c.name_en, s.kind),
                             (o.channel, s.kind))"""


@dataclass(frozen=True)
class Part:
    """One kind of money of a row; rupiah."""

    kind: str
    amount: int


@dataclass(frozen=True)
class PlotRow:
    """One month, region, category or channel, divided into the kinds of money."""

    key: str
    label: str
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """Net of what went back, in rupiah."""
        return sum(part.amount for part in self.parts)

    @property
    def month(self) -> datetime.date:
        """First day of the month that the row stands for; only of the grouping by month."""
        return datetime.date.fromisoformat(f"{self.key}-01")

    def amount(self, kind: str) -> int:
        """Rupiah of one kind."""
        return sum(part.amount for part in self.parts if part.kind == kind)


@dataclass(frozen=True)
class Plot:
    """The rows of one grouping over the same days: months in their order, all else the largest first."""

    by: By
    span: Span
    rows: Sequence[PlotRow]

    @property
    def total(self) -> int:
        """Rupiah; the same for every grouping of the same days."""
        return sum(row.total for row in self.rows)

    @property
    def kinds(self) -> list[str]:
        """The three kinds that every shop has, `other` when there is any."""
        return [k for k in KINDS if k != "other" or any(row.amount(k) for row in self.rows)]

    def of_kind(self, kind: str) -> int:
        """Rupiah of one kind over all rows."""
        return sum(row.amount(kind) for row in self.rows)


def twelve_months(until: datetime.date) -> Span:
    """The twelve accounting months up to the one of `until`, or as many as the books can hold."""
    return Span(max(last_months(until, 12)[0], EARLIEST), month(until).last)


def plots(connection: Connection, facility_ids: Sequence[int] | None, span: Span) -> list[Plot]:
    """The four plots of `span`; of some facilities, or (None) of all. Months without sales are there, at zero."""
    rows = connection.execute(
        QUERY,
        {
            "first": span.first,
            "last": span.last,
            "standard": list(STANDARD_FUNDS),
            "facilities": None if facility_ids is None else list(facility_ids),
            "english": locale() == "en",
        },
    ).fetchall()
    found: dict[str, dict[str, dict[str, Any]]] = {by: {} for by in DRAWN}
    for drawn, key, category, kind, amount in rows:
        row = found[drawn].setdefault(key, {"label": category or key, "parts": {}})
        row["parts"][kind] = amount
    first = span.first.replace(day=1)
    while first <= span.last:
        found[By.MONTH].setdefault(f"{first:%Y-%m}", {"label": f"{first:%Y-%m}", "parts": {}})
        first = month(first).last + datetime.timedelta(days=1)
    return [Plot(by, span, _sorted(by, found[by])) for by in DRAWN]


def _sorted(by: By, found: dict[str, dict[str, Any]]) -> list[PlotRow]:
    rows = [
        PlotRow(key, row["label"], tuple(Part(k, row["parts"][k]) for k in KINDS if row["parts"].get(k)))
        for key, row in found.items()
    ]
    if by is By.MONTH:
        return sorted(rows, key=lambda row: row.key)
    return sorted((row for row in rows if row.parts), key=lambda row: (-row.total, row.label))
