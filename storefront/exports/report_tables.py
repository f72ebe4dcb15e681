"""Reports as tables for CSV, XLSX and JSONL: sales by a grouping, balances on a day, ageing."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

import psycopg
from flask_babel import gettext as _

from storefront.books.span import Span
from storefront.exports import dataset_sql
from storefront.exports.columns import Column, amount, number, text
from storefront.exports.table import Table
from storefront.reports.ageing import ageing
from storefront.reports.reports import By, SalesReport

#: What a row of a sales report is named by: the columns, and what of the report fills them.
NAMES: dict[By, tuple[tuple[str, str], ...]] = {
    By.FACILITY: (("facility_code", "key"), ("facility_name", "label")),
    By.REGION: (("region", "key"),),
    By.CATEGORY: (("category", "key"), ("category_name", "label")),
    By.WORKSHOP: (("facility_code", "facility"), ("workshop", "key")),
    By.CHANNEL: (("channel", "key"),),
    By.MONTH: (("month", "key"),),
}
AGED = ("days_0_7", "days_8_30", "days_31_60", "days_over_60", "excess", "total")
FROM_ROWS = """
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
        facility_code text, facility_name text, fund text, days_0_7 bigint, days_8_30 bigint, days_31_60 bigint,
        days_over_60 bigint, excess bigint, total bigint)"""


def sales_table(report: SalesReport, span: Span, as_of: datetime.datetime, filters: dict[str, Any]) -> Table:
    """A sales report as a table."""
    names = NAMES[report.by]
    order = "key" if report.by is By.MONTH else "net_amount DESC, key, facility"
    chosen = ", ".join([*(f"{field} AS {name}" for name, field in names), "pieces", *report.amounts])
    columns: list[Column] = [text(name) for name, _field in names]
    return Table(
        export=f"sales_by_{report.by}",
        name=f"penjualan-menurut-{report.by}-{span.name}",
        title=_("Penjualan"),
        columns=[*columns, number("pieces"), *(amount(name) for name in report.amounts)],
        sql=f"SELECT {chosen} FROM ({report.sql}) r ORDER BY {order}",  # noqa: S608  (names of our own)
        parameters=report.parameters,
        filters={"from": span.first.isoformat(), "to": span.last.isoformat(), **filters},
        as_of=as_of,
    )


def balances_table(
    facility_ids: Sequence[int], day: datetime.date, as_of: datetime.datetime, filters: dict[str, Any]
) -> Table:
    """What each facility is owed from each fund at the end of `day`, and what must come back."""
    return Table(
        export="balances",
        name=f"saldo-{day}",
        title=_("Saldo"),
        columns=[
            *(text(name) for name in ("facility_code", "facility_name", "region", "fund")),
            *(amount(name) for name in ("owed", "receivable", "balance")),
        ],
        sql=dataset_sql.BALANCES,
        order=dataset_sql.BALANCES_ORDER,
        parameters={"facility_ids": list(facility_ids), "region": None, "last": day, "as_of": as_of},
        filters={"on": day.isoformat(), **filters},
        as_of=as_of,
    )


def ageing_table(
    connection: psycopg.Connection[Any],
    facility_ids: Sequence[int],
    day: datetime.date,
    as_of: datetime.datetime,
    filters: dict[str, Any],
    fund: str = "",
) -> Table:
    """How old what is owed is at the end of `day`."""
    names = {
        row[0]: (row[1], row[2])
        for row in connection.execute(
            "SELECT id, code, name FROM facilities_at(%s) WHERE id = ANY (%s)", (as_of, list(facility_ids))
        )
    }
    rows = [
        {
            "facility_code": names[aged.facility_id][0],
            "facility_name": names[aged.facility_id][1],
            "fund": aged.fund,
        }
        | dict(zip(AGED, (*aged.amounts, aged.excess, aged.total), strict=True))
        for aged in ageing(connection, facility_ids, day, as_of)
        if fund in ("", aged.fund)
    ]
    rows.sort(key=lambda row: (row["facility_name"], row["facility_code"]))
    return Table(
        export="ageing",
        name=f"umur-{day}",
        title=_("Umur"),
        columns=[
            *(text(name) for name in ("facility_code", "facility_name", "fund")),
            *(amount(name) for name in AGED),
        ],
        sql=FROM_ROWS,
        parameters={"rows": json.dumps(rows)},
        filters={"on": day.isoformat(), **filters},
        as_of=as_of,
    )
