"""A workshop sells only with a fair-work declaration that the office approved; the database holds it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from storefront.cart import carts, lines, view
from storefront.catalogue import selling_ends
from storefront.catalogue.models import Listing
from storefront.days import today
from storefront.errors import Invalid, ListingUnavailable, UnknownSku
from storefront.facilities import declarations
from storefront.facilities.declarations import Answers, Decided, FourEyes
from storefront.facilities.models import Declaration, Workshop
from storefront.mail.transport import mail_folder
from tests.factories import (
    make_member,
    make_order,
    make_person,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
)
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
TEXTS = {
    "safety_gear": "Sarung tangan dan masker tersedia.",
    "accident_cover": "Semua peserta diasuransikan.",
    "premium": "Lima puluh persen dari keuntungan.",
    "complaints": "Kotak pengaduan dibuka pihak luar.",
}


def answers(first: datetime.date | None = None, last: datetime.date | None = None, **changes: Any) -> Answers:
    first = first or today()
    texts = {**TEXTS, **changes.pop("texts", {})}
    values = {"is_voluntary": True, "hours_per_day": 7, "days_per_week": 5, **changes}
    return Answers(first, last or declarations.last_day(first), texts=texts, **values)


def listed(session: Session, product_id: int) -> bool:
    query = select(Listing.product_id).where(Listing.product_id == product_id)
    return session.scalar(query) is not None


@pytest.fixture
def people(db_session: Session) -> tuple[int, int]:
    found = make_person().id, make_member("curator").id
    db_session.commit()
    return found


def declared(workshop: Workshop, people: tuple[int, int], *days: datetime.date) -> Declaration:
    row = declarations.propose(workshop.id, answers(*days), people[0])
    return declarations.approve(row.id, people[1])


def test_without_a_declaration_nothing_is_sold_and_with_one_it_is(
    db_session: Session, people: tuple[int, int]
) -> None:
    make_rule()
    workshop = make_workshop(sells_undeclared_until=None)
    product = make_product(workshop)
    variant = make_variant(product, stock=5)
    cart, _token = carts.create(None)
    db_session.commit()
    assert not listed(db_session, product.id)
    with pytest.raises(UnknownSku):
        lines.add(cart.id, variant.sku, 1)
    with pytest.raises(ListingUnavailable):
        make_order((variant, 1))

    row = declared(workshop, people)
    assert listed(db_session, product.id)
    lines.add(cart.id, variant.sku, 1)
    make_order((variant, 1))

    declarations.end(row.id, people[1], "Peserta tidak diasuransikan.")
    assert not listed(db_session, product.id)
    assert [problem.code for problem in view.load(cart.id).problems] == ["listing_unavailable"]
    # Whatever else renews the listing does not bring it back.
    db_session.execute(text("UPDATE variants SET price = price + 1"))
    assert not listed(db_session, product.id)


def test_workshops_that_sold_before_go_on_until_their_day(
    db_session: Session, owner_connection: psycopg.Connection, run_jobs: Callable[[], None]
) -> None:
    workshop = make_workshop(sells_undeclared_until=today())
    product = make_product(workshop)
    make_variant(product)
    db_session.commit()
    run_jobs()
    assert listed(db_session, product.id)
    assert selling_ends.refresh_listings() == 0
    before = db_session.scalar(text("SELECT version FROM catalogue_version"))
    db_session.commit()
    # The day passes: nobody writes a row, and the job of the new day finds it.
    owner_connection.execute("ALTER TABLE workshops DISABLE TRIGGER USER")
    owner_connection.execute("UPDATE workshops SET sells_undeclared_until = current_date - 2")
    owner_connection.execute("ALTER TABLE workshops ENABLE TRIGGER USER")
    owner_connection.commit()
    assert listed(db_session, product.id)
    assert selling_ends.refresh_listings() == 1
    db_session.commit()
    assert not listed(db_session, product.id)
    assert db_session.scalar(text("SELECT version FROM catalogue_version")) > before


def test_the_one_who_proposes_does_not_approve(db_session: Session, people: tuple[int, int]) -> None:
    workshop = make_workshop()
    row = declarations.propose(workshop.id, answers(), people[0])
    db_session.commit()
    with pytest.raises(FourEyes):
        declarations.approve(row.id, people[0])
    with pytest.raises(IntegrityError):
        db_session.execute(
            text("UPDATE workshop_declarations SET state='approved', approved_by=proposed_by, approved_at=now()")
        )
    db_session.rollback()
    declarations.reject(row.id, people[1], "Jam kerjanya belum jelas.")
    with pytest.raises(Decided):
        declarations.approve(row.id, people[1])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"is_voluntary": False}, "is_voluntary"),
        ({"hours_per_day": 9}, "hours_per_day"),
        ({"days_per_week": 7}, "days_per_week"),
        ({"texts": {"premium": "x"}}, "premium"),
        ({"texts": {"private_partner": "x" * 301}}, "private_partner"),
        ({"last": today() + datetime.timedelta(days=400)}, "valid_until"),
        ({"first": today() - datetime.timedelta(days=40), "last": today() - datetime.timedelta(days=1)}, "valid_until"),
        ({"first": today() + datetime.timedelta(days=420)}, "valid_from"),
    ],
)
def test_a_declaration_that_says_too_little_is_refused(
    people: tuple[int, int], changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        declarations.propose(make_workshop().id, answers(**changes), people[0])
    assert set(refusal.value.errors) == {field}


def test_one_waits_and_one_is_in_force(db_session: Session, people: tuple[int, int]) -> None:
    workshop = make_workshop()
    first = declared(workshop, people)
    with pytest.raises(Invalid):
        declarations.propose(workshop.id, answers(), people[0])
    second = first.valid_until + datetime.timedelta(days=1)
    assert declarations.next_first_day(workshop.id) == second
    db_session.execute(text("UPDATE workshops SET sells_undeclared_until = NULL"))
    ends = text("SELECT selling_ends_on(:id, :day)")
    assert db_session.scalar(ends, {"id": workshop.id, "day": today()}) == first.valid_until
    assert db_session.scalar(ends, {"id": workshop.id, "day": second}) is None
    follows = declared(workshop, people, second, second + datetime.timedelta(days=9))
    assert db_session.scalar(ends, {"id": workshop.id, "day": today()}) == follows.valid_until


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE workshop_declarations SET hours_per_day = 8",
        "UPDATE workshop_declarations SET valid_until = valid_until + 1",
        "UPDATE workshop_declarations SET state = 'proposed', approved_by = NULL, approved_at = NULL",
        "DELETE FROM workshop_declarations",
        """INSERT INTO workshop_declarations (workshop_id, valid_from, valid_until, is_voluntary, hours_per_day,
               days_per_week, safety_gear, accident_cover, premium, complaints, proposed_by, state,
               approved_by, approved_at)
           SELECT workshop_id, valid_until + 1, valid_until + 2, true, 7, 5, safety_gear, accident_cover, premium,
               complaints, proposed_by, 'approved', approved_by, now() FROM workshop_declarations""",
    ],
)
def test_what_was_declared_stays(db_session: Session, people: tuple[int, int], statement: str) -> None:
    declared(make_workshop(), people)
    db_session.commit()
    with pytest.raises(DBAPIError):
        db_session.execute(text(statement))
    db_session.rollback()


def test_of_two_who_propose_at_once_one_waits(db_session: Session, people: tuple[int, int], app: Flask) -> None:
    workshop_id = make_workshop().id
    db_session.commit()

    def propose() -> int:
        with app.app_context():
            row = declarations.propose(workshop_id, answers(), people[0])
            from storefront.extensions import db

            db.session.commit()
            return row.id

    found = at_once([propose] * 4)
    assert sum(isinstance(answer, int) for answer in found) == 1, found


def test_a_facility_is_reminded_once_a_month_before(
    db_session: Session, people: tuple[int, int], run_jobs: Callable[[], None]
) -> None:
    workshop = make_workshop(sells_undeclared_until=None, name="Batik")
    make_member("coordinator", facility=workshop.facility, email="tulis@example.test")
    row = declared(workshop, people, today(), today() + datetime.timedelta(days=31))
    assert selling_ends.queue_reminders() == 0
    declarations.end(row.id, people[1], "Diganti dengan yang lain.")
    last = today() + datetime.timedelta(days=30)
    declared(workshop, people, today(), last)
    assert selling_ends.queue_reminders() == 1
    assert selling_ends.queue_reminders() == 0
    db_session.commit()
    run_jobs()
    [written] = mail_folder().glob(f"declaration.{workshop.id}.{last}.*.eml")
    assert "tulis@example.test" in written.read_text(encoding="utf-8")
    assert db_session.scalar(text("SELECT count(*) FROM declaration_reminders WHERE sent_at IS NULL")) == 0
