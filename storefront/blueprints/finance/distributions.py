"""Premium distributions of all facilities: owed, paid to the facility and passed on, kept apart."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import distribute, distributions
from storefront.books.distributions import DistributionRow
from storefront.errors import NotFound
from storefront.exports import money_out
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/distributions")
@access.rule(Action.PREMIUM_READ)
def distribution_list() -> ResponseReturnValue:
    """Records of premium passed on, and the three sums of each facility; with `format` the records as a file."""
    ids, facility = steps.within(Action.PREMIUM_READ), steps.asked_facility()
    state = steps.asked("state", distributions.STATES)
    file = steps.file(
        "premium_distributions",
        lambda moment: money_out.distributions_table(ids, moment, state=state, facility=facility),
    )
    return file or page(Written())


@bp.post("/distributions")
@access.rule(Action.PREMIUM_ENTER)
def enter_distribution() -> ResponseReturnValue:
    """Write down what a facility passed on, for a second person to approve."""
    form = steps.written()
    workshop = db.session.get(Workshop, request.form.get("workshop", 0, type=int))
    if workshop is None:
        form.wrong("workshop", _("Pilih bengkelnya."))
        return page(form), form.status
    steps.require(Action.PREMIUM_ENTER, workshop.facility_id)
    on, people, amount = form.day("distributed_on"), form.amount("people"), form.amount("amount")
    done = form.done(
        lambda: distribute.enter(
            workshop.facility_id,
            workshop_id=workshop.id,
            distributed_on=on,
            people=people,
            amount=amount,
            person_id=access.person_id(),
        )
    )
    return ended(form, done, _("Pembagian dicatat. Orang kedua yang menyetujuinya."))


@bp.post("/distributions/<int:distribution_id>/approve")
@access.rule(Action.PREMIUM_APPROVE)
def approve_distribution(distribution_id: int) -> ResponseReturnValue:
    """Agree, as the second person."""
    row, form = own(distribution_id, Action.PREMIUM_APPROVE), steps.written()
    done = form.done(lambda: distribute.approve(row.id, access.person_id()))
    return ended(form, done, _("Pembagian disetujui."))


@bp.post("/distributions/<int:distribution_id>/reject")
@access.rule(Action.PREMIUM_APPROVE)
def reject_distribution(distribution_id: int) -> ResponseReturnValue:
    """Take a wrong record back."""
    row, form = own(distribution_id, Action.PREMIUM_APPROVE), steps.written()
    done = form.done(lambda: distribute.reject(row.id, access.person_id(), form.line("reason")))
    return ended(form, done, _("Catatan pembagian dibatalkan."), row.id)


def own(distribution_id: int, action: Action) -> DistributionRow:
    """A distribution in reach for `action`. Raises NotFound for all others."""
    row = distributions.find(distribution_id, steps.within(action))
    if row is None:
        raise NotFound()
    return row


def ended(form: Written, done: object, said: str, distribution_id: int | None = None) -> ResponseReturnValue:
    if done is None:
        return page(form, distribution_id), form.status
    flash(said, "ok")
    return redirect(url_for("finance.distribution_list"), 303)


def page(form: Written, wrong_row: int | None = None) -> str:
    ids = steps.within(Action.PREMIUM_READ)
    state, facility = steps.asked("state", distributions.STATES), steps.asked_facility()
    return render_template(
        "finance/distributions.html",
        form=form,
        wrong_row=wrong_row,
        sums=distributions.sums(ids),
        found=distributions.listing(ids, state=state, facility=facility, turn=asked_turn()),
        state=state,
        facility=facility,
        facilities=steps.codes(Action.PREMIUM_READ),
        workshops=workshops() if steps.may_somewhere(Action.PREMIUM_ENTER) else [],
        may_approve=steps.may_somewhere(Action.PREMIUM_APPROVE),
        me=access.person_id(),
        today=days.today(),
    )


def workshops() -> list[tuple[int, str]]:
    """The workshops to choose from, by facility."""
    ids = steps.within(Action.PREMIUM_ENTER)
    query = (
        select(Workshop.id, Facility.name, Workshop.name.label("workshop"))
        .join(Facility, Facility.id == Workshop.facility_id)
        .order_by(Facility.name, Workshop.name)
    )
    if ids is not None:
        query = query.where(Facility.id.in_(ids))
    return [(row.id, f"{row.name} · {row.workshop}") for row in db.session.execute(query)]
