"""Finance's first page: what waits, a month beside others, plots; each figure is the sum of the lines it leads to."""

from __future__ import annotations

import csv
import datetime
import html
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session as DbSession

from storefront.money import format_number
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, sign_in

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
SOLD = """
    SELECT COALESCE(sum(net_amount), 0)::bigint FROM reporting.sales
     WHERE accounting_date(paid_at) BETWEEN :first AND :last
       AND (CAST(:code AS text) IS NULL OR facility_code = :code)"""


def noon(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(12), JAKARTA)


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    """Sales of two facilities in October 2026, September 2026 and October 2025, on both edges of each month."""
    shop = open_shop()
    for day, *goods in (
        ((2026, 10, 1), (shop.batik, 1), (shop.honey, 1)),
        ((2026, 10, 31), (shop.chair, 1)),
        ((2026, 9, 1), (shop.chair, 1), (shop.honey, 1)),
        ((2026, 9, 30), (shop.batik, 1)),
        ((2025, 10, 31), (shop.chair, 1)),
        ((2025, 11, 1), (shop.batik, 1)),
        ((2025, 12, 1), (shop.honey, 1)),
    ):
        make_paid_order(*goods, paid_at=noon(datetime.date(*day)))
    db_session.commit()
    return shop


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance"))


def tables(page: str, id: str) -> str:
    return page[page.index(f'id="{id}"') :].split("</table>")[0]


def linked(part: str) -> list[tuple[str, str]]:
    """Address and text of every figure that is a link."""
    cells = re.findall(r'<td class="r"[^>]*><a href="([^"]+)">(?:<b>)?([^<]+)', part)
    return [(html.unescape(url), shown.strip()) for url, shown in cells]


def test_each_figure_is_the_sum_of_its_lines_and_the_lines_lead_to_orders(
    finance: FlaskClient, db_session: DbSession
) -> None:
    page = finance.get("/finance/?month=2026-10").text
    figures = [figure for id in ("t-bulan", "t-upt", "t-kanwil") for figure in linked(tables(page, id))]
    assert len(figures) == 5 * 3 - 3 + 2 * 3 - 1 + 3 + (2 * 3 - 1) + 3  # no refunds; Namlea sold nothing a year ago
    for url, shown in figures:
        lines = finance.get(url).text
        assert f">{shown}<" in lines[lines.index("<tfoot>") :], url
        assert "/finance/orders/" in lines
    for code in (None, "PKL", "NML"):
        for first, last in (("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30"), ("2025-10-01", "2025-10-31")):
            amount = db_session.execute(text(SOLD), {"first": first, "last": last, "code": code}).scalar_one()
            assert amount == 0 or any(
                shown == format_number(amount) and first in url and (code is None) == ("facility=" not in url)
                for url, shown in figures
                if code is None or f"facility={code}" in url
            ), (code, first)


def test_a_plot_its_table_its_lines_and_its_file_say_the_same(finance: FlaskClient) -> None:
    page = finance.get("/finance/?month=2026-10").text
    for by in ("month", "region", "category", "channel"):
        part = page[page.index(f'id="plot-{by}"') :].split("</section>")[0]
        figures = linked(part)
        assert figures
        for url, shown in figures:
            lines = finance.get(url).text
            assert f">{shown}<" in lines[lines.index("<tfoot>") :], url
        total = figures[-1][1]
        assert total == format_number(1_450_000)
        file = html.unescape(re.findall(r'href="([^"]+format=csv[^"]*)"', part)[0])
        rows = list(csv.DictReader(io.StringIO(finance.get(file).data.decode("utf-8-sig"))))
        assert format_number(sum(int(row["net_amount"]) for row in rows)) == total


def test_whoever_is_finance_for_one_facility_sees_that_one(app: Flask, shop: Shop) -> None:
    client = sign_in(app.test_client(), make_account("finance", facilities=(shop.ambon,)))
    page = client.get("/finance/?month=2026-10").text
    assert "Namlea" in page
    assert "PKL" not in page
    assert "Pekalongan" not in page
    assert [shown for _url, shown in linked(tables(page, "t-upt"))] == ["60.000"] * 4
    assert "selisih dengan penyedia" not in page


def test_facilities_are_sorted_as_asked(finance: FlaskClient) -> None:
    def names(sort: str) -> list[str]:
        part = tables(finance.get(f"/finance/?month=2025-12&sort={sort}").text, "t-upt")
        assert part.count("aria-sort") == 1
        return re.findall(r'<small class="muted code">(\w+)', part)

    assert names("now") == names("odd") == ["NML", "PKL"]
    assert names("before") == names("name") == ["PKL", "NML"]


@pytest.mark.parametrize("month", ["", "1999-12", "9999-01", "2026-13", "abc", "2000-01", "%00"])
def test_an_odd_month_is_answered(finance: FlaskClient, month: str) -> None:
    assert finance.get(f"/finance/?month={month}").status_code == 200
    assert finance.get(f"/en/finance/?month={month}").status_code == 200


def test_queries_do_not_grow_with_what_was_sold(
    finance: FlaskClient, shop: Shop, statements: Callable[[], list[str]], db_session: DbSession
) -> None:
    def count() -> int:
        statements()
        finance.get("/finance/?month=2026-10")
        return len([s for s in statements() if s.lstrip().upper().startswith(("SELECT", "WITH"))])

    before = count()
    for day in range(2, 5):
        make_paid_order((shop.chair, 2), paid_at=noon(datetime.date(2026, 10, day)))
    db_session.commit()
    assert count() == before <= 16


def test_what_waits_has_number_sum_age_and_one_link(finance: FlaskClient, db_session: DbSession) -> None:
    page = finance.get("/finance/").text
    task = r'<a class="task task--late" href="([^"]+)"><b>(\d+)</b><span>([^<]+)<span class="nowrap">([^<]+)<'
    late = re.search(task, page)
    assert late is not None
    assert (late[1], late[2]) == ("/finance/deposits", "2")
    owed = db_session.execute(
        text("SELECT sum(owed)::bigint FROM reporting.fund_balances WHERE fund = 'state_revenue'")
    ).scalar_one()
    assert format_number(owed) in late[4]
    assert "bulan untuk ditutup" in page
