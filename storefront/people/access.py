"""The policy at the door: each route of a personal face declares its rule, and the door enforces it.

    bp = Blueprint("seller", …)
    access.guard(bp)

    @bp.get("/<code>/parcels")
    @access.rule(Action.PARCELS_READ)
    def parcels(code): ...

A route without a rule is refused to everybody, and fails a test. A route with `<code>` in its address
concerns that one facility: it is found, checked and kept in `g.facility`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from flask_babel import lazy_gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from storefront.errors import DomainError, Forbidden, NotFound, wants_json
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import policy
from storefront.people.policy import Action
from storefront.people.sessions import SignedIn

log = structlog.get_logger("storefront.people")
View = TypeVar("View", bound=Callable[..., Any])
RULE = "access_rule"


@dataclass(frozen=True)
class Rule:
    """What a route asks: nothing (`public`), being signed in, or an action."""

    action: Action | None = None
    public: bool = False


class SignInNeeded(DomainError):
    """For programs; people are sent to the sign-in page."""

    code, status = "sign_in_needed", 401
    message = _("Masuk dahulu untuk membuka bagian ini.")


def rule(action: Action) -> Callable[[View], View]:
    """The route lets `action` be done, on this face, in the facility of its address if it names one."""
    return _declare(Rule(action=action))


def signed_in(view: View) -> View:
    """The route is for everybody who has signed in; on a staff face: whom that face admits."""
    return _declare(Rule())(view)


def public(view: View) -> View:
    """The route is for everybody."""
    return _declare(Rule(public=True))(view)


def rule_of(endpoint: str) -> Rule | None:
    """The rule that a route has declared, or None."""
    return getattr(current_app.view_functions.get(endpoint), RULE, None)


def person() -> SignedIn | None:
    """Who is signed in, or None."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def person_id() -> int:
    """Id of who is doing this, behind a door that has let nobody else in."""
    who = person()
    assert who is not None
    return who.id


def person_id_or_none() -> int | None:
    """Id of who is signed in, on pages that are for everybody."""
    who = person()
    return who.id if who else None


def guard(blueprint: Blueprint) -> None:
    """Enforce the declared rules on all routes of `blueprint`; its name is the face.

    Its templates know `current_user`; public pages, which are cached, must not.
    """
    blueprint.before_request(lambda: enforce(blueprint.name))
    blueprint.context_processor(lambda: {"current_user": current_user})


def enforce(face: str) -> BaseResponse | None:
    """Let the request pass, or answer it: to the sign-in page, 404, or 403.

    Raises `NotFound`, `Forbidden`, `SignInNeeded`.
    """
    declared = rule_of(request.endpoint or "")
    if declared is None:
        log.error("route without a rule", endpoint=request.endpoint)
        raise Forbidden()
    if declared.public:
        return None
    who = person()
    if who is None:
        return to_sign_in()
    if policy.is_staff(who):
        g.staff_network = request.remote_addr  # for the audit trail
    try:
        _check(declared, who, face)
    except (NotFound, Forbidden) as refusal:
        log.warning("access refused", person=who.id, endpoint=request.endpoint, code=refusal.code)
        raise
    return None


def _check(declared: Rule, who: SignedIn, face: str) -> None:
    if face not in policy.FACES:  # the account: one's own things
        if declared.action is not None:
            policy.require(who, declared.action)
        return
    # A stranger learns nothing of a face, not even which of its addresses exist.
    if not any(role in policy.FACES[face] for role in policy.roles(who)):
        raise NotFound()
    code = (request.view_args or {}).get("code")
    facility_id = None
    if code is not None:
        facility = db.session.scalar(select(Facility).where(Facility.code == code))
        if facility is None or facility.id not in policy.presence(who, face):
            raise NotFound()
        g.facility, facility_id = facility, facility.id
    if declared.action is not None:
        policy.require(who, declared.action, facility_id, face=face)


def to_sign_in() -> BaseResponse:
    """The way to the sign-in page and back. Raises `SignInNeeded` for programs."""
    if wants_json():
        raise SignInNeeded()
    back = request.full_path.removesuffix("?") if request.method == "GET" else None
    target = url_for("account.login", next=back)
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": url_for("account.login")})
    return redirect(target)


def _declare(declared: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, RULE, declared)
        return view

    return mark
