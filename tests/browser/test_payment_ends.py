"""However a payment ends, the order's page says what happened and shows a way on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import purchase
from tests.browser.purchase import CLOTH, CRISPS
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
HELD = """SELECT coalesce(sum(r.quantity), 0) FROM reservations r JOIN order_lines l ON l.id = r.order_line_id
    JOIN orders o ON o.id = l.order_id WHERE o.number = %s AND r.state = 'held'"""


def test_failed_payment_can_be_tried_again_and_then_succeeds(visit: Visit) -> None:
    shopper = visit()
    purchase.have_ordered(shopper, {CLOTH: 1, CRISPS: 1})
    purchase.pay(shopper, "failed")
    page = shopper.page
    expect(page.locator(".pay")).to_contain_text("tidak ada uang yang ditarik")
    page.locator(".pay .btn--main").click()
    page.wait_for_url("**/sandbox/payments/*")
    purchase.pay(shopper)
    expect(page.locator(".order-head .pill")).to_have_text("Sudah dibayar")


def test_payment_left_pending_keeps_the_goods_and_the_way_back(visit: Visit) -> None:
    shopper = visit(language="en")
    purchase.have_ordered(shopper, {CLOTH: 1})
    number = purchase.pay(shopper, "pending")
    page = shopper.page
    expect(page.locator(".order-head .pill")).to_have_text(shopper.says("Menunggu pembayaran"))
    expect(page.locator(".pay h2")).to_have_text(shopper.says("Memeriksa pembayaran…"))
    assert shopper.shop.value(HELD, number) == 1
    page.locator(".pay a").click()
    page.wait_for_url("**/sandbox/payments/*")
    purchase.pay(shopper)
    expect(page.locator(".order-head .pill")).to_have_text(shopper.says("Sudah dibayar"))


def test_payment_page_that_expired_gives_the_pieces_back(visit: Visit) -> None:
    shopper = visit()
    purchase.have_ordered(shopper, {CLOTH: 1})
    number = purchase.pay(shopper, "expired")
    page = shopper.page
    expect(page.locator(".order-head .pill")).to_have_text("Batas waktu lewat")
    assert shopper.shop.value(HELD, number) == 0
    page.get_by_role("link", name="Pesan lagi dari katalog").click()
    page.wait_for_url("**/products")


def test_order_given_up_says_so_and_leads_back_to_the_shelves(visit: Visit) -> None:
    shopper = visit()
    purchase.have_ordered(shopper, {CLOTH: 1})
    number = purchase.pay(shopper, "pending")
    page = shopper.page
    page.goto(shopper.address(f"/orders/{number}"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Batalkan pesanan").click()
    expect(page.locator(".order-head .pill")).to_have_text("Dibatalkan")
    assert "Ke mana uang Anda" not in shopper.text  # nothing will be divided
    page.get_by_role("link", name="Pesan lagi dari katalog").click()
    page.wait_for_url("**/products")
