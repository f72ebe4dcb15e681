"""Staff outside the demo: a password, then a code; paper for a lost phone; a code again before money moves."""

from __future__ import annotations

import re
import threading

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.people import second_factor
from storefront.people.factor_models import RecoveryCode, SecondFactor
from storefront.people.models import Membership, Person, Session
from tests.staff import enter, make_account, post, sign_in

pytestmark = pytest.mark.usefixtures("db_session")


def staff(*roles: str, **values: object) -> Person:
    return make_account(*(roles or ("finance",)), is_demo=False, **values)


def phone_of(page: str) -> pyotp.TOTP:
    """The phone that has scanned the page, or was told its secret."""
    found = re.search(r'class="code">([A-Z2-7 ]{32,})</b>', page)
    assert found, page
    return pyotp.TOTP(found[1].replace(" ", ""))


def now_again() -> None:
    """As if the phone had moved on to its next code."""
    db.session.execute(update(SecondFactor).values(last_step=None))
    db.session.commit()


def set_up(client: FlaskClient, person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """Sign in for the first time: the phone, and the codes on paper."""
    assert enter(client, person.email).location == "/login/code"
    assert client.get("/login/code").location == "/login/setup"
    phone = phone_of(client.get("/login/setup").text)
    answer = post(client, "/login/setup", {"code": phone.now()})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return phone, re.findall(r'<b class="code">([A-Z0-9]{5}-[A-Z0-9]{5})</b>', answer.text)


def test_the_first_sign_in_sets_up_a_phone_and_gives_codes_on_paper(client: FlaskClient, db_session: DbSession) -> None:
    person = staff()
    enter(client, person.email, next="/finance/refunds")
    for path in ("/account", "/finance/", "/seller/"):
        assert client.get(path).status_code == 302, path  # the password alone opens nothing
    page = client.get("/login/setup").text
    assert "<svg" in page
    assert "otpauth" not in page
    phone = phone_of(page)
    assert phone_of(client.get("/login/setup").text).secret == phone.secret  # a reload is the same phone
    wrong = post(client, "/login/setup", {"code": "000000"})
    assert wrong.status_code == 422
    assert client.get("/account").status_code == 302
    done = post(client, "/login/setup", {"code": f" {phone.now()[:3]} {phone.now()[3:]} "})
    codes = re.findall(r'<b class="code">([A-Z0-9]{5}-[A-Z0-9]{5})</b>', done.text)
    assert len(set(codes)) == second_factor.PAPER_CODES
    assert 'href="/finance/refunds"' in done.text
    assert client.get("/finance/").status_code == 200
    row = db_session.scalars(select(SecondFactor)).one()
    assert phone.secret.encode() not in row.secret
    stored = b"".join(db_session.scalars(select(RecoveryCode.code_hash)))
    assert not any(code.replace("-", "").encode() in stored for code in codes)
    assert db_session.scalars(select(Message.kind)).all() == ["second_factor_set"]


def test_later_the_code_is_asked_and_each_counts_once(app: Flask, client: FlaskClient) -> None:
    person = staff()
    phone, _codes = set_up(client, person)
    now_again()
    other = app.test_client()
    assert enter(other, person.email).location == "/login/code"
    assert other.get("/login/setup").location == "/login/code"  # a password alone sets up no other phone
    with other.session_transaction() as kept:
        waiting = kept["waiting"][0]
    code = phone.now()
    assert post(other, "/login/code", {"code": code}).location == "/finance/"
    assert other.get("/finance/").status_code == 200
    with other.session_transaction() as kept:
        assert kept["_user_id"] != waiting  # a fresh token with the rights it has now
    third = app.test_client()
    enter(third, person.email)
    again = post(third, "/login/code", {"code": code})
    assert again.status_code == 422
    assert "sudah dipakai" in again.text
    assert third.get("/account").status_code == 302


def test_a_code_from_paper_works_once_and_is_told(client: FlaskClient, app: Flask, db_session: DbSession) -> None:
    person = staff()
    _phone, codes = set_up(client, person)
    other = app.test_client()
    enter(other, person.email)
    answer = post(other, "/login/code", {"code": codes[3].lower().replace("-", " ")})
    assert answer.location == "/account/second-factor"
    page = other.get("/account/second-factor").text
    assert "Sisa: 9" in page
    third = app.test_client()
    enter(third, person.email)
    assert post(third, "/login/code", {"code": codes[3]}).status_code == 422
    assert post(third, "/login/code", {"code": codes[4]}).status_code == 303
    kinds = db_session.scalars(select(Message.kind).order_by(Message.id)).all()
    assert kinds == ["second_factor_set", "recovery_code_used", "recovery_code_used"]


def test_tries_are_limited_whatever_browser_they_come_from(app: Flask, client: FlaskClient) -> None:
    person = staff()
    phone, _codes = set_up(client, person)
    now_again()
    for _try in range(6):
        browser = app.test_client()
        enter(browser, person.email)
        assert post(browser, "/login/code", {"code": "123456"}).status_code == 422
    last = app.test_client()
    enter(last, person.email)
    assert post(last, "/login/code", {"code": phone.now()}).status_code == 429
    assert last.get("/account").status_code == 302


def test_the_wait_for_a_code_runs_out(client: FlaskClient, db_session: DbSession) -> None:
    person = staff()
    phone, _codes = set_up(client, person)
    now_again()
    enter(client, person.email)
    db_session.execute(update(Session).where(Session.waits_for_factor).values(expires_at=func.now()))
    db_session.commit()
    assert client.get("/login/code").location == "/login"
    assert post(client, "/login/code", {"code": phone.now()}).location == "/login"
    assert client.get("/finance/").status_code == 302


def test_another_phone_takes_the_place_of_the_first(app: Flask, client: FlaskClient) -> None:
    person = staff()
    first, codes = set_up(client, person)
    assert post(client, "/account/second-factor/phone", {"code": "000000"}).status_code == 422
    answer = post(client, "/account/second-factor/phone", {"code": codes[0]})
    assert answer.location == "/account/second-factor/new-phone"
    second = phone_of(client.get(answer.location).text)
    assert second.secret != first.secret
    assert post(client, "/account/second-factor/new-phone", {"code": second.now()}).status_code == 200
    now_again()
    other = app.test_client()
    enter(other, person.email)
    assert post(other, "/login/code", {"code": codes[1]}).status_code == 422  # the first phone's paper
    assert post(other, "/login/code", {"code": second.now()}).status_code == 303


def test_new_paper_ends_the_old(app: Flask, client: FlaskClient) -> None:
    person = staff()
    phone, codes = set_up(client, person)
    now_again()
    answer = post(client, "/account/second-factor/paper", {"code": phone.now()})
    fresh = re.findall(r'<b class="code">([A-Z0-9]{5}-[A-Z0-9]{5})</b>', answer.text)
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)
    other = app.test_client()
    enter(other, person.email)
    assert post(other, "/login/code", {"code": codes[0]}).status_code == 422
    assert post(other, "/login/code", {"code": fresh[0]}).status_code == 303


def test_a_command_lets_somebody_begin_anew(app: Flask, client: FlaskClient, db_session: DbSession) -> None:
    person = staff()
    first, _codes = set_up(client, person)
    result = app.test_cli_runner().invoke(args=["person", "reset-factor", person.email.upper()])
    assert result.exit_code == 0, result.output
    assert client.get("/finance/").status_code == 302  # signed out everywhere
    second, _codes = set_up(client, person)
    assert second.secret != first.secret
    assert "second_factor_reset" in db_session.scalars(select(Message.kind)).all()
    acts = db_session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert "second_factor.reset" in acts
    nobody = app.test_cli_runner().invoke(args=["person", "reset-factor", "nobody@example.test"])
    assert nobody.exit_code == 1


def test_a_shopper_who_becomes_staff_signs_in_anew(client: FlaskClient) -> None:
    person = make_account(is_demo=False)
    sign_in(client, person)
    assert client.get("/account").status_code == 200
    db.session.add(Membership(person_id=person.id, role="finance"))
    db.session.commit()
    assert client.get("/finance/").status_code == 302


def test_before_money_moves_the_code_is_asked_again_and_nothing_typed_is_lost(
    client: FlaskClient, db_session: DbSession
) -> None:
    person = staff("administrator")
    _phone, codes = set_up(client, person)
    db_session.execute(update(Session).values(proven_at=func.now() - second_factor.sessions.PROOF_HOLDS * 2))
    db_session.commit()
    asked = post(client, "/finance/rules/999999/approve", {"note": 'typed "by" hand'})
    assert asked.status_code == 403
    assert "typed &#34;by&#34; hand" in asked.text
    wrong = post(client, "/finance/rules/999999/approve", {"note": "x", "proof_code": "000000"})
    assert wrong.status_code == 422
    # With the code the act itself is reached: there is no such rule.
    assert post(client, "/finance/rules/999999/approve", {"note": "x", "proof_code": codes[0]}).status_code == 404
    assert post(client, "/finance/rules/999999/approve", {"note": "x"}).status_code == 404  # for a while


def test_a_demo_account_is_asked_for_no_code(client: FlaskClient, db_session: DbSession) -> None:
    sign_in(client, make_account("administrator"))
    db_session.execute(update(Session).values(proven_at=func.now() - second_factor.sessions.PROOF_HOLDS * 2))
    db_session.commit()
    assert post(client, "/finance/rules/999999/approve").status_code == 404
    assert "Akun contoh masuk tanpa kode" in client.get("/account/second-factor").text


def test_a_new_password_keeps_the_second_factor_of_this_browser(client: FlaskClient) -> None:
    person = staff()
    set_up(client, person)
    answer = post(client, "/account/password", {"current": "demo", "password": "kuda laut biru tua"})
    assert answer.status_code == 303
    assert client.get("/finance/").status_code == 200


def test_one_code_from_two_browsers_at_once_signs_in_one(app: Flask) -> None:
    with app.app_context():
        person = staff()
        email, person_id = person.email, person.id
        phone, _codes = set_up(app.test_client(), person)
        now_again()
    browsers = [app.test_client() for _one in range(4)]
    for browser in browsers:
        with app.app_context():
            enter(browser, email)
    code, ready, opened = phone.now(), threading.Barrier(4), []

    def go(browser: FlaskClient) -> None:
        ready.wait()
        post(browser, "/login/code", {"code": code})
        opened.append(browser.get("/finance/").status_code == 200)

    threads = [threading.Thread(target=go, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened.count(True) == 1, person_id
