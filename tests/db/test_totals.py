"""Public figures are the ledger's, to the rupiah."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.ledger.totals import Totals, TotalsCache, read_totals, total_of
from storefront.orders.payment import open_payment
from tests.factories import make_facility, make_order, make_product, make_rule, make_variant, make_workshop
from tests.selling import pay

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


def test_figures_follow_the_ledger_and_keep_their_stamp_until_then(db_session: Session) -> None:
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
