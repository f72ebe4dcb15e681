"""What shoppers report about this facility's parcels, to be answered by a day; and what they thank for.

The shopper's name is nowhere here: the order's code, their own words and photos, nothing else.
"""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, url_for
from flask import request as flask_request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.aftercare import answers, lists, thanks
from storefront.aftercare.lists import ProblemRow
from storefront.blueprints.seller import bp
from storefront.exports.answer import picture
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/problems")
@access.rule(Action.REFUNDS_READ)
def problem_list(code: str) -> ResponseReturnValue:
    """What waits for an answer first, the earliest deadline on top."""
    return render_template("seller/problems.html", found=lists.listed([g.facility.id], asked_turn()))


@bp.get("/<code>/problems/<int:problem_id>")
@access.rule(Action.REFUNDS_READ)
def problem(code: str, problem_id: int) -> ResponseReturnValue:
    """One of them, and its answer."""
    return problem_page(own(problem_id), Written())


@bp.post("/<code>/problems/<int:problem_id>")
@access.rule(Action.REFUNDS_ASK)
def answer_problem(code: str, problem_id: int) -> ResponseReturnValue:
    """Say yes or no. A yes asks finance for the refund."""
    row, form = own(problem_id), Written(flask_request.form)
    done = form.done(lambda: decide(row, form))
    if done is None:
        return problem_page(own(problem_id), form), form.status
    flash(_("Jawaban dikirim kepada pembeli."), "ok")
    return redirect(url_for("seller.problem", code=code, problem_id=problem_id), 303)


def decide(row: ProblemRow, form: Written) -> object:
    act = answers.accept if form["decision"] == "accept" else answers.refuse
    return act(row.id, person_id=access.person_id(), facility_id=g.facility.id, answer=form["answer"])


@bp.get("/<code>/problems/<int:problem_id>/photos/<int:position>")
@access.rule(Action.REFUNDS_READ)
def problem_photo(code: str, problem_id: int, position: int) -> Response:
    """A photo that the shopper sent."""
    return picture(lists.photo_key(own(problem_id).id, position))


@bp.get("/<code>/thanks")
@access.rule(Action.PARCELS_READ)
def thank_you_list(code: str) -> ResponseReturnValue:
    """What shoppers said to the workshops, read by a curator before."""
    return render_template("seller/thanks.html", rows=thanks.for_facility(g.facility.id))


def own(problem_id: int) -> ProblemRow:
    """The facility's own. Raises NotFound for another's."""
    return lists.one(problem_id, [g.facility.id])


def problem_page(row: ProblemRow, form: Written) -> str:
    return render_template("seller/problem.html", row=row, pieces=lists.pieces(row.id), form=form)
