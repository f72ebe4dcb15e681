"""One purchase through the whole house: shopper, two facilities, finance."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import purchase
from tests.browser.look import faults
from tests.browser.purchase import CLOTH, CRISPS, GUEST
from tests.browser.shop import LiveShop
from tests.browser.test_budgets import SHIFT, WATCH_SHIFTS
from tests.browser.visitor import LANGUAGES, SIZES, Visitor, rupiah

Visit = Callable[..., Visitor]
#: What the guest's postal code fills in.
FILLED = {
    "province": "Jawa Tengah", "city": "Kota Semarang", "district": "Candisari", "postal_code": GUEST["postal_code"],
}  # fmt: skip
FUNDS = ("premium", "working_capital", "state_revenue")
COORDINATORS = {"PKL": "coordinator@demo.test", "BJB": "coordinator2@demo.test"}
FINANCE = "finance@demo.test"
#: Where the facilities and finance are watched too; their pages are the same for every shopper.
WITH_STAFF = {("phone", "id"), ("desk", "en")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_money_of_one_cart_reaches_both_facilities_and_the_books(
    size: str, language: str, visit: Visit, tmp_path: Path
) -> None:
    shopper = visit(size, language)
    number = buy_from_two_facilities(shopper)
    see_paid_order(shopper, number)
    assert shopper.trouble == []
    if (size, language) not in WITH_STAFF:
        return

    pack_and_ship(visit(size, language, account=COORDINATORS["PKL"]), number)
    see_own_parcel_only(visit(size, language, account=COORDINATORS["BJB"]), number)
    see_tracking(shopper)

    sold = export_day(visit(size, language, account=FINANCE), number, tmp_path)
    agree_to_the_rupiah(shopper.shop, number, sold)
    assert shopper.trouble == []


def test_ordered_on_a_phone_and_collected_at_the_stand(visit: Visit) -> None:
    shopper = visit("phone", "id")
    page, stand = shopper.page, "stand-pameran-karya-binaan"
    shopper.go("/")
    purchase.fill_cart(shopper, {CLOTH: 1})
    purchase.go_to_checkout(shopper)
    purchase.fill_in(shopper, {name: GUEST[name] for name in ("name", "phone", "email")})
    purchase.choose_shipping(shopper, CLOTH, stand)
    expect(page.locator(".choice", has=purchase.shipping(shopper, CLOTH, stand))).to_contain_text("Plasa Pameran")
    assert faults(shopper, 200) == []
    purchase.order(shopper)
    number = purchase.pay(shopper)
    code = page.locator(".collect")
    expect(code).to_contain_text(number)
    assert code.locator("svg").bounding_box()["width"] >= 120  # type: ignore[index]
    assert faults(shopper, 200) == []
    assert shopper.trouble == []


def buy_from_two_facilities(shopper: Visitor) -> str:
    """From the first word typed to the order's page; the order's number."""
    page = shopper.page
    shopper.go("/")
    purchase.search(shopper, "kursy")
    expect(page.locator(".item__title a[href*='kursi']").first).to_be_visible()
    purchase.fill_cart(shopper, {CLOTH: 2, CRISPS: 3})
    expect(page.locator("#cart .group")).to_have_count(2)  # one group for each facility
    page.add_init_script(WATCH_SHIFTS)
    purchase.go_to_checkout(shopper)
    fill_in_by_postal_code(shopper)
    forget_the_name(shopper)
    go_and_come_back(shopper)
    purchase.fill_in(shopper, {"name": GUEST["name"]})
    purchase.choose_shipping(shopper, CLOTH, "cargo")
    purchase.choose_shipping(shopper, CRISPS, "pickup")
    total = int(page.locator("input[name=expected_total]").input_value())
    expect(purchase.order_button(shopper)).to_contain_text(f"Rp\N{NO-BREAK SPACE}{total:,}".replace(",", "."))
    purchase.order(shopper)
    assert rupiah(total) in shopper.text
    return purchase.pay(shopper)


def fill_in_by_postal_code(shopper: Visitor) -> None:
    """Five digits fill in province, city and district; the total follows, and nothing jumps on its way there."""
    page = shopper.page
    place = ("province", "city", "district", "postal_code")
    purchase.fill_in(shopper, {name: GUEST[name] for name in ("phone", "email", "line1")})
    page.locator("#f-postal_code").press_sequentially(GUEST["postal_code"])
    expect(page.locator("#f-district")).to_have_value("Candisari")
    assert [page.locator(f"#f-{name}").input_value() for name in place] == list(FILLED.values())
    expect(page.locator("input[name=expected_total]")).to_be_attached()
    purchase.settled(shopper)
    # A code that does not fit the rest is said beside it, in no one's way.
    page.locator("#f-district").fill("Banyumanik")
    page.locator("#f-postal_code").press("Tab")
    expect(page.locator("#f-postal_code-advice")).to_contain_text("50261")
    page.locator("#f-district").fill("Candisari")
    page.locator("#f-district").press("Tab")
    expect(page.locator("#f-postal_code-advice")).to_be_empty()
    purchase.settled(shopper)
    assert sum(value for value, _node in page.evaluate("window.shifts")) < SHIFT
    for field in page.locator("#checkout .input").all():
        if field.is_visible():
            assert field.bounding_box()["height"] >= 44  # type: ignore[index]


def go_and_come_back(shopper: Visitor) -> None:
    """After a refused order too, the way to the cart and back keeps what was typed and chosen."""
    page = shopper.page
    purchase.choose_shipping(shopper, CRISPS, "pickup")
    page.locator("a[href$='/cart']").last.click()
    page.wait_for_url("**/cart")
    page.go_back()
    expect(page.locator("#f-district")).to_have_value("Candisari")
    expect(page.locator("#f-phone")).to_have_value(GUEST["phone"])
    expect(purchase.shipping(shopper, CRISPS, "pickup")).to_be_checked()
    purchase.settled(shopper)
    purchase.choose_shipping(shopper, CRISPS, "regular")


def forget_the_name(shopper: Visitor) -> None:
    """An error stands beside its field, and nothing that was typed or chosen is lost."""
    page = shopper.page
    typed = {**{name: GUEST[name] for name in ("phone", "email", "line1")}, **FILLED}
    with page.expect_navigation():
        purchase.order_button(shopper).click()
    field = page.locator(".field:has(#f-name)")
    expect(field.locator(".field__error")).to_have_text(shopper.says("Tulis nama penerima."))
    assert page.locator("#f-name").get_attribute("aria-invalid") == "true"
    assert page.locator(".field__error").count() == 1
    for name, value in typed.items():
        assert page.locator(f"#f-{name}").input_value() == value
    assert all(line.startswith("console: Failed to load resource: the server responded with a status of 422")
               for line in shopper.trouble)  # fmt: skip
    shopper.trouble.clear()


def see_paid_order(shopper: Visitor, number: str) -> None:
    """The page turns to paid by itself: both parcels, and where the money goes."""
    page = shopper.page
    expect(page.locator(".order-head .pill")).to_have_text(shopper.says("Sudah dibayar"))
    assert purchase.order_number(shopper) == number
    expect(page.locator("section.group[id^=parcel-]")).to_have_count(2)
    order = shopper.shop.rows("SELECT * FROM orders WHERE number = %s", number)[0]
    money = page.locator("section.money")
    expect(money.locator("h2")).to_have_text(shopper.says("Ke mana uang Anda"))
    shown = [
        amount.replace("\N{NO-BREAK SPACE}", " ") for amount in money.locator(".amount").all_inner_texts()
    ]
    assert shown == [rupiah(shares_of(shopper.shop, number)[fund]) for fund in FUNDS]
    assert rupiah(order["items_total"]) in shopper.text
    assert rupiah(order["total"]) in shopper.text
    assert faults(shopper, 200) == []


def pack_and_ship(coordinator: Visitor, number: str) -> None:
    """The coordinator finds the parcel among what must be packed today, packs it and hands it over."""
    page = coordinator.page
    coordinator.go("/seller/PKL/")
    with page.expect_navigation():
        page.locator(".task a[href*='state=to_pack']").first.click()
    with page.expect_navigation():
        page.locator(f"a:has-text('{number}/')").click()
    body = coordinator.text
    assert CLOTH.sku in body
    assert CRISPS.sku not in body
    with page.expect_navigation():
        page.get_by_role("button", name=coordinator.says("Tandai dikemas")).click()
    page.locator("select[name=courier]").select_option("JNE")
    page.locator("input[name=tracking]").fill("JN0012345678")
    page.get_by_role("button", name=coordinator.says("Tandai dikirim")).click()
    expect(page.locator(".staff-head .pill")).to_have_text(coordinator.says("Dalam perjalanan"))
    assert coordinator.trouble == []


def see_own_parcel_only(coordinator: Visitor, number: str) -> None:
    """The other facility sees its own pieces and money; a parcel of the first answers as if it were not there."""
    page = coordinator.page
    coordinator.go("/seller/BJB/parcels?state=to_pack")
    with page.expect_navigation():
        page.locator(f"a:has-text('{number}/')").click()
    body = coordinator.text
    assert CRISPS.sku in body
    assert CLOTH.sku not in body
    assert rupiah(3 * 7000) in body
    other = """SELECT p.id FROM parcels p JOIN orders o ON o.id = p.order_id
        JOIN facilities f ON f.id = p.facility_id WHERE o.number = %s AND f.code = 'PKL'"""
    parcel = coordinator.shop.value(other, number)
    assert coordinator.go(f"/seller/BJB/parcels/{parcel}").status == 404
    assert coordinator.go(f"/seller/PKL/parcels/{parcel}").status == 404


def see_tracking(shopper: Visitor) -> None:
    page = shopper.page
    page.reload()
    expect(page.locator(".order-head .pill")).to_have_text(shopper.says("Dikirim sebagian"))
    shipped = page.locator("section.group[id^=parcel-]", has_text="JN0012345678")
    expect(shipped).to_contain_text("JNE")
    expect(shipped).to_contain_text(shopper.says("Sudah saya terima"))


def export_day(finance: Visitor, number: str, folder: Path) -> list[dict[str, str]]:
    """Finance takes the day's sales as CSV; the lines of this order. The file's sums are those of the page."""
    page = finance.page
    day = finance.shop.value(
        "SELECT (paid_at AT TIME ZONE 'Asia/Jakarta')::date::text FROM orders WHERE number = %s", number
    )
    finance.go("/finance/export")
    page.locator("#f-from").fill(day)
    page.locator("#f-to").fill(day)
    page.locator(".filterbar button").click()
    page.wait_for_url(f"**from={day}&to={day}*")
    finance.still()
    with page.expect_download() as started:
        page.locator("a[href*='format=csv&part=file']").click()
    target = folder / "sales.csv"
    started.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    figures = finance.page.locator("dl.figures").first.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    for column in ("net_amount", *FUNDS):
        assert rupiah(sum(int(row[column]) for row in rows)) in figures
    assert finance.trouble == []
    return [row for row in rows if row["order_number"] == number]


def agree_to_the_rupiah(shop: LiveShop, number: str, sold: list[dict[str, str]]) -> None:
    """Export, order and ledger say the same of every rupiah."""
    order = shop.rows("SELECT * FROM orders WHERE number = %s", number)[0]
    shares = shares_of(shop, number)
    assert {row["sku"]: int(row["quantity"]) for row in sold} == {CLOTH.sku: 2, CRISPS.sku: 3}
    assert sum(int(row["net_amount"]) for row in sold) == order["items_total"]
    assert {fund: sum(int(row[fund]) for row in sold) for fund in FUNDS} == shares

    postings = shop.rows("SELECT * FROM reporting.ledger_postings WHERE order_number = %s", number)
    booked: Counter[str] = Counter()
    for posting in postings:
        booked[posting["account_code"]] += posting["amount"]
    assert booked.pop("clearing:sandbox") == order["total"]
    owed = {
        f"owed:{row['facility_code']}:{fund}": -int(row[fund])
        for row in sold
        for fund in FUNDS
        if int(row[fund])
    }
    shipping = shop.rows(
        """SELECT f.code, p.shipping_amount AS amount FROM parcels p
        JOIN facilities f ON f.id = p.facility_id WHERE p.order_id = %s""",
        order["id"],
    )
    owed |= {f"owed:{parcel['code']}:shipping": -parcel["amount"] for parcel in shipping if parcel["amount"]}
    assert dict(booked) == owed
    assert len({posting["entry_id"] for posting in postings}) == 1


def shares_of(shop: LiveShop, number: str) -> dict[str, int]:
    """What each fund gets of an order, as the lines were sold."""
    rows: list[dict[str, Any]] = shop.rows(
        """SELECT f.code, sum(s.amount)::bigint AS amount FROM order_line_shares s
        JOIN order_lines l ON l.id = s.order_line_id JOIN orders o ON o.id = l.order_id
        JOIN funds f ON f.id = s.fund_id WHERE o.number = %s GROUP BY f.code""",
        number,
    )
    return {row["code"]: row["amount"] for row in rows}
