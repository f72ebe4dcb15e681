"""`flask export statement | sales-by | balances | ageing`: the same files as finance's pages give."""

from __future__ import annotations

import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from storefront import days
from storefront.books import span
from storefront.books.span import Span
from storefront.exports import files, report_tables, statement_table, written_table
from storefront.exports.formats import Format
from storefront.exports.group import (
    AS_OF,
    DAY,
    FACILITY,
    FORMAT,
    OUT,
    export,
    facility_of,
    ids_of,
    moment_of,
    told,
)
from storefront.exports.manifest import demo_note
from storefront.exports.spoken import spoken
from storefront.exports.statement_pdf import paper
from storefront.extensions import db
from storefront.reports import reports
from storefront.snapshot import snapshot


@export.command("statement")
@click.option("--facility", metavar="CODE", required=True)
@click.option("--period", required=True, help="A month (2026-10), or days (2026-10-01--2026-10-15).")
@AS_OF
@click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx", "jsonl", "pdf"]), default="pdf", show_default=True
)
@OUT
@spoken()
def export_statement(facility: str, period: str, as_of: str | None, form: str, out: Path) -> None:
    """Write the statement of one facility over some days."""
    files.check_target(out)
    facility_id, days_ = facility_of(facility), span.parse(period)
    with statement_table.opened(db.engine, facility_id, days_, moment_of(as_of)) as source:
        if form == "pdf":
            found = written_table.beside(out, partial(_paper, source))
        else:
            made = statement_table.table(source)
            found = written_table.write(source.connection, made, Format(form), out, note=demo_note())
    told(out, found)


@export.command("sales-by")
@click.argument("by", type=click.Choice([by.value for by in reports.By]))
@click.option("--from", "first", type=DAY, required=True, help="First accounting day.")
@click.option("--to", "last", type=DAY, required=True, help="Last accounting day, included.")
@FACILITY
@AS_OF
@FORMAT
@OUT
@spoken()
def export_sales_by(
    by: str, first: datetime.datetime, last: datetime.datetime, facility: str | None, as_of: str | None,
    form: str, out: Path,
) -> None:  # fmt: skip
    """Write the sales of some days, added up by facility, region, category, workshop, channel or month."""
    files.check_target(out)
    wanted, ids, when = Span(first.date(), last.date()), ids_of(facility), moment_of(as_of)
    with snapshot(db.engine) as connection:
        report = reports.sales_report(connection, reports.By(by), ids, wanted, as_of=when)
        made = report_tables.sales_table(report, wanted, when, {"facility": facility})
        found = written_table.write(connection, made, Format(form), out, note=demo_note())
    told(out, found)


@export.command("balances")
@click.option("--on", type=DAY, help="At the end of which day. Default: the day of --as-of, else today.")
@FACILITY
@AS_OF
@FORMAT
@OUT
@spoken()
def export_balances(
    on: datetime.datetime | None, facility: str | None, as_of: str | None, form: str, out: Path
) -> None:
    """Write what each facility is owed from each fund, and what must come back."""
    files.check_target(out)
    ids, when = ids_of(facility), moment_of(as_of)
    day = _day(on, when)
    with snapshot(db.engine) as connection:
        made = report_tables.balances_table(ids, day, when, {"facility": facility})
        found = written_table.write(connection, made, Format(form), out, note=demo_note())
    told(out, found)


@export.command("ageing")
@click.option("--on", type=DAY, help="At the end of which day. Default: the day of --as-of, else today.")
@FACILITY
@AS_OF
@FORMAT
@OUT
@spoken()
def export_ageing(
    on: datetime.datetime | None, facility: str | None, as_of: str | None, form: str, out: Path
) -> None:
    """Write how old what is not yet settled or deposited is."""
    files.check_target(out)
    ids, when = ids_of(facility), moment_of(as_of)
    day = _day(on, when)
    with snapshot(db.engine) as connection:
        made = report_tables.ageing_table(connection, ids, day, when, {"facility": facility})
        found = written_table.write(connection, made, Format(form), out, note=demo_note())
    told(out, found)


def _paper(source: statement_table.Source, draft: Path) -> dict[str, Any]:
    pdf, found = paper(source, note=demo_note())
    draft.write_bytes(pdf)
    return found


def _day(on: datetime.datetime | None, when: datetime.datetime) -> datetime.date:
    """The day asked for, else that of the moment: the same command gives the same bytes tomorrow. Raises BadSpan."""
    day = on.date() if on else days.accounting_day(when)
    return Span(day, day).first
