"""What one signs in with: the password, and the address that links go to."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.audit.record import record
from storefront.blueprints.account import bp
from storefront.blueprints.account.forms import EmailForm, NewPasswordForm, PasswordForm
from storefront.blueprints.account.login import identify
from storefront.blueprints.account.routes import me
from storefront.errors import DomainError, Forbidden, Invalid
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.join import join_orders
from storefront.people import access, letter_choices, links, policy, sessions, sign_in
from storefront.people.links import LinkDead
from storefront.people.models import Person
from storefront.shipping.addresses import required_email


class LinkFirst(DomainError):
    """An account without a password: its owner is known by a link alone."""

    code, status = "link_first", 409
    message = _l("Buka dulu tautan yang kami kirim ke alamat Anda yang sekarang, lalu ganti alamatnya.")


@bp.get("/account/password")
@access.signed_in
def password() -> ResponseReturnValue:
    """Set or change it; without the old one only a short while after a mailed link."""
    return password_page(None)


@bp.post("/account/password")
@access.signed_in
def save_password() -> ResponseReturnValue:
    """Set a new password; every session ends, this one begins anew."""
    who = me()
    person = db.session.get_one(Person, who.id)
    proven = sessions.came_by_link(who.session_id)
    form = NewPasswordForm() if proven else PasswordForm()
    if not form.validate():
        return password_page(form), 422
    try:
        sign_in.change_password(person, None if proven else form.current.data, form.password.data)
    except Invalid as refusal:
        for name, sentence in refusal.errors.items():
            form[name].errors = [sentence]
        return password_page(form), 422
    record("person.password_changed", "person", person.id, person_id=person.id)
    staff = policy.is_staff(who)
    token = sessions.start(person, staff=staff, user_agent=request.user_agent.string)
    sessions.keep_factor(token, who.session_id)
    db.session.commit()
    sessions.remember(token, staff=staff)
    flash(_("Kata sandi disimpan. Semua perangkat lain sudah keluar."), "ok")
    return redirect(url_for("account.show"), 303)


@bp.post("/account/password/link")
@access.signed_in
def link_for_password() -> ResponseReturnValue:
    """Mail the link that proves who asks: to the account's own address, nowhere else."""
    who = me()
    back = url_for("account.email" if request.form.get("step") == "email" else "account.password")
    try:
        links.ask(
            who.email,
            back=back,
            locale=locale(),
            browser=sessions.browser_secret(),
            address=request.remote_addr,
        )
    except DomainError as refusal:
        return password_page(None, refusal), refusal.status
    flash(_("Tautan kami kirim ke %(email)s. Buka di perangkat ini dalam 20 menit.", email=who.email), "ok")
    return redirect(back, 303)


@bp.get("/account/email")
@access.signed_in
def email() -> ResponseReturnValue:
    """The address, and a form for another one."""
    return email_page(EmailForm(formdata=None))


@bp.post("/account/email")
@access.signed_in
def ask_for_email() -> ResponseReturnValue:
    """Have a link mailed to the new address; nothing changes before it is used. The same for every address."""
    who, form = me(), EmailForm()
    person = db.session.get_one(Person, who.id)
    try:
        wanted = required_email(form.email.data)
        _may_change_email()
        if wanted == person.email:
            raise Invalid({"email": _("Ini alamat Anda yang sekarang.")})
        if not sessions.came_by_link(who.session_id):
            _check_password(person, form)
        links.ask_new_email(
            person, wanted, locale=locale(), browser=sessions.browser_secret(), address=request.remote_addr
        )
    except Invalid as refusal:
        for name, sentence in refusal.errors.items():
            form[name].errors = [sentence]
        return email_page(form), 422
    except Forbidden:
        raise
    except DomainError as refusal:
        return email_page(form, refusal), refusal.status
    flash(_("Tautan kami kirim ke %(email)s. Alamatnya berganti setelah tautan itu dipakai.", email=wanted), "ok")
    return redirect(url_for("account.email"), 303)


@bp.get("/account/email/<token>")
@access.public
def open_new_email(token: str) -> ResponseReturnValue:
    """What the letter at the new address opens: a button, also where nobody is signed in."""
    try:
        link = links.find(token, links.NEW_EMAIL, request.remote_addr)
    except LinkDead as refusal:
        return render_template("account/new_email.html", refusal=refusal), refusal.status
    is_here = links.asked_here(link, sessions.browser_secret(make=False))
    return render_template("account/new_email.html", token=token, email=link.email, is_here=is_here)


@bp.post("/account/email/<token>")
@access.public
def use_new_email(token: str) -> ResponseReturnValue:
    """The address is the account's from now on; the one before is told."""
    who = access.person()
    try:
        link = links.find(token, links.NEW_EMAIL, request.remote_addr)
        former = db.session.get_one(Person, link.person_id).email
        person = links.change_email(link)
    except LinkDead as refusal:
        db.session.rollback()
        return render_template("account/new_email.html", refusal=refusal), refusal.status
    letter_choices.move(former, person.email)
    join_orders(person)
    own = who is not None and who.id == person.id
    sessions.end_all(person.id, but=who.session_id if own and who else None)
    db.session.commit()
    if own:
        flash(_("Alamat surel Anda sudah diganti. Semua perangkat lain sudah keluar."), "ok")
        return redirect(url_for("account.show"), 303)
    return redirect(url_for("account.login"), 303)


def password_page(form: NewPasswordForm | None, refusal: DomainError | None = None) -> str:
    """The page; passwords are never sent back."""
    who = me()
    person = db.session.get_one(Person, who.id)
    return render_template(
        "account/password.html",
        me=who,
        form=form or NewPasswordForm(formdata=None),
        has_password=sign_in.has_password(person),
        proven=sessions.came_by_link(who.session_id),
        is_staff=policy.is_staff(who),
        refusal=refusal,
    )


def email_page(form: EmailForm, refusal: DomainError | None = None) -> str:
    who = me()
    person = db.session.get_one(Person, who.id)
    return render_template(
        "account/email.html",
        me=who,
        form=form,
        refusal=refusal,
        has_password=sign_in.has_password(person),
        proven=sessions.came_by_link(who.session_id),
        is_staff=policy.is_staff(who),
    )


def _may_change_email() -> None:
    who = me()
    if policy.is_staff(who):
        raise Forbidden(_("Alamat surel petugas diganti oleh administrator."))
    if who.is_demo:
        raise Forbidden(_("Alamat akun contoh dipakai bersama, jadi tidak dapat diganti."))


def _check_password(person: Person, form: EmailForm) -> None:
    """The password proves who asks; its tries count as those of signing in. Raises Invalid, TooManyTries, LinkFirst."""
    if not sign_in.has_password(person):
        raise LinkFirst()
    if not form.password.data:
        raise Invalid({"password": _("Tulis kata sandi Anda.")})
    try:
        identify(person.email, form.password.data)
    except sign_in.WrongCredentials as wrong:
        raise Invalid({"password": _("Kata sandi tidak cocok.")}) from wrong
