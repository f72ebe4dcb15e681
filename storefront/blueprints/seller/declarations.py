"""Fair-work declarations of the facility's workshops: what holds until when, and the next one proposed."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities import declaration_lists, declarations
from storefront.facilities.declarations import Answers
from storefront.facilities.declared import TEXTS
from storefront.facilities.models import Workshop
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written, whole_number


@bp.get("/<code>/declarations")
@access.rule(Action.DECLARATIONS_READ)
def declaration_list(code: str) -> ResponseReturnValue:
    """Each workshop with the last day on which it may sell."""
    return render_template("seller/declarations.html", workshops=declaration_lists.workshops(g.facility.id))


@bp.get("/<code>/declarations/<int:workshop_id>")
@access.rule(Action.DECLARATIONS_READ)
def declaration_page(code: str, workshop_id: int) -> ResponseReturnValue:
    """What a workshop has declared so far, and a form for the next year that begins with the last answers."""
    own(workshop_id)
    return page(workshop_id, Written(_suggested(workshop_id)))


@bp.post("/<code>/declarations/<int:workshop_id>")
@access.rule(Action.DECLARATIONS_PROPOSE)
def propose_declaration(code: str, workshop_id: int) -> ResponseReturnValue:
    """Hand a declaration to the central office."""
    own(workshop_id)
    form = Written(request.form)
    first, last = form.day("valid_from"), form.day("valid_until")
    answers = Answers(
        valid_from=first,
        valid_until=last,
        is_voluntary=form["is_voluntary"] == "yes",
        hours_per_day=whole_number(form["hours_per_day"]) or 0,
        days_per_week=whole_number(form["days_per_week"]) or 0,
        texts={name: form.line(name) for text in TEXTS for name in (text, f"{text}_en")},
    )
    if form.done(lambda: declarations.propose(workshop_id, answers, access.person_id())) is None:
        return page(workshop_id, form), form.status
    flash(_("Usulan dikirim. Kantor pusat memeriksanya."), "ok")
    return redirect(url_for("seller.declaration_list", code=g.facility.code), 303)


def own(workshop_id: int) -> Workshop:
    """A workshop of this facility. Raises NotFound for another's."""
    workshop = db.session.get(Workshop, workshop_id)
    if workshop is None or workshop.facility_id != g.facility.id:
        raise NotFound()
    return workshop


def page(workshop_id: int, form: Written) -> str:
    return render_template(
        "seller/declaration.html",
        workshop=own(workshop_id),
        history=declaration_lists.of_workshop(workshop_id),
        form=form,
        may_propose=allowed(Action.DECLARATIONS_PROPOSE) and declarations.waiting(workshop_id) is None,
    )


def _suggested(workshop_id: int) -> dict[str, object]:
    """The form as it begins: the next year, and what was answered last."""
    first = declarations.next_first_day(workshop_id)
    found: dict[str, object] = {"valid_from": first, "valid_until": declarations.last_day(first)}
    for last in declaration_lists.of_workshop(workshop_id)[:1]:
        names = [name for text in TEXTS for name in (text, f"{text}_en")]
        found |= {name: getattr(last, name) for name in ("hours_per_day", "days_per_week", *names)}
    return found
