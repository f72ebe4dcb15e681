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
from urllib.parse import urlsplit

import structlog
from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import lazy_gettext as _
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from storefront.errors import DomainError, Forbidden, NotFound, wants_json
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import policy, second_factor, sessions
from storefront.people.policy import Action
from storefront.people.sessions import SignedIn
from storefront.written import Written

log = structlog.get_logger("storefront.people")
View = TypeVar("View", bound=Callable[..., Any])
RULE = "access_rule"
#: Where a code goes that could not be sent along with what it is for.
PROVE = "/account/prove"


@dataclass(frozen=True)
class Rule:
    """What a route asks: nothing (`public`), being signed in, or an action."""

    action: Action | None = None
    public: bool = False


class SignInNeeded(DomainError):
    """For programs; people are sent to the sign-in page."""

    code, status = "sign_in_needed", 401
    message = _("Masuk dahulu untuk membuka bagian ini.")


class ProofNeeded(DomainError):
    """For programs; people are shown a page that asks."""

    code, status = "proof_needed", 403
    message = _("Tulis dulu kode dari ponsel Anda: muat ulang halaman ini, lalu ulangi.")


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
    if request.method == "POST" and declared.action in policy.PROVEN and not (who.is_proven or who.is_demo):
        return ask_proof(who)
    return None


def ask_proof(who: SignedIn) -> BaseResponse | None:
    """Have the person show again who they are; None once they have. What they sent is kept in the page that asks.

    Raises `ProofNeeded` for programs.
    """
    form = Written(request.form)
    if "proof_code" not in request.form:
        if wants_json() or request.headers.get("HX-Request") == "true":
            raise ProofNeeded()
        back = urlsplit(request.referrer or "")
        return make_response(proof_page(form, back=back.path + (f"?{back.query}" if back.query else "")), 403)

    def show() -> bool:
        second_factor.try_code(who.id, form["proof_code"], request.remote_addr)
        sessions.prove(who.session_id)
        return True

    if form.done(show) is None:
        return make_response(proof_page(form), form.status)
    return None


def proof_page(form: Written, *, back: str = "") -> str:
    """The page that asks for the code and carries on what was sent. A file cannot be carried: then it leads `back`."""
    carried = request.path != PROVE and not any(file.filename for file in request.files.values())
    sent = request.form.items(multi=True)
    again = [pair for pair in sent if pair[0] not in ("proof_code", "csrf_token")] if carried else None
    return render_template("account/prove.html", form=form, again=again, back=back, action=request.full_path)


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
