"""Statements of facilities, and the lines behind each figure of theirs and of the reports."""

from __future__ import annotations

import datetime
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.audit.record import record
from storefront.blueprints.finance import bp, reach
from storefront.blueprints.finance.period import Choice, chosen, facilities
from storefront.blueprints.finance.plots import drawn
from storefront.books import span as spans
from storefront.books.models import Period
from storefront.books.span import BadSpan, Span
from storefront.exports import auditor_pack, made_files, statement_pack
from storefront.exports.answer import STATEMENT_FORMS, answer, statement_file
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.models import JournalEntry
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports.statement import KINDS, columns, statement
from storefront.reports.statement_lines import TRADE, Lines, LinesPage, lines_page
from storefront.snapshot import driver_connection

#: Filters of the list of lines that a page sets by its links.
LINKED = ("category", "workshop", "channel")


@bp.get("/statements")
@access.rule(Action.REVENUE_READ)
def statements() -> ResponseReturnValue:
    """Choose a month, or days; with a facility the statement itself."""
    month = request.args.get("month", "").strip()
    first, last = request.args.get("from", "").strip(), request.args.get("to", "").strip()
    error = None
    try:
        span = (
            spans.of_days(first, last) if first and last else spans.parse(month or f"{_last_month():%Y-%m}")
        )
    except BadSpan as bad:
        span, error = spans.month(_last_month()), str(bad.message)
    code = request.args.get("facility", "").strip().upper()
    choices = facilities()
    if code in dict(choices) and error is None:
        return redirect(url_for("finance.statement_page", code=code, period=span.name))
    page = render_template(
        "finance/statements.html",
        span=span,
        months=_months(),
        facilities=choices,
        asked={"month": month, "from": first, "to": last},
        error=error,
    )
    return page, 422 if error else 200


@bp.get("/statements/<code>/<period>")
@access.rule(Action.REVENUE_READ)
def statement_page(code: str, period: str) -> ResponseReturnValue:
    """One facility, one period: figures, and the latest lines."""
    span = spans.of_address(period)
    connection = driver_connection(db.session.connection())
    found = lines_page(
        connection,
        Lines((g.facility.id,), span),
        older=request.args.get("older"),
        newer=request.args.get("newer"),
    )
    return render_template(
        "finance/statement.html",
        facility=g.facility,
        span=span,
        told=statement(connection, g.facility.id, span),
        found=found,
        period=db.session.get(Period, span.first) if span.is_month else None,
        forms=STATEMENT_FORMS,
        drawn=drawn([g.facility.id], span.last),
    )


@bp.get("/statements/<code>/<period>.<any('csv', 'jsonl', 'pdf', 'xlsx'):form>")
@access.rule(Action.REVENUE_READ)
def statement_download(code: str, period: str, form: str) -> ResponseReturnValue:
    """The statement as a file; `as_of` gives the same bytes again, `part` the manifest or both."""
    span, facility_id = spans.of_address(period), g.facility.id
    record(
        "statement.exported",
        "facility",
        g.facility.code,
        person_id=access.person_id(),
        facility_id=facility_id,
        details={"period": span.name, "format": form, "as_of": request.args.get("as_of")},
    )
    db.session.commit()
    return answer(statement_file(facility_id, span, form))


@bp.post("/statements/pack")
@access.rule(Action.EXPORTS_WRITE)
def ask_statement_pack() -> ResponseReturnValue:
    """Have a job put all statements of a period into one archive: of the facilities in the reader's reach."""
    span = spans.of_address(request.form.get("period", ""))
    ids = reach()
    made = made_files.ask(
        statement_pack.KIND,
        {"period": span.name, "facility_ids": None if ids is None else sorted(ids)},
        person_id=access.person_id(),
        title=_("Laporan semua UPT, %(period)s", period=span.label),
        facility_ids=ids,
    )
    db.session.commit()
    return redirect(url_for("finance.made_file", file_id=made.id), 303)


@bp.post("/statements/<code>/<period>/auditor-pack")
@access.rule(Action.EXPORTS_WRITE)
def ask_auditor_pack(code: str, period: str) -> ResponseReturnValue:
    """Have a job put together what an auditor takes along of one facility and period."""
    span, facility = spans.of_address(period), g.facility
    made = made_files.ask(
        auditor_pack.KIND,
        {"period": span.name, "facility_id": facility.id},
        person_id=access.person_id(),
        title=_("Berkas pemeriksa %(name)s, %(period)s", name=facility.name, period=span.label),
        facility_ids={facility.id},
    )
    db.session.commit()
    return redirect(url_for("finance.made_file", file_id=made.id), 303)


@bp.get("/lines")
@access.rule(Action.REVENUE_READ)
def lines() -> ResponseReturnValue:
    """The lines that a figure sums: by facility, days, kind, fund and what was sold."""
    choice = chosen(request.args)
    wanted = _lines(choice)
    found: LinesPage | None = None
    connection = driver_connection(db.session.connection())
    if wanted is not None:
        found = lines_page(
            connection, wanted, older=request.args.get("older"), newer=request.args.get("newer")
        )
    page = render_template(
        "finance/lines.html",
        choice=choice,
        wanted=wanted,
        found=found,
        facilities=facilities(),
        kinds=(TRADE, *KINDS),
        funds=columns(connection),
        query=line_query(choice, wanted),
    )
    return page, 422 if choice.errors else 200


def facility_ids(choice: Choice) -> tuple[int, ...]:
    """Ids of the facilities that were asked for; all within reach when none was named."""
    assert choice.selection is not None
    if choice.selection.facility_ids is not None:
        return choice.selection.facility_ids
    ids = reach()
    query = select(Facility.id).order_by(Facility.id)
    return tuple(db.session.scalars(query if ids is None else query.where(Facility.id.in_(ids))))


def span_of(choice: Choice) -> Span | None:
    """The days that were asked for; None, with the error noted, where the books have none."""
    if choice.selection is None:
        return None
    try:
        return Span(choice.selection.first, choice.selection.last)
    except BadSpan as bad:
        choice.errors["to"] = str(bad.message)
        return None


def text_argument(name: str) -> str:
    """A filter of the query string, as far as it can be a name."""
    return request.args.get(name, "").replace("\0", "").strip()[:200]


def line_query(choice: Choice, wanted: Lines | None) -> dict[str, Any]:
    """The filters as arguments of an address."""
    asked: dict[str, Any] = dict(choice.query)
    for name in ("kind", "fund", "region", *LINKED):
        if wanted is not None and getattr(wanted, name):
            asked[name] = getattr(wanted, name)
    if wanted is not None and wanted.goods:
        asked["goods"] = "1"
    return asked


def _lines(choice: Choice) -> Lines | None:
    span = span_of(choice)
    if span is None:
        return None
    return Lines(
        facility_ids(choice),
        span,
        kind=text_argument("kind"),
        fund=text_argument("fund"),
        region=text_argument("region"),
        category=text_argument("category"),
        workshop=text_argument("workshop"),
        channel=text_argument("channel"),
        goods=request.args.get("goods") == "1",
    )


def _last_month() -> datetime.date:
    """The first day of the month before this one: the one that statements are read for."""
    return (days.today().replace(day=1) - datetime.timedelta(days=1)).replace(day=1)


def _months() -> list[datetime.date]:
    """The months from the first entry to this one, the latest first."""
    this = days.today().replace(day=1)
    first = db.session.scalar(
        select(JournalEntry.effective_date).order_by(JournalEntry.effective_date).limit(1)
    )
    found = [this]
    while first is not None and found[-1] > first.replace(day=1):
        found.append((found[-1] - datetime.timedelta(days=1)).replace(day=1))
    return found
