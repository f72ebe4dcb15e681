"""Where goods go and what that costs: the estimate as a page, and what a facility offers."""

from __future__ import annotations

from tests.browser.purchase import CLOTH
from tests.browser.sights import Sight, at

COORDINATOR = "coordinator@demo.test"

DELIVERY_PAGES = [
    Sight("shipping", "shop.product_shipping", at(f"/products/{CLOTH.slug}/shipping?to=50263")),
    Sight("shipping-which", "shop.product_shipping", at(f"/products/{CLOTH.slug}/shipping?to=Depok")),
    Sight("shipping-none", "shop.product_shipping", at(f"/products/{CLOTH.slug}/shipping?to=zzz")),
    Sight("seller-shipping", "seller.shipping", at("/seller/PKL/shipping"), COORDINATOR),
    Sight("seller-shipping-read", "seller.shipping", at("/seller/PKL/shipping"), "head@demo.test"),
]

NO_DELIVERY_PAGES = {"shop.find_places"}
