"""Signing in and up by a link that is mailed. Opening it shows a button; only the button signs in."""

from __future__ import annotations

import structlog
from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.account import bp
from storefront.blueprints.account.faces import after_sign_in, known_address
from storefront.blueprints.account.forms import LoginForm, one_line
from storefront.blueprints.account.login import begin_session, page
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.languages import locale
from storefront.people import access, links, sessions
from storefront.people.links import LinkDead, StaffByPassword
from storefront.people.models import MailedLink
from storefront.shipping.addresses import required_email

log = structlog.get_logger("storefront.people")


@bp.post("/login/link")
@access.public
def ask_for_link() -> ResponseReturnValue:
    """Have the link mailed; the answer is the same for every address."""
    form = LoginForm()
    back = known_address(request.form.get("next"))
    leads_to = url_for("account.password") if request.form.get("forgot") else back
    try:
        email = required_email(form.email.data)
        links.ask(
            email, back=leads_to or "", locale=locale(), browser=sessions.browser_secret(), address=request.remote_addr
        )
    except Invalid as refusal:
        form.email.errors = [refusal.errors["email"]]
        return page(form, back), 422
    except DomainError as refusal:
        return page(form, back, refusal), refusal.status
    session[sessions.ASKED] = email
    return redirect(url_for("account.link_sent"), 303)


@bp.get("/login/sent")
@access.public
def link_sent() -> ResponseReturnValue:
    """Says where to look, whoever it is."""
    email = session.get(sessions.ASKED)
    if not email:
        return redirect(url_for("account.login"))
    return render_template("account/sent.html", email=email, demo=current_app.extensions["settings"].demo)


@bp.get("/login/link/<token>")
@access.public
def open_link(token: str) -> ResponseReturnValue:
    """What the letter's link opens: who is signed in by it, and the button."""
    try:
        link = links.find(token, links.SIGN_IN, request.remote_addr)
    except LinkDead as refusal:
        return _dead(refusal)
    return _shown(token, link)


@bp.post("/login/link/<token>")
@access.public
def use_link(token: str) -> ResponseReturnValue:
    """Sign in, once; a new account is made where there was none."""
    name, password = one_line(request.form.get("name"))[:120], request.form.get("password", "")
    try:
        link = links.find(token, links.SIGN_IN, request.remote_addr)
        entered = links.enter(link, name=name, password=password)
    except Invalid as refusal:
        db.session.rollback()
        errors = {name: str(sentence) for name, sentence in refusal.errors.items()}
        return _shown(token, links.find(token, links.SIGN_IN), errors), refusal.status
    except (LinkDead, StaffByPassword) as refusal:
        db.session.rollback()
        return _dead(refusal)
    target = after_sign_in(entered.person, entered.back)
    return redirect(begin_session(entered.person, target, by_link=True), 303)


def _shown(token: str, link: MailedLink, errors: dict[str, str] | None = None) -> str:
    is_new = not links.is_known(link)
    return render_template(
        "account/link.html",
        token=token,
        email=link.email,
        is_new=is_new,
        # A program that reads the mail has not asked: it never goes on by itself.
        is_here=links.asked_here(link, sessions.browser_secret(make=False)),
        name=one_line(request.form.get("name"))[:120],
        errors=errors or {},
    )


def _dead(refusal: DomainError) -> tuple[str, int]:
    log.warning("link refused", code=refusal.code)
    return page(LoginForm(formdata=None), None, refusal), refusal.status
