"""Our books beside the providers' own: each gateway's balance explained, its months and days, differences, runs."""

from __future__ import annotations

import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.payouts import whole_programme
from storefront.books import reconciled_days
from storefront.books.span import BadSpan
from storefront.books.span import parse as parse_span
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.ledger.closed import is_closed
from storefront.people import access
from storefront.people.policy import Action
from storefront.reconciliation import differences as deciding
from storefront.reconciliation import lists
from storefront.reconciliation import runs as comparisons
from storefront.reconciliation.compare import explained
from storefront.reconciliation.lists import DIFFERENCE_STATES, DifferenceRow, RunRow
from storefront.reconciliation.models import Difference
from storefront.written import Written
from storefront.written import day as read_day


@bp.get("/reconciliation")
@access.rule(Action.BOOKS_READ)
def reconciliation() -> ResponseReturnValue:
    """Every gateway in use: why our balance is what it is, and the months as far as they are compared."""
    whole_programme()
    return overview_page(Written())


@bp.post("/reconciliation")
@access.rule(Action.BOOKS_WRITE)
def ask_reconciliation() -> ResponseReturnValue:
    """Compare now."""
    whole_programme()
    form = steps.written()
    first, last = form.day_or_none("from"), form.day_or_none("to")
    done = form.done(lambda: comparisons.ask(form["gateway"], access.person_id(), first, last))
    if done is None:
        return overview_page(form), form.status
    return redirect(url_for("finance.reconciliation_run", run_id=done.id), 303)


@bp.get("/reconciliation/runs/<int:run_id>")
@access.rule(Action.BOOKS_READ)
def reconciliation_run(run_id: int) -> ResponseReturnValue:
    """How far a run is, and what came of it; the page looks again by itself while it is under way."""
    row = own_run(run_id)
    return render_template("finance/reconciliation_run.html", run=row)


@bp.get("/reconciliation/runs/<int:run_id>/progress")
@access.rule(Action.BOOKS_READ)
def reconciliation_progress(run_id: int) -> ResponseReturnValue:
    """The part of the run's page that moves."""
    row = own_run(run_id)
    if not row.is_under_way:
        return Response(status=200, headers={"HX-Refresh": "true"})
    return render_template("finance/_run_progress.html", run=row)


@bp.get("/reconciliation/<gateway>/<month>")
@access.rule(Action.BOOKS_READ)
def reconciliation_month(gateway: str, month: str) -> ResponseReturnValue:
    """The days of a month, or one day line by line (`2026-11` or `2026-11-24`)."""
    begun = first_use(gateway)
    day = read_day(month)
    if day is not None:
        return render_template(
            "finance/reconciliation_day.html",
            gateway=gateway,
            day=day,
            kinds=lists.kinds(gateway, day),
            found=lists.lines(gateway, day, asked_turn()),
            differences=lists.differences(gateway=gateway, first=day, last=day).rows,
            row=lists.days(gateway, day, day)[0],
        )
    try:
        span = parse_span(month)
    except BadSpan:
        raise NotFound() from None
    if not span.is_month:
        raise NotFound()
    first, last = max(span.first, begun), min(span.last, days.today())
    found = lists.days(gateway, first, last) if first <= last else []
    return render_template("finance/reconciliation_month.html", gateway=gateway, span=span, days=found)


@bp.get("/reconciliation/differences")
@access.rule(Action.BOOKS_READ)
def difference_list() -> ResponseReturnValue:
    """Differences by state and gateway, open ones first."""
    whole_programme()
    known = reconciled_days.in_use()
    gateway, state = steps.asked("gateway", known), steps.asked("state", DIFFERENCE_STATES)
    return render_template(
        "finance/differences.html",
        found=lists.differences(gateway=gateway, state=state, turn=asked_turn()),
        counts=lists.counts(gateway),
        gateways=known,
        gateway=gateway,
        state=state,
        states=DIFFERENCE_STATES,
    )


@bp.get("/reconciliation/differences/<int:difference_id>")
@access.rule(Action.BOOKS_READ)
def difference_page(difference_id: int) -> ResponseReturnValue:
    """One difference with both sides, the entry that would settle it, and what may be done."""
    return page(own(difference_id), Written())


@bp.post("/reconciliation/differences/<int:difference_id>/propose")
@access.rule(Action.BOOKS_WRITE)
def propose_for_difference(difference_id: int) -> ResponseReturnValue:
    """Propose the correction that settles it; a second person books it."""
    row, form = own(difference_id), steps.written()
    done = form.done(
        lambda: deciding.propose_correction(row.id, access.person_id(), form["reason"])
    )
    return ended(row, form, done, _("Koreksi diusulkan. Orang kedua yang menyetujuinya."))


@bp.post("/reconciliation/differences/<int:difference_id>/refund")
@access.rule(Action.BOOKS_WRITE)
def refund_for_difference(difference_id: int) -> ResponseReturnValue:
    """Write down a refund that was made in the provider's own pages; a second person books it."""
    row, form = own(difference_id), steps.written()
    done = form.done(
        lambda: deciding.record_refund_made_there(row.id, access.person_id(), form["reason"])
    )
    return ended(row, form, done, _("Pengembalian dicatat. Orang kedua yang menyetujuinya."))


@bp.post("/reconciliation/differences/<int:difference_id>/explain")
@access.rule(Action.BOOKS_WRITE)
def explain_difference(difference_id: int) -> ResponseReturnValue:
    """Leave it as it is, for a reason."""
    row, form = own(difference_id), steps.written()
    done = form.done(lambda: deciding.explain(row.id, access.person_id(), form["reason"]))
    return ended(row, form, done, _("Selisih dikesampingkan; alasannya tercatat."))


@bp.post("/reconciliation/differences/<int:difference_id>/reopen")
@access.rule(Action.BOOKS_WRITE)
def reopen_difference(difference_id: int) -> ResponseReturnValue:
    """Look again at one that was left."""
    row, form = own(difference_id), steps.written()
    done = form.done(lambda: deciding.reopen(row.id, access.person_id()))
    return ended(row, form, done, _("Selisih dibuka lagi."))


def own(difference_id: int) -> DifferenceRow:
    """A difference, for whoever sees the whole programme. Raises NotFound."""
    whole_programme()
    row = lists.difference(difference_id)
    if row is None:
        raise NotFound()
    return row


def own_run(run_id: int) -> RunRow:
    """A run, for whoever sees the whole programme. Raises NotFound."""
    whole_programme()
    row = lists.run(run_id)
    if row is None:
        raise NotFound()
    return row


def first_use(gateway: str) -> datetime.date:
    """The first day of a gateway in use. Raises NotFound for any other."""
    whole_programme()
    found = reconciled_days.first_use(gateway) if gateway in reconciled_days.in_use() else None
    if found is None:
        raise NotFound()
    return found


def ended(row: DifferenceRow, form: Written, done: object, said: str) -> ResponseReturnValue:
    """After a step: back to the difference, or its page again with what is wrong."""
    if done is None:
        return page(own(row.id), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.difference_page", difference_id=row.id), 303)


def overview_page(form: Written) -> str:
    today = days.today()
    gateways: list[dict[str, Any]] = []
    for name in reconciled_days.in_use():
        begun = reconciled_days.first_use(name)
        assert begun is not None
        gateways.append(
            {
                "name": name,
                "explained": explained(name),
                "months": lists.months(name, begun, today),
                "open_days": comparisons.open_days(name),
            }
        )
    return render_template(
        "finance/reconciliation.html",
        gateways=gateways,
        runs=lists.runs(turn=asked_turn()),
        differences=lists.open_differences().count,
        may_write=steps.may(Action.BOOKS_WRITE),
        form=form,
        today=today,
    )


def page(row: DifferenceRow, form: Written) -> str:
    difference = db.session.get_one(Difference, row.id)
    return render_template(
        "finance/difference.html",
        row=row,
        form=form,
        legs=deciding.proposal(difference),
        is_payout=deciding.is_missing_payout(difference),
        is_refund=deciding.refund_made_there(difference) is not None,
        is_closed=is_closed(row.day),
        may_write=steps.may(Action.BOOKS_WRITE),
        today=days.today(),
    )
