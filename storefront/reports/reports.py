"""Sales by facility, region, category, workshop, channel or month; balances of all facilities on a day.

Both are sums of postings. Sales count on their own day and refunds on theirs; shipping is no sale. Region and
category are those that the sale was made in; names are those of the moment that is spoken of.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg.rows import dict_row

from storefront.books.span import Span
from storefront.languages import locale
from storefront.reports.statement import Column, Connection, accounts, balances, columns
from storefront.reports.statement_lines import FILTERS


class By(StrEnum):
    """What a row of a report stands for."""

    FACILITY = "facility"
    REGION = "region"
    CATEGORY = "category"
    WORKSHOP = "workshop"
    CHANNEL = "channel"
    MONTH = "month"


@dataclass(frozen=True)
class Grouping:
    """SQL for what a row is named by: its key in addresses, and what people read."""

    key: str
    label: str
    english: str = ""
    #: A second key, where one is not enough: workshops are named within their facility.
    facility: str = "NULL::text"


GROUPINGS: Mapping[By, Grouping] = {
    By.FACILITY: Grouping("f.code", "f.name"),
    By.REGION: Grouping("l.regional_office", "l.regional_office"),
    By.CATEGORY: Grouping("c.slug", "c.name", "c.name_en"),
    By.WORKSHOP: Grouping("l.workshop_name", "l.workshop_name", facility="f.code"),
    By.CHANNEL: Grouping("o.channel", "o.channel"),
    By.MONTH: Grouping("to_char(s.effective_date, 'YYYY-MM')", "to_char(s.effective_date, 'YYYY-MM')"),
}
#: First the postings of each line and day are added up, then the few names are looked up.
SALES = """
    SELECT {key} AS key, {label} AS label, {facility} AS facility,
           COALESCE(sum(l.quantity) FILTER (WHERE s.sold > 0), 0)::bigint AS pieces,
           sum(s.sold)::bigint AS sold, sum(s.refunded)::bigint AS refunded,
           (sum(s.sold) - sum(s.refunded))::bigint AS net_amount{names}
      FROM (SELECT p.order_line_id, p.effective_date, a.facility_id,
                   COALESCE(-sum(p.amount) FILTER (WHERE e.kind = 'sale'), 0) AS sold,
                   COALESCE(sum(p.amount) FILTER (WHERE e.kind = 'refund'), 0) AS refunded{sums}
              FROM journal_entries e
              JOIN postings p ON p.entry_id = e.id
              JOIN accounts a ON a.id = p.account_id
             WHERE e.kind IN ('sale', 'refund') AND e.effective_date BETWEEN %(first)s AND %(last)s
               AND p.order_line_id IS NOT NULL AND a.facility_id = ANY (%(facilities)s) {where}
             GROUP BY p.order_line_id, p.effective_date, a.facility_id) s
      JOIN order_lines l ON l.id = s.order_line_id
      JOIN orders o ON o.id = l.order_id
      JOIN facilities_at(%(as_of)s) f ON f.id = s.facility_id
      JOIN categories_at(%(as_of)s) c ON c.id = l.category_id
     GROUP BY 1, 2, 3"""


@dataclass(frozen=True)
class SalesReport:
    """What was sold in some days, by one of the groupings, before its query runs."""

    by: By
    #: The columns of the funds.
    funds: Sequence[Column]
    sql: str
    parameters: Mapping[str, Any]

    @property
    def amounts(self) -> list[str]:
        """Names of the columns of amounts, in their order."""
        return ["sold", "refunded", "net_amount", *(column.code for column in self.funds)]


@dataclass(frozen=True)
class Sold:
    """One row: pieces sold, and rupiah by name of the column."""

    key: str
    label: str
    #: Code of the facility a workshop belongs to; None for other groupings.
    facility: str | None
    pieces: int
    amounts: Mapping[str, int]


@dataclass(frozen=True)
class FacilityBalance:
    """What one facility is owed and what must come back, by column's code, at the end of a day."""

    facility_id: int
    code: str
    name: str
    region: str
    owed: Mapping[str, int]
    receivable: Mapping[str, int]

    def balance(self, code: str) -> int:
        """What is left of a column when both are taken together."""
        return self.owed.get(code, 0) - self.receivable.get(code, 0)

    @property
    def total(self) -> int:
        return sum(self.owed.values()) - sum(self.receivable.values())


def sales_report(
    connection: Connection,
    by: By,
    facility_ids: Sequence[int],
    span: Span,
    *,
    category: str = "",
    workshop: str = "",
    channel: str = "",
    as_of: datetime.datetime | None = None,
) -> SalesReport:
    """The sales of some facilities over `span`, grouped; an empty text asks for everything."""
    asked = {"category": category, "workshop": workshop, "channel": channel}
    funds = columns(connection, accounts(connection, facility_ids, as_of).columns.values())[:-1]  # without shipping
    where = [FILTERS[name] for name, value in asked.items() if value]
    where += ["e.posted_at <= %(as_of)s"] if as_of else []
    grouping = GROUPINGS[by]
    sql = SALES.format(
        key=grouping.key,
        label=grouping.english if grouping.english and locale() == "en" else grouping.label,
        facility=grouping.facility,
        names="".join(f", sum(s.{column.code})::bigint AS {column.code}" for column in funds),
        sums="".join(
            f", COALESCE(-sum(p.amount) FILTER (WHERE a.fund_id = {column.fund_id:d}), 0) AS {column.code}"
            for column in funds
        ),
        where="".join(f" AND {condition}" for condition in where),
    )
    parameters = {
        "first": span.first,
        "last": span.last,
        "facilities": list(facility_ids),
        "as_of": as_of,
        **asked,
    }
    return SalesReport(by, funds, sql, parameters)


def sold(connection: Connection, report: SalesReport) -> list[Sold]:
    """The rows of a report: months in their order, all else by the largest sum."""
    order = "key" if report.by is By.MONTH else "net_amount DESC, label, facility"
    with connection.cursor(row_factory=dict_row) as cursor:
        query = f"SELECT * FROM ({report.sql}) r ORDER BY {order}"  # noqa: S608  (SQL of our own)
        rows = cursor.execute(query, report.parameters).fetchall()
    return [
        Sold(
            row["key"],
            row["label"],
            row["facility"],
            row["pieces"],
            {name: row[name] for name in report.amounts},
        )
        for row in rows
    ]


def facility_balances(
    connection: Connection,
    facility_ids: Sequence[int],
    day: datetime.date,
    as_of: datetime.datetime | None = None,
) -> tuple[list[Column], list[FacilityBalance]]:
    """What each facility is owed at the end of `day`, and the columns that it needs; those with nothing left out."""
    known = accounts(connection, facility_ids, as_of)
    sums = balances(connection, known, day, as_of)
    owed = known.by_facility({a: x for a, x in sums.items() if x and a not in known.receivables})
    back = known.by_facility({a: -x for a, x in sums.items() if x and a in known.receivables})
    rows = connection.execute(
        """SELECT id, code, name, regional_office FROM facilities_at(%(as_of)s) WHERE id = ANY (%(ids)s)
            ORDER BY name, code""",
        {"ids": list(facility_ids), "as_of": as_of},
    ).fetchall()
    found = [
        FacilityBalance(facility, code, name, region, _of(facility, owed), _of(facility, back))
        for facility, code, name, region in rows
    ]
    return (
        columns(connection, {known.columns[account] for account, amount in sums.items() if amount}),
        [row for row in found if row.owed or row.receivable],
    )


def _of(facility_id: int, sums: Mapping[tuple[int, str], int]) -> dict[str, int]:
    """One facility's sums by column."""
    return {code: amount for (facility, code), amount in sums.items() if facility == facility_id}
