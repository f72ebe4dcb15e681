"""People who sign in, for tests of the personal faces."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people.models import Membership, Person
from storefront.people.passwords import hash_password
from tests.factories import make_person

PASSWORD = "demo"
#: As a browser sends with a form of our own pages.
SAME = {"Sec-Fetch-Site": "same-origin"}


@cache
def password_hash(password: str = PASSWORD) -> str:
    """Hashing takes its time; once is enough."""
    return hash_password(password)


def make_account(*roles: str, facilities: tuple[Facility, ...] = (), **values: Any) -> Person:
    """A demo account with the password `demo` and these roles, committed.

    Coordinators and heads get each role in each of `facilities`; so do finance and auditors when given any.
    """
    person = make_person(password_hash=password_hash(), is_demo=values.pop("is_demo", True), **values)
    for role in roles:
        bound = facilities if role in ("coordinator", "head", "finance", "auditor") else ()
        for facility_id in [facility.id for facility in bound] or [None]:
            db.session.add(Membership(person_id=person.id, role=role, facility_id=facility_id))
    db.session.commit()
    return person


def csrf_token(client: FlaskClient) -> str:
    """The token of the client's session."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert found, "the sign-in page carries no token"
    return found[1]


def post(client: FlaskClient, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
    """Send a form as a page of ours would, token included."""
    return client.post(path, data={"csrf_token": csrf_token(client), **(data or {})}, **kwargs)


def enter(client: FlaskClient, email: str, password: str = PASSWORD, **data: Any) -> TestResponse:
    """Try to sign in."""
    return post(client, "/login", {"email": email, "password": password, **data})


def sign_in(client: FlaskClient, person: Person) -> FlaskClient:
    """The client, signed in as `person`."""
    email = person.email
    db.session.commit()  # an export waits for open transactions, the test's own included
    answer = enter(client, email)
    assert answer.status_code == 303, answer.text
    return client
