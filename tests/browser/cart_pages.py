"""The cart with everything it can hold, and its way to another device."""

from __future__ import annotations

import re

from playwright.sync_api import Response

from tests.browser import purchase
from tests.browser.purchase import CLOTH, CRISPS, GUEST, MUG
from tests.browser.sights import Sight
from tests.browser.visitor import Visitor


def full_cart(visitor: Visitor) -> Response:
    """A district is known, one thing is put by, and another was just taken out."""
    purchase.have_in_cart(visitor, {CLOTH: 2, CRISPS: 2, MUG: 1})
    purchase.send(visitor, "/cart/place", {"to": GUEST["postal_code"]})
    purchase.send(visitor, "/cart/save", {"sku": MUG.sku})
    left = purchase.send(visitor, "/cart/remove", {"sku": CRISPS.sku})
    purchase.have_in_cart(visitor, {CRISPS: 1})
    return visitor.page.goto(left.headers["location"])  # type: ignore[return-value]


def sent_cart(visitor: Visitor) -> Response:
    purchase.have_in_cart(visitor, {CLOTH: 2, CRISPS: 2})
    return visitor.go("/cart/send")


def brought_cart(visitor: Visitor) -> Response:
    """The link opened on a device that knows nothing of the cart."""
    sent_cart(visitor)
    link = re.search(r"/cart/link/[\w.-]+", visitor.page.locator(".cart__link").inner_text())
    assert link is not None
    visitor.page.context.clear_cookies()
    return visitor.go(link[0])


CART_PAGES = [
    Sight("cart-full", "cart.show", full_cart),
    Sight("cart-send", "cart.send", sent_cart),
    Sight("cart-link", "cart.link", brought_cart),
]
