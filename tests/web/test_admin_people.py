"""Administrators give and end roles, and begin somebody's second factor anew by two."""

from __future__ import annotations

import threading

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.people import factor_resets, memberships, roles, second_factor
from storefront.people.factor_models import FactorReset
from storefront.people.models import Membership, Person, RoleProposal
from tests.factories import make_facility
from tests.staff import enter, make_account, post, sign_in

pytestmark = pytest.mark.usefixtures("db_session")


def with_phone(person: Person) -> Person:
    second_factor.confirm(person, pyotp.TOTP(second_factor.secret(second_factor.begin(person))).now())
    db.session.commit()
    return person


def held(person: Person) -> int:
    count = select(func.count()).select_from(Membership).where(Membership.person_id == person.id, memberships.holds())
    return int(db.session.scalar(count) or 0)


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make_account("administrator", name="Ani Pusat"))


def test_the_list_finds_who_works_here_and_nobody_else(admin: FlaskClient) -> None:
    place = make_facility()
    make_account("coordinator", facilities=(place,), name="Budi Kemas", email="budi@lapas.test")
    make_account(name="Sari Pembeli", email="sari@contoh.test")
    page = admin.get("/admin/people").text
    assert "Budi Kemas" in page
    assert "Ani Pusat" in page
    assert "Sari Pembeli" not in page
    assert "Budi Kemas" not in admin.get("/admin/people?role=finance").text
    assert "Budi Kemas" in admin.get("/admin/people?q=LAPAS.test&role=coordinator").text
    assert "Budi Kemas" not in admin.get("/admin/people?q=%25zz").text
    shopper = db.session.scalars(select(Person.id).where(Person.email == "sari@contoh.test")).one()
    assert admin.get(f"/admin/people/{shopper}").status_code == 404


def test_roles_are_given_where_they_belong_by_two_and_once(
    app: Flask, admin: FlaskClient, db_session: DbSession
) -> None:
    place, person = make_facility(), make_account("curator", name="Citra")
    path = f"/admin/people/{person.id}/roles"
    for form, sentence in (
        ({"role": "head", "facility": ""}, "Pilih UPT tempat peran ini berlaku."),
        ({"role": "administrator", "facility": place.code}, "kosongkan UPT-nya"),
        ({"role": "cashier", "facility": ""}, "Pilih perannya."),
        ({"role": "head", "facility": "NONE"}, "Pilih UPT dari daftar."),
        ({"role": "curator", "facility": ""}, "sudah dipegangnya"),
    ):
        refused = post(admin, path, form)
        assert (refused.status_code, sentence in refused.text) == (422, True), form
    for form in ({"role": "head", "facility": place.code}, {"role": "finance", "facility": ""}):
        assert post(admin, path, form).status_code == 303
        assert post(admin, path, form).status_code == 303  # the same once more
    assert held(person) == 1  # proposed is not given
    head, finance = db_session.scalars(select(RoleProposal.id).order_by(RoleProposal.id))
    decide = f"/admin/people/{person.id}/proposals"
    assert post(admin, f"{decide}/{head}/approve").status_code == 403  # who proposed does not give
    other = sign_in(app.test_client(), make_account("administrator"))
    assert "Ani Pusat mengusulkan peran Kepala UPT" in other.get(f"/admin/people/{person.id}").text
    assert "Citra" in other.get("/admin/people?waiting=1").text
    assert post(other, f"/admin/people/{person.id + 1}/proposals/{head}/approve").status_code == 404
    assert post(other, f"{decide}/{head}/approve").status_code == 303
    assert post(other, f"{decide}/{head}/approve").status_code == 404  # once
    assert post(admin, f"{decide}/{finance}/reject").status_code == 303
    assert held(person) == 2
    assert "Citra" not in other.get("/admin/people?waiting=1").text
    acts = db_session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("role.%")).order_by(AuditEvent.id))
    assert acts.all() == ["role.proposed", "role.proposed", "role.given", "role.rejected"]


def test_a_role_ends_with_its_sessions_and_nobody_changes_their_own(app: Flask, admin: FlaskClient) -> None:
    person = make_account("finance", name="Dewi")
    browser = sign_in(app.test_client(), person)
    row = db.session.scalars(select(Membership).where(Membership.person_id == person.id)).one()
    assert post(admin, f"/admin/people/{person.id + 1}/roles/{row.id}/end").status_code == 404
    assert post(admin, f"/admin/people/{person.id}/roles/{row.id}/end").status_code == 303
    assert browser.get("/finance/").status_code == 302
    assert post(admin, f"/admin/people/{person.id}/roles/{row.id}/end").status_code == 303  # once more is the same
    assert held(person) == 0
    me = db.session.scalars(select(Person).where(Person.name == "Ani Pusat")).one()
    own = db.session.scalars(select(Membership).where(Membership.person_id == me.id)).one()
    assert "Ini akun Anda sendiri" in admin.get(f"/admin/people/{me.id}").text
    refused = post(admin, f"/admin/people/{me.id}/roles/{own.id}/end")
    assert (refused.status_code, held(me)) == (403, 1)
    assert post(admin, f"/admin/people/{me.id}/roles", {"role": "finance"}).status_code == 403


def test_auditors_read_and_change_nothing(client: FlaskClient) -> None:
    person = make_account("finance")
    auditor = sign_in(client, make_account("auditor"))
    page = auditor.get(f"/admin/people/{person.id}")
    assert page.status_code == 200
    assert f"/admin/people/{person.id}/roles" not in page.text
    assert post(auditor, f"/admin/people/{person.id}/roles", {"role": "administrator"}).status_code == 403


def test_of_two_who_end_each_other_at_once_one_administrator_stays(app: Flask) -> None:
    first, second = make_account("administrator"), make_account("administrator")
    found = select(Membership.person_id, Membership.id).where(Membership.person_id.in_([first.id, second.id]))
    rows = dict(db.session.execute(found).all())
    pairs, ready, refused = [(first.id, second.id), (second.id, first.id)], threading.Barrier(2), []
    db.session.commit()

    def go(ended: int, by: int) -> None:
        with app.app_context():
            ready.wait()
            try:
                roles.end(ended, rows[ended], by)
                db.session.commit()
            except DomainError as refusal:
                db.session.rollback()
                refused.append(refusal.code)

    threads = [threading.Thread(target=go, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["last_administrator"]
    assert held(first) + held(second) == 1


def test_a_lost_phone_takes_two_administrators(app: Flask, admin: FlaskClient, db_session: DbSession) -> None:
    person = with_phone(make_account("finance", is_demo=False, name="Eka"))
    path = f"/admin/people/{person.id}/reset"
    assert post(admin, path, {"reason": "x"}).status_code == 422
    assert post(admin, path, {"reason": "ponsel hilang di jalan"}).status_code == 303
    assert post(admin, path, {"reason": "sekali lagi"}).status_code == 303
    reset = db_session.scalars(select(FactorReset)).one()
    page = admin.get(f"/admin/people/{person.id}").text
    assert "Menunggu administrator lain." in page
    assert "ponsel hilang di jalan" in page
    assert post(admin, f"{path}/{reset.id}/approve").status_code == 403  # who asked does not agree
    other = sign_in(app.test_client(), make_account("administrator"))
    assert "1" in other.get("/admin/").text
    assert "Eka" in other.get("/admin/people?waiting=1").text
    assert post(other, f"/admin/people/{person.id + 1}/reset/{reset.id}/approve").status_code == 404
    assert post(other, f"{path}/{reset.id}/approve").status_code == 303
    assert second_factor.of(person.id) is None
    assert "second_factor_reset" in db_session.scalars(select(Message.kind)).all()
    assert post(other, f"{path}/{reset.id}/approve").status_code == 404  # once
    newcomer = app.test_client()
    enter(newcomer, person.email)
    assert newcomer.get("/login/code").location == "/login/setup"


def test_the_database_wants_two_people_as_well(db_session: DbSession) -> None:
    person, one = make_account("finance"), make_account("administrator")
    reset = factor_resets.ask(person.id, "ponsel hilang", one.id)
    reset.approved_by, reset.approved_at = one.id, func.now()
    with pytest.raises(IntegrityError, match="factor_resets_two_people"):
        db_session.flush()
    db_session.rollback()
    proposed = roles.propose(person.id, "curator", "", one.id)
    proposed.approved_by, proposed.approved_at, proposed.membership_id = one.id, func.now(), person.memberships[0].id
    with pytest.raises(IntegrityError, match="role_proposals_two_people"):
        db_session.flush()
    db_session.rollback()


def test_two_who_agree_at_once_reset_once(app: Flask, db_session: DbSession) -> None:
    person = with_phone(make_account("finance", is_demo=False))
    asks, *others = (make_account("administrator").id for _one in range(3))
    reset_id = factor_resets.ask(person.id, "ponsel hilang", asks).id
    person_id = person.id
    db_session.commit()
    ready, done = threading.Barrier(2), []

    def go(by: int) -> None:
        with app.app_context():
            ready.wait()
            try:
                factor_resets.approve(person_id, reset_id, by)
                db.session.commit()
                done.append(by)
            except DomainError:
                db.session.rollback()

    threads = [threading.Thread(target=go, args=[by]) for by in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    acts = select(AuditEvent.person_id).where(AuditEvent.action == "second_factor.reset")
    assert db_session.scalars(acts).all() == done
