"""Premium that the facility passed on: the coordinator enters it, the head approves."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.seller import allowed, bp
from storefront.books import distribute, distributions
from storefront.books.distributions import DistributionRow
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/distributions")
@access.rule(Action.PREMIUM_READ)
def distribution_list(code: str) -> ResponseReturnValue:
    """What was passed on, and what was paid to the facility for it."""
    return page(Written())


@bp.post("/<code>/distributions")
@access.rule(Action.PREMIUM_ENTER)
def enter_distribution(code: str) -> ResponseReturnValue:
    """Write down what was passed on, for the head to approve."""
    form = Written(request.form)
    workshop_id = request.form.get("workshop", 0, type=int)
    on, people, amount = form.day("distributed_on"), form.amount("people"), form.amount("amount")
    done = form.done(
        lambda: distribute.enter(
            g.facility.id,
            workshop_id=workshop_id,
            distributed_on=on,
            people=people,
            amount=amount,
            person_id=access.person_id(),
        )
    )
    return ended(form, done, _("Pembagian dicatat. Kepala UPT menyetujuinya."))


@bp.post("/<code>/distributions/<int:distribution_id>/approve")
@access.rule(Action.PREMIUM_APPROVE)
def approve_distribution(code: str, distribution_id: int) -> ResponseReturnValue:
    """The head agrees, as the second person."""
    row, form = own(distribution_id), Written(request.form)
    return ended(
        form, form.done(lambda: distribute.approve(row.id, access.person_id())), _("Pembagian disetujui.")
    )


@bp.post("/<code>/distributions/<int:distribution_id>/reject")
@access.rule(Action.PREMIUM_APPROVE)
def reject_distribution(code: str, distribution_id: int) -> ResponseReturnValue:
    """The head takes a wrong record back."""
    row, form = own(distribution_id), Written(request.form)
    done = form.done(lambda: distribute.reject(row.id, access.person_id(), form.line("reason")))
    return ended(form, done, _("Catatan pembagian dibatalkan."), row.id)


@bp.post("/<code>/distributions/<int:distribution_id>/withdraw")
@access.rule(Action.PREMIUM_ENTER)
def withdraw_distribution(code: str, distribution_id: int) -> ResponseReturnValue:
    """Who entered a record takes it back before it is approved."""
    row, form = own(distribution_id), Written(request.form)
    if row.entered_by != access.person_id() or row.state != "entered":
        raise NotFound()
    done = form.done(lambda: distribute.reject(row.id, access.person_id()))
    return ended(form, done, _("Catatan ditarik."))


def own(distribution_id: int) -> DistributionRow:
    """The facility's own. Raises NotFound for another's, as if it did not exist."""
    row = distributions.find(distribution_id, [g.facility.id])
    if row is None:
        raise NotFound()
    return row


def ended(form: Written, done: object, said: str, distribution_id: int | None = None) -> ResponseReturnValue:
    if done is None:
        return page(form, distribution_id), form.status
    flash(said, "ok")
    return redirect(url_for("seller.distribution_list", code=g.facility.code), 303)


def page(form: Written, wrong_row: int | None = None) -> str:
    ids = [g.facility.id]
    sums = distributions.sums(ids)
    workshops = select(Workshop.id, Workshop.name).where(Workshop.facility_id == g.facility.id)
    state = request.args.get("state", "")
    state = state if state in distributions.STATES else ""
    return render_template(
        "seller/distributions.html",
        form=form,
        wrong_row=wrong_row,
        sums=sums[0] if sums else None,
        found=distributions.listing(ids, state=state or None, turn=asked_turn()),
        state=state,
        workshops=[(row.id, row.name) for row in db.session.execute(workshops.order_by(Workshop.name))],
        may_enter=allowed(Action.PREMIUM_ENTER),
        may_approve=allowed(Action.PREMIUM_APPROVE),
        me=access.person_id(),
        today=days.today(),
    )
