"""The facility's own statements, to read: months, one period with its lines, files."""

from __future__ import annotations

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.blueprints.seller.sales import choices
from storefront.books import span as spans
from storefront.books.models import Period
from storefront.books.span import EARLIEST, BadSpan
from storefront.exports.answer import STATEMENT_FORMS, answer, statement_file
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports.statement import KINDS, columns, statement
from storefront.reports.statement_lines import Lines, lines_page
from storefront.snapshot import driver_connection


@bp.get("/<code>/statements")
@access.rule(Action.REVENUE_READ)
def statements(code: str) -> ResponseReturnValue:
    """The months since the facility's first sale, each with its files."""
    months = choices(g.facility.id)
    closed = set(
        db.session.scalars(select(Period.month).where(Period.month.in_(months), Period.state == "closed"))
    )
    return render_template("seller/statements.html", months=months, closed=closed)


@bp.get("/<code>/statements/<period>")
@access.rule(Action.REVENUE_READ)
def statement_page(code: str, period: str) -> ResponseReturnValue:
    """One period: figures, and the latest lines."""
    span = spans.of_address(period)
    connection = driver_connection(db.session.connection())
    found = lines_page(
        connection,
        Lines((g.facility.id,), span),
        older=request.args.get("older"),
        newer=request.args.get("newer"),
    )
    return render_template(
        "seller/statement.html",
        span=span,
        told=statement(connection, g.facility.id, span),
        found=found,
        period=db.session.get(Period, span.first) if span.is_month else None,
        forms=STATEMENT_FORMS,
    )


@bp.get("/<code>/statements/<period>.<any('csv', 'jsonl', 'pdf', 'xlsx'):form>")
@access.rule(Action.REVENUE_READ)
def statement_download(code: str, period: str, form: str) -> ResponseReturnValue:
    """The statement as a file; `as_of` gives the same bytes again."""
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


@bp.get("/<code>/lines")
@access.rule(Action.REVENUE_READ)
def lines(code: str) -> ResponseReturnValue:
    """The lines that a figure of the statement sums: by days, kind and fund."""
    first, last = request.args.get("from", ""), request.args.get("to", "")
    asked = {name: request.args.get(name, "").replace("\0", "").strip()[:40] for name in ("kind", "fund")}
    try:
        span, error = spans.of_days(first, last), None
    except BadSpan as bad:
        span, error = spans.month(choices(g.facility.id)[0]), str(bad.message) if first or last else None
    connection = driver_connection(db.session.connection())
    found = lines_page(
        connection,
        Lines((g.facility.id,), span, kind=asked["kind"], fund=asked["fund"]),
        older=request.args.get("older"),
        newer=request.args.get("newer"),
    )
    page = render_template(
        "seller/lines.html",
        span=span,
        found=found,
        asked=asked,
        error=error,
        kinds=KINDS,
        funds=columns(connection),
        first_day=EARLIEST,
    )
    return page, 422 if error else 200
