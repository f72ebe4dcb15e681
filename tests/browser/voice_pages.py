"""Pages of what people ask and say, and where curators look at it first."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.sights import Sight, Way, at, found, sent
from tests.browser.visitor import Visitor

COORDINATOR, HEAD, CURATOR = "coordinator@demo.test", "head@demo.test", "curator@demo.test"
#: The product that most was said of.
TALKED_ABOUT = """SELECT p.slug FROM products p JOIN product_ratings r ON r.product_id = p.id
    ORDER BY r.reviews DESC, p.id LIMIT 1"""
ASKED_ABOUT = """SELECT p.slug FROM products p JOIN enquiries e ON e.product_id = p.id AND e.is_public
    JOIN enquiry_messages m ON m.enquiry_id = e.id AND m.author = 'facility' AND m.is_shown
    GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1"""
ITEM = "SELECT id FROM moderation_items WHERE kind = '{}' AND state = '{}' ORDER BY id LIMIT 1"
THREAD = """SELECT e.id FROM enquiries e JOIN facilities f ON f.id = e.facility_id AND f.code = 'PKL'
    JOIN enquiry_messages m ON m.enquiry_id = e.id AND m.author = '{}' ORDER BY e.id DESC LIMIT 1"""
#: A line that arrived lately: number of the order, and its place.
ARRIVED = """SELECT o.number, l.position FROM orders o JOIN order_lines l ON l.order_id = o.id
    JOIN parcel_lines pl ON pl.order_line_id = l.id JOIN parcels p ON p.id = pl.parcel_id AND p.state = 'received'
    LEFT JOIN reviews r ON r.order_line_id = l.id
    WHERE o.channel = 'online' AND o.paid_at > now() - '60 days'::interval AND (r.id IS NOT NULL) = {}
      AND (r.id IS NULL OR r.created_at > now() - '13 days'::interval)
    ORDER BY r.body IS NULL, length(r.body) DESC, l.id DESC LIMIT 1"""


def of_line(part: str, *, reviewed: bool = False) -> Way:
    """A page about a line of an order, opened by the order's link."""

    def go(visitor: Visitor) -> Response:
        row = visitor.shop.rows(ARRIVED.format("true" if reviewed else "false"))[0]
        visitor.go(visitor.shop.order_link(row["number"]))
        return visitor.go(f"/orders/{row['number']}/{part}/{row['position']}")

    return go


def thread(visitor: Visitor) -> Response:
    """Ask something, and see the thread that it began."""
    visitor.go(f"/products/{visitor.shop.value(TALKED_ABOUT)}/ask")
    body = {"id": "Apakah bisa dikirim ke luar pulau?", "en": "Can it be sent to another island?"}[visitor.language]
    visitor.page.locator("#f-body").fill(f"{body} 0800 0000 0123")
    with visitor.page.expect_navigation():
        visitor.page.locator("main form button[type=submit]").click()
    return visitor.page.reload()  # type: ignore[return-value]


VOICE_PAGES = [
    Sight("product-voices", "shop.product", found("/products/{}", TALKED_ABOUT)),
    Sight("product-reviews", "shop.product_reviews", found("/products/{}/reviews", TALKED_ABOUT)),
    Sight("product-questions", "shop.product_questions", found("/products/{}/questions", ASKED_ABOUT)),
    Sight("ask", "shop.ask_form", found("/products/{}/ask", TALKED_ABOUT)),
    Sight(
        "ask-refused", "shop.ask_question",
        sent(found("/products/{}/ask", TALKED_ABOUT), {"#f-body": "Eh", "#f-email": "sari"}, "main form button"),
        status=422,
    ),
    Sight("thread", "questions.show", thread),
    Sight("order-ask", "checkout.ask_form", of_line("ask")),
    Sight("review", "checkout.review_form", of_line("reviews")),
    Sight("review-again", "checkout.review_form", of_line("reviews", reviewed=True)),
    Sight("seller-questions", "seller.question_list", at("/seller/PKL/questions"), COORDINATOR),
    Sight("seller-questions-answered", "seller.question_list", at("/seller/PKL/questions?state=answered"), HEAD),
    Sight(
        "seller-question", "seller.question", found("/seller/PKL/questions/{}", THREAD.format("facility")), COORDINATOR
    ),
    Sight("seller-reviews", "seller.review_list", at("/seller/PKL/reviews"), COORDINATOR),
    Sight("moderation", "admin.moderation_list", at("/admin/moderation"), CURATOR),
    Sight("moderation-passed", "admin.moderation_list", at("/admin/moderation?list=passed"), CURATOR),
    Sight(
        "moderation-photo", "admin.moderation_item",
        found("/admin/moderation/{}", ITEM.format("photo", "waiting")), CURATOR,
    ),
    Sight(
        "moderation-decided", "admin.moderation_item",
        found("/admin/moderation/{}", ITEM.format("question", "refused")), CURATOR,
    ),
]  # fmt: skip
NO_VOICE_PAGES = {"admin.moderation_photo"}
