"""Pages around a product: its variants, being told, declarations."""

from __future__ import annotations

import email
import email.policy

from playwright.sync_api import Response

from tests.browser.sights import Sight, at, found
from tests.browser.visitor import Visitor

KOKO = "/products/baju-koko"
SOLD_OUT = "PKL-JAHIT-01-XL"
COORDINATOR, CURATOR = "coordinator@demo.test", "curator@demo.test"


def asked(visitor: Visitor) -> Response:
    visitor.go(f"{KOKO}?sku={SOLD_OUT}")
    visitor.page.locator(".tell:visible input[name=email]").fill("wulan@example.test")
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator(".tell:visible button").click()
    return navigation.value  # type: ignore[return-value]


def letters_link(visitor: Visitor) -> Response:
    """The link of the letter that asks for their word."""
    asked(visitor)
    folder = visitor.shop.shop.var_dir / "mail"
    file = visitor.until(lambda: next(folder.glob("alert.*.ask.eml"), None), "no letter was sent")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    text = str(message.get_content())  # type: ignore[attr-defined]
    return visitor.go("/notify/" + text.partition("/notify/")[2].split()[0])


WORKSHOP = """SELECT w.id FROM workshops w JOIN facilities f ON f.id = w.facility_id
    WHERE f.code = 'PKL' ORDER BY w.name LIMIT 1"""
WAITS = "SELECT id FROM workshop_declarations WHERE state = '{}' ORDER BY id DESC LIMIT 1"

PRODUCT_PAGES = [
    Sight("product-sold-out", "shop.product", at(f"{KOKO}?sku={SOLD_OUT}")),
    Sight("product-food", "shop.product", at("/products/nastar-stoples")),
    Sight("product-colours", "shop.product", at("/products/tas-selempang-kulit-kanvas-lamoker?sku=MJK-KULIT-01-HITAM")),
    Sight("tell-form", "shop.tell_form", at(f"{KOKO}/notify?sku={SOLD_OUT}")),
    Sight("tell-asked", "shop.ask_to_be_told", asked),
    Sight("tell-letter", "shop.waiting", letters_link),
    Sight("declarations", "shop.declarations", found(
        "/facilities/{}/declarations", "SELECT slug FROM facilities WHERE code = 'PKL'")),
    Sight("seller-declarations", "seller.declaration_list", at("/seller/PKL/declarations"), COORDINATOR),
    Sight("seller-declaration", "seller.declaration_page", found("/seller/PKL/declarations/{}", WORKSHOP), COORDINATOR),
    Sight("admin-declarations", "admin.declaration_list", at("/admin/declarations"), CURATOR),
    Sight("admin-declaration", "admin.declaration_page", found(
        "/admin/declarations/{}", WAITS.format("proposed")), CURATOR),
    Sight("admin-declaration-approved", "admin.declaration_page", found(
        "/admin/declarations/{}", WAITS.format("approved")), CURATOR),
]  # fmt: skip

NO_PRODUCT_PAGES = {"shop.money_of_variant", "shop.product_code"}
