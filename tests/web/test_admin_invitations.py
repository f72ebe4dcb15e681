"""The office invites people in any role by two administrators, and shows who may do what."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.mail.letters import letter_about
from storefront.mail.models import Message
from storefront.people import invitations, memberships, office_invitations, role_table
from storefront.people.models import Invitation, Membership, Person
from storefront.people.policy import FACES, GRANTS, PROVEN, Action, Role
from tests.factories import make_facility
from tests.staff import enter, make_account, post, sign_in
from tests.threads import at_once
from tests.unit.test_policy import TABLE

pytestmark = pytest.mark.usefixtures("db_session")
PASSWORD = "empat kata acak di sini"


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make_account("administrator", name="Ani Pusat", email="ani@pusat.test"))


@pytest.fixture
def other(app: Flask) -> FlaskClient:
    return sign_in(app.test_client(), make_account("administrator", name="Bagus Pusat"))


def wish(**changes: str) -> dict[str, str]:
    return {"email": "Dewi@BPK.test", "name": "Dewi", "role": "finance", "facility": "", "until": "", **changes}


def invited() -> Invitation:
    return db.session.scalars(select(Invitation).order_by(Invitation.id.desc()).limit(1)).one()


def letters() -> list[Message]:
    return list(db.session.scalars(select(Message).where(Message.kind == "invitation")))


def test_two_administrators_invite_and_the_invited_begins_with_password_and_phone(
    app: Flask, admin: FlaskClient, other: FlaskClient
) -> None:
    place, last = make_facility(), today() + datetime.timedelta(days=90)
    db.session.commit()
    form = wish(role="auditor", facility=place.code, until=last.isoformat())
    assert post(admin, "/admin/people/invite", form).status_code == 303
    row = invited()
    assert (row.email, row.role_until, letters()) == ("dewi@bpk.test", last, [])
    assert "menunggu administrator kedua" in admin.get("/admin/people").text
    assert "Setujui dan kirim" not in admin.get("/admin/people").text  # not by whoever asked
    assert "orang menunggu administrator kedua" in other.get("/admin/").text
    decide = f"/admin/people/invitations/{row.id}"
    assert "diberikan oleh yang lain" in post(admin, f"{decide}/approve", follow_redirects=True).text
    assert letters() == []
    assert post(other, f"{decide}/approve").status_code == 303
    assert post(other, f"{decide}/approve").status_code == 303
    (message,) = letters()
    told = letter_about(message)
    assert told is not None
    assert (told.to, "Auditor" in told.text) == ("dewi@bpk.test", True)
    link = re.search(r"/account/invitation/\S+", told.text)
    assert link
    newcomer = app.test_client()
    assert "Anda diundang sebagai: Auditor" in newcomer.get(link[0]).text
    assert post(newcomer, link[0], {"name": "Dewi Ayu", "password": PASSWORD}).status_code == 303
    assert post(newcomer, link[0], {"name": "Dewi Ayu", "password": PASSWORD}).status_code == 410
    person = db.session.scalars(select(Person).where(Person.email == "dewi@bpk.test")).one()
    (membership,) = person.memberships
    assert (membership.role, membership.facility_id) == ("auditor", place.id)
    assert membership.valid_until.astimezone(datetime.timezone(datetime.timedelta(hours=7))).date() == (
        last + datetime.timedelta(days=1)
    )
    person.is_demo = False
    db.session.commit()
    assert enter(newcomer, person.email, PASSWORD).location == "/login/code"
    assert newcomer.get("/login/code").location == "/login/setup"


def test_an_address_twice_is_told_and_nothing_is_lost(admin: FlaskClient, other: FlaskClient) -> None:
    place = make_facility()
    staff = make_account("coordinator", facilities=(place,), email="budi@lapas.test")
    make_account(email="shopper@contoh.test")
    make_account(email="closed@contoh.test", is_active=False)
    for form, sentence in (
        (wish(email="BUDI@lapas.test"), "Orang dengan alamat ini sudah terdaftar"),
        (wish(email="closed@contoh.test"), "sudah ditutup"),
        (wish(email="bukan surel"), "Tulis alamat surel yang lengkap"),
        (wish(role="cashier"), "Pilih perannya."),
        (wish(role="head"), "Pilih UPT tempat peran ini berlaku."),
        (wish(role="administrator", facility=place.code), "kosongkan UPT-nya"),
        (wish(role="auditor"), "hari terakhir"),
        (wish(role="auditor", until="2020-01-01"), "hari terakhir"),
        (wish(name=""), "Tulis namanya"),
    ):
        refused = post(admin, "/admin/people/invite", form)
        assert (refused.status_code, sentence in refused.text) == (422, True), form
        assert f'value="{form["email"]}"' in refused.text
    page = post(admin, "/admin/people/invite", wish(email="BUDI@lapas.test")).text
    assert f'href="/admin/people/{staff.id}"' in page
    assert post(admin, "/admin/people/invite", wish()).status_code == 303
    for email in ("dewi@bpk.test", "DEWI@bpk.TEST"):
        again = post(other, "/admin/people/invite", wish(email=email, role="curator"))
        assert (again.status_code, "sudah diundang" in again.text) == (422, True)
    # A shopper may work here as well: they give the password that they have.
    assert post(admin, "/admin/people/invite", wish(email="Shopper@contoh.test")).status_code == 303
    row = invited()
    assert post(other, f"/admin/people/invitations/{row.id}/approve").status_code == 303
    secret = invitations.token(db.session.get_one(Invitation, row.id, populate_existing=True))
    client = other.application.test_client()
    wrong = post(client, f"/account/invitation/{secret}", {"password": "bukan ini sandinya"})
    assert "tidak cocok" in wrong.text
    assert post(client, f"/account/invitation/{secret}", {"password": "demo"}).status_code == 303
    assert db.session.scalars(select(Membership.role).join(Membership.person).where(
        Person.email == "shopper@contoh.test")).all() == ["finance"]  # fmt: skip


def test_a_link_dies_when_it_is_withdrawn_or_who_stood_behind_it_leaves(
    app: Flask, admin: FlaskClient, other: FlaskClient
) -> None:
    links = []
    for name in ("satu", "dua"):
        assert post(admin, "/admin/people/invite", wish(email=f"{name}@pusat.test")).status_code == 303
        assert post(other, f"/admin/people/invitations/{invited().id}/approve").status_code == 303
        links.append(f"/account/invitation/{invitations.token(invited())}")
    assert post(admin, f"/admin/people/invitations/{invited().id}/withdraw").status_code == 303
    newcomer = app.test_client()
    assert [newcomer.get(link).status_code for link in links] == [200, 410]
    bagus = db.session.scalars(select(Person).where(Person.name == "Bagus Pusat")).one()
    memberships.revoke(bagus.memberships[0].id)
    db.session.commit()
    assert newcomer.get(links[0]).status_code == 410


def test_of_two_who_invite_the_same_address_at_once_one_is_told(app: Flask) -> None:
    ids = [make_account("administrator").id for _ in range(2)]

    def call(by: int) -> int:
        with app.app_context():
            row = office_invitations.invite("sama@pusat.test", "Sama", "curator", "", "", by)
            db.session.commit()
            return row.id

    results = at_once([lambda by=by: call(by) for by in ids])  # type: ignore[misc]
    assert sum(isinstance(one, Invalid) for one in results) == 1
    assert db.session.scalar(select(func.count()).select_from(Invitation)) == 1


def test_the_database_wants_two_people_for_an_invitation(db_session: DbSession) -> None:
    one = make_account("administrator")
    row = office_invitations.invite("sendiri@pusat.test", "Sendiri", "curator", "", "", one.id)
    db_session.commit()
    for step, name in (("approved", "invitations_two_people"), ("accepted", "invitations_given_by_two")):
        setattr(row, f"{step}_by", one.id)
        setattr(row, f"{step}_at", func.now())
        with pytest.raises(IntegrityError, match=name):
            db_session.flush()
        db_session.rollback()


def test_the_table_of_roles_is_the_policys_own(admin: FlaskClient, app: Flask) -> None:
    page = admin.get("/admin/roles").text
    for action in Action:
        row = re.search(rf'<tr id="{re.escape(action.value)}">(.*?)</tr>', page, re.DOTALL)
        assert row, action
        words = re.sub(r"<[^>]+>", " ", row[1].partition("</th>")[0]).strip()
        assert words
        assert not words.startswith(action.value), f"{action} has no words in ui/actions.html"
        marked = row[1].partition("</th>")[2].split("</td>")[:-1]
        held = {role for role, cell in zip(role_table.ROLES, marked, strict=True) if "#check" in cell}
        assert held == GRANTS[action], action
        assert {role.value for role in held} - {"cashier"} == set(TABLE[action].split()), action
        assert ("#lock" in row[1]) == (action in PROVEN), action
    assert set(role_table.ROLES) == set(Role)
    assert dict(role_table.faces()).keys() == FACES.keys()
    english = admin.get("/en/admin/roles").text
    assert "membaca" not in english
