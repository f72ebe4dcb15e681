"""The counter on a cashier's phone: with a line, without one, over a restart of the phone, in two tabs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Cookies, become
from tests.browser.counter import ACCOUNT, STOCK, Phone, sold
from tests.browser.shop import LiveShop
from tests.browser.visitor import TIMEOUT, rupiah
from tests.everything import browser as chromium

Device = Callable[[], BrowserContext]


@pytest.fixture
def device(browser: Browser, live_server: LiveShop, cookies: Cookies, tmp_path: Path) -> Iterator[Device]:
    """`device()`: the same phone, switched off and on again; what it kept on its disk is still there."""
    on: list[BrowserContext] = []

    def switch_on() -> BrowserContext:
        for context in on:
            context.close()
        on.clear()
        context = browser.browser_type.launch_persistent_context(
            str(tmp_path / "phone"), executable_path=chromium(), base_url=live_server.address, has_touch=True,
            viewport={"width": 360, "height": 780}, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(TIMEOUT)
        on.append(context)
        return context

    yield switch_on
    for context in on:
        context.close()


@contextmanager
def no_line(context: BrowserContext) -> Iterator[None]:
    context.set_offline(True)
    yield
    context.set_offline(False)


def signed_in(context: BrowserContext, cookies: Cookies) -> Page:
    page = context.pages[0] if context.pages else context.new_page()
    become(page, ACCOUNT, cookies)
    return page


def plenty(shop: LiveShop, count: int) -> list[dict]:
    """Pieces of which the stand has most."""
    return shop.rows(STOCK)[:count]


def test_a_sale_by_code_with_banknotes_and_change(device: Device, live_server: LiveShop, cookies: Cookies) -> None:
    context = device()
    phone = Phone.open(context, page=signed_in(context, cookies))
    page, (piece, other) = phone.page, plenty(live_server, 2)

    # A code that nobody knows is said to be so, and stays where it can be mended.
    page.locator("#find-text").fill("TIDAK-ADA-99")
    page.locator("#find-text").press("Enter")
    expect(page.locator("#find-said")).to_contain_text("“TIDAK-ADA-99” tidak dikenal di stan ini")
    expect(page.locator("#find-text")).to_have_value("TIDAK-ADA-99")

    # Its SKU, the address on its label, a tap: one basket.
    page.locator("#find-text").fill(piece["sku"].lower())
    page.locator("#find-text").press("Enter")
    code = page.evaluate("fetch(location.pathname + '/catalogue.json').then(a => a.json())")
    short = next(one["code"] for one in code["items"] if one["sku"] == other["sku"])
    page.locator("#find-text").fill(f"https://toko.example/p/{short}")
    page.locator("#find-text").press("Enter")
    phone.add(other["sku"])
    total = piece["price"] + 2 * other["price"]
    expect(page.locator("#bar-sum")).to_have_text(rupiah(total).replace(" ", "\u00a0"))

    # Less than the total is refused with what is missing; banknotes add up; the change is worked out.
    page.locator("#pay-open").click()
    page.locator("#tendered").fill("1000")
    page.locator("#pay-form [type=submit]").click()
    expect(page.locator("#pay-said")).to_contain_text(rupiah(total - 1000).replace(" ", "\u00a0"))
    page.locator("#tendered-clear").click()
    notes = -(-total // 100_000)
    for _ in range(notes):
        page.locator("[data-note='100000']").click()
    change = notes * 100_000 - total
    if change:
        expect(page.locator("#change")).to_contain_text(rupiah(change).replace(" ", "\u00a0"))
    page.locator("#pay-form [type=submit]").click()
    expect(page.locator("#receipt-change")).to_have_text(rupiah(change).replace(" ", "\u00a0"))
    expect(page.locator("#receipt-qr img")).to_be_visible()
    (kept,) = phone.kept("done")
    expect(page.locator("#receipt-said")).to_contain_text(kept["order"]["number"])
    lines = sold(live_server, [kept["key"]])
    assert [(line["sku"], line["quantity"]) for line in lines] == [(piece["sku"], 1), (other["sku"], 2)]
    assert (lines[0]["tendered"], lines[0]["change"]) == (notes * 100_000, change)
    phone.next()
    expect(page.locator("#pay-open")).to_be_disabled()


def test_sales_without_a_line_outlive_a_restart_and_go_up_once(
    device: Device, live_server: LiveShop, cookies: Cookies
) -> None:
    context = device()
    phone = Phone.open(context, page=signed_in(context, cookies))
    pieces = [row["sku"] for row in plenty(live_server, 3)]
    context.set_offline(True)
    for number in range(5):
        phone.sell(pieces[number % 3])
    phone.waiting(5)
    phone.add(pieces[0])  # somebody is still choosing
    expect(phone.page.locator("#bar-count")).to_contain_text("1")
    context = device()  # the battery was empty
    context.set_offline(True)
    phone = Phone(context.pages[0])
    phone.page.goto("/counter/pameran-karya-binaan")
    phone.page.locator("#counter[data-ready]").wait_for()
    phone.waiting(5)
    expect(phone.page.locator("#line")).to_have_text("Tanpa jaringan")
    expect(phone.page.locator("#bar-count")).to_contain_text("1")
    phone.pay_exactly()
    expect(phone.page.locator("#receipt-said")).to_contain_text("dikirim begitu ada jaringan")
    phone.next()
    phone.waiting(6)
    sales = phone.kept("sales")
    keys = [sale["key"] for sale in sales]
    assert sold(live_server, keys) == []

    context.add_cookies(cookies[ACCOUNT])  # a browser forgets with its last window who has signed in
    context.set_offline(False)
    phone.waiting(0)
    orders = sold(live_server, keys)
    assert [order["key"] for order in orders] == keys
    assert len({order["id"] for order in orders}) == 6
    moments = [order["sold_at"] for order in orders]
    assert moments == sorted(moments)


def test_two_tabs_have_a_basket_each_and_send_once(device: Device, live_server: LiveShop, cookies: Cookies) -> None:
    context = device()
    one = Phone.open(context, page=signed_in(context, cookies))
    two = Phone.open(context)
    first, second = (row["sku"] for row in plenty(live_server, 2))
    one.add(first)
    two.add(second)
    two.add(second)
    expect(one.page.locator("#bar-count")).to_contain_text("1")
    expect(two.page.locator("#bar-count")).to_contain_text("2")
    with no_line(context):
        for phone in (one, two):
            phone.pay_exactly()
            phone.next()
        one.sell(second)
        two.waiting(3)
        keys = [sale["key"] for sale in one.kept("sales")]
    one.waiting(0)
    two.waiting(0)
    assert [order["key"] for order in sold(live_server, keys)] == keys


def test_a_piece_sold_twice_becomes_a_conflict_for_a_person(
    device: Device, browser: Browser, live_server: LiveShop, cookies: Cookies
) -> None:
    context = device()
    phone = Phone.open(context, page=signed_in(context, cookies))
    piece = live_server.rows(STOCK)[-1]
    context.set_offline(True)
    phone.sell(piece["sku"])
    (sale,) = phone.kept("sales")

    colleague = browser.new_context(base_url=live_server.address)
    other = Phone.open(colleague, page=signed_in(colleague, cookies))
    for _ in range(piece["left"]):
        other.add(piece["sku"])
    other.pay_exactly()
    colleague.close()

    context.set_offline(False)
    phone.waiting(0)
    (kept,) = (done for done in phone.kept("done") if done["key"] == sale["key"])
    assert kept["state"] == "conflict"
    expect(phone.page.locator("#notes")).to_contain_text("menunggu keputusan")
    assert sold(live_server, [sale["key"]]) == []
    assert live_server.rows("SELECT 1 FROM counter_conflicts WHERE key = %s", sale["key"])


def test_a_sale_takes_four_taps(device: Device, live_server: LiveShop, cookies: Cookies) -> None:
    """Picture, Bayar, Uang pas, Penjualan berikutnya. How long it takes: `python -m bench counter`."""
    context = device()
    phone = Phone.open(context, page=signed_in(context, cookies))
    phone.page.evaluate("taps = 0; addEventListener('click', () => { taps += 1; }, true)")
    phone.sell(plenty(live_server, 1)[0]["sku"])
    assert phone.page.evaluate("taps") == 4


def test_a_payment_by_code_is_watched_until_it_is_paid(
    device: Device, live_server: LiveShop, cookies: Cookies
) -> None:
    context = device()
    phone = Phone.open(context, page=signed_in(context, cookies))
    page = phone.page
    phone.add(plenty(live_server, 1)[0]["sku"])
    page.locator("#pay-open").click()
    page.locator("#by-code").click()
    expect(page.locator("#code-qr img")).to_be_visible()
    assert page.locator("#code-qr img").evaluate("image => image.decode().then(() => image.naturalWidth > 50)")
    (waits,) = phone.kept("done")
    page.request.post(f"/sandbox/payments/{waits['pay']['id']}/outcome", data={"outcome": "succeeded"})
    page.locator("#receipt[open]").wait_for(timeout=40_000)
    expect(page.locator("#receipt-said")).to_contain_text(waits["order"]["number"])


def test_signed_out_and_with_a_wrong_clock_nothing_is_lost(
    device: Device, live_server: LiveShop, cookies: Cookies
) -> None:
    context = device()
    page = signed_in(context, cookies)
    now = datetime.datetime.now(datetime.UTC)
    page.clock.set_system_time(now + datetime.timedelta(days=1))
    phone = Phone.open(context, page=page)
    expect(page.locator("#notes")).to_contain_text("Jam ponsel ini berbeda")
    piece = plenty(live_server, 1)[0]["sku"]
    with no_line(context):
        phone.sell(piece)
        phone.waiting(1)
        (sale,) = phone.kept("sales")
        # Who signs out now is told what is still here.
        asked: list[str] = []
        page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        page.locator(".side summary").click()
        page.locator("form[action$='/logout'] button").click()
        assert "1 penjualan di ponsel ini belum terkirim" in asked[0]
        context.clear_cookies()
    expect(page.locator("#notes")).to_contain_text("Anda perlu masuk lagi", timeout=40_000)
    assert [kept["key"] for kept in phone.kept("sales")] == [sale["key"]]
    assert sold(live_server, [sale["key"]]) == []

    context.add_cookies(cookies[ACCOUNT])
    page.reload()
    phone.waiting(0)
    (order,) = sold(live_server, [sale["key"]])
    assert abs(order["sold_at"] - now) < datetime.timedelta(minutes=10)
