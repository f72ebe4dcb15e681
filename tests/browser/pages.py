"""Every page that people see, with an address of the demo for each."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser import purchase
from tests.browser.account_pages import ACCOUNT_PAGES, NO_ACCOUNT_PAGES
from tests.browser.after_pages import AFTER_PAGES, NO_AFTER_PAGES
from tests.browser.books_pages import BOOKS, NO_BOOK_PAGES
from tests.browser.cart_pages import CART_PAGES
from tests.browser.delivery_pages import DELIVERY_PAGES, NO_DELIVERY_PAGES
from tests.browser.factor_pages import FACTOR_PAGES
from tests.browser.fair_pages import FAIR_PAGES, NO_FAIR_PAGES
from tests.browser.finding_pages import FINDING_PAGES, NO_FINDING_PAGES
from tests.browser.impact_pages import IMPACT_PAGES, NO_IMPACT_PAGES
from tests.browser.import_pages import IMPORT_PAGES, NO_IMPORT_PAGES
from tests.browser.integration_pages import INTEGRATION_PAGES
from tests.browser.light_pages import LIGHT_PAGES
from tests.browser.listing_pages import LISTING_PAGES, NO_LISTING_PAGES
from tests.browser.mend_pages import MEND_PAGES
from tests.browser.notice_pages import NO_NOTICE_PAGES, NOTICE_PAGES
from tests.browser.office_pages import NO_OFFICE_PAGES, OFFICE_PAGES
from tests.browser.parcel_pages import NO_PARCEL_PAGES, PARCEL_PAGES
from tests.browser.payment_pages import NO_PAYMENT_PAGES, PAYMENT_PAGES
from tests.browser.product_pages import NO_PRODUCT_PAGES, PRODUCT_PAGES
from tests.browser.publish_pages import NO_PUBLISH_PAGES, PUBLISH_PAGES
from tests.browser.purchase import CLOTH, CRISPS, GUEST
from tests.browser.quote_pages import NO_QUOTE_PAGES, QUOTE_PAGES
from tests.browser.sights import Sight, Way, at, found, sent
from tests.browser.stock_pages import NO_STOCK_PAGES, STOCK_PAGES
from tests.browser.team_pages import NO_TEAM_PAGES, TEAM_PAGES
from tests.browser.training_pages import NO_TRAINING_PAGES, TRAINING_PAGES
from tests.browser.visitor import Visitor
from tests.browser.voice_pages import NO_VOICE_PAGES, VOICE_PAGES

COORDINATOR = "coordinator@demo.test"
FINANCE = "finance@demo.test"


def order_with(condition: str) -> Way:
    """Open an order of the demo by its link."""
    numbers = (
        f"SELECT o.number FROM orders o JOIN order_status s ON s.order_id = o.id WHERE {condition} LIMIT 1"
    )
    return lambda visitor: visitor.go(visitor.shop.order_link(visitor.shop.value(numbers)))


def parcel_in(state: str, part: str = "") -> Way:
    """A parcel of a facility of the coordinator's, in that state."""
    path = f"/seller/{{0[code]}}/parcels/{{0[id]}}{part}"
    query = """SELECT f.code, p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id
        WHERE f.code IN ('PKL', 'PLP') AND NOT p.is_pickup AND p.state = %s ORDER BY p.id DESC LIMIT 1"""
    return lambda visitor: visitor.go(path.format(visitor.shop.rows(query, state)[0]))


def filled_cart(visitor: Visitor) -> Response:
    purchase.have_in_cart(visitor, {CLOTH: 2, CRISPS: 2})
    return visitor.go("/cart")


def checkout(visitor: Visitor) -> Response:
    purchase.have_in_cart(visitor, {CLOTH: 2, CRISPS: 2})
    return visitor.go("/checkout")


def reckoned_checkout(visitor: Visitor) -> Response:
    response = checkout(visitor)
    purchase.fill_in(visitor, GUEST)
    purchase.reckon_shipping(visitor)
    return response


def refused_checkout(visitor: Visitor) -> Response:
    checkout(visitor)
    with visitor.page.expect_navigation() as navigation:
        purchase.order_button(visitor).click()
    return navigation.value  # type: ignore[return-value]


def provider_desk(visitor: Visitor) -> Response:
    """The provider's own page: its address names the language."""
    response = visitor.page.goto(f"{visitor.shop.address}/sandbox/?lang={visitor.language}")
    assert response is not None
    return response


def payment(visitor: Visitor) -> Response:
    purchase.have_ordered(visitor, {CLOTH: 1, CRISPS: 1})
    return visitor.page.reload()  # type: ignore[return-value]


def unpaid_order(visitor: Visitor) -> Response:
    payment(visitor)
    visitor.page.locator("main a").last.click()
    visitor.page.wait_for_url(lambda url: "/orders/" in url and "token" not in url)
    return visitor.page.reload()  # type: ignore[return-value]


def letter(visitor: Visitor) -> Response:
    unpaid_order(visitor)
    visitor.wait_for_letter()
    visitor.go("/demo/mail")
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator(".letters a").first.click()
    return navigation.value  # type: ignore[return-value]


PUBLIC = [
    Sight("home", "shop.home", at("/")),
    Sight("products", "shop.products", at("/products")),
    Sight(
        "products-filtered",
        "shop.products",
        at("/products?q=kursy&availability=made_to_order&sort=price_low"),
    ),
    Sight("products-page-2", "shop.products", at("/products?page=2")),
    Sight("products-none", "shop.products", at("/products?q=zzzzzz")),
    Sight("product-in-stock", "shop.product", at(f"/products/{CLOTH.slug}")),
    Sight("product-variants", "shop.product", at("/products/baju-koko")),
    Sight("product-made-to-order", "shop.product", at("/products/kursi-keong-madura")),
    Sight("facilities", "shop.facilities", at("/facilities")),
    Sight(
        "facility", "shop.facility", found("/facilities/{}", "SELECT slug FROM facilities WHERE code = 'PKL'")
    ),
    Sight("impact", "shop.impact", at("/impact")),
    Sight("help", "shop.help", at("/help")),
    Sight("offline", "shop.offline", at("/offline")),
    Sight("cart-empty", "cart.show", at("/cart")),
    Sight("cart", "cart.show", filled_cart),
    Sight("checkout", "checkout.show", checkout),
    Sight("checkout-reckoned", "checkout.show", reckoned_checkout),
    Sight("checkout-refused", "checkout.order", refused_checkout, status=422),
    Sight("payment", "sandbox.payment_page", payment),
    Sight("payment-desk", "sandbox.desk", provider_desk),
    Sight("order-unpaid", "checkout.show_order", unpaid_order),
    Sight("order-paid", "checkout.show_order", order_with("s.status = 'paid'")),
    Sight("order-partly-shipped", "checkout.show_order", order_with("s.status = 'partly_shipped'")),
    Sight(
        "order-completed",
        "checkout.show_order",
        order_with("s.status = 'completed' AND o.paid_at > now() - '60 days'::interval"),
    ),
    Sight("order-expired", "checkout.show_order", order_with("s.status = 'expired'")),
    Sight("login", "account.login", at("/login")),
    Sight("letters", "mailbox.letters", at("/demo/mail")),
    Sight("letter", "mailbox.letter", letter),
    Sight("not-found", "error", at("/products/tidak-ada"), status=404),
]

CURATOR = "curator@demo.test"

#: The central office's pages.
ADMIN = [
    Sight("admin", "admin.overview", at("/admin/"), CURATOR),
]

PERSONAL = [
    Sight("account", "account.show", at("/account"), "shopper@demo.test"),
    Sight("account-of-staff", "account.show", at("/account"), COORDINATOR),
    Sight("seller", "seller.index", at("/seller/"), COORDINATOR),
    Sight("seller-today", "seller.today", at("/seller/PKL/"), COORDINATOR),
    Sight("seller-today-read", "seller.today", at("/seller/PKL/"), "head@demo.test"),
    Sight("seller-parcels", "seller.parcels", at("/seller/PKL/parcels"), COORDINATOR),
    Sight("seller-parcel-to-pack", "seller.parcel", parcel_in("to_pack"), COORDINATOR),
    Sight("seller-parcel-shipped", "seller.parcel", parcel_in("shipped"), COORDINATOR),
    Sight("seller-parcel-received", "seller.parcel", parcel_in("received"), COORDINATOR),
    Sight("seller-slip", "seller.slip", parcel_in("to_pack", "/slip"), COORDINATOR),
    Sight("seller-label", "seller.label", parcel_in("to_pack", "/label"), COORDINATOR),
    Sight("seller-pick-list", "seller.pick_list", at("/seller/PKL/pick-list"), COORDINATOR),
    Sight("seller-products", "seller.products", at("/seller/PKL/products"), COORDINATOR),
    Sight("seller-sales", "seller.sales", at("/seller/PKL/sales"), COORDINATOR),
    Sight("seller-stock", "seller.stock", at(f"/seller/PKL/stock/{CLOTH.sku}"), COORDINATOR),
    Sight("seller-made-to-order", "seller.stock", at("/seller/PKL/stock/PKL-BATIK-03"), COORDINATOR),
    Sight("finance", "finance.overview", at("/finance/"), FINANCE),
    Sight("finance-year", "finance.year", at("/finance/year"), FINANCE),
    Sight("finance-sales", "finance.sales", at("/finance/sales"), FINANCE),
    Sight("finance-export", "finance.export", at("/finance/export"), FINANCE),
    Sight("finance-files", "finance.made_file_list", at("/finance/files"), FINANCE),
    Sight("finance-file", "finance.made_file",
          sent(at("/finance/export"), {}, "form[action$='/finance/export'][method=post] button"), FINANCE),
    Sight("finance-export-presets", "finance.export_presets", at("/finance/export-presets"), FINANCE),
    Sight("finance-owed", "finance.balances", at("/finance/owed"), FINANCE),
    Sight("finance-payments", "finance.payments", at("/finance/payments"), FINANCE),
    Sight("finance-account", "finance.account", at("/finance/accounts/owed:PKL:premium"), FINANCE),
    Sight("finance-clearing", "finance.account", at("/finance/accounts/clearing:sandbox"), FINANCE),
]

SIGHTS = [
    *PUBLIC,
    *LIGHT_PAGES,
    *ADMIN,
    *PERSONAL,
    *BOOKS,
    *CART_PAGES,
    *PAYMENT_PAGES,
    *PRODUCT_PAGES,
    *TEAM_PAGES,
    *TRAINING_PAGES,
    *VOICE_PAGES,
    *QUOTE_PAGES,
    *STOCK_PAGES,
    *FAIR_PAGES,
    *NOTICE_PAGES,
    *OFFICE_PAGES,
    *DELIVERY_PAGES,
    *PARCEL_PAGES,
    *MEND_PAGES,
    *FINDING_PAGES,
    *AFTER_PAGES,
    *IMPACT_PAGES,
    *ACCOUNT_PAGES,
    *FACTOR_PAGES,
    *INTEGRATION_PAGES,
    *PUBLISH_PAGES,
    *LISTING_PAGES,
    *IMPORT_PAGES,
]

#: Routes that answer GET and are no page of their own: files, fragments, feeds, and ways back to a page.
NO_PAGES = {
    "api.openapi", "api.list_products", "api.show_cart", "api.show_order", "api.list_sales", "api.show_statement",
    "api.list_facilities",
    "api.show_shipping", "checkout.watch_order", "media.file",
    "finance.fetch_made_file", "finance.made_file_progress",
    "seller.export", "shop.me", "shop.product_feed", "shop.robots", "shop.short_link", "shop.sitemap_part",
    "shop.sitemap_pages", "shop.share_picture", "shop.manifest", "shop.service_worker", "shop.catalogue_lines",
    "shop.catalogue_csv", "shop.sitemap_xml", "shop.stock", "system.healthz", "system.metrics", "system.readyz",
}  # fmt: skip
NO_PAGES |= NO_BOOK_PAGES | NO_PAYMENT_PAGES | NO_PRODUCT_PAGES | NO_VOICE_PAGES | NO_OFFICE_PAGES
NO_PAGES |= NO_STOCK_PAGES | NO_FAIR_PAGES | NO_QUOTE_PAGES
NO_PAGES |= NO_DELIVERY_PAGES | NO_FINDING_PAGES | NO_AFTER_PAGES | NO_IMPACT_PAGES | NO_ACCOUNT_PAGES
NO_PAGES |= NO_PUBLISH_PAGES
NO_PAGES |= NO_TEAM_PAGES | NO_PARCEL_PAGES | NO_NOTICE_PAGES | NO_LISTING_PAGES | NO_IMPORT_PAGES
NO_PAGES |= NO_TRAINING_PAGES
