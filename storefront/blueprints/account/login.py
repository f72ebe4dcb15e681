"""The way in and out."""

from __future__ import annotations

from typing import Any

import structlog
from flask import current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront.audit.record import record
from storefront.blueprints.account import bp
from storefront.blueprints.account.faces import after_sign_in, known_address
from storefront.blueprints.account.forms import LoginForm
from storefront.cart import cookie, merge
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.join import join_orders
from storefront.people import access, attempts, policy, sessions, sign_in
from storefront.people.models import Membership, Person

log = structlog.get_logger("storefront.people")


@bp.get("/login")
@access.public
def login() -> ResponseReturnValue:
    """The form. Somebody who is signed in may sign in as somebody else."""
    return page(LoginForm(email=request.args.get("email", "")[:254]), known_address(request.args.get("next")))


@bp.post("/login")
@access.public
def enter() -> ResponseReturnValue:
    """Sign in: a fresh session row, a fresh cookie, and back to where it was asked for."""
    form = LoginForm()
    back = known_address(request.form.get("next") or request.args.get("next"))
    if not form.validate():
        return page(form, back), 422
    try:
        person = identify(form.email.data, form.password.data)
    except DomainError as refusal:
        log.warning("sign-in refused", code=refusal.code)
        return page(form, back, refusal), refusal.status
    return redirect(begin_session(person, after_sign_in(person, back)), 303)


def begin_session(person: Person, target: str, *, by_link: bool = False) -> str:
    """Sign `person` in on this browser, or go on to ask for the second factor. Commits; returns where to go next."""
    staff, waits = policy.is_staff(person), sessions.needs_factor(person, is_demo=person.is_demo)
    former = access.person()
    if former is not None:
        sessions.end(former.session_id, former.id)
    token = sessions.start(
        person, staff=staff, user_agent=request.user_agent.string, by_link=by_link, waits_for_factor=waits
    )
    if waits:
        db.session.commit()
        sessions.wait(token, target)
        return url_for("account.code")
    settle_in(person, token, "link" if by_link else "password")
    return target


def settle_in(person: Person, token: str, by: str) -> None:
    """A session begins: note how (`by`), and bring what belongs to the person: their cart, their orders. Commits."""
    staff = policy.is_staff(person)
    if staff:
        g.staff_network = request.remote_addr  # for the audit trail
    record("session.started", "person", person.id, person_id=person.id, details={"by": by})
    merge.merge_into(person.id, cookie.read_token(request, current_app.extensions["settings"]))
    join_orders(person)
    db.session.commit()
    sessions.remember(token, staff=staff)


@bp.post("/logout")
@access.public
def logout() -> ResponseReturnValue:
    """End the session in the database, so that a copy of the cookie is worth nothing."""
    who = access.person()
    if who is not None:
        sessions.end(who.session_id, who.id)
        record("session.ended", "person", who.id, person_id=who.id)
        db.session.commit()
    sessions.forget()
    return redirect(url_for("account.login", out=1), 303)


def identify(email: str, password: str) -> Person:
    """Who this is. Raises `WrongCredentials`, `TooManyTries`.

    The try is committed before the password is looked at, so that all processes see it.
    """
    attempt = attempts.begin("login", sign_in.normal_email(email), request.remote_addr)
    db.session.commit()
    attempts.check(attempt)
    person = sign_in.identify(email, password)
    attempts.succeed(attempt)
    return person


def page(form: LoginForm, back: str | None, refusal: DomainError | None = None) -> str:
    """The sign-in page; a password is never sent back."""
    demo = current_app.extensions["settings"].demo
    return render_template(
        "account/login.html",
        form=form,
        next=back,
        refusal=refusal,
        signed_in=access.person(),
        signed_out=request.args.get("out") == "1",
        # Came from an invitation that they have just accepted.
        welcomed=request.args.get("welcome") == "1",
        demo_accounts=demo_accounts() if demo else [],
    )


def demo_accounts() -> list[dict[str, Any]]:
    """The demo's accounts with their roles and facilities, for the help box."""
    rows = db.session.execute(
        select(Person.email, Membership.role, Facility.code)
        .outerjoin(Membership, Membership.person_id == Person.id)
        .outerjoin(Facility, Facility.id == Membership.facility_id)
        .where(Person.is_demo, Person.is_active, Person.email.endswith("@demo.test"))
        .order_by(Person.id, Membership.id)
    )
    found: dict[str, dict[str, Any]] = {}
    for email, role, code in rows:
        account = found.setdefault(email, {"email": email, "role": role, "codes": []})
        if code:
            account["codes"].append(code)
    return list(found.values())
