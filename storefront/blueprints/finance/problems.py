"""Problems that shoppers report: what a facility has not answered in time is decided here."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.aftercare import answers, lists
from storefront.aftercare.lists import ProblemRow
from storefront.blueprints.finance import bp, steps
from storefront.errors import NotFound
from storefront.exports.answer import picture
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

STATES = ("handed_over", "open", "accepted", "refused")


@bp.get("/problems")
@access.rule(Action.REFUNDS_READ)
def problem_list() -> ResponseReturnValue:
    """All of them; those that wait first."""
    state = steps.asked("state", STATES)
    ids = steps.within(Action.REFUNDS_READ)
    return render_template(
        "finance/problems.html",
        found=lists.listed(ids, asked_turn(), state),
        state=state,
        states=STATES,
        waiting=lists.waiting(ids),
    )


@bp.get("/problems/<int:problem_id>")
@access.rule(Action.REFUNDS_READ)
def problem_page(problem_id: int) -> ResponseReturnValue:
    """One of them; its decision, once it is the office's."""
    return page_of(own(problem_id, Action.REFUNDS_READ), Written())


@bp.post("/problems/<int:problem_id>")
@access.rule(Action.REFUNDS_WRITE)
def decide_problem(problem_id: int) -> ResponseReturnValue:
    """Decide in the facility's place. A yes is a refund of finance's own."""
    row, form = own(problem_id, Action.REFUNDS_WRITE), steps.written()
    act = answers.accept if form["decision"] == "accept" else answers.refuse
    done = form.done(
        lambda: act(row.id, person_id=access.person_id(), facility_id=None, answer=form["answer"])
    )
    if done is None:
        return page_of(own(problem_id, Action.REFUNDS_READ), form), form.status
    flash(_("Keputusan dikirim kepada pembeli."), "ok")
    return redirect(url_for("finance.problem_page", problem_id=problem_id), 303)


@bp.get("/problems/<int:problem_id>/photos/<int:position>")
@access.rule(Action.REFUNDS_READ)
def problem_photo(problem_id: int, position: int) -> Response:
    """A photo that the shopper sent."""
    return picture(lists.photo_key(own(problem_id, Action.REFUNDS_READ).id, position))


def own(problem_id: int, action: Action) -> ProblemRow:
    """A problem in reach for `action`. Raises NotFound for all others."""
    return lists.one(problem_id, steps.within(action))


def page_of(row: ProblemRow, form: Written) -> str:
    try:
        may_decide = row.state == "handed_over" and bool(own(row.id, Action.REFUNDS_WRITE))
    except NotFound:
        may_decide = False
    return render_template(
        "finance/problem.html", row=row, pieces=lists.pieces(row.id), form=form, may_decide=may_decide
    )
