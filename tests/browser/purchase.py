"""The steps of a purchase, as a shopper takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor

#: What a guest types; `rupiah` amounts follow from it.
GUEST = {
    "name": "Ratna Pertiwi",
    "phone": "0812 3456 7890",
    "email": "ratna@contoh.id",
    "line1": "Jalan Merpati 12",
    "province": "Jawa Tengah",
    "city": "Semarang",
    "district": "Candisari",
    "postal_code": "50252",
}


@dataclass(frozen=True)
class Goods:
    """Something of the demo that is always in stock."""

    words: str
    slug: str
    sku: str
    facility: str


CLOTH = Goods("taplak meja batik", "taplak-meja-batik-cap", "PKL-BATIK-02", "PKL")
MUG = Goods("mug sablon", "mug-sablon", "PLP-SABLON-01", "PLP")
CRISPS = Goods("keripik tempe banjarbaru", "keripik-tempe-banjarbaru", "BJB-BOGA-01", "BJB")


def search(visitor: Visitor, words: str) -> None:
    """Type into the search field at the top and press Enter."""
    field = visitor.page.locator("#cari")
    field.fill(words)
    field.press("Enter")
    visitor.page.wait_for_url("**/products?q=*")


def open_product(visitor: Visitor, slug: str) -> None:
    """Follow a product's card."""
    visitor.page.locator(f".item__title a[href$='/products/{slug}']").first.click()
    visitor.page.wait_for_url(f"**/products/{slug}")


def put_in_cart(visitor: Visitor, quantity: int = 1) -> None:
    """Press the gold button of the product page."""
    visitor.page.locator("input[name=quantity]").fill(str(quantity))
    visitor.page.get_by_role("button", name=visitor.says("Masukkan ke keranjang")).click()
    visitor.page.wait_for_url("**/cart")


def fill_cart(visitor: Visitor, goods: Mapping[Goods, int]) -> None:
    """Find each of `goods` by typing and put it into the cart."""
    for item, quantity in goods.items():
        search(visitor, item.words)
        open_product(visitor, item.slug)
        put_in_cart(visitor, quantity)


def go_to_checkout(visitor: Visitor) -> None:
    visitor.page.get_by_role("link", name=visitor.says("Lanjut ke pemesanan")).click()
    visitor.page.wait_for_url("**/checkout")


def fill_in(visitor: Visitor, values: Mapping[str, str]) -> None:
    """Type into the checkout's fields."""
    for name, value in values.items():
        field = visitor.page.locator(f"#f-{name}")
        if name == "province":
            field.select_option(label=value)
        else:
            field.fill(value)


def shipping(visitor: Visitor, goods: Goods, method: str) -> Locator:
    """The button of one way to send the parcel with `goods`."""
    return visitor.page.locator(f"#f-shipping-{goods.facility}-{method}")


def reckon_shipping(visitor: Visitor) -> None:
    """Have shipping reckoned for the typed address, as it happens by itself with JavaScript."""
    visitor.page.locator("button[formaction$='/checkout/shipping']").click()
    expect(visitor.page.locator("input[name=expected_total]")).to_be_attached()


def choose_shipping(visitor: Visitor, goods: Goods, method: str) -> None:
    """Choose a way to send one parcel, and see the total follow."""
    before = order_button(visitor).inner_text()
    shipping(visitor, goods, method).check()
    expect(order_button(visitor)).not_to_have_text(before)
    expect(shipping(visitor, goods, method)).to_be_checked()
    settled(visitor)


def settled(visitor: Visitor) -> None:
    """Wait until htmx has put everything in place."""
    expect(visitor.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def order_button(visitor: Visitor) -> Locator:
    return visitor.page.locator("#shipping button[type=submit]")


def order(visitor: Visitor) -> None:
    """Press the gold button; the payment page opens."""
    order_button(visitor).click()
    visitor.page.wait_for_url("**/sandbox/payments/*")


def pay(visitor: Visitor, outcome: str = "succeeded") -> str:
    """Choose what happens at the payment page, come back to the order; its number."""
    visitor.page.locator(f"button[name=outcome][value={outcome}]").click()
    visitor.page.wait_for_url(lambda url: "/orders/" in url and "token" not in url)
    return order_number(visitor)


def order_number(visitor: Visitor) -> str:
    """The number of the order that is shown."""
    return visitor.page.locator("h1 .code").inner_text()


def place_order(visitor: Visitor, goods: Mapping[Goods, int]) -> None:
    """From the product pages to the payment page, the short way."""
    for item, quantity in goods.items():
        visitor.go(f"/products/{item.slug}")
        put_in_cart(visitor, quantity)
    go_to_checkout(visitor)
    fill_in(visitor, GUEST)
    reckon_shipping(visitor)
    order(visitor)
