"""Read tokens for the office's other systems: make one (shown once), see when each was last used, revoke."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.admin import allowed, bp
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.integrations import tokens
from storefront.integrations.models import ApiToken
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/tokens")
@access.rule(Action.INTEGRATIONS_READ)
def token_list() -> ResponseReturnValue:
    """Who reads by a token, and since when no more."""
    return _page(Written())


@bp.post("/tokens")
@access.rule(Action.INTEGRATIONS_WRITE)
def make_token() -> ResponseReturnValue:
    """A new token; this answer alone shows it."""
    form, me = Written(request.form), access.person_id()
    scopes, facilities = request.form.getlist("scopes"), request.form.getlist("facilities")
    last_day = form.day("expires")
    made = form.done(lambda: tokens.make(form.line("name"), scopes, facilities, last_day, me))
    if made is None:
        return _page(form), form.status
    return _page(Written(), made=made), 201


@bp.post("/tokens/<int:token_id>/revoke")
@access.rule(Action.INTEGRATIONS_WRITE)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End a token now."""
    form, me = Written(request.form), access.person_id()
    token = form.done(lambda: tokens.revoke(token_id, me))
    if token is None:
        return _page(form), form.status
    flash(_("Token %(name)s dicabut: mulai sekarang tidak membuka apa pun.", name=token.name), "ok")
    return redirect(url_for("admin.token_list"), 303)


def _page(form: Written, *, made: tuple[ApiToken, str] | None = None) -> str:
    living = request.args.get("living") == "1"
    today = days.today()
    extra: dict[str, Any] = {
        "scopes": [scope.value for scope in tokens.Scope],
        "facilities": db.session.execute(select(Facility.code, Facility.name).order_by(Facility.name)).all(),
        "chosen_scopes": request.form.getlist("scopes") if form.errors else [],
        "chosen_facilities": request.form.getlist("facilities") if form.errors else [],
    }
    return render_template(
        "admin/tokens.html",
        found=tokens.lines(asked_turn(), living=living),
        living=living,
        form=form,
        made=made,
        today=today,
        latest=today + tokens.LONGEST,
        may_change=allowed(Action.INTEGRATIONS_WRITE),
        **extra,
    )
