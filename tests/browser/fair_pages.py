"""Pages of exhibitions: for everybody, for a facility that brings something, for the office and the cashiers."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.sights import Sight, at, found, sent
from tests.browser.visitor import Visitor

COORDINATOR, HEAD, ADMINISTRATOR = "coordinator@demo.test", "head@demo.test", "admin@demo.test"
OFFICE = "/admin/exhibitions/pameran-karya-binaan"
FAIR = "/seller/PKL/exhibitions/pameran-karya-binaan"
COUNTER = "/counter/pameran-karya-binaan"
CASHIER, FINANCE = "cashier@demo.test", "finance@demo.test"
#: A sale of yesterday; a session that waits for finance, and one that is open.
SALE = "SELECT o.number FROM counter_sales c JOIN orders o ON o.id = c.order_id ORDER BY o.id LIMIT 1"
COUNTED = "SELECT id FROM till_sessions WHERE closed_at IS NOT NULL ORDER BY id LIMIT 1"
DAY = "SELECT max(accounting_date(sold_at)) FROM counter_sales"
TILL = "SELECT t.id FROM tills t JOIN till_sessions s ON s.till_id = t.id AND s.closed_at IS NULL ORDER BY t.id LIMIT 1"


def counter(visitor: Visitor) -> Response:
    """The counter with something in the basket."""
    response = visitor.go(COUNTER)
    visitor.page.locator("#counter[data-ready]").wait_for()
    visitor.page.locator("[data-sku]").first.click()
    visitor.page.locator(".lines__one").wait_for()
    return response


def stand_receipt(visitor: Visitor) -> Response:
    """The buyer's own receipt of a sale at the stand, by its link."""
    number = visitor.shop.value(SALE)
    visitor.go(visitor.shop.order_link(number))
    return visitor.go(f"/orders/{number}/receipt")


#: What the counter's page asks for.
NO_FAIR_PAGES = {"counter.catalogue", "counter.token", "counter.qr", "counter.worker", "counter.state"}
#: Papers, a calendar file, a picture.
NO_FAIR_PAGES |= {"seller.packing_list", "seller.piece_labels", "shop.exhibition_calendar", "shop.share_exhibition"}

FAIR_PAGES = [
    Sight("exhibitions", "shop.exhibitions", at("/exhibitions")),
    Sight("exhibition", "shop.exhibition", at("/exhibitions/pameran-karya-binaan")),
    Sight("admin-exhibitions", "admin.exhibition_list", at("/admin/exhibitions"), ADMINISTRATOR),
    Sight("admin-exhibition-new", "admin.new_exhibition", at("/admin/exhibitions/new"), ADMINISTRATOR),
    Sight("admin-exhibition", "admin.exhibition", at(OFFICE), ADMINISTRATOR),
    Sight("admin-exhibition-prices", "admin.exhibition_prices", at(f"{OFFICE}/prices"), ADMINISTRATOR),
    Sight("admin-exhibition-stand", "admin.exhibition_stand", at(f"{OFFICE}/stand?facility=PKL"), ADMINISTRATOR),
    Sight("counter-stand", "counter.stand_page", at("/counter/pameran-karya-binaan/stand"), "cashier@demo.test"),
    Sight("counter", "counter.sell", counter, CASHIER),
    Sight("counter-tills", "counter.till_list", at(f"{COUNTER}/tills"), CASHIER),
    Sight("counter-count", "counter.till_page", found(f"{COUNTER}/tills/{{}}", TILL), CASHIER),
    Sight("counter-sales", "counter.sale_list_page", at(f"{COUNTER}/sales"), CASHIER),
    Sight("counter-sale", "counter.sale_page", found(f"{COUNTER}/sales/{{}}", SALE), CASHIER),
    Sight("counter-receipt", "counter.receipt", found(f"{COUNTER}/receipts/{{}}", SALE), CASHIER),
    Sight("stand-receipt", "checkout.receipt", stand_receipt),
    Sight("counter-orders", "counter.to_collect", at(f"{COUNTER}/orders"), CASHIER),
    Sight("counter-conflicts", "counter.conflict_list", at(f"{COUNTER}/conflicts"), CASHIER),
    Sight("counter-day", "counter.day_sheet", found(f"{COUNTER}/day?day={{}}", DAY), CASHIER),
    Sight("counter-pin", "counter.pin_page", at(f"{COUNTER}/pin"), CASHIER),
    Sight("finance-tills", "finance.till_list", at("/finance/tills"), FINANCE),
    Sight("finance-till", "finance.till_session", found("/finance/tills/{}", COUNTED), FINANCE),
    Sight("finance-till-pin", "finance.till_pin", at("/finance/tills/pin"), FINANCE),
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
