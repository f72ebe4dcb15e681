"""A person's own page."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.account import bp
from storefront.blueprints.account.faces import faces_of
from storefront.blueprints.account.forms import SettingsForm
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.of_person import orders_of
from storefront.pages import page_number
from storefront.people import access, policy, sessions
from storefront.people.models import Person
from storefront.people.sessions import SignedIn


def me() -> SignedIn:
    """Who is signed in; the door has let nobody else in."""
    who = access.person()
    assert who is not None
    return who


@bp.get("/account")
@access.signed_in
def show() -> ResponseReturnValue:
    """Own orders, settings, sessions, and the way to one's work."""
    return page()


@bp.post("/account/settings")
@access.signed_in
def save_settings() -> ResponseReturnValue:
    """Set the name and the language of the signed-in faces."""
    form = SettingsForm()
    if not form.validate():
        return page(settings_form=form), 422
    person = db.session.get_one(Person, me().id)
    before = {"name": person.name, "locale": person.locale}
    person.name, person.locale = form.name.data, form.locale.data
    after = {"name": person.name, "locale": person.locale}
    if before != after:
        details = {
            "from": before["locale"],
            "to": after["locale"],
            "renamed": before["name"] != after["name"],
        }
        record("person.changed", "person", person.id, person_id=person.id, details=details)
    db.session.commit()
    flash(_("Tersimpan."), "ok")
    # The setting decides from here on: an address under /en would keep speaking English.
    return redirect(url_for("account.show").removeprefix("/en"), 303)


@bp.post("/account/sessions/<int:session_id>/end")
@access.signed_in
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out one device. Raises `NotFound` for a session that is not one's own."""
    who = me()
    if not sessions.end(session_id, who.id):
        raise NotFound()
    record("session.ended", "person", who.id, person_id=who.id, details={"session": session_id})
    db.session.commit()
    if session_id == who.session_id:
        sessions.forget()
        return redirect(url_for("account.login", out=1), 303)
    flash(_("Perangkat itu sudah keluar."), "ok")
    return redirect(url_for("account.show") + "#perangkat", 303)


@bp.post("/account/sessions/end-others")
@access.signed_in
def end_other_sessions() -> ResponseReturnValue:
    """Sign out every other device."""
    who = me()
    ended = sessions.end_all(who.id, but=who.session_id)
    if ended:
        record("session.ended", "person", who.id, person_id=who.id, details={"sessions": ended})
    db.session.commit()
    flash(_("Semua perangkat lain sudah keluar."), "ok")
    return redirect(url_for("account.show") + "#perangkat", 303)


def page(settings_form: SettingsForm | None = None) -> str:
    """The account's page; a form that was refused keeps what was written."""
    who = me()
    return render_template(
        "account/account.html",
        me=who,
        faces=faces_of(who),
        is_staff=policy.is_staff(who),
        orders=orders_of(who.id, page_number()),
        sessions=sessions.living_of(who.id),
        settings_form=settings_form or SettingsForm(formdata=None, name=who.name, locale=who.locale),
    )
