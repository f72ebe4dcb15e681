"""What a facility has earned: the pages, the lines and the ledger say the same."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session as DbSession

from storefront.ledger import earnings
from storefront.orders import sold
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, sign_in

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))


def at(*when: int) -> datetime.datetime:
    return datetime.datetime(*when, tzinfo=JAKARTA)


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    """Sales around the turn of a month, counted in Jakarta."""
    shop = open_shop()
    make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=at(2026, 9, 30, 23, 59))
    make_paid_order((shop.batik, 2), paid_at=at(2026, 10, 1, 0, 1))
    make_paid_order((shop.chair, 1), paid_at=at(2026, 10, 31, 23, 59))
    db_session.commit()
    return shop


@pytest.fixture
def head(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))


def test_months_are_the_accounting_zones(shop: Shop) -> None:
    year = earnings.months(shop.pekalongan.id, datetime.date(2026, 10, 15))
    assert len(year) == 12
    assert year[0].month == datetime.date(2025, 11, 1)
    assert [m.total for m in year[-3:]] == [0, 100_000, 685_000]
    assert {part.code: part.amount for part in year[-1].parts} == {
        "premium": 342_500, "working_capital": 239_750, "state_revenue": 102_750,
    }  # fmt: skip


def test_lines_and_ledger_agree_to_the_rupiah(shop: Shop) -> None:
    month = earnings.months(shop.pekalongan.id, datetime.date(2026, 10, 1))[-1]
    page = sold.sold(shop.pekalongan.id, datetime.date(2026, 10, 1), datetime.date(2026, 10, 31))
    assert page.totals.net_amount == month.total == 685_000
    for fund in ("premium", "working_capital", "state_revenue", "other"):
        assert (
            getattr(page.totals, fund) == month.amount(fund) == sum(getattr(row, fund) for row in page.rows)
        )


def test_the_reporting_view_says_the_same(shop: Shop, db_session: DbSession) -> None:
    row = db_session.execute(
        text(
            "SELECT sum(net_amount)::bigint, sum(premium)::bigint FROM reporting.sales WHERE facility_code = 'PKL'"
            " AND accounting_date(paid_at) BETWEEN '2026-10-01' AND '2026-10-31'"
        )
    ).one()
    month = earnings.months(shop.pekalongan.id, datetime.date(2026, 10, 1))[-1]
    assert tuple(row) == (month.total, month.amount("premium"))


def test_another_facilitys_sales_never_show(shop: Shop, head: FlaskClient) -> None:
    page = head.get("/seller/PKL/sales?month=2026-09").text
    assert "Kain batik" in page
    assert "Madu hutan" not in page
    assert "160.000" not in page
    assert earnings.months(shop.ambon.id, datetime.date(2026, 10, 1))[-2].total == 60_000


def test_a_month_is_chosen_by_its_address(head: FlaskClient) -> None:
    page = head.get("/seller/PKL/sales?month=2026-10").text
    assert "Rp\u00a0685.000" in page
    assert "Kursi teras" in page
    for odd in ("2026-13", "9999-01", "0001-01", "kemarin", "2026-10-01"):
        assert head.get(f"/seller/PKL/sales?month={odd}").status_code == 200


def test_best_sellers_are_counted_in_pieces(shop: Shop) -> None:
    best = sold.best_sellers(shop.pekalongan.id, datetime.date(2026, 1, 1), datetime.date(2026, 12, 31))
    assert [(b.title, b.quantity, b.net_amount) for b in best] == [
        ("Kain batik", 3, 300_000), ("Kursi teras", 1, 485_000),
    ]  # fmt: skip


def test_a_facility_without_sales_is_told_what_comes(app: Flask, db_session: DbSession) -> None:
    from tests.factories import make_facility

    client = sign_in(app.test_client(), make_account("coordinator", facilities=(make_facility("KSG"),)))
    assert "Bulan ini belum ada karya yang dibayar." in client.get("/seller/KSG/").text
    assert client.get("/seller/KSG/sales").status_code == 200


def test_english_pages_are_english(shop: Shop, head: FlaskClient) -> None:
    page = head.get("/en/seller/PKL/sales?month=2026-10").text
    assert "October 2026" in page
    assert "Batik cloth" in page


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_ones_own_sales_are_exported_and_nobody_elses(
    shop: Shop, head: FlaskClient, db_session: DbSession, form: str
) -> None:
    query = f"from=2026-09-01&to=2026-10-31&format={form}"
    answer = head.get(f"/seller/PKL/export?{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    if form != "xlsx":
        assert answer.text.count("PKL-BATIK") == 2
        assert "NML" not in answer.text
    manifest = head.get(f"/seller/PKL/export?{query}&part=manifest")
    assert manifest.json["row_count"] == 3
    assert head.get(f"/seller/NML/export?{query}").status_code == 404
    trail = db_session.execute(text("SELECT count(*) FROM audit_events WHERE action = 'sales.exported'"))
    assert trail.scalar_one() == 2


@pytest.mark.parametrize(
    "query", ["format=pdf", "format=csv&from=kemarin", "format=csv&from=2026-10-02&to=2026-10-01"]
)
def test_an_export_that_makes_no_sense_is_refused(head: FlaskClient, query: str) -> None:
    assert head.get(f"/seller/PKL/export?{query}").status_code == 422
