"""Months: the checklist before closing one, closing, the proof that it is unchanged, and opening again."""

from __future__ import annotations

import datetime

from flask import current_app, flash, make_response, redirect, render_template, url_for
from flask import request as http
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.payouts import whole_programme
from storefront.books import span as spans
from storefront.books.models import Period
from storefront.books.span import BadSpan, Span
from storefront.closing import close as closing
from storefront.closing import month_path
from storefront.closing.checklist import checklist, first_month, last_check
from storefront.display import format_month
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.people import access
from storefront.people.models import Person
from storefront.people.policy import Action
from storefront.verify.month import ask, prove


@bp.get("/periods")
@access.rule(Action.BOOKS_READ)
def periods() -> ResponseReturnValue:
    """All months since the books began, the latest first. Months are closed for all facilities at once."""
    whole_programme()
    rows = {period.month: period for period in db.session.scalars(select(Period))}
    first, month = first_month(), days.today().replace(day=1)
    months = [month]
    while first is not None and month > first:
        month = (month - datetime.timedelta(days=1)).replace(day=1)
        months.append(month)
    return render_template(
        "finance/periods.html",
        months=[(each, rows.get(each)) for each in months],
        people=_people({row.closed_by for row in rows.values()}),
        begun=first is not None,
        next_month=next(
            (each for each in reversed(months) if each not in rows or rows[each].state != "closed"), None
        ),
        today=days.today(),
    )


@bp.get("/periods/<month>")
@access.rule(Action.BOOKS_READ)
def period(month: str) -> ResponseReturnValue:
    """One month: the path to its end with the checklist, or, closed, its hash reckoned again."""
    span = _month(month, Action.BOOKS_READ)
    return _remembered(_page(span), span)


@bp.post("/periods/<month>/check")
@access.rule(Action.BOOKS_CLOSE)
def check_period(month: str) -> ResponseReturnValue:
    """Let all invariants be checked, as a job; the page shows what it finds."""
    span = _month(month, Action.BOOKS_CLOSE)
    running = last_check(span.first)
    if running is None or running.finished_at is not None:
        ask(span.first, access.person_id())
        db.session.commit()
    flash(_("Pemeriksaan sedang berjalan. Muat ulang halaman ini sebentar lagi."), "info")
    return redirect(url_for("finance.period", month=span.name), 303)


@bp.post("/periods/<month>/close")
@access.rule(Action.BOOKS_CLOSE)
def close_period(month: str) -> ResponseReturnValue:
    """Close the month."""
    span = _month(month, Action.BOOKS_CLOSE)
    try:
        closing.close(span.first, access.person_id(), are_named=http.form.get("named") == "1")
    except DomainError as refusal:
        db.session.rollback()
        return _page(span, refusal=str(refusal.message)), refusal.status
    db.session.commit()
    flash(_("%(month)s ditutup. Tidak ada lagi yang dapat dicatat di bulan itu.", month=span.label), "ok")
    return redirect(url_for("finance.period", month=span.name), 303)


@bp.post("/periods/<month>/reopen")
@access.rule(Action.BOOKS_REOPEN)
def reopen_period(month: str) -> ResponseReturnValue:
    """Open a closed month again, with a reason."""
    span, reason = _month(month, Action.BOOKS_REOPEN), http.form.get("reason", "").replace("\0", "")
    try:
        closing.reopen(span.first, access.person_id(), reason)
    except Invalid as refusal:
        db.session.rollback()
        return _page(span, reason=reason, errors={k: str(v) for k, v in refusal.errors.items()}), 422
    except DomainError as refusal:
        db.session.rollback()
        return _page(span, reason=reason, refusal=str(refusal.message)), refusal.status
    db.session.commit()
    flash(_("%(month)s dibuka kembali. Tutup lagi setelah dibetulkan.", month=span.label), "ok")
    return redirect(url_for("finance.period", month=span.name), 303)


def _page(span: Span, *, refusal: str = "", reason: str = "", errors: dict[str, str] | None = None) -> str:
    found = db.session.get(Period, span.first, populate_existing=True)
    is_closed = found is not None and found.state == "closed"
    later = db.session.scalar(
        select(Period.month).where(Period.month > span.first, Period.state == "closed").limit(1)
    )
    points = [] if is_closed else checklist(span.first)
    return render_template(
        "finance/period.html",
        span=span,
        period=found,
        steps=month_path.path(span.first, points),
        people=_people({found.closed_by, found.reopened_by} if found else set()),
        points=points,
        check=last_check(span.first),
        proof=prove(span.first) if is_closed else None,
        later=format_month(later) if later else None,
        may_close=steps.may(Action.BOOKS_CLOSE),
        may_reopen=steps.may(Action.BOOKS_REOPEN),
        refusal=refusal,
        reason=reason,
        errors=errors or {},
    )


def _remembered(page: str, span: Span) -> ResponseReturnValue:
    """Every page of finance leads back to the month whose end is being walked to, until it is closed."""
    response = make_response(page)
    found = db.session.get(Period, span.first)
    if found is not None and found.state == "closed":
        if http.cookies.get(steps.MONTH_COOKIE) == span.name:
            response.delete_cookie(steps.MONTH_COOKIE, path="/finance")
    elif steps.may(Action.BOOKS_CLOSE) and span.last < days.today():
        secure = current_app.extensions["settings"].secure
        response.set_cookie(
            steps.MONTH_COOKIE, span.name, path="/finance", secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _month(text: str, action: Action) -> Span:
    """The month of an address; it exists for those who may do `action` in all facilities."""
    whole_programme(action)
    try:
        span = spans.parse(text)
    except BadSpan:
        raise NotFound() from None
    if not span.is_month:
        raise NotFound()
    return span


def _people(ids: set[int | None] | set[int]) -> dict[int, str]:
    rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_([i for i in ids if i])))
    return {row.id: row.name for row in rows}
