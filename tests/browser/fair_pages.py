"""Pages of exhibitions: a facility's fairs, and what it brings to one."""

from __future__ import annotations

from tests.browser.sights import Sight, at, sent

COORDINATOR, HEAD = "coordinator@demo.test", "head@demo.test"
FAIR = "/seller/PKL/exhibitions/pameran-karya-binaan"

FAIR_PAGES = [
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
