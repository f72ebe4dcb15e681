"""Pages of exhibitions: a facility's fairs, and what it brings to one."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.sights import Sight, at, sent
from tests.browser.visitor import Visitor

COORDINATOR, HEAD = "coordinator@demo.test", "head@demo.test"
FAIR = "/seller/PKL/exhibitions/pameran-karya-binaan"
COUNTER = "/counter/pameran-karya-binaan"


def counter(visitor: Visitor) -> Response:
    """The counter with something in the basket."""
    response = visitor.go(COUNTER)
    visitor.page.locator("#counter[data-ready]").wait_for()
    visitor.page.locator("[data-sku]").first.click()
    visitor.page.locator(".lines__one").wait_for()
    return response


#: What the counter's page asks for.
NO_FAIR_PAGES = {"counter.catalogue", "counter.token", "counter.qr", "counter.worker", "counter.state"}

FAIR_PAGES = [
    Sight("counter", "counter.sell", counter, "cashier@demo.test"),
    Sight("seller-exhibitions", "seller.exhibition_list", at("/seller/PKL/exhibitions"), COORDINATOR),
    Sight("seller-exhibition", "seller.exhibition", at(FAIR), COORDINATOR),
    Sight("seller-exhibition-read", "seller.exhibition", at(f"{FAIR}?show=missing&sort=missing"), HEAD),
    Sight(
        "seller-exhibition-past", "seller.exhibition",
        at("/seller/PKL/exhibitions/one-day-one-prison-product-2023"), COORDINATOR,
    ),
    Sight(
        "seller-exhibition-refused", "seller.send_pieces",
        sent(at(FAIR), {"[aria-labelledby=kirim] [data-count] >> nth=0": "banyak"}, "[aria-labelledby=kirim] button"),
        COORDINATOR, status=422,
    ),
]  # fmt: skip
