"""What a provider tells after its month was closed counts when it is told, and changes no closed month."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.books.disputes import record_dispute
from storefront.books.fees import book_fee
from storefront.books.models import Period
from storefront.books.span import month as whole_month
from storefront.books.taken_back_models import Dispute
from storefront.days import ACCOUNTING_ZONE, accounting_day
from storefront.exports import sales
from storefront.exports.formats import Format
from storefront.exports.moment import settle
from storefront.extensions import db
from storefront.ledger.book import Leg, book, clearing, to_return
from storefront.ledger.closed import counting
from storefront.ledger.models import JournalEntry
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive
from storefront.payments.models import Payment, PaymentEvent, Refund
from storefront.payments.sandbox import SandboxGateway
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refunds import propose
from storefront.reports.statement import statement
from storefront.snapshot import driver_connection
from tests.factories import make_order, make_paid_order, make_person
from tests.money_out import broken
from tests.replay import replayed
from tests.selling import Shop, open_shop

LAST = whole_month(days.today()).before
assert LAST is not None


def at(day: int, hour: int = 12) -> datetime.datetime:
    """A moment of last month."""
    assert LAST is not None
    return datetime.datetime(LAST.first.year, LAST.first.month, day, hour, tzinfo=ACCOUNTING_ZONE)


THEN = at(27)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    """One order was paid last month."""
    return sold_last_month()


@replayed
def sold_last_month() -> Shop:
    shop = open_shop()
    make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=at(20))
    db.session.execute(text("UPDATE payments SET created_at = :at"), {"at": at(20, 8)})
    db.session.commit()
    return shop


def close_last_month() -> None:
    """With the hash that its postings have, as `closing.close` does it."""
    assert LAST is not None
    digest = db.session.execute(select(func.period_hash(LAST.first, None))).scalar_one()
    entries = db.session.execute(
        text("SELECT count(*) FROM journal_entries WHERE effective_date <= :last"), {"last": LAST.last}
    ).scalar_one()
    person = make_person().id
    db.session.add(Period(month=LAST.first, state="closed", closed_by=person, hash=digest, entries=entries))
    db.session.commit()


def waiting_payment(shop: Shop) -> Payment:
    """An order of last month whose money the provider has not told of."""
    payment = open_payment(make_order((shop.tempeh, 1), placed_at=at(26)))
    payment.created_at = at(26)
    db.session.commit()
    return payment


def paid_payment() -> Payment:
    """The payment of the order that was paid last month."""
    return db.session.scalars(select(Payment).where(Payment.counts)).one()


def tell(kind: str, payment: Payment, created: object, fee: int = 0, **more: Any) -> None:
    """A signed event of the sandbox about a payment, taken into the inbox; `created` as its body says it."""
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    body = {"id": f"evt_{kind}_{payment.id}", "type": kind, "created": created,
            "payment": {"id": payment.id, "amount": payment.amount, "fee": fee}, **more}  # fmt: skip
    raw = json.dumps(body).encode()
    assert receive("sandbox", provider.signed_headers(raw), raw)
    db.session.commit()


def entry(source: str) -> JournalEntry:
    db.session.expire_all()
    return db.session.scalars(select(JournalEntry).where(JournalEntry.source == source)).one()


def assert_late(source: str, on: datetime.date | None = None) -> JournalEntry:
    """The entry counts today and names the day it happened on."""
    found = entry(source)
    assert (found.effective_date, found.happened_on) == (days.today(), on or THEN.date())
    assert accounting_day(found.posted_at) == found.effective_date
    return found


def everything_of_last_month(tmp_path: Path) -> tuple[bytes, str, bytes]:
    """Its sales as a file, the statements of both facilities, and its hash."""
    assert LAST is not None
    db.session.commit()
    chosen = sales.select(db.engine, LAST.first, LAST.last)
    out = tmp_path / "sales.csv"
    sales.write(db.engine, chosen, settle(db.engine), Format.CSV, out, note=None)
    connection = driver_connection(db.session.connection())
    facilities = [id for (id,) in connection.execute("SELECT id FROM facilities ORDER BY id")]
    told = repr([statement(connection, facility, LAST) for facility in facilities])
    content: bytes = db.session.execute(select(func.period_content(LAST.first))).scalar_one()
    return out.read_bytes(), told, content


def test_a_payment_told_after_its_month_was_closed_pays_its_order_today(
    shop: Shop, run_jobs: Callable[[], None], tmp_path: Path
) -> None:
    payment = waiting_payment(shop)
    close_last_month()
    before = everything_of_last_month(tmp_path)
    tell("payment.succeeded", payment, THEN.isoformat(), fee=500)
    run_jobs()
    assert_late(f"payment:{payment.id}:captured")
    order = db.session.get_one(Order, payment.order_id)
    assert order.paid_at is not None
    assert accounting_day(order.paid_at) == days.today()
    assert db.session.get_one(Payment, payment.id).succeeded_at == THEN
    # Facilities have days to pack from when they hear of it.
    ready = db.session.execute(text("SELECT min(ready_by) FROM parcels WHERE order_id = :o"), {"o": order.id})
    assert ready.scalar_one() > days.today()
    # The fee counts with its sale, so it is not late.
    fee = entry(f"payment:{payment.id}:fee")
    assert (fee.effective_date, fee.happened_on) == (days.today(), None)
    assert everything_of_last_month(tmp_path) == before
    db.session.commit()
    assert broken() == {}


def test_the_export_of_today_has_the_late_sale(shop: Shop, tmp_path: Path) -> None:
    payment = waiting_payment(shop)
    close_last_month()
    record_payment(payment.id, reference=payment.id, amount=payment.amount, happened_at=THEN)
    db.session.commit()
    chosen = sales.select(db.engine, days.today(), days.today())
    found = sales.write(db.engine, chosen, settle(db.engine), Format.CSV, tmp_path / "sales.csv", note=None)
    assert (found["row_count"], found["sums"]["net_amount"]) == (1, 15_000)
    late = db.session.execute(
        text("SELECT DISTINCT happened_on, effective_date FROM reporting.ledger_postings WHERE source = :s"),
        {"s": f"payment:{payment.id}:captured"},
    ).all()
    assert late == [(THEN.date(), days.today())]


def test_while_its_month_is_open_it_counts_on_its_own_day(shop: Shop, run_jobs: Callable[[], None]) -> None:
    payment = waiting_payment(shop)
    tell("payment.succeeded", payment, THEN.isoformat())
    run_jobs()
    found = entry(f"payment:{payment.id}:captured")
    assert (found.effective_date, found.happened_on) == (THEN.date(), None)
    # Written today, so that an export of a moment before it stays as it was.
    assert accounting_day(found.posted_at) == days.today()
    assert db.session.get_one(Order, payment.order_id).paid_at == THEN
    db.session.commit()
    assert broken() == {}


@pytest.mark.parametrize(
    "created",
    [
        "2999-01-01T00:00:00+00:00",
        "1970-01-01T00:00:00+00:00",
        "2026-10-27T10:00:00",
        "kemarin",
        1_790_000_000,
        None,
        ["2026"],
    ],
)
def test_a_time_that_cannot_be_is_now(shop: Shop, run_jobs: Callable[[], None], created: object) -> None:
    payment = waiting_payment(shop)
    tell("payment.succeeded", payment, created)
    run_jobs()
    assert entry(f"payment:{payment.id}:captured").effective_date == days.today()
    assert db.session.scalars(select(PaymentEvent.result)).one() == "paid"


def test_money_that_pays_nothing_is_held_and_returned_today(
    shop: Shop, run_jobs: Callable[[], None], tmp_path: Path
) -> None:
    first = waiting_payment(shop)
    second = open_payment(db.session.get_one(Order, first.order_id))
    second.created_at = at(26)
    record_payment(first.id, reference=first.id, amount=first.amount, at=at(26))
    close_last_month()
    before = everything_of_last_month(tmp_path)
    assert (
        record_payment(second.id, reference=second.id, amount=second.amount, happened_at=THEN) == "paid_twice"
    )
    book_fee(second.id, 700)
    db.session.commit()
    assert_late(f"payment:{second.id}:held")
    assert_late(f"payment:{second.id}:fee")
    refund = db.session.scalars(select(Refund)).one()
    db.session.execute(text("DELETE FROM procrastinate_jobs"))
    tell("refund.succeeded", second, at(28).isoformat(), refund={"id": "re_1", "key": f"refund:{refund.id}"})
    run_jobs()
    assert_late(f"refund:{refund.id}:succeeded", at(28).date())
    assert everything_of_last_month(tmp_path) == before
    db.session.commit()
    assert broken() == {}


def test_a_refund_that_went_through_last_month_counts_today(
    shop: Shop, run_jobs: Callable[[], None], tmp_path: Path
) -> None:
    payment = paid_payment()
    line_id = db.session.execute(text("SELECT min(id) FROM order_lines")).scalar_one()
    refund = propose(
        payment.order_id, [LineWish(line_id, 1)], reason="returned", person_id=make_person().id, at=at(26)
    )
    refund_id = refund.id
    close_last_month()
    before = everything_of_last_month(tmp_path)
    db.session.execute(text("DELETE FROM procrastinate_jobs"))
    tell("refund.succeeded", payment, THEN.isoformat(), refund={"id": "re_1", "key": f"refund:{refund_id}"})
    run_jobs()
    assert_late(f"refund:{refund_id}:succeeded")
    reported = db.session.execute(text("SELECT effective_date FROM reporting.refunds")).scalar_one()
    assert reported == days.today()
    assert everything_of_last_month(tmp_path) == before
    db.session.commit()
    assert broken() == {}


def test_a_refund_counts_on_its_own_day_while_that_month_is_open(shop: Shop) -> None:
    payment = paid_payment()
    line_id = db.session.execute(text("SELECT min(id) FROM order_lines")).scalar_one()
    refund = propose(
        payment.order_id, [LineWish(line_id, 1)], reason="returned", person_id=make_person().id, at=at(26)
    )
    refund_succeeded(refund.id, happened_at=THEN)
    found = entry(f"refund:{refund.id}:succeeded")
    assert (found.effective_date, found.happened_on) == (THEN.date(), None)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_told_late_counts_today(
    shop: Shop, run_jobs: Callable[[], None], tmp_path: Path, outcome: str
) -> None:
    payment = paid_payment()
    close_last_month()
    before = everything_of_last_month(tmp_path)
    dispute = {"id": "dp_1", "amount": 50_000}
    tell("dispute.opened", payment, THEN.isoformat(), dispute=dispute)
    run_jobs()
    tell(f"dispute.{outcome}", payment, at(28).isoformat(), dispute=dispute)
    run_jobs()
    found = db.session.scalars(select(Dispute)).one()
    assert_late(f"dispute:{found.id}:opened")
    assert_late(f"dispute:{found.id}:{outcome}", at(28).date())
    assert everything_of_last_month(tmp_path) == before
    db.session.commit()
    assert broken() == {}


def test_a_dispute_counts_on_its_own_day_while_that_month_is_open(shop: Shop) -> None:
    record_dispute(paid_payment().id, "dp_1", 50_000, "lost", happened_at=THEN)
    dispute = db.session.scalars(select(Dispute)).one()
    for what in ("opened", "lost"):
        found = entry(f"dispute:{dispute.id}:{what}")
        assert (found.effective_date, found.happened_on) == (THEN.date(), None)
    db.session.commit()
    assert broken() == {}


def test_a_fee_told_late_counts_today_and_burdens_whom_the_payments_day_names(shop: Shop) -> None:
    payment = paid_payment()
    close_last_month()
    assert book_fee(payment.id, 900) == "booked"
    assert_late(f"payment:{payment.id}:fee", at(20).date())
    db.session.commit()
    assert broken() == {}


def test_the_fallback_is_this_moment_not_the_beginning_of_the_transaction(shop: Shop) -> None:
    """Somebody may close the month between the two."""
    close_last_month()
    began = db.session.execute(select(func.now())).scalar_one()
    counted = counting(THEN)
    assert counted.at > began
    assert counted.posted_at == counted.at
    assert counting(began).happened_on is None


@pytest.mark.parametrize(
    ("kind", "on", "happened_on", "closes", "message"),
    [
        ("sale", "today", "then", False, "is open"),
        ("sale", "yesterday", "then", True, "journal_entries_late|is closed"),
        ("sale", "today", "today", True, "is open|journal_entries_late"),
        ("sale", "then", "then", True, "is closed"),
        *((kind, "today", "then", True, "journal_entries_late")
          for kind in ("payout", "settlement", "deposit", "budget_return", "cash_banked", "correction", "reversal")),
    ],
)  # fmt: skip
def test_the_database_lets_in_nothing_else(
    shop: Shop, kind: str, on: str, happened_on: str, closes: bool, message: str
) -> None:
    if closes:
        close_last_month()
    day = {"today": days.today(), "yesterday": days.today() - datetime.timedelta(days=1), "then": THEN.date()}
    legs = [Leg(clearing("sandbox"), 5), Leg(to_return(), -5)]
    with pytest.raises(DBAPIError, match=message), db.session.begin_nested():
        book("payment:odd:held", kind, day[on], legs, happened_on=day[happened_on])


def test_who_reads_the_order_sees_why(shop: Shop, app: Any) -> None:
    from tests.staff import make_account, sign_in

    payment = waiting_payment(shop)
    close_last_month()
    record_payment(payment.id, reference=payment.id, amount=payment.amount, happened_at=THEN)
    number = db.session.get_one(Order, payment.order_id).number
    finance = make_account("finance")
    db.session.commit()
    client = sign_in(app.test_client(), finance)
    for address in (f"/finance/orders/{number}", f"/finance/statements/PKL/{days.today():%Y-%m}",
                    "/finance/accounts/owed:PKL:premium"):  # fmt: skip
        page = client.get(address)
        assert page.status_code == 200, address
        assert "diketahui setelah bulan itu ditutup" in page.text, address
