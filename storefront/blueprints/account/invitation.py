"""Accept an invitation to work here: a mailed link, a password, and then the ordinary way in."""

from __future__ import annotations

import structlog
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.account import bp
from storefront.blueprints.account.forms import LoginForm
from storefront.blueprints.account.login import page
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import access, invitations
from storefront.people.fairs import RoleFair, fair_of
from storefront.people.invitations import InvitationDead
from storefront.people.models import Invitation
from storefront.teams import handover
from storefront.written import Written, one_line

log = structlog.get_logger("storefront.people")


@bp.get("/account/invitation/<token>")
@access.public
def open_invitation(token: str) -> ResponseReturnValue:
    """Who invites to what. Opening it does nothing: programs that read mail open links too."""
    try:
        return _shown(token, invitations.find(token, request.remote_addr), Written())
    except DomainError as refusal:
        return _dead(refusal)


@bp.post("/account/invitation/<token>")
@access.public
def accept_invitation(token: str) -> ResponseReturnValue:
    """Begin in the role; then sign in."""
    form = Written(request.form)
    try:
        row = invitations.find(token, request.remote_addr)
        email = row.email
        person = form.done(
            lambda: handover.accept(row, one_line(form["name"]), form["password"], request.remote_addr)
        )
        if person is None:
            return _shown(token, invitations.find(token), form), form.status
    except InvitationDead as refusal:
        db.session.rollback()
        return _dead(refusal)
    return redirect(url_for("account.login", email=email, welcome=1), 303)


def _shown(token: str, row: Invitation, form: Written) -> str:
    facility: Facility | RoleFair | None = None
    if row.facility_id is not None:
        facility = db.session.get_one(Facility, row.facility_id)
    elif row.exhibition_id is not None:
        facility = fair_of(row.exhibition_id)
    return render_template(
        "account/invitation.html",
        token=token,
        row=row,
        facility=facility,
        is_known=invitations.knows(row),
        form=form,
    )


def _dead(refusal: DomainError) -> tuple[str, int]:
    log.warning("invitation refused", code=refusal.code)
    return page(LoginForm(formdata=None), None, refusal), refusal.status
