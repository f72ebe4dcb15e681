"""One shopper's way to an account, on a phone: a heart, a link from the mailbox, an address, checkout filled by it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import purchase
from tests.browser.look import faults
from tests.browser.purchase import CLOTH, CRISPS, GUEST
from tests.browser.visitor import Visitor

KEPT = "Object.keys(JSON.parse(localStorage.getItem('wishes') ?? '{}')).length"


def test_a_guest_becomes_somebody_by_a_link(visit: Callable[..., Visitor]) -> None:
    visitor = visit("phone", "id")
    page = visitor.page
    address = f"perjalanan.{secrets.token_hex(3)}@contoh.id"  # nobody's yet, on a second try too
    # Two hearts, kept in this browser: on a card and on the product's page.
    visitor.go("/products?q=batik")
    heart = page.locator(f".item .heart[value='{CLOTH.slug}']")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    visitor.go(f"/products/{CRISPS.slug}")
    page.locator(".title-row .heart").click()
    page.wait_for_function(f"() => {KEPT} === 2")
    visitor.go("/wishlist")
    expect(page.locator(".wish")).to_have_count(2)
    # In by a link: the letter lies in the demo's mailbox.
    page.get_by_role("link", name="Masuk", exact=True).first.click()
    page.locator("#f-email").fill(address)
    page.get_by_role("button", name="Kirim tautan masuk ke surel saya").click()
    page.wait_for_url("**/login/sent")
    assert address in visitor.text
    page.goto(visitor.until(lambda: link_in_mail(visitor, address), "no link was mailed"))
    expect(page.get_by_role("heading", name="Buat akun")).to_be_visible()
    page.locator("#f-name").fill("Ratna Pertiwi")
    page.get_by_role("button", name="Buat akun dan masuk").click()
    page.wait_for_url("**/wishlist")
    # What this browser had kept is on the account's list, and nowhere else any more.
    # The page is read again once they have gone there.
    read_again = "performance.getEntriesByType('navigation')[0].type === 'reload'"
    page.wait_for_function(f"() => {KEPT} === 0 && {read_again}")
    expect(page.locator(".wish")).to_have_count(2)
    visitor.still()
    page.locator(".wish .heart").first.click()
    expect(page.locator(".wish .heart").first).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.locator(".wish")).to_have_count(1)
    # An address, then checkout filled by choosing it.
    visitor.go("/account/addresses/new")
    purchase.fill_in(visitor, {name: GUEST[name] for name in ("name", "phone", "line1")})
    page.locator("#f-postal_code").press_sequentially(GUEST["postal_code"])
    expect(page.locator("#f-district")).to_have_value(GUEST["district"])
    page.get_by_role("button", name="Simpan").click()
    page.wait_for_url("**/account/addresses")
    visitor.go(f"/products/{CLOTH.slug}")
    purchase.put_in_cart(visitor)
    visitor.go("/checkout")
    expect(page.locator("#f-line1")).to_have_value("")
    page.locator("[name=use_address]").click()
    expect(page.locator("#f-line1")).to_have_value(GUEST["line1"])
    expect(page.locator("#f-email")).to_have_value(address)
    assert faults(visitor, 200) == []
    assert visitor.trouble == []


def link_in_mail(visitor: Visitor, address: str) -> str | None:
    """The sign-in link of the letter to this address, once the worker has sent it."""
    for letter in (visitor.shop.shop.var_dir / "mail").glob("link.*.eml"):
        words = letter.read_bytes().decode(errors="replace").replace("=\n", "").replace("=3D", "=")
        if address in words and (found := re.search(r"http://\S+/login/link/[\w-]{43}", words)):
            return found[0]
    return None
