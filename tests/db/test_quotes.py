"""A quote becomes an order that is paid in parts: what waits, what is sold, what goes back."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid, OrderClosed
from storefront.extensions import db
from storefront.orders.cancel import cancel
from storefront.orders.expire import expire_unpaid
from storefront.orders.instalments import parts_of, schedule
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.refund import record_refund
from storefront.orders.views import order_status, order_view
from storefront.payments.gateway import EventKind, ProviderEvent
from storefront.payments.models import Payment, Refund
from storefront.quotes import write
from storefront.quotes.accept import QuoteEnded, accept, decline, expire_quotes
from storefront.quotes.models import Quote, QuotePaper, QuoteStep
from storefront.quotes.papers import issue
from storefront.quotes.write import NotDraft
from tests.clones import Clone
from tests.money_out import broken
from tests.quotes import SARI, Shop, ask, open_shop, sent
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
TOTAL = 20 * 90_001 + 3 * 1_250_000 + 250_000


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def postings(session: Session) -> dict[str, int]:
    rows = session.execute(text("SELECT account_code, sum(amount)::bigint FROM reporting.ledger_postings GROUP BY 1"))
    return {code: amount for code, amount in rows if amount}


def accepted(shop: Shop, **values: object) -> Order:
    order = accept(sent(shop, **values).id, SARI)
    db.session.commit()
    return order


def pay(order: Order, times: int = 1) -> Payment:
    """Pay what is due, its news told so many times."""
    payment_id = open_payment(order).id
    db.session.commit()
    payment = start_payment(payment_id)
    for _ in range(times):
        record_payment(payment.id, reference=payment.id, amount=payment.amount)
        db.session.commit()
    return db.session.get_one(Payment, payment_id)


def give_back_all(order: Order) -> None:
    """The provider has sent every refund that was asked for."""
    for refund in db.session.scalars(select(Refund).where(Refund.order_id == order.id, Refund.state == "requested")):
        record_refund(
            ProviderEvent(
                kind=EventKind.REFUND_SUCCEEDED, payment_id=refund.payment_id, reference=refund.payment_id,
                amount=refund.amount, refund_reference=f"re_{refund.id}", refund_key=f"refund:{refund.id}",
            )
        )  # fmt: skip
    db.session.commit()


def test_a_quote_is_paid_in_two_parts_and_sold_with_the_last(shop: Shop, db_session: Session) -> None:
    order = accepted(shop, deposit_bp=3_000)
    first, rest = (part.amount for part in schedule(order.id))
    assert (first, first + rest, order.channel) == ((TOTAL * 3 + 5) // 10, TOTAL, "quote")
    assert [line.unit_price for line in order.lines] == [90_001, 1_250_000]
    assert db_session.execute(text("SELECT on_hand, reserved FROM stock_levels")).all() == [(5, 0)]

    pay(order, times=2)
    assert order_status(order.id) == ("awaiting_payment", first, 0)
    assert postings(db_session) == {"clearing:sandbox": first, "customer_deposits": -first}
    assert db_session.scalar(text("SELECT count(*) FROM reporting.sales")) == 0
    assert order_view(order, locale="id").due == rest

    last = pay(order, times=2)
    assert order_status(order.id) == ("paid", TOTAL, 0)
    books = postings(db_session)
    assert books.pop("clearing:sandbox") == TOTAL
    assert "customer_deposits" not in books
    assert sum(books.values()) == -TOTAL
    sale = db_session.execute(text("SELECT source FROM journal_entries WHERE kind = 'sale'")).scalars().all()
    assert sale == [f"payment:{last.id}:captured"]
    sold = db_session.execute(text("SELECT channel, sum(net_amount) FROM reporting.sales GROUP BY 1")).all()
    assert sold == [("quote", TOTAL - 250_000)]
    assert broken() == {}


@given(total=some.integers(1, 10**12), share=some.integers(1, 10_000))
def test_parts_are_whole_rupiah_and_add_up(total: int, share: int) -> None:
    parts = parts_of(total, share)
    assert sum(parts) == total
    assert all(part > 0 for part in parts)
    assert len(parts) == (1 if share == 10_000 or total == 1 else 2)
    if len(parts) == 2 and 1 < parts[0] < total - 1:
        assert abs(parts[0] * 10_000 - total * share) <= 5_000


@pytest.mark.parametrize("seed", range(3))
def test_any_share_and_any_news_end_balanced(shop: Shop, db_session: Session, seed: int) -> None:
    """Events twice, pages paid twice, calling off in between: nothing is left over, and nothing twice."""
    dice = random.Random(seed)
    for number in range(5):
        shop = Shop(**vars(shop) | {"enquiry": ask(shop.facility, f"a-form-key-of-seed-{seed}-{number}-00")})
        order = accepted(shop, deposit_bp=dice.choice([1, 2_500, 3_333, 5_000, 9_999, 10_000]))
        pages: list[str] = []
        for _ in range(dice.randint(2, 7)):
            step = dice.choice(["open", "open", "news", "news", "cancel" if dice.random() < 0.3 else "news"])
            if step == "open":
                try:
                    pages.append(open_payment(order).id)
                    db.session.commit()
                    start_payment(pages[-1])
                except OrderClosed:
                    db.session.rollback()
            elif step == "news" and pages:
                payment = db.session.get_one(Payment, dice.choice(pages))
                record_payment(payment.id, reference=payment.id, amount=payment.amount)
            elif step == "cancel":
                try:
                    cancel(order)
                except OrderClosed:
                    db.session.rollback()
            db.session.commit()
        give_back_all(order)
        status, paid, _refunded = order_status(order.id)
        assert status in ("paid", "cancelled", "awaiting_payment")
        waits = postings(db_session).get("customers:to_return", 0)
        assert waits == 0
        assert paid == TOTAL if status == "paid" else paid < TOTAL
    # The sandbox's own books are not asked here: their news is what the dice say.
    assert set(broken()) <= {"sandbox_agrees"}


def test_accepted_twice_at_once_it_is_one_order(wide_app: Flask, shop: Shop) -> None:
    quote_id = sent(shop).id

    def act() -> str:
        with wide_app.app_context():
            number = accept(quote_id, SARI).number
            db.session.commit()
            return number

    numbers = at_once([act, act, act])
    db.session.rollback()
    assert len(set(numbers)) == 1
    assert db.session.scalar(select(func.count(Order.id))) == 1
    assert accept(quote_id, SARI).number == numbers[0]


def test_accepted_declined_and_revised_at_once_one_of_them_holds(wide_app: Flask, shop: Shop) -> None:
    quote = sent(shop)
    draft = write.begin(shop.enquiry, shop.coordinator.id)
    db.session.commit()
    quote_id, draft_id, who = quote.id, draft.id, shop.coordinator.id

    def does(act: Callable[[], object]) -> Callable[[], str]:
        def call() -> str:
            with wide_app.app_context():
                act()
                db.session.commit()
                return "done"

        return call

    answers = at_once(
        [
            does(lambda: accept(quote_id, SARI)), does(lambda: decline(quote_id)), does(lambda: accept(quote_id, SARI)),
            does(lambda: write.send(db.session.get_one(Quote, draft_id), who)),
        ]
    )  # fmt: skip
    db.session.rollback()
    states = [found.state for found in db.session.scalars(select(Quote).order_by(Quote.id))]
    orders = db.session.scalar(select(func.count(Order.id)))
    assert (*states, orders) in {("accepted", "draft", 1), ("declined", "sent", 0), ("revised", "sent", 0)}
    refused = [answer for answer in answers if answer != "done"]
    assert all(isinstance(answer, QuoteEnded | NotDraft) for answer in refused), answers
    assert refused


def test_called_off_before_the_last_part_the_first_goes_back(shop: Shop, db_session: Session) -> None:
    order = accepted(shop)
    first = pay(order)
    cancel(order)
    assert postings(db_session) == {"clearing:sandbox": first.amount, "customers:to_return": -first.amount}
    give_back_all(order)
    assert order_status(order.id) == ("cancelled", first.amount, first.amount)
    assert postings(db_session) == {}
    assert set(broken()) <= {"sandbox_agrees"}


def test_an_order_lives_until_its_days_and_not_for_an_hour(shop: Shop, db_session: Session) -> None:
    order = accepted(shop, first_days=7, rest_days=30)
    first, rest = schedule(order.id)
    assert order.expires_at == first.due_at
    assert expire_unpaid() == 0
    pay(order)
    assert db_session.get_one(Order, order.id, populate_existing=True).expires_at == rest.due_at
    db_session.execute(update(Order).values(expires_at=func.now() - datetime.timedelta(minutes=1)))
    db_session.commit()
    assert expire_unpaid() == 1
    refund = db_session.execute(select(Refund.reason, Refund.amount)).one()
    assert refund == ("order_ended", first.amount)


def test_money_after_the_end_goes_back(shop: Shop, db_session: Session) -> None:
    order = accepted(shop)
    pay(order)
    late = open_payment(order).id
    db_session.commit()
    start_payment(late)
    cancel(order)
    amount = db_session.get_one(Payment, late).amount
    assert record_payment(late, reference=late, amount=amount) == "paid_too_late"
    db_session.commit()
    give_back_all(order)
    assert postings(db_session) == {}
    assert set(broken()) <= {"sandbox_agrees"}


def test_a_revised_quote_keeps_the_former_and_its_number(shop: Shop, db_session: Session) -> None:
    first = sent(shop)
    second = sent(shop, lines=shop.lines(30))
    assert [(q.state, q.number) for q in (first, second)] == [
        ("revised", f"TGG-{today().year}-1"),
        ("sent", f"TGG-{today().year}-2"),
    ]
    assert (second.former_id, [line.quantity for line in first.lines]) == (first.id, [20, 3])
    steps = db_session.scalars(select(QuoteStep.state).where(QuoteStep.quote_id == first.id))
    assert sorted(steps) == ["draft", "revised", "sent"]
    with pytest.raises(QuoteEnded):
        accept(first.id, SARI)
    with pytest.raises(NotDraft):
        write.save(first, None, shop.coordinator.id)  # type: ignore[arg-type]
    with pytest.raises(DBAPIError, match="its lines stay"):
        db_session.execute(text("UPDATE quote_lines SET unit_price = 1"))
    db_session.rollback()


def test_a_quote_ends_by_no_and_by_its_day(shop: Shop, db_session: Session, database: Clone) -> None:
    quote = sent(shop)
    decline(quote.id)
    db_session.commit()
    with pytest.raises(QuoteEnded):
        accept(quote.id, SARI)
    other = sent(shop)
    with psycopg.connect(database.addresses[SUPERUSER]) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE quotes SET valid_until = current_date - 2 WHERE id = %s", [other.id])
        owner.commit()
    db_session.rollback()
    with pytest.raises(QuoteEnded):
        accept(other.id, SARI)
    assert expire_quotes() == 1
    db_session.commit()
    assert [q.state for q in db_session.scalars(select(Quote).order_by(Quote.id))] == ["declined", "expired"]


def test_numbers_have_no_gap_whoever_asks_at_once(wide_app: Flask, db_session: Session) -> None:
    shop = open_shop()
    asked = [ask(shop.facility, f"a-form-key-of-number-{n}-0000000") for n in range(4)]
    shops = [Shop(**vars(shop) | {"enquiry": enquiry}) for enquiry in asked]
    db_session.commit()
    drafts = [write.begin(one.enquiry, one.coordinator.id) for one in shops]
    for one, quote in zip(shops, drafts, strict=True):
        write.save(quote, write.Draft(one.lines(), today(), quote.method_id), one.coordinator.id)
    db_session.commit()
    ids, coordinator = [quote.id for quote in drafts], shop.coordinator.id

    def sends(quote_id: int) -> Callable[[], None]:
        def act() -> None:
            with wide_app.app_context():
                write.send(db.session.get_one(Quote, quote_id), coordinator)
                db.session.commit()

        return act

    assert at_once([sends(quote_id) for quote_id in ids]) == [None] * 4
    db.session.rollback()
    numbers = db_session.scalars(select(QuotePaper.number).order_by(QuotePaper.number)).all()
    assert numbers == [1, 2, 3, 4]


def test_papers_issued_at_once_have_numbers_without_a_gap(wide_app: Flask, db_session: Session) -> None:
    shop = open_shop()
    quotes = []
    for number in range(3):
        own = Shop(**vars(shop) | {"enquiry": ask(shop.facility, f"a-form-key-of-paper-{number}-0000000")})
        order = accept((quote := sent(own)).id, SARI)
        db.session.commit()
        pay(order)
        quotes.append(quote.id)
    person = shop.coordinator.id
    db_session.commit()

    def issues(quote_id: int) -> Callable[[], str]:
        def act() -> str:
            with wide_app.app_context():
                found = issue(quote_id, "receipt-1", person).number
                db.session.commit()
                return found

        return act

    # Each of three receipts is asked for by two people at the same moment.
    answers = at_once([issues(quote_id) for quote_id in quotes for _twice in range(2)])
    db.session.rollback()
    year = today().year
    assert sorted(set(answers)) == [f"00{number}/KW/TGG/{year}" for number in (1, 2, 3)]
    assert all(answers[2 * place] == answers[2 * place + 1] for place in range(3))
    kept = db_session.scalars(select(QuotePaper.number).where(QuotePaper.kind == "receipt")).all()
    assert sorted(kept) == [1, 2, 3]


def test_bad_lines_say_where(shop: Shop) -> None:
    quote = write.begin(shop.enquiry, shop.coordinator.id)
    lines = [
        write.LineDraft(0, 0, sku="NO-SUCH"),
        write.LineDraft(1, 1, title="Hubungi 0812 3456 7890", workshop_id=999),
    ]
    with pytest.raises(Invalid) as refused:
        write.save(quote, write.Draft(lines, today() - datetime.timedelta(days=1), 0), shop.coordinator.id)
    named = set(refused.value.extra["errors"])
    assert named >= {"line-1-quantity", "line-1-price", "line-1-sku", "line-2-title", "line-2-workshop", "valid_until"}
