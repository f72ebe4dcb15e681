"""The second step of those who work here: a phone that is set up, its code, and codes on paper."""

from __future__ import annotations

import structlog
from flask import Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.account import bp
from storefront.blueprints.account.faces import known_address
from storefront.blueprints.account.login import settle_in
from storefront.blueprints.account.routes import me
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.people import access, policy, second_factor, sessions
from storefront.people.models import Person
from storefront.written import Written

log = structlog.get_logger("storefront.people")


@bp.get("/login/code")
@access.public
def code() -> ResponseReturnValue:
    """After the password: the phone's code, or setting the phone up where there is none."""
    found = sessions.waiting()
    if found is None:
        return redirect(url_for("account.login"))
    if second_factor.of(found[0].person_id) is None:
        return redirect(url_for("account.set_up"))
    return _code_page(Written())


@bp.post("/login/code")
@access.public
def enter_code() -> ResponseReturnValue:
    """The code is right: signed in, under a fresh token."""
    found, form = sessions.waiting(), Written(request.form)
    if found is None:
        return redirect(url_for("account.login"), 303)
    person_id = found[0].person_id
    kind = form.done(lambda: second_factor.try_code(person_id, form["code"], request.remote_addr))
    locked = sessions.waiting(lock=True)
    if kind is None or locked is None:
        log.warning("code refused", person=person_id)
        return _code_page(form), form.status
    row, target = locked
    person = db.session.get_one(Person, person_id)
    settle_in(person, sessions.complete(row), kind)
    if kind == "paper":
        factor = second_factor.of(person_id)
        left = second_factor.left_on_paper(factor) if factor else 0
        flash(_("Kode cadangan itu tidak berlaku lagi. Sisa: %(left)d.", left=left), "warn")
        return redirect(url_for("account.second_factor_page"), 303)
    return redirect(target or url_for("account.show"), 303)


@bp.get("/login/setup")
@access.public
def set_up() -> ResponseReturnValue:
    """The picture that the phone scans, for whoever has none set up yet."""
    found = sessions.waiting()
    if found is None or second_factor.of(found[0].person_id) is not None:
        return redirect(url_for("account.code" if found else "account.login"))
    return _set_up_page(found[0].person_id, Written())


@bp.post("/login/setup")
@access.public
def finish_set_up() -> ResponseReturnValue:
    """The phone's first code: signed in, and the codes on paper are shown, this once."""
    found, form = sessions.waiting(), Written(request.form)
    if found is None or second_factor.of(found[0].person_id) is not None:
        return redirect(url_for("account.code" if found else "account.login"), 303)
    person = db.session.get_one(Person, found[0].person_id)
    codes = form.done(lambda: second_factor.try_first(person, form["code"], request.remote_addr))
    locked = sessions.waiting(lock=True)
    if codes is None or locked is None:
        return _set_up_page(person.id, form), form.status
    row, target = locked
    settle_in(person, sessions.complete(row), "phone")
    return _paper_page(codes, target or url_for("account.show"))


@bp.get("/account/second-factor")
@access.signed_in
def second_factor_page() -> ResponseReturnValue:
    """One's own phone and paper; shoppers have none."""
    if not policy.is_staff(me()):
        return redirect(url_for("account.show"))
    return _own_page(Written())


@bp.post("/account/second-factor/paper")
@access.signed_in
def renew_paper() -> ResponseReturnValue:
    """New codes on paper, for a code of the phone."""
    form, person = Written(request.form), _person()

    def renew() -> list[str]:
        second_factor.try_code(person.id, form["code"], request.remote_addr)
        return second_factor.new_paper(person)

    codes = form.done(renew)
    if codes is None:
        return _own_page(form), form.status
    return _paper_page(codes, url_for("account.second_factor_page"))


@bp.post("/account/second-factor/phone")
@access.signed_in
def begin_phone() -> ResponseReturnValue:
    """Another phone: a code of the one before, or one from paper, first."""
    form, person = Written(request.form), _person()

    def begin() -> bool:
        second_factor.try_code(person.id, form["code"], request.remote_addr)
        second_factor.begin(person)
        sessions.prove(me().session_id)
        return True

    if form.done(begin) is None:
        return _own_page(form, phone=True), form.status
    return redirect(url_for("account.new_phone"), 303)


@bp.get("/account/second-factor/new-phone")
@access.signed_in
def new_phone() -> ResponseReturnValue:
    """The picture that the new phone scans; only a short while after a code of the one before."""
    if not _may_change_phone():
        return redirect(url_for("account.second_factor_page"))
    return _new_phone_page(Written())


@bp.post("/account/second-factor/new-phone")
@access.signed_in
def finish_phone() -> ResponseReturnValue:
    """The new phone's first code; the one before works no more."""
    form, person = Written(request.form), _person()
    if not _may_change_phone():
        return redirect(url_for("account.second_factor_page"), 303)
    codes = form.done(lambda: second_factor.try_first(person, form["code"], request.remote_addr))
    if codes is None:
        return _new_phone_page(form), form.status
    return _paper_page(codes, url_for("account.second_factor_page"))


@bp.post("/account/prove")
@access.signed_in
def prove() -> ResponseReturnValue:
    """The code that an act asks for which cannot be sent along with it (`access.ask_proof`); then back to its page."""
    who, form = me(), Written(request.form)
    back = known_address(form["next"]) or url_for("account.show")

    def show() -> bool:
        second_factor.try_code(who.id, form["code"], request.remote_addr)
        sessions.prove(who.session_id)
        return True

    if form.done(show) is None:
        return access.proof_page(form, back=back), form.status
    flash(_("Terima kasih. Sekarang kirim formulirnya sekali lagi."), "ok")
    return redirect(back, 303)


def _may_change_phone() -> bool:
    return me().is_proven and second_factor.of(me().id) is not None


def _person() -> Person:
    return db.session.get_one(Person, me().id)


def _code_page(form: Written) -> str:
    return render_template("account/code.html", form=form)


def _set_up_page(person_id: int, form: Written) -> Response:
    return _phone_page(db.session.get_one(Person, person_id), form, url_for("account.finish_set_up"), first=True)


def _new_phone_page(form: Written) -> Response:
    return _phone_page(_person(), form, url_for("account.finish_phone"), first=False)


def _phone_page(person: Person, form: Written, action: str, *, first: bool) -> Response:
    try:
        factor = second_factor.begin(person)
        db.session.commit()
    except DomainError:
        db.session.rollback()
        raise
    shop = current_app.extensions["settings"].shop_name
    secret = second_factor.secret(factor)
    return _never_kept(
        render_template(
            "account/phone.html",
            form=form,
            action=action,
            first=first,
            picture=second_factor.qr(factor, person, shop),
            secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        )
    )


def _paper_page(codes: list[str], target: str) -> Response:
    return _never_kept(render_template("account/paper.html", codes=codes, target=target))


def _never_kept(page: str) -> Response:
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _own_page(form: Written, *, phone: bool = False) -> str:
    person = _person()
    factor = second_factor.of(person.id)
    left = second_factor.left_on_paper(factor) if factor else 0
    return render_template(
        "account/second_factor.html",
        factor=factor,
        left=left,
        most=second_factor.PAPER_CODES,
        form=form,
        of_phone=phone,
    )
