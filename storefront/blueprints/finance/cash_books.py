"""The treasurer's books: cash book (BKU), subsidiary books and monthly report (LPJ) of each facility and the office."""

from __future__ import annotations

import io

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.audit.record import record
from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.payouts import whole_programme
from storefront.books import span as spans
from storefront.books.bank_accounts import find_in_force, mask
from storefront.books.satkers import NoSatker, in_force
from storefront.books.span import BadSpan, Span
from storefront.errors import NotFound
from storefront.exports import cash_book_files as files
from storefront.exports import written_table
from storefront.exports.answer import answer, asked_moment, asked_part
from storefront.exports.formats import Format
from storefront.exports.manifest import demo_note
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import Keyed, asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import cash_book
from storefront.reports.cash_book import GENERAL, Books, CashBook, Line, books
from storefront.reports.statement import columns
from storefront.reports.treasurer_report import treasurer_report
from storefront.snapshot import driver_connection, snapshot

REPORT = files.REPORT


@bp.get("/cash-books")
@access.rule(Action.REVENUE_READ)
def cash_book_list() -> ResponseReturnValue:
    """Every facility with what its general cash book opens and closes with, for one month."""
    try:
        span = spans.parse(request.args.get("month", "") or f"{days.today():%Y-%m}")
    except BadSpan:
        span = spans.month(days.today())
    connection = driver_connection(db.session.connection())
    ids = [id for id, _label in steps.choices(Action.REVENUE_READ)]
    ends = cash_book.ends(connection, ids, span)
    facilities = db.session.scalars(select(Facility).where(Facility.id.in_(ids)).order_by(Facility.name, Facility.id))
    office = books(connection, None, span).of(GENERAL) if steps.may(Action.BOOKS_READ) else None
    return render_template(
        "finance/cash_books.html",
        span=span,
        rows=[(facility, *ends.get(facility.id, (0, 0))) for facility in facilities],
        office=office,
    )


@bp.get("/cash-books/<code>/<month>")
@access.rule(Action.REVENUE_READ)
def cash_book_page(code: str, month: str) -> ResponseReturnValue:
    """One book of a facility (`book`), or its monthly report; with `format` as a file."""
    facility: Facility = g.facility
    about = [(_("UPT"), f"{facility.name} ({facility.code})")]
    span = _month(month)
    try:
        satker = in_force(facility.id, span.last)
        about += [
            (_("Kementerian / unit / satker"), f"{satker.ministry_code} / {satker.unit_code} / {satker.office_code}"),
            (_("Bendahara penerimaan"), satker.treasurer),
            (_("Akun penerimaan"), satker.revenue_account),
        ]
    except NoSatker:
        about.append((_("Satker"), _("belum diisi")))
    return _answer(facility.id, files.Keeper(facility.name, facility.code, facility.city, about), span)


@bp.get("/cash-books/office/<month>")
@access.rule(Action.BOOKS_READ)
def office_cash_book(month: str) -> ResponseReturnValue:
    """The same of the central office: bank accounts, tills, what the provider still holds."""
    whole_programme()
    span = _month(month)
    account = find_in_force(None, span.last)
    about = [(_("Rekening"), f"{account.bank} {mask(account.number)}" if account else _("belum terdaftar"))]
    return _answer(None, files.Keeper(_("Kantor pusat"), "pusat", "Jakarta", about), span)


def _answer(facility_id: int | None, keeper: files.Keeper, span: Span) -> ResponseReturnValue:
    connection = driver_connection(db.session.connection())
    found = books(connection, facility_id, span)
    code = request.args.get("book", GENERAL)
    if code != REPORT and code not in found.codes:
        raise NotFound()
    funds = {column.code: column.label for column in columns(connection, found.parts.values())}
    form = request.args.get("format", "")
    if form:
        return _file(facility_id, keeper, span, code, form, funds)
    return _page(found, code, keeper, funds)


def _page(found: Books, code: str, keeper: files.Keeper, funds: dict[str, str]) -> str:
    connection = driver_connection(db.session.connection())
    told = treasurer_report(connection, found) if code == REPORT else None
    book: CashBook | None = None
    lines: Keyed[Line] | None = None
    carried = 0
    if code != REPORT:
        book = found.book(code)
        lines = book.page(connection, asked_turn())
        first = lines.rows[0] if lines.rows else None
        carried = book.sums.opening if first is None else first.balance - first.debit + first.credit
    return render_template(
        "finance/cash_book.html",
        found=found,
        code=code,
        keeper=keeper,
        book=book,
        lines=lines,
        carried=carried,
        report=REPORT,
        is_office=found.facility_id is None,
        words=lambda one: files.book_words(one, funds),
        entry_words=files.entry_words,
        before=found.span.before,
        after=found.span.after,
        first_part=files.first_part(told) if told else "",
        sections=files.sections(told) if told else [],
        by_pen=files.BY_PEN,
    )


def _file(
    facility_id: int | None, keeper: files.Keeper, span: Span, code: str, form: str, funds: dict[str, str]
) -> ResponseReturnValue:
    details = {"book": code, "keeper": keeper.code, "period": span.name, "format": form}
    record("cash_book.exported", "export", code, person_id=access.person_id(), facility_id=facility_id, details=details)
    db.session.commit()
    part, moment = asked_part(), asked_moment()
    with snapshot(db.engine) as connection:
        found = books(connection, facility_id, span, moment)
        if form == "pdf":
            pdf, told = files.paper(connection, found, code, keeper, funds, moment)
            return answer(written_table.parted(io.BytesIO(pdf), told, "application/pdf", moment, part))
        try:
            wanted = Format(form)
        except ValueError:
            raise NotFound() from None
        book = found.book(GENERAL if code == REPORT else code)
        report = treasurer_report(connection, found) if code == REPORT else None
        made = files.table(book, keeper, files.summary(found, funds, report), moment)
        return answer(written_table.download(connection, made, wanted, part, note=demo_note()))


def _month(name: str) -> Span:
    try:
        span = spans.parse(name)
    except BadSpan:
        raise NotFound() from None
    if not span.is_month:
        raise NotFound()
    return span
