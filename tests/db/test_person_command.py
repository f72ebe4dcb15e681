"""`flask person add`: whoever is first comes in by the server's own door, and the trail says so."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.extensions import db
from storefront.people.models import Membership, Person
from storefront.people.passwords import matches
from tests.factories import make_facility

PASSWORD = "empat kata yang acak"


def add(app: Flask, *arguments: str, password: str = PASSWORD) -> Any:
    return app.test_cli_runner().invoke(args=["person", "add", *arguments], input=password + "\n")


def test_first_administrator_has_role_password_and_a_line_in_the_trail(
    app: Flask, db_session: Session
) -> None:
    done = add(app, "Sari@Kantor.example", "--name", "Sari  Dewi", "--role", "administrator")
    assert done.exit_code == 0, done.output
    person = db.session.scalars(select(Person).where(Person.email == "sari@kantor.example")).one()
    assert (person.name, person.is_demo, person.locale) == ("Sari Dewi", False, "id")
    assert matches(person.password_hash, PASSWORD)
    membership = db.session.scalars(select(Membership).where(Membership.person_id == person.id)).one()
    assert (membership.role, membership.facility_id, membership.granted_by) == ("administrator", None, None)
    act = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "person.added")).one()
    assert (act.subject_id, act.details["role"], act.person_id) == (str(person.id), "administrator", None)
    assert PASSWORD not in str(act.details) + done.output


def test_coordinator_gets_each_facility_that_is_named(app: Flask, db_session: Session) -> None:
    places = [make_facility("PCA").id, make_facility("PCB").id]
    db.session.commit()
    done = add(
        app,
        "k@kantor.example",
        "--name",
        "K",
        "--role",
        "coordinator",
        "--facility",
        "PCA",
        "--facility",
        "PCB",
    )
    assert done.exit_code == 0, done.output
    assert sorted(db.session.scalars(select(Membership.facility_id))) == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("a@kantor.example", "--role", "head"), PASSWORD, "--facility"),
        (("a@kantor.example", "--role", "finance", "--facility", "PCA"), PASSWORD, "leave --facility out"),
        (("a@kantor.example", "--role", "head", "--facility", "NONE"), PASSWORD, "no facility NONE"),
        (("a@kantor.example", "--role", "finance"), "password12", "ditebak"),
        (("a@kantor.example", "--role", "finance"), "", "10"),
        (("a@demo.test", "--role", "finance"), PASSWORD, "address"),
        (("kantor.example", "--role", "finance"), PASSWORD, "address"),
        (("a@kantor.example", "--role", "cashier"), PASSWORD, "cashier"),
    ],
)
def test_what_may_not_be_is_said_and_nobody_is_added(
    app: Flask, db_session: Session, arguments: tuple[str, ...], password: str, said: str
) -> None:
    done = add(app, *arguments, "--name", "A", password=password)
    assert done.exit_code != 0
    assert said in done.output
    assert db.session.scalar(select(Person.id).where(Person.is_demo.is_(False))) is None


def test_an_account_is_never_changed_by_adding_it_again(app: Flask, db_session: Session) -> None:
    assert add(app, "a@kantor.example", "--name", "A", "--role", "auditor").exit_code == 0
    again = add(
        app, "A@kantor.example", "--name", "B", "--role", "administrator", password="another long one 1"
    )
    assert again.exit_code != 0
    assert "already" in again.output
    assert list(db.session.scalars(select(Membership.role))) == ["auditor"]
