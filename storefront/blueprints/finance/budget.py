"""Premium and capital that return as budget, where a rule sends everything to the treasury first."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import budget
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.languages import locale
from storefront.ledger.models import Fund
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import registers
from storefront.reports.registers import ReturnRow
from storefront.written import Written

STATES = ("proposed", "booked", "rejected")


@bp.get("/budget")
@access.rule(Action.DEPOSITS_READ)
def budget_list() -> ResponseReturnValue:
    """What returned, and a form for the next."""
    return page(Written())


@bp.post("/budget")
@access.rule(Action.DEPOSITS_WRITE)
def propose_budget() -> ResponseReturnValue:
    """Write down what returned, for a second person to book."""
    form = steps.written()
    facility_id, fund_id = request.form.get("facility_id", type=int), request.form.get("fund_id", type=int)
    if facility_id is None:
        form.wrong("facility_id", _("Pilih UPT-nya."))
    if fund_id not in [fund_id for fund_id, _label in funds()]:
        form.wrong("fund_id", _("Pilih dananya."))
    if facility_id is None or fund_id is None or form.errors:
        return page(form), form.status
    steps.require(Action.DEPOSITS_WRITE, facility_id)
    amount, on = form.amount("amount"), form.day("returned_on")
    done = form.done(
        lambda: budget.propose(
            facility_id,
            fund_id,
            amount=amount,
            reference=form.line("reference"),
            returned_on=on,
            person_id=access.person_id(),
        )
    )
    return ended(form, done, _("Dicatat. Orang kedua yang menyetujui dan membukukannya."))


@bp.post("/budget/<int:return_id>/approve")
@access.rule(Action.DEPOSITS_APPROVE)
def approve_budget(return_id: int) -> ResponseReturnValue:
    """Agree and book it, as the second person."""
    row, form = own(return_id, Action.DEPOSITS_APPROVE), steps.written()
    done = form.done(lambda: budget.approve(row.id, access.person_id()))
    return ended(form, done, _("Dibukukan. Dananya terutang lagi kepada UPT dan dapat disalurkan."))


@bp.post("/budget/<int:return_id>/reject")
@access.rule(Action.DEPOSITS_APPROVE)
def reject_budget(return_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(return_id, Action.DEPOSITS_APPROVE), steps.written()
    done = form.done(lambda: budget.reject(row.id, access.person_id()))
    return ended(form, done, _("Catatan ditolak."))


def own(return_id: int, action: Action) -> ReturnRow:
    """One in reach for `action`. Raises NotFound for all others."""
    row = registers.budget_return(return_id, steps.within(action))
    if row is None:
        raise NotFound()
    return row


def ended(form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return page(form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.budget_list"), 303)


def funds() -> list[tuple[int, str]]:
    """The funds that are owed to facilities."""
    name = Fund.finance_name_en if locale() == "en" else Fund.finance_name
    query = select(Fund.id, name).where(Fund.code != "state_revenue").order_by(Fund.position, Fund.id)
    return [(row[0], row[1]) for row in db.session.execute(query)]


def page(form: Written) -> str:
    ids = steps.within(Action.DEPOSITS_READ)
    state, facility = steps.asked("state", STATES), steps.asked_facility()
    return render_template(
        "finance/budget.html",
        form=form,
        found=registers.budget_returns(ids, state=state, facility=facility, turn=asked_turn()),
        state=state,
        facility=facility,
        facilities=steps.codes(Action.DEPOSITS_READ),
        writable=steps.choices(Action.DEPOSITS_WRITE),
        funds=funds(),
        may_approve=steps.may_somewhere(Action.DEPOSITS_APPROVE),
        me=access.person_id(),
        today=days.today(),
    )
