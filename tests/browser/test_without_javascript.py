"""Everything a shopper needs works with scripts turned off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import purchase
from tests.browser.purchase import CLOTH, CRISPS, GUEST
from tests.browser.visitor import LANGUAGES, Visitor


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_facilities_are_paid_without_scripts(language: str, visit: Callable[..., Visitor]) -> None:
    shopper = visit("phone", language, javascript=False)
    page = shopper.page
    shopper.go("/")
    purchase.search(shopper, "taplak mejq batik")
    purchase.open_product(shopper, CLOTH.slug)
    purchase.put_in_cart(shopper)
    page.locator(f"#line-{CLOTH.sku} input[name=quantity]").fill("2")
    page.get_by_role("button", name=shopper.says("Ubah"), exact=True).click()
    expect(page.locator(f"#line-{CLOTH.sku} .price")).to_have_text("Rp\N{NO-BREAK SPACE}190.000")
    purchase.fill_cart(shopper, {CRISPS: 1})

    purchase.go_to_checkout(shopper)
    purchase.fill_in(shopper, GUEST)
    purchase.reckon_shipping(shopper)
    expect(purchase.shipping(shopper, CLOTH, "regular")).to_be_checked()
    purchase.shipping(shopper, CRISPS, "pickup").check()
    purchase.reckon_shipping(shopper)
    expect(purchase.shipping(shopper, CRISPS, "pickup")).to_be_checked()
    purchase.order(shopper)
    purchase.pay(shopper)
    expect(page.locator(".order-head .pill")).to_have_text(shopper.says("Sudah dibayar"))
    assert page.locator("section.group[id^=parcel-]").count() == 2


def test_first_press_shows_the_total_before_anything_is_ordered(visit: Callable[..., Visitor]) -> None:
    """Without scripts the total cannot follow the address, so one sees it before one agrees to it."""
    shopper = visit("phone", javascript=False)
    page = shopper.page
    shopper.go(f"/products/{CLOTH.slug}")
    page.locator("#f-to").fill(GUEST["postal_code"])
    page.get_by_role("button", name="Lihat ongkir").click()
    page.wait_for_url("**/shipping?to=*")
    expect(page.locator(".estimate__ways li").first).to_contain_text("Rp\N{NO-BREAK SPACE}12.000")
    page.get_by_role("link", name="Kembali ke karya").click()
    purchase.put_in_cart(shopper)
    purchase.go_to_checkout(shopper)
    # The postal code says the rest.
    purchase.fill_in(shopper, {k: v for k, v in GUEST.items() if k not in ("province", "city", "district")})
    purchase.order_button(shopper).click()
    expect(page.locator("[role=alert]")).to_contain_text("Periksa jumlahnya")
    assert page.locator("#f-district").input_value() == "Candisari"
    assert "/sandbox/" not in page.url
    # To the cart and back: what was typed is still there.
    page.locator("a[href$='/cart']").last.click()
    page.wait_for_url("**/cart")
    page.go_back()
    assert page.locator("#f-line1").input_value() == GUEST["line1"]
    assert page.locator("#f-district").input_value() == "Candisari"
    purchase.order(shopper)


def test_filters_and_sorting_are_links_and_forms(visit: Callable[..., Visitor]) -> None:
    shopper = visit("phone", javascript=False)
    page = shopper.page
    shopper.go("/products")
    page.locator(".filters > summary").click()
    page.locator(".facet a[href*='category=mebel']").first.click()
    page.wait_for_url("**category=mebel*")
    page.locator("select[name=sort]").select_option("price_low")
    page.locator(".sort button").click()
    page.wait_for_url("**sort=price_low*")
    prices = [
        int("".join(c for c in text if c.isdigit()))
        for text in page.locator(".grid .price").all_inner_texts()
    ]
    assert prices == sorted(prices)
    assert len(prices) > 1
