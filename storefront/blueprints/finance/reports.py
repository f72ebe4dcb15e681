"""Reports: sales by what one likes, balances on a day, and how old what is owed is."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.audit.record import record
from storefront.blueprints.finance import bp
from storefront.blueprints.finance.period import chosen, facilities
from storefront.blueprints.finance.statements import LINKED, facility_ids, span_of, text_argument
from storefront.books import span as spans
from storefront.books.span import EARLIEST, LATEST, Span
from storefront.catalogue.models import Category
from storefront.errors import NotFound
from storefront.exports import report_tables
from storefront.exports.answer import answer, table_file
from storefront.exports.moment import parse_moment
from storefront.exports.table import Table
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import asked_turn
from storefront.languages import locale
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import ageing as ages
from storefront.reports import reports
from storefront.reports.reports import By, SalesReport, Sold
from storefront.reports.statement import Connection, columns
from storefront.snapshot import driver_connection

CHANNELS = ("online", "counter", "quote", "marketplace")


@bp.get("/reports/sales")
@access.rule(Action.REVENUE_READ)
def sales_report() -> ResponseReturnValue:
    """Sales and refunds of some days, added up; with `format` as a file."""
    choice = chosen(request.args)
    try:
        by = By(request.args.get("by", By.FACILITY))
    except ValueError:
        raise NotFound() from None
    span = span_of(choice)
    filters = {name: text_argument(name) for name in LINKED}
    form = request.args.get("format", "")
    query = {**choice.query, **{name: value for name, value in filters.items() if value}}
    found: list[Sold] = []
    report: SalesReport | None = None
    if span is not None:
        reckon = partial(
            reports.sales_report,
            by=by,
            facility_ids=facility_ids(choice),
            span=span,
            category=filters["category"],
            workshop=filters["workshop"],
            channel=filters["channel"],
        )
        if form:
            told = {"facility": choice.facility or None, **{n: v for n, v in filters.items() if v}}
            _recorded(f"sales_by_{by}", {**told, "from": choice.first, "to": choice.last, "format": form})
            return answer(table_file(partial(_sales_table, reckon, span, told), form))
        connection = driver_connection(db.session.connection())
        report = reckon(connection)
        found = reports.sold(connection, report)
    page = render_template(
        "finance/sales_report.html",
        choice=choice,
        by=by,
        groupings=list(By),
        report=report,
        rows=[(row, {**query, **_only(by, row, span)}) for row in found],
        filters=filters,
        facilities=facilities(),
        categories=_categories(),
        channels=CHANNELS,
        query=query,
    )
    return page, 422 if choice.errors else 200


@bp.get("/reports/balances")
@access.rule(Action.REVENUE_READ)
def balances_report() -> ResponseReturnValue:
    """What each facility is owed at the end of a day, and what must come back; with `format` as a file."""
    day, error, code, ids = _on_a_day()
    if (form := request.args.get("format", "")) and error is None:
        _recorded("balances", {"on": day.isoformat(), "facility": code or None, "format": form})
        told = {"facility": code or None}
        return answer(
            table_file(lambda _connection, moment: report_tables.balances_table(ids, day, moment, told), form)
        )
    connection = driver_connection(db.session.connection())
    shown, rows = reports.facility_balances(connection, ids, day)
    page = render_template(
        "finance/balances_report.html",
        day=day, error=error, facility=code, columns=shown, rows=rows, facilities=facilities(), first=EARLIEST,
    )  # fmt: skip
    return page, 422 if error else 200


@bp.get("/ageing")
@access.rule(Action.REVENUE_READ)
def ageing() -> ResponseReturnValue:
    """How old what is not yet settled or deposited is; with `format` as a file."""
    day, error, code, ids = _on_a_day()
    fund = text_argument("fund")
    if (form := request.args.get("format", "")) and error is None:
        _recorded(
            "ageing", {"on": day.isoformat(), "facility": code or None, "fund": fund or None, "format": form}
        )
        told = {"facility": code or None, "fund": fund or None}
        return answer(
            table_file(
                lambda connection, moment: report_tables.ageing_table(
                    connection, ids, day, moment, told, fund
                ),
                form,
            )
        )
    connection = driver_connection(db.session.connection())
    rows = [row for row in ages.ageing(connection, ids, day) if fund in ("", row.fund)]
    shown, names = ages.funds(connection, rows), _names(ids)
    order = [column.code for column in shown]
    rows.sort(key=lambda row: (names[row.facility_id][1], order.index(row.fund)))
    page = render_template(
        "finance/ageing.html",
        day=day,
        error=error,
        facility=code,
        fund=fund,
        rows=rows,
        labels={column.code: column.label for column in shown},
        names=names,
        facilities=facilities(),
        funds=columns(connection),
        ages=_ages(),
    )
    return page, 422 if error else 200


@bp.get("/ageing/<code>/<fund>")
@access.rule(Action.REVENUE_READ)
def ageing_layers(code: str, fund: str) -> ResponseReturnValue:
    """The entries that make up what a facility is owed from a fund, the oldest first; all ages, or one."""
    day = _day() or days.today()
    age = request.args.get("age", type=int)
    if age is not None and not 0 <= age <= len(ages.AGES):
        raise NotFound()
    connection = driver_connection(db.session.connection())
    labels = {column.code: column.label for column in columns(connection, [fund])}
    if fund not in labels:
        raise NotFound()
    rows, younger, older = ages.layers(connection, g.facility.id, fund, day, age, asked_turn())
    return render_template(
        "finance/ageing_layers.html",
        facility=g.facility, fund=fund, label=labels[fund], day=day, age=age, rows=rows,
        younger=younger, older=older, ages=_ages(),
        found=next((r for r in ages.ageing(connection, [g.facility.id], day) if r.fund == fund), None),
    )  # fmt: skip


def _sales_table(
    reckon: Callable[..., SalesReport],
    span: Span,
    told: dict[str, Any],
    connection: Connection,
    moment: datetime.datetime,
) -> Table:
    """The report at a moment, as a table for a file."""
    return report_tables.sales_table(reckon(connection, as_of=moment), span, moment, told)


def _only(by: By, row: Sold, span: Span | None) -> dict[str, str]:
    """The filters that ask for the lines of one row."""
    if by is By.MONTH and span is not None:
        whole = spans.parse(row.key)
        return {"from": str(max(whole.first, span.first)), "to": str(min(whole.last, span.last))}
    if by is By.WORKSHOP:
        return {"facility": row.facility or "", "workshop": row.key}
    return {by.value: row.key}


def _on_a_day() -> tuple[datetime.date, str | None, str, tuple[int, ...]]:
    """The day asked for, what is wrong with it, the facility's code, and the ids of all within reach."""
    day, error = _day(), None
    if day is None:
        error = _("Tulis tanggalnya seperti 2026-11-30.")
    choice = chosen({"facility": request.args.get("facility", "")})
    if choice.selection is None:
        raise NotFound()
    return day or days.today(), error, choice.facility, facility_ids(choice)


def _day() -> datetime.date | None:
    """The day of the query string (default: that of its `as_of`, else today); None for what is none."""
    asked = request.args.get("on", "").strip()
    if not asked:
        # A file of a moment is the same tomorrow, when today is another day.
        moment = request.args.get("as_of", "")
        return days.accounting_day(parse_moment(moment)) if moment else days.today()
    try:
        day = datetime.date.fromisoformat(asked)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def _ages() -> list[str]:
    """The ages in words."""
    return [_("0–7 hari"), _("8–30 hari"), _("31–60 hari"), _("lebih dari 60 hari")]


def _names(ids: tuple[int, ...]) -> dict[int, tuple[str, str]]:
    rows = db.session.execute(select(Facility.id, Facility.code, Facility.name).where(Facility.id.in_(ids)))
    return {facility: (code, name) for facility, code, name in rows}


def _categories() -> list[tuple[str, str]]:
    name = Category.name_en if locale() == "en" else Category.name
    rows = db.session.execute(select(Category.slug, name).order_by(name))
    return [(slug, label) for slug, label in rows]


def _recorded(export: str, details: dict[str, Any]) -> None:
    """Write down that a report left as a file, before its first byte does."""
    record("report.exported", "export", export, person_id=access.person_id(), details=details)
    db.session.commit()
