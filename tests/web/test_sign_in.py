"""Signing in and out, and the life of a session."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session as DbSession

from storefront.people import attempts, memberships, sessions
from storefront.people.models import LoginAttempt, Membership, Role, Session
from tests.factories import make_facility, make_person
from tests.staff import csrf_token, enter, make_account, password_hash, post, sign_in

pytestmark = pytest.mark.usefixtures("db_session")


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def with_cookie(app: Flask, value: str) -> FlaskClient:
    """Another browser that somehow has the cookie."""
    thief = app.test_client()
    thief.set_cookie("session", value)
    return thief


def test_a_shopper_signs_in_and_sees_their_account(client: FlaskClient) -> None:
    person = make_account(name="Sari Dewi")
    assert client.get("/account").status_code == 302
    sign_in(client, person)
    page = client.get("/account")
    assert page.status_code == 200
    assert "Sari Dewi" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_only_a_hash_of_the_token_is_kept(client: FlaskClient, db_session: DbSession) -> None:
    sign_in(client, make_account())
    with client.session_transaction() as session:
        token = session["_user_id"]
    row = db_session.scalars(select(Session)).one()
    assert row.token_hash == sessions.token_hash(token)
    assert len(token) >= 43  # 256 random bits
    assert token.encode() not in row.token_hash


def test_a_copied_cookie_is_dead_after_logout(app: Flask, client: FlaskClient) -> None:
    sign_in(client, make_account())
    copied = cookie_of(client)
    assert with_cookie(app, copied).get("/account").status_code == 200
    assert post(client, "/logout").status_code == 303
    assert with_cookie(app, copied).get("/account").status_code == 302
    assert client.get("/account").status_code == 302


def test_the_cookie_of_before_does_not_become_a_session(app: Flask, client: FlaskClient) -> None:
    csrf_token(client)
    planted = cookie_of(client)
    sign_in(client, make_account())
    assert cookie_of(client) != planted
    assert with_cookie(app, planted).get("/account").status_code == 302


def test_signing_in_again_ends_the_session_before(app: Flask, client: FlaskClient) -> None:
    person = make_account()
    sign_in(client, person)
    former = cookie_of(client)
    sign_in(client, person)
    assert with_cookie(app, former).get("/account").status_code == 302
    assert client.get("/account").status_code == 200


def test_unknown_and_wrong_are_told_the_same(client: FlaskClient) -> None:
    person = make_account()
    wrong = enter(client, person.email, "not it")
    unknown = enter(client, "nobody@example.test", "not it")
    assert wrong.status_code == unknown.status_code == 422
    assert "tidak cocok" in wrong.text
    # The token of the form says when it was made.
    said = [re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text) for answer in (wrong, unknown)]
    assert said[0].replace(person.email, "") == said[1].replace("nobody@example.test", "")


def test_the_email_is_taken_as_people_write_it(client: FlaskClient) -> None:
    make_account(email="sari@contoh.id")
    assert enter(client, "  Sari@Contoh.ID ").status_code == 303


def test_an_inactive_person_stays_outside(client: FlaskClient, db_session: DbSession) -> None:
    person = make_account()
    sign_in(client, person)
    person.is_active = False
    db_session.commit()
    assert client.get("/account").status_code == 302
    assert enter(client, person.email).status_code == 422


@pytest.mark.parametrize("column", ["last_seen_at", "expires_at"])
def test_a_session_ends_when_idle_and_at_the_latest(
    client: FlaskClient, db_session: DbSession, column: str
) -> None:
    sign_in(client, make_account("coordinator", facilities=(make_facility(),)))
    assert client.get("/account").status_code == 200
    past = func.now() - (sessions.STAFF_IDLE + timedelta(minutes=1))
    db_session.execute(update(Session).values({column: past}))
    db_session.commit()
    assert client.get("/account").status_code == 302


def test_a_shopper_may_stay_for_days(client: FlaskClient, db_session: DbSession) -> None:
    sign_in(client, make_account())
    db_session.execute(update(Session).values(last_seen_at=func.now() - timedelta(days=13)))
    db_session.commit()
    assert client.get("/account").status_code == 200


def test_being_seen_is_written_once_a_minute(client: FlaskClient, db_session: DbSession) -> None:
    sign_in(client, make_account())

    def seen() -> object:
        return db_session.scalars(select(Session.last_seen_at)).one()

    at_first = seen()
    client.get("/account")
    assert seen() == at_first
    db_session.execute(update(Session).values(last_seen_at=func.now() - timedelta(minutes=5)))
    db_session.commit()
    client.get("/account")
    assert seen() >= at_first  # type: ignore[operator]


def test_a_change_of_roles_ends_every_session(client: FlaskClient, db_session: DbSession) -> None:
    facility = make_facility()
    person = make_account("coordinator", facilities=(facility,))
    sign_in(client, person)
    membership = db_session.scalars(select(Membership)).one()
    memberships.revoke(membership.id)
    db_session.commit()
    assert client.get("/account").status_code == 302
    sign_in(client, person)
    memberships.grant(person, Role.HEAD, facility_id=facility.id)
    db_session.commit()
    assert client.get("/account").status_code == 302


def test_a_membership_that_runs_out_opens_nothing_more(client: FlaskClient, db_session: DbSession) -> None:
    facility = make_facility("RNO")
    sign_in(client, make_account("coordinator", facilities=(facility,)))
    assert client.get("/seller/RNO/").status_code == 200
    db_session.execute(
        text("UPDATE memberships SET valid_from = now() - interval '2 days', valid_until = now()")
    )
    db_session.commit()
    assert client.get("/seller/RNO/").status_code == 404


def test_a_new_password_ends_every_other_session(
    app: Flask, client: FlaskClient, db_session: DbSession
) -> None:
    person = make_account(is_demo=False)
    other = sign_in(app.test_client(), person)
    sign_in(client, person)
    form = {"current": "demo", "password": "kursi jati empat kaki"}
    assert post(client, "/account/password", {**form, "current": "wrong"}).status_code == 422
    assert post(client, "/account/password", {**form, "password": "pendek"}).status_code == 422
    former = cookie_of(client)
    assert post(client, "/account/password", form).status_code == 303
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert with_cookie(app, former).get("/account").status_code == 302
    assert enter(app.test_client(), person.email, "kursi jati empat kaki").status_code == 303


def test_the_demos_shared_password_stays(client: FlaskClient) -> None:
    sign_in(client, make_account())
    form = {"current": "demo", "password": "kursi jati empat kaki"}
    assert post(client, "/account/password", form).status_code == 403


def test_one_device_is_signed_out_from_another(
    app: Flask, client: FlaskClient, db_session: DbSession
) -> None:
    person, stranger = make_account(), make_account()
    other = sign_in(app.test_client(), person)
    others_session = db_session.scalars(select(Session)).one().id
    intruder = sign_in(app.test_client(), stranger)
    assert post(intruder, f"/account/sessions/{others_session}/end").status_code == 404
    assert other.get("/account").status_code == 200
    sign_in(client, person)
    assert post(client, f"/account/sessions/{others_session}/end").status_code == 303
    assert other.get("/account").status_code == 302
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/nowhere", "/logout",
        "/login", "/api/v1/products", "/account\r\nSet-Cookie: a=b", "account", "/static/css/app.css",
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_foreign(client: FlaskClient, target: str) -> None:
    answer = enter(client, make_account().email, next=target)
    assert answer.headers["Location"] == "/account"


@pytest.mark.parametrize("target", ["/account", "/cart", "/products?q=kursi", "/en/account"])
def test_signing_in_leads_back(client: FlaskClient, target: str) -> None:
    assert enter(client, make_account().email, next=target).headers["Location"] == target


def test_somebody_sent_to_sign_in_comes_back_to_where_they_were(client: FlaskClient) -> None:
    facility = make_facility("BLK")
    person = make_account("coordinator", facilities=(facility,))
    sent = client.get("/seller/BLK/parcels?state=packed")
    assert sent.headers["Location"].startswith("/login?next=")
    page = client.get(sent.headers["Location"])
    assert 'name="next" value="/seller/BLK/parcels?state=packed"' in page.text
    back = enter(client, person.email, next="/seller/BLK/parcels?state=packed")
    assert back.headers["Location"] == "/seller/BLK/parcels?state=packed"


def test_a_page_of_another_site_cannot_sign_anybody_in_or_out(client: FlaskClient) -> None:
    person = make_account()
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    form = {"email": person.email, "password": "demo", "csrf_token": csrf_token(client)}
    assert client.post("/login", data=form, headers=elsewhere).status_code == 403
    assert client.post("/login", data={**form, "csrf_token": ""}).status_code in (400, 403)
    sign_in(client, person)
    assert client.post("/logout", headers=elsewhere).status_code == 403
    assert client.get("/logout").status_code == 405
    assert client.get("/account").status_code == 200


def test_the_language_setting_decides_on_signed_in_pages(client: FlaskClient, db_session: DbSession) -> None:
    person = make_account()
    sign_in(client, person)
    assert '<html lang="id">' in client.get("/account").text
    saved = post(client, "/account/settings", {"name": "Sari\nDewi", "locale": "en"})
    assert saved.headers["Location"] == "/account"
    assert '<html lang="en">' in client.get("/account").text
    db_session.refresh(person)
    assert person.name == "Sari Dewi"
    assert post(client, "/account/settings", {"name": "", "locale": "en"}).status_code == 422
    assert post(client, "/account/settings", {"name": "Sari", "locale": "xx"}).status_code == 422


def test_the_demos_accounts_stand_beside_the_form(client: FlaskClient) -> None:
    make_account("coordinator", facilities=(make_facility("PKB"),), email="coordinator@demo.test")
    page = client.get("/login").text
    assert "coordinator@demo.test" in page
    assert "PKB" in page


# ── tries ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def second_app(make_app: Callable[..., Flask], app: Flask) -> Iterator[Flask]:
    """Another process of the same shop: nothing shared but the database."""
    other = make_app()
    yield other
    with other.app_context():
        from storefront.extensions import db

        db.engine.dispose()


def test_tries_count_over_all_processes(app: Flask, second_app: Flask) -> None:
    person = make_account()
    limit = attempts.LIMITS["login"].subject
    for number in range(limit):
        process = (app, second_app)[number % 2]
        assert enter(process.test_client(), person.email, "wrong").status_code == 422
    for process in (app, second_app):
        refused = enter(process.test_client(), person.email)
        assert refused.status_code == 429
        assert "Tunggu 15 menit" in refused.text


def test_an_unknown_account_is_limited_alike(app: Flask) -> None:
    for _ in range(attempts.LIMITS["login"].subject):
        assert enter(app.test_client(), "nobody@example.test", "wrong").status_code == 422
    assert enter(app.test_client(), "nobody@example.test", "wrong").status_code == 429


def test_of_many_tries_at_once_no_more_than_the_limit_are_judged(app: Flask, db_session: DbSession) -> None:
    make_account(email="target@example.test")
    limit = attempts.LIMITS["login"].subject
    clients = [app.test_client() for _ in range(limit + 6)]
    tokens = [csrf_token(client) for client in clients]
    codes: list[int] = []

    def attack(client: FlaskClient, token: str) -> None:
        form = {"email": "target@example.test", "password": "wrong", "csrf_token": token}
        codes.append(client.post("/login", data=form).status_code)

    threads = [threading.Thread(target=attack, args=pair) for pair in zip(clients, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(422) <= limit
    assert codes.count(422) + codes.count(429) == limit + 6
    assert db_session.scalar(select(func.count()).select_from(LoginAttempt)) == limit + 6


def test_the_right_password_forgives_the_mistakes_before(client: FlaskClient) -> None:
    person = make_account()
    for _ in range(attempts.LIMITS["login"].subject - 1):
        enter(client, person.email, "wrong")
    assert enter(client, person.email).status_code == 303
    for _ in range(attempts.LIMITS["login"].subject - 1):
        enter(client, person.email, "wrong")
    assert enter(client, person.email).status_code == 303


def test_one_network_cannot_try_account_after_account(
    app: Flask, client: FlaskClient, db_session: DbSession
) -> None:
    limit = attempts.LIMITS["login"].network
    for number in range(limit):
        attempts.begin("login", f"person{number}@example.test", "127.0.0.1")
    attempts.begin("login", "person@example.test", "10.0.0.9")
    db_session.commit()
    assert enter(client, make_account().email).status_code == 429
    elsewhere = app.test_client()
    assert post(
        elsewhere, "/login", {"email": make_account().email, "password": "demo"},
        environ_base={"REMOTE_ADDR": "10.0.0.9"},
    ).status_code == 303  # fmt: skip


def test_old_tries_count_no_more_and_are_forgotten(client: FlaskClient, db_session: DbSession) -> None:
    person = make_account()
    for _ in range(attempts.LIMITS["login"].subject + 1):
        attempts.begin("login", person.email, "127.0.0.1")
    db_session.execute(update(LoginAttempt).values(at=func.now() - timedelta(minutes=16)))
    db_session.commit()
    assert enter(client, person.email).status_code == 303
    db_session.execute(update(LoginAttempt).values(at=func.now() - timedelta(days=2)))
    assert attempts.forget_old() == attempts.LIMITS["login"].subject + 2


def test_neither_email_nor_address_is_kept_of_a_try(client: FlaskClient, db_session: DbSession) -> None:
    enter(client, "sari@contoh.id", "secret words")
    row = db_session.scalars(select(LoginAttempt)).one()
    assert len(row.subject) == len(row.network) == 32
    assert row.subject == attempts.keyed_hash("sari@contoh.id")
    everything = str(db_session.execute(text("SELECT row_to_json(a)::text FROM login_attempts a")).all())
    assert "sari" not in everything
    assert "127.0.0.1" not in everything


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"), (None, "unknown"), ("nonsense", "unknown"),
    ],
)  # fmt: skip
def test_what_counts_as_one_network(address: str | None, network: str) -> None:
    assert attempts.network_of(address) == network


# ── without the demo ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def live_app(make_app: Callable[..., Flask], app: Flask) -> Iterator[Flask]:
    """The shop as it runs in earnest."""
    live = make_app(
        DEMO="off", BASE_URL="https://localhost", PAYMENT_GATEWAY="stripe",
        STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET="whsec_x",
    )  # fmt: skip
    yield live
    with live.app_context():
        from storefront.extensions import db

        db.engine.dispose()


def secure(client: FlaskClient, email: str) -> int:
    """Try to sign in over HTTPS."""
    page = client.get("/login", base_url="https://localhost")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"email": email, "password": "demo", "csrf_token": token}
    return client.post("/login", data=form, base_url="https://localhost").status_code


def test_without_demo_a_password_alone_opens_nothing_to_staff(live_app: Flask, db_session: DbSession) -> None:
    staff = make_account("finance", is_demo=False)
    shopper = make_person(password_hash=password_hash())
    db_session.commit()
    client = live_app.test_client()
    assert secure(client, staff.email) == 303
    for path in ("/account", "/finance/"):
        assert client.get(path, base_url="https://localhost").status_code == 302, path
    assert client.get("/login/code", base_url="https://localhost").location == "/login/setup"
    assert secure(live_app.test_client(), shopper.email) == 303
    page = client.get("/login", base_url="https://localhost").text
    assert "demo.test" not in page


def test_without_demo_a_staff_session_of_before_is_worth_nothing(
    live_app: Flask, db_session: DbSession
) -> None:
    person = make_person(password_hash=password_hash())
    db_session.commit()
    client = live_app.test_client()
    assert secure(client, person.email) == 303
    assert client.get("/account", base_url="https://localhost").status_code == 200
    db_session.add(Membership(person_id=person.id, role="finance"))
    db_session.commit()
    assert client.get("/account", base_url="https://localhost").status_code == 302


def test_a_wrong_password_of_staff_does_not_tell_that_they_are_staff(live_app: Flask) -> None:
    staff = make_account("finance", is_demo=False)
    client = live_app.test_client()
    token = csrf_token_secure(client)
    form = {"email": staff.email, "password": "wrong", "csrf_token": token}
    answer = client.post("/login", data=form, base_url="https://localhost")
    assert answer.status_code == 422
    assert "faktor kedua" not in answer.text


def csrf_token_secure(client: FlaskClient) -> str:
    page = client.get("/login", base_url="https://localhost").text
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]
