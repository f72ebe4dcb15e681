"""Public figures are the ledger's, to the rupiah."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.books import budget, corrections, settle_paid
from storefront.books.disputes import record_dispute
from storefront.books.fees import book_fee
from storefront.books.models import FeeBearer
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import earnings
from storefront.ledger import totals as totals_module
from storefront.ledger.balance import balance
from storefront.ledger.totals import Totals, TotalsCache, read_totals, total_of
from storefront.orders.payment import open_payment
from storefront.payments.models import Payment
from storefront.reports.ageing import ageing
from storefront.snapshot import driver_connection
from tests.factories import (
    make_facility,
    make_order,
    make_paid_order,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
)
from tests.later_books import lived_books
from tests.money_out import Books, give_back, open_books, paid_deposit, settled
from tests.selling import open_shop, pay
from tests.staff import make_account, sign_in

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def sold(db_session: Session) -> Totals:
    """Two facilities' goods, one order paid and one not."""
    make_rule()
    java, maluku = make_facility("PKL"), make_facility("NML", province="Maluku")
    make_rule({"premium": 3333, "working_capital": 3333, "state_revenue": 3334}, basis="profit", facility=maluku,
              valid_from=datetime.date(2023, 1, 1))  # fmt: skip
    batik = make_variant(make_product(make_workshop(java)), stock=9, price=100_001)
    honey = make_variant(make_product(make_workshop(maluku)), stock=9, price=60_000, material_cost=20_000)
    order = make_order((batik, 3), (honey, 2))
    make_order((batik, 1))
    payment = open_payment(order)
    db_session.commit()
    pay(payment.id)
    return read_totals()


def reported(session: Session, where: str = "true") -> dict[str, int]:
    query = f"""SELECT sh.fund, sum(sh.amount)::bigint FROM reporting.sale_shares sh
                  JOIN reporting.sales s USING (line_id) WHERE {where} GROUP BY 1"""
    return {fund: amount for fund, amount in session.execute(text(query)) if amount}


def by_fund(parts: list[object]) -> dict[str, int]:
    return {part.code: part.amount for part in parts}  # type: ignore[attr-defined]


def test_the_years_sums_are_those_of_the_reports(sold: Totals, db_session: Session) -> None:
    parts = sold.of_year(today().year)
    assert by_fund(parts) == reported(db_session)  # type: ignore[arg-type]
    assert total_of(parts) == 3 * 100_001 + 2 * 60_000
    assert sum(part.basis_points or 0 for part in parts) == 10_000


def test_months_provinces_and_facilities_add_up_to_the_year(sold: Totals, db_session: Session) -> None:
    year = today().year
    whole = by_fund(sold.of_year(year))  # type: ignore[arg-type]
    assert by_fund(sold.of_month(today().replace(day=1))) == whole  # type: ignore[arg-type]
    provinces = {name: by_fund(parts) for name, _, parts in sold.by_province(year)}  # type: ignore[arg-type]
    assert provinces == {
        "Jawa Tengah": reported(db_session, "facility_code = 'PKL'"),
        "Maluku": reported(db_session, "facility_code = 'NML'"),
    }
    facility_id = next(key[1] for key in sold.by_facility if sold.provinces[key[1]] == "Maluku")
    assert by_fund(sold.of_facility(facility_id)) == provinces["Maluku"]  # type: ignore[arg-type]
    assert sold.first_days[facility_id] == today()


def test_only_paid_orders_are_counted(sold: Totals) -> None:
    assert sold.counts == {today().year: (1, 5)}


def test_a_shop_without_sales_has_no_figures() -> None:
    totals = read_totals()
    assert totals.years() == []
    assert totals.of_year(2026) == []
    assert totals.by_province(2026) == []


def test_figures_follow_the_ledger_and_keep_their_stamp_until_then(
    db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals_module, "CHEAP_SECONDS", 60.0)  # on a busy machine too
    cache = TotalsCache()
    first = cache.get(None)
    assert cache.get(None) is first
    assert cache.get(1).stamp == first.stamp  # the journal grew, the sums did not
    make_rule()
    order = make_order((make_variant(stock=2), 1))
    payment = open_payment(order)
    db_session.commit()
    pay(payment.id)
    assert cache.get(2).stamp != first.stamp


def earned() -> dict[str, int]:
    """What became owed to each fund of Pekalongan: the public figure, and the facility's own by months."""
    totals = read_totals()
    facility_id = db.session.scalars(select(Facility.id).where(Facility.code == "PKL")).one()
    found = by_fund(totals.of_facility(facility_id))  # type: ignore[arg-type]
    own: dict[str, int] = {}
    for month in earnings.months(facility_id, today()):
        for part in month.parts:
            own[part.code] = own.get(part.code, 0) + part.amount
    assert {fund: amount for fund, amount in own.items() if amount} == found
    return found


SOLD = {"premium": 100_000, "working_capital": 70_000, "state_revenue": 30_000}


@pytest.fixture
def books(db_session: Session) -> Books:
    books = open_books()
    assert earned() == SOLD
    return books


def payment_id() -> str:
    return db.session.scalars(select(Payment.id).where(Payment.counts)).one()


def test_a_lost_dispute_lowers_what_became_owed(books: Books) -> None:
    """Of 280,000 (200,000 of Pekalongan, 60,000 of Namlea, 20,000 shipping) all goes back."""
    record_dispute(payment_id(), "dp_1", 280_000, "opened")
    assert earned() == SOLD
    record_dispute(payment_id(), "dp_1", 280_000, "lost")
    assert earned() == {}


def test_a_won_dispute_changes_nothing(books: Books) -> None:
    record_dispute(payment_id(), "dp_1", 280_000, "won")
    assert earned() == SOLD


def test_paying_it_out_changes_nothing_and_taking_it_back_after_that_does(books: Books) -> None:
    settled(books, "premium", 100_000, "TRX-1")
    paid_deposit(books, "A1B2C3D4E5F60718")
    assert earned() == SOLD
    record_dispute(payment_id(), "dp_1", 140_000, "lost")
    half = {fund: amount // 2 for fund, amount in SOLD.items()}
    assert earned() == half
    # What was paid too much comes off the next settlement; that is no further loss.
    assert balance("receivable:PKL:premium") == 50_000
    give_back(books, "premium", 10_000, "refund:1:succeeded")
    assert earned() == {**half, "premium": 40_000}


def test_a_payment_undone_leaves_what_became_owed(books: Books) -> None:
    wrong = settled(books, "premium", 30_000, "TRX-1")
    settle_paid.reverse(wrong.id, on=today(), reason="Bank mengembalikan uangnya", person_id=books.second)
    assert earned() == SOLD


def test_budget_that_returns_is_not_earned_twice(books: Books) -> None:
    paid_deposit(books, "A1B2C3D4E5F60718")
    returned = budget.propose(
        books.pekalongan, books.funds["premium"], amount=10_000, reference="SP2D-1", returned_on=today(),
        person_id=books.first,
    )  # fmt: skip
    budget.approve(returned.id, books.second)
    assert earned() == SOLD


def test_a_fee_lowers_what_the_fund_that_bears_it_became_owed(books: Books) -> None:
    db.session.add(
        FeeBearer(
            valid_from=datetime.date(2020, 1, 1), fund_id=books.funds["premium"], proposed_by=books.first,
            approved_by=books.second, approved_at=datetime.datetime.now(datetime.UTC),
        )
    )  # fmt: skip
    db.session.flush()
    book_fee(payment_id(), 2_600)
    assert earned() == {**SOLD, "premium": 100_000 - 2_000}


def test_a_correction_counts(books: Books) -> None:
    legs = [("owed:PKL:premium", 7_000), ("owed:PKL:working_capital", -7_000)]
    found = corrections.propose(
        reason="Bagian tertukar, lihat berita acara 3", effective_date=today(), legs=legs, person_id=books.first
    )
    corrections.approve(found.id, books.second)
    assert earned() == {**SOLD, "premium": 93_000, "working_capital": 77_000}


def test_what_became_owed_is_what_was_sold_less_what_was_taken_back(db_session: Session) -> None:
    """On a shop that has lived: shares less those that refunds and lost disputes took; fees are the operator's."""
    lived_books()
    expected = dict(
        db_session.execute(
            text(
                """SELECT f.code, sum(x.amount)::bigint FROM (
                     SELECT s.fund_id, s.amount FROM order_line_shares s JOIN order_lines l ON l.id = s.order_line_id
                       JOIN orders o ON o.id = l.order_id AND o.state = 'paid'
                     UNION ALL SELECT fund_id, -amount FROM refund_shares
                     UNION ALL SELECT fund_id, -amount FROM dispute_shares) x
                     JOIN funds f ON f.id = x.fund_id GROUP BY 1"""
            )
        ).all()
    )
    totals = read_totals()
    found: dict[str, int] = {}
    for year in totals.years():
        for part in totals.of_year(year):
            found[part.code] = found.get(part.code, 0) + part.amount
    assert found == expected


def test_pages_show_a_month_that_lost_more_than_it_earned(
    db_session: Session, app: Flask, client: FlaskClient
) -> None:
    shop = open_shop()
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=40)
    make_paid_order((shop.batik, 1), paid_at=before, placed_at=before, shipping=0)
    record_dispute(payment_id(), "dp_1", 100_000, "lost")
    head = make_account("head", facilities=(shop.pekalongan,))
    db_session.commit()
    sign_in(app_client := app.test_client(), head)
    for browser, address in [
        (client, "/"), (client, "/impact"), (client, f"/facilities/{shop.pekalongan.slug}"),
        (app_client, "/seller/PKL/"), (app_client, "/seller/PKL/sales"),
    ]:  # fmt: skip
        assert browser.get(address).status_code == 200, address


def test_premium_owed_and_paid_are_the_ledgers_and_leave_what_is_open(db_session: Session) -> None:
    """On a shop that has lived, with budget that came back, a settlement undone and a lost dispute."""
    lived_books()
    found = read_totals()
    codes = dict(db_session.execute(select(Facility.id, Facility.code)).all())
    balances = dict(
        db_session.execute(
            text("SELECT facility_code, owed FROM reporting.fund_balances WHERE fund = 'premium'")
        ).all()
    )
    aged = {
        one.facility_id: one.amounts[3]
        for one in ageing(driver_connection(db_session.connection()), list(codes), today())
        if one.fund == "premium"
    }
    paid = db_session.scalar(
        text("SELECT sum(amount)::bigint FROM reporting.settlements WHERE fund = 'premium'")
    )
    assert found.premium_of().paid == paid == 30_000
    for facility_id, premium in found.premium.items():
        assert premium.open == balances[codes[facility_id]]
        assert premium.old == aged.get(facility_id, 0)
    assert found.premium_of().owed == sum(balances.values()) + paid


def test_what_is_owed_for_more_than_sixty_days_is_named(db_session: Session) -> None:
    shop = open_shop()
    for days_ago in (61, 60):
        before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago)
        make_paid_order((shop.batik, 1), paid_at=before, placed_at=before, shipping=0)
    premium = read_totals().premium_of()
    assert (premium.owed, premium.open, premium.old) == (100_000, 100_000, 50_000)


def test_the_steps_from_sold_to_owed_add_up_and_name_lost_disputes(db_session: Session) -> None:
    lived_books()
    found = read_totals()
    for year in found.years():
        steps = dict(found.steps(year))
        assert sum(steps.values()) == total_of(found.of_year(year))
        sold = db_session.scalar(
            text(
                "SELECT sum(net_amount)::bigint FROM reporting.sales"
                " WHERE extract(year FROM accounting_date(paid_at)) = :year"
            ),
            {"year": year},
        )
        assert steps["sale"] == sold
    assert any(kind == "dispute" and amount < 0 for (_, kind), amount in found.by_kind.items())
