"""Signing in and up by a mailed link, a new address, a forgotten password: proven by mail, once, and never by GET."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.mail.transport import mail_folder
from storefront.orders.models import Order
from storefront.orders.place import Contact
from storefront.people import attempts, letter_choices, links, passwords
from storefront.people import sessions as signed
from storefront.people.models import MailedLink, Person
from storefront.people.models import Session as SessionRow
from tests.after_sale import body, letter
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import csrf_token, enter, make_account, post, sign_in
from tests.threads import at_once

SARI = "sari@contoh.id"
RunJobs = Callable[[], None]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def ask(client: FlaskClient, email: str = SARI, **data: object) -> None:
    answer = post(client, "/login/link", {"email": email, **data})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login/sent")


def mailed(link_id: int | None = None) -> str:
    """The path of the link in the newest letter, or in that of a row."""
    last = link_id or links.db.session.scalar(select(func.max(MailedLink.id)))
    found = re.search(r"http://localhost(\S+/(?:link|email)/[\w-]{43})", body(letter(f"link:{last}")))
    assert found
    return found[1]


def press(client: FlaskClient, path: str, **data: object) -> int:
    """Open a link and press its button."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    return client.post(path, data={"csrf_token": token[1] if token else "", **data}).status_code


def actions(db_session: Session) -> list[str]:
    return list(db_session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_a_link_makes_the_account_joins_the_orders_and_works_once(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, run_jobs: RunJobs
) -> None:
    guests = make_paid_order((shop.batik, 1), contact=Contact("Sari Dewi", SARI, None))
    others = make_paid_order((shop.batik, 1), contact=Contact("Lain", "lain@contoh.id", None))
    number, others_id = guests.number, others.id
    db_session.commit()
    ask(client, " Sari@Contoh.ID ", next=f"/orders/{number}")
    page = client.get("/login/sent").text
    assert SARI in page
    run_jobs()
    path = mailed()
    row = db_session.scalars(select(MailedLink)).one()
    token = path.rpartition("/")[2]
    # Neither in the row nor in the job: whoever reads the database cannot sign in by it.
    everything = "SELECT l::text || (SELECT string_agg(j.args::text, '') FROM procrastinate_jobs j) FROM mailed_links l"
    assert token not in db_session.scalar(text(everything))
    assert row.token_hash is not None
    # A program that opens links of letters changes nothing and signs nobody in, and neither does HEAD.
    scanner = app.test_client()
    for answer in (scanner.get(path), scanner.head(path), client.get(path)):
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "diminta di peramban lain" in scanner.get(path).text
    assert "diminta di peramban lain" not in client.get(path).text
    assert scanner.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert db_session.scalars(select(Person).where(Person.email == SARI)).all() == []
    # A refused password uses nothing up, and what was typed is there again.
    refused = post(client, path, {"name": "Sari Dewi", "password": "pendek"})
    assert (refused.status_code, "paling sedikit 10" in refused.text, "Sari Dewi" in refused.text) == (422, True, True)
    done = post(client, path, {"name": "Sari Dewi"})
    assert (done.status_code, done.headers["Location"]) == (303, f"/orders/{number}")
    person = db_session.scalars(select(Person).where(Person.email == SARI)).one()
    assert (person.name, person.password_hash, person.email_proven_at is not None) == ("Sari Dewi", "!", True)
    assert number in client.get("/account").text
    assert client.get(f"/orders/{number}").status_code == 200
    assert db_session.get_one(Order, others_id).person_id is None
    for again in (scanner.get(path), post(scanner, path)):
        assert (again.status_code, "sudah dipakai atau kedaluwarsa" in again.text) == (410, True)
    assert scanner.get("/account").status_code == 302
    assert actions(db_session)[-3:] == ["person.signed_up", "session.started", "orders.joined"]
    trail = db_session.scalars(text("SELECT string_agg(e::text, '') FROM audit_events e")).one()
    assert SARI not in trail
    # No password yet: none opens it, as slowly as any other.
    assert enter(app.test_client(), SARI, "!").status_code == 422


def test_a_link_used_by_many_at_once_signs_in_once(
    app: Flask, db_session: Session, run_jobs: RunJobs
) -> None:
    ask(app.test_client())
    ask(app.test_client())
    run_jobs()
    first, second = (mailed(row.id) for row in db_session.scalars(select(MailedLink).order_by(MailedLink.id)))
    clients = [app.test_client() for _ in range(6)]
    forms = [(client, first if n % 2 else second, csrf_token(client)) for n, client in enumerate(clients)]

    def use(client: FlaskClient, path: str, token: str) -> int:
        return client.post(path, data={"csrf_token": token}).status_code

    codes = at_once([partial(use, *form) for form in forms])
    # Two links, one new account: no second sign-in by either, whichever came first.
    assert sorted(codes) in ([303, 410, 410, 410, 410, 410], [303, 303, 410, 410, 410, 410])
    assert db_session.scalar(select(func.count()).select_from(SessionRow)) == codes.count(303)
    assert db_session.scalars(select(Person.email)).all() == [SARI]


def test_a_link_ends_and_a_newer_one_ends_the_older(
    app: Flask, client: FlaskClient, db_session: Session, run_jobs: RunJobs
) -> None:
    ask(client)
    ask(client)
    run_jobs()
    older, newer = (mailed(row.id) for row in db_session.scalars(select(MailedLink).order_by(MailedLink.id)))
    assert press(client, newer) == 303
    assert press(app.test_client(), older) == 410
    ask(client)
    run_jobs()
    late = mailed()
    db_session.execute(text("UPDATE mailed_links SET created_at = created_at - interval '1 hour',"
                            " expires_at = expires_at - interval '1 hour'"))  # fmt: skip
    db_session.commit()
    assert press(app.test_client(), late) == 410
    assert links.forget_old() == 0
    db_session.execute(text("UPDATE mailed_links SET created_at = created_at - interval '2 days',"
                            " expires_at = expires_at - interval '2 days'"))  # fmt: skip
    assert links.forget_old() == 3
    assert client.get(f"/login/link/{'x' * 43}").status_code == 410
    assert db_session.scalar(text("SELECT count(*) FROM login_attempts WHERE kind = 'link_token'")) == 1


def test_staff_and_closed_accounts_get_no_link_and_nobody_can_tell(
    app: Flask, client: FlaskClient, db_session: Session, run_jobs: RunJobs
) -> None:
    staff = make_account("finance", email="petugas@contoh.id")
    make_account(email="tutup@contoh.id", is_active=False)
    shopper = make_account(email=SARI)
    staff_id = staff.id
    pages = []
    for email in (SARI, "petugas@contoh.id", "tutup@contoh.id", "tidak@ada.id"):
        browser = app.test_client()
        ask(browser, email)
        pages.append(browser.get("/login/sent").text.replace(email, ""))
    assert len(set(pages)) == 1
    # A role given after the letter was sent: the link does not do for it.
    run_jobs()
    by_address = {row.email: row.id for row in db_session.scalars(select(MailedLink))}
    told = body(letter(f"link:{by_address['petugas@contoh.id']}"))
    assert "Akun petugas tidak masuk dengan tautan" in told
    assert "/login/link/" not in told
    assert not (mail_folder() / f"link.{by_address['tutup@contoh.id']}.eml").exists()
    path = mailed(by_address[SARI])
    db_session.execute(text("INSERT INTO memberships (person_id, role) VALUES (:id, 'finance')"), {"id": shopper.id})
    db_session.commit()
    assert press(client, path) == 403
    assert db_session.scalar(select(func.count()).select_from(SessionRow)) == 0
    sign_in(client, db_session.get_one(Person, staff_id))
    assert post(client, "/account/email", {"email": "baru@contoh.id"}).status_code == 403


def test_asking_is_limited_alike_and_says_what_is_wrong(client: FlaskClient, db_session: Session) -> None:
    wrong = post(client, "/login/link", {"email": "sari", "next": "/cart"})
    assert (wrong.status_code, "belum lengkap" in wrong.text) == (422, True)
    assert 'value="sari"' in wrong.text
    assert 'name="next" value="/cart"' in wrong.text
    assert post(client, "/login/link", {"email": ""}).status_code == 422
    codes = [post(client, "/login/link", {"email": SARI}).status_code for _ in range(7)]
    assert codes == [303] * attempts.LIMITS["mailed_link"].subject + [429] * 2
    assert client.get("/login/link").status_code == 302
    assert client.get("/login/sent").status_code == 200


def test_a_forgotten_password_is_set_anew_by_link_alone(
    app: Flask, client: FlaskClient, db_session: Session, run_jobs: RunJobs
) -> None:
    person = make_account(email=SARI, is_demo=False)
    thief = sign_in(app.test_client(), person)
    # A session alone, stolen or left open, changes no password.
    assert post(thief, "/account/password", {"password": "kursi jati empat kaki"}).status_code == 422
    ask(client, forgot="1")
    run_jobs()
    assert press(client, path := mailed()) == 303
    page = client.get("/account/password").text
    assert 'name="current"' not in page
    assert post(client, "/account/password", {"password": "1234567890"}).status_code == 422
    assert post(client, "/account/password", {"password": "kursi jati empat kaki"}).status_code == 303
    assert client.get("/account").status_code == 200
    assert thief.get("/account").status_code == 302
    assert enter(app.test_client(), SARI, "kursi jati empat kaki").status_code == 303
    assert 'name="current"' in client.get("/account/password").text  # the new session came by no link
    assert path
    # An account without one sets it only after a link that was mailed to it a moment ago.
    db_session.execute(text("UPDATE people SET password_hash = :none"), {"none": passwords.NO_PASSWORD})
    db_session.commit()
    assert post(client, "/account/password", {"current": "!", "password": "meja jati empat kaki"}).status_code == 422
    assert post(client, "/account/email", {"email": "baru@contoh.id", "password": "!"}).status_code == 409
    assert post(client, "/account/password/link").status_code == 303
    run_jobs()
    assert press(client, mailed()) == 303
    assert "Setel kata sandi" in client.get("/account/password").text
    db_session.execute(text("UPDATE sessions SET created_at = created_at - interval '61 minutes'"))
    db_session.commit()
    assert signed.came_by_link(db_session.scalar(select(func.max(SessionRow.id))) or 0) is False


def test_a_new_address_is_proven_by_mail_and_the_old_one_is_told(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, run_jobs: RunJobs
) -> None:
    new = "sari.baru@contoh.id"
    person = make_account(email=SARI, is_demo=False)
    make_account(email="lain@contoh.id")
    person_id = person.id
    order = make_paid_order((shop.batik, 1), contact=Contact("Sari", new, None))
    order_id = order.id
    letter_choices.choose(SARI, letter_choices.MONEY_NEWS, False)
    db_session.commit()
    other = sign_in(app.test_client(), person)
    sign_in(client, person)
    wrong = post(client, "/account/email", {"email": new, "password": "salah"})
    assert (wrong.status_code, "tidak cocok" in wrong.text, f'value="{new}"' in wrong.text) == (422, True, True)
    assert post(client, "/account/email", {"email": SARI, "password": "demo"}).status_code == 422
    for address in (new, "lain@contoh.id"):  # known or not, the same answer
        assert post(client, "/account/email", {"email": address, "password": "demo"}).status_code == 303
    run_jobs()
    to_new, to_taken = db_session.scalars(select(MailedLink.id).order_by(MailedLink.id)).all()
    assert "sudah punya akun sendiri" in body(letter(f"link:{to_taken}"))
    path = mailed(to_new)
    client.get(path)
    # Nothing changes by opening; the link signs nobody in, and is none for signing in.
    assert db_session.get_one(Person, person_id, populate_existing=True).email == SARI
    assert client.get(path.replace("/account/email/", "/login/link/")).status_code == 410
    assert db_session.get_one(Order, order_id).person_id is None
    db_session.rollback()
    assert press(client, path) == 303
    changed = db_session.get_one(Person, person_id, populate_existing=True)
    assert (changed.email, changed.email_proven_at is not None) == (new, True)
    assert db_session.get_one(Order, order_id, populate_existing=True).person_id == person_id
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert post(app.test_client(), path).status_code == 410
    assert letter_choices.may_tell(new, letter_choices.MONEY_NEWS) is False
    db_session.rollback()
    run_jobs()
    told = letter(f"link:{to_new}:former")
    assert (told["To"], "sudah diganti" in str(told["Subject"]), new in body(told)) == (SARI, True, False)
    assert db_session.scalars(select(MailedLink.former_email)).all() == [None, None]
    assert "person.email_changed" in actions(db_session)
    assert enter(app.test_client(), SARI).status_code == 422
    assert enter(app.test_client(), new).status_code == 303


def test_orders_join_a_proven_address_alone(client: FlaskClient, db_session: Session, shop: Shop) -> None:
    person = make_account(email=SARI, is_demo=False)
    order = make_paid_order((shop.batik, 1), contact=Contact("Sari", SARI, None))
    order_id = order.id
    sign_in(client, person)
    assert db_session.get_one(Order, order_id, populate_existing=True).person_id is None
    db_session.execute(text("UPDATE people SET email_proven_at = now()"))
    sign_in(client, person)
    assert db_session.get_one(Order, order_id, populate_existing=True).person_id == person.id
