"""Pages after the sale: receipt, calling off, problems, news and thanks, finding an order, one's own data."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.payment_pages import order_of
from tests.browser.sights import Sight, Way, at, found, sent
from tests.browser.visitor import Visitor

COORDINATOR, FINANCE, CURATOR = "coordinator@demo.test", "finance@demo.test", "curator@demo.test"
OF_PROBLEM = """SELECT o.number, x.id FROM problems x JOIN orders o ON o.id = x.order_id
    WHERE x.state = '{}' ORDER BY x.id LIMIT 1"""
WAITS = """SELECT f.code, x.id FROM problems x JOIN facilities f ON f.id = x.facility_id
    WHERE x.state = 'open' AND f.code IN ('PKL', 'PLP') ORDER BY x.id LIMIT 1"""
PAID = """SELECT o.number FROM orders o JOIN order_status s ON s.order_id = o.id WHERE s.status = 'paid'
      AND EXISTS (SELECT FROM parcels p WHERE p.order_id = o.id AND p.state = 'to_pack') ORDER BY o.id LIMIT 1"""
CALLED_OFF = "SELECT o.number FROM orders o JOIN refunds r ON r.order_id = o.id WHERE r.reason = 'cancelled' LIMIT 1"
TOLD = """SELECT o.number FROM money_news n JOIN orders o ON o.id = n.order_id
    WHERE {} EXISTS (SELECT FROM thank_yous t WHERE t.order_id = o.id) ORDER BY n.told_at DESC, o.id LIMIT 1"""
REPORTABLE = """SELECT o.number, p.position FROM parcels p JOIN orders o ON o.id = p.order_id
    WHERE p.state = 'received' AND p.received_at > now() - interval '5 days'
      AND NOT EXISTS (SELECT FROM problems x WHERE x.parcel_id = p.id)
      AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id) ORDER BY p.id LIMIT 1"""
WITHOUT_ADDRESS = """SELECT o.number FROM orders o JOIN order_contacts c ON c.order_id = o.id
    WHERE c.email IS NULL AND c.erased_at IS NULL AND c.phone IS NOT NULL AND o.state = 'paid'
    ORDER BY o.id DESC LIMIT 1"""
GONE = """SELECT o.number FROM orders o JOIN order_lines l ON l.order_id = o.id
    LEFT JOIN stock_levels s ON s.variant_id = l.variant_id AND s.location_id = l.location_id
    WHERE o.paid_at > now() - interval '150 days'
    ORDER BY (s.on_hand - s.reserved < l.quantity) DESC NULLS LAST, o.id LIMIT 1"""


def bought_again(visitor: Visitor) -> Response:
    """An order of which something is not there any more, bought again."""
    order_of(GONE)(visitor)
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("form[action$='/again'] button").click()
    return navigation.value  # type: ignore[return-value]


def own_data(part: str = "") -> Way:
    """An order whose buyer gave no address opens its own data; or a page below it."""

    def go(visitor: Visitor) -> Response:
        order_of(WITHOUT_ADDRESS)(visitor)
        with visitor.page.expect_navigation() as navigation:
            visitor.page.locator("form[action$='/my-data'] button").click()
        response: Response = navigation.value  # type: ignore[assignment]
        return visitor.page.goto(f"{visitor.page.url}/{part}") if part else response  # type: ignore[return-value]

    return go


OF_SHOPPERS = [
    Sight("find-order", "checkout.find_order", at("/orders")),
    Sight("find-order-sent", "checkout.find_order", at("/orders?sent=1")),
    Sight("receipt", "checkout.receipt", order_of(PAID, "/receipt")),
    Sight("order-to-cancel", "checkout.cancel_page", order_of(PAID, "/cancel")),
    Sight("order-called-off", "checkout.show_order", order_of(CALLED_OFF)),
    Sight("order-money-news", "checkout.show_order", order_of(TOLD.format("NOT"))),
    Sight("order-thanked", "checkout.show_order", order_of(TOLD.format(""))),
    Sight("order-problem", "checkout.show_order", order_of(OF_PROBLEM.format("open"))),
    Sight("order-problem-accepted", "checkout.show_order", order_of(OF_PROBLEM.format("accepted"))),
    Sight("problem", "checkout.new_problem", order_of(REPORTABLE, "/parcels/{position}/problem")),
    Sight(
        "problem-refused",
        "checkout.report_problem",
        sent(order_of(REPORTABLE, "/parcels/{position}/problem"), {}, "main form button"),
        status=422,
    ),
    Sight("bought-again", "checkout.buy_again", bought_again),
    Sight("my-data-ask", "checkout.my_data", at("/my-data")),
    Sight("my-data-sent", "checkout.my_data", at("/my-data?sent=1")),
    Sight("order-without-address", "checkout.show_order", order_of(WITHOUT_ADDRESS)),
    Sight("my-data", "checkout.show_data", own_data()),
    Sight("my-data-erase", "checkout.erase_page", own_data("erase")),
]
OF_STAFF = [
    Sight("seller-problems", "seller.problem_list", at("/seller/PKL/problems"), COORDINATOR),
    Sight(
        "seller-problem",
        "seller.problem",
        found("/seller/{}/problems/{}", WAITS),
        COORDINATOR,
    ),
    Sight("seller-thanks", "seller.thank_you_list", at("/seller/PKL/thanks"), COORDINATOR),
    Sight("finance-problems", "finance.problem_list", at("/finance/problems"), FINANCE),
    Sight(
        "finance-problem",
        "finance.problem_page",
        found("/finance/problems/{}", "SELECT id FROM problems ORDER BY (state = 'handed_over') DESC, id LIMIT 1"),
        FINANCE,
    ),
    Sight(
        "moderation-thanks",
        "admin.moderation_item",
        found("/admin/moderation/{}", "SELECT id FROM moderation_items WHERE kind = 'thank_you' ORDER BY id LIMIT 1"),
        CURATOR,
    ),
]
AFTER_PAGES = [*OF_SHOPPERS, *OF_STAFF]

#: Files, pictures, and addresses of forms that lead back to their page.
NO_AFTER_PAGES = {
    "checkout.data_file",
    "checkout.problem_photo", "checkout.receipt_file", "finance.problem_photo", "seller.problem_photo",
}  # fmt: skip
