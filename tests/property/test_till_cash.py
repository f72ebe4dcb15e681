"""For any sequence of sales, voids, closings, late sales and settlements: the till is what the books say."""

from __future__ import annotations

import datetime
import itertools

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.books import bank_accounts
from storefront.counter import close, sell, settle, tills, voids
from storefront.counter.models import SUMS, CounterSale, Till, TillSession
from storefront.counter.wish import SaleWish, WishedLine
from storefront.days import today
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.orders.models import OrderLine
from storefront.payments.said import CASH
from storefront.people.models import Person
from storefront.stock import adjust
from storefront.stock.levels import stand_location_id
from storefront.stock.models import MovementReason, StockLevel
from tests.fairs import make_fair
from tests.selling import Shop, open_shop
from tests.staff import make_account
from tests.stand import broken

KEYS = itertools.count(1)
STEPS = st.one_of(
    st.tuples(st.just("sell"), st.integers(1, 3)),
    st.tuples(st.just("late"), st.integers(1, 2)),
    st.tuples(st.just("void"), st.integers(0, 9)),
    st.tuples(st.just("close"), st.integers(-9_000, 9_000)),
    st.tuples(st.just("settle"), st.integers(0, 9_000)),
)


@pytest.fixture
def people(app: Flask, db_session: Session) -> tuple[Shop, Person, Person]:
    shop, first, second = open_shop(), make_account("finance"), make_account("finance")
    account = bank_accounts.propose(
        None, bank="BRI", number="1234567890", holder="Kantor", permission_letter="S-1",
        valid_from=today() - datetime.timedelta(days=9), person_id=first.id,
    )  # fmt: skip
    bank_accounts.approve(account.id, second.id)
    db.session.commit()
    return shop, first, second


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=9))
def test_the_till_is_what_the_books_say(people: tuple[Shop, Person, Person], steps: list[tuple[str, int]]) -> None:
    shop, first, second = people
    fair = make_fair(shop.pekalongan)
    stand = stand_location_id(fair.id)
    adjust.move(shop.batik.id, stand, 20, MovementReason.MADE)
    db.session.commit()
    sold, cash, pieces = [], 0, 20
    for kind, number in steps:
        key = f"k{next(KEYS):0>16}"
        try:
            if kind in ("sell", "late"):
                last = db.session.scalars(
                    select(TillSession.opened_at).where(TillSession.exhibition_id == fair.id).order_by(TillSession.id)
                ).first()
                phone = last if kind == "late" else None
                wish = SaleWish((WishedLine("PKL-BATIK", number, None),), CASH, 900_000, None, phone)
                done = sell.sell(fair, wish, key, first.id)
                if isinstance(done, sell.Sold):  # else it waits for a person, and nothing has moved
                    sold.append(done.sale.order_id)
                    cash, pieces = cash + 100_000 * number, pieces - number
            elif kind == "void" and sold:
                sale = db.session.get_one(CounterSale, sold[number % len(sold)])
                line = db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == sale.order_id)).one()
                voids.give_back(
                    fair, sale, {line: 1}, reason="returned", note="Salah pilih", restock=True,
                    asked_by=first.id, agreed_by=second.id, key=key,
                )  # fmt: skip
                cash, pieces = cash - 100_000, pieces + 1
            elif kind == "close":
                _close_or_open(fair, first.id, number)
            elif kind == "settle":
                cash += _settle(fair.id, first.id, key, number)
            db.session.commit()
        except DomainError:
            db.session.rollback()
    assert (ledger_cash(fair.slug), db.session.get_one(StockLevel, (shop.batik.id, stand)).on_hand) == (cash, pieces)
    left = select(db.func.coalesce(db.func.sum(SUMS.c.left_in_till), 0)).where(
        SUMS.c.session_id.in_(select(TillSession.id).where(TillSession.exhibition_id == fair.id))
    )
    assert db.session.scalar(left) == cash
    assert broken() == []


def _close_or_open(fair: object, person_id: int, off: int) -> None:
    session = db.session.scalars(
        select(TillSession).where(TillSession.exhibition_id == fair.id, TillSession.closed_at.is_(None))  # type: ignore[attr-defined]
    ).first()
    if session is None:
        tills.open_till(fair, "Kas", 50_000, person_id)  # type: ignore[arg-type]
        return
    till = db.session.get_one(Till, session.till_id)
    counted = max(0, close.expected_now(session) + off)
    close.close_till(till, person_id, counted=counted, explanation="Dihitung dua kali")


def _settle(fair_id: int, person_id: int, key: str, short: int) -> int:
    """What the till's cash changed by."""
    session_id = db.session.scalars(
        select(TillSession.id)
        .join(SUMS, SUMS.c.session_id == TillSession.id)
        .where(TillSession.exhibition_id == fair_id, TillSession.closed_at.is_not(None), SUMS.c.left_in_till > 0)
    ).first()
    if session_id is None:
        return 0
    left = settle.row_of(session_id).left_in_till
    banked = max(0, left - short)
    settle.settle(
        session_id, banked=banked, difference=banked - left, on=today(), note="Selisih kas", key=key,
        person_id=person_id,
    )  # fmt: skip
    return -left


def ledger_cash(slug: str) -> int:
    return db.session.execute(
        text(
            "SELECT COALESCE(sum(p.amount), 0)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id"
            " WHERE a.code LIKE :like"
        ),
        {"like": f"cash:{slug.replace('-', '_')}:%"},
    ).scalar_one()
