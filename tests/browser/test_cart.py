"""The cart on a phone: nothing jumps, nothing is lost by going away and coming back."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import purchase
from tests.browser.purchase import CLOTH, CRISPS, GUEST
from tests.browser.test_budgets import SHIFT, WATCH_SHIFTS
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_cart_on_a_phone_stands_still_and_comes_back(visit: Visit) -> None:
    shopper = visit("phone")
    page = shopper.page
    purchase.have_in_cart(shopper, {CLOTH: 2, CRISPS: 2})
    page.add_init_script(WATCH_SHIFTS)
    shopper.go("/cart")
    quantity = page.locator(f"#q-{CLOTH.sku}")
    line = page.locator(f"#line-{CLOTH.sku}")

    # More of it by a press: the sums follow, the page stays where it is.
    shopper.still()
    # The count beside the cart's name comes by itself, on every page; nothing else has moved.
    assert [node for _value, node in page.evaluate("window.shifts") if 'id="me"' not in node] == []
    page.evaluate("scrollTo(0, 120)")
    line.locator("[data-step='1']").click()
    expect(line.locator(".price")).to_contain_text("Rp")
    expect(quantity).to_have_value("3")
    purchase.settled(shopper)
    assert page.evaluate("scrollY") == 120

    # Taken out, and had back by the toast, at its place.
    line.get_by_role("button", name="Keluarkan").click()
    expect(line).to_have_count(0)
    expect(page.locator(f"#line-{CRISPS.sku}")).to_be_focused()  # by keyboard one goes on from there
    page.locator("#toasts").get_by_role("button", name="Urungkan").click()
    expect(quantity).to_have_value("3")
    expect(page.locator("#toasts .alert")).to_have_count(0)
    purchase.settled(shopper)
    assert page.locator("#cart .line").first.get_attribute("id") == f"line-{CLOTH.sku}"

    # A district gives each parcel its cost, by the same code as the checkout.
    page.locator("#f-to").fill(GUEST["postal_code"])
    page.locator("#f-to").press("Enter")
    expect(page.locator("#cart tfoot")).to_contain_text("Perkiraan jumlah")
    purchase.settled(shopper)
    total = page.locator("#cart tfoot td").inner_text()
    # What a press moves is looked for by whoever pressed; only a quick answer counts as theirs for the browser.
    shopper.still()
    page.evaluate("window.shifts.length = 0")

    # Another tab changes it; shown again, this one knows. What is being typed is left alone.
    purchase.send(shopper, "/cart/update", {"sku": CLOTH.sku, "quantity": "2"})
    quantity.focus()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(quantity).to_have_value("3")
    quantity.blur()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(quantity).to_have_value("2")
    expect(page.locator("#cart tfoot td")).not_to_have_text(total)

    shopper.still()
    assert [node for _value, node in page.evaluate("window.shifts") if 'id="me"' not in node] == []

    # Away and back: to the checkout, where the district stands filled in, and again to the cart.
    purchase.go_to_checkout(shopper)
    expect(page.locator("#f-district")).to_have_value("Candisari")
    page.locator("#f-phone").fill(GUEST["phone"])
    purchase.send(shopper, "/cart/update", {"sku": CRISPS.sku, "quantity": "1"})
    page.go_back()
    expect(page.locator(f"#q-{CRISPS.sku}")).to_have_value("1")
    # The browser may show its copy from before all this; what is asked anew moves next to nothing.
    assert sum(value for value, _node in page.evaluate("window.shifts")) < SHIFT
    page.go_forward()
    expect(page.locator("#f-phone")).to_have_value(GUEST["phone"])
    assert shopper.trouble == []
