"""Pages of large orders: the wish, the quote that is written for it, and what the buyer reads."""

from __future__ import annotations

from playwright.sync_api import Response

from storefront.quotes.models import Quote
from storefront.quotes.tokens import quote_token
from tests.browser.sights import Sight, Way, at, found
from tests.browser.visitor import Visitor

COORDINATOR, HEAD = "coordinator@demo.test", "head@demo.test"
QUOTE = "SELECT id, number, token_version FROM quotes WHERE state = '{}' ORDER BY id LIMIT 1"
PAID = "SELECT number FROM orders WHERE channel = 'quote' AND state = 'awaiting_payment' ORDER BY id LIMIT 1"
FACILITY = "SELECT slug FROM facilities WHERE code = 'PKL'"


def of_quote(state: str) -> Way:
    """Open a quote of the demo by its link."""

    def go(visitor: Visitor) -> Response:
        row = visitor.shop.rows(QUOTE.format(state))[0]
        with visitor.shop.app.app_context():
            token = quote_token(Quote(id=row["id"], token_version=row["token_version"]))
        visitor.go(f"/quotes/{row['number']}?token={token}")
        return visitor.go(f"/quotes/{row['number']}")

    return go


def of_order(visitor: Visitor) -> Response:
    """The page of an order of which the first instalment is paid."""
    number = visitor.shop.value(PAID)
    visitor.go(visitor.shop.order_link(number))
    return visitor.go(f"/orders/{number}")


QUOTE_PAGES = [
    Sight("large-order", "questions.large_form", found("/large-order?facility={}", FACILITY)),
    Sight("quote", "quotes.show", of_quote("sent")),
    Sight("order-instalments", "checkout.show_order", of_order),
    Sight("seller-quotes", "seller.quote_list", at("/seller/PKL/quotes"), HEAD),
    Sight("seller-quote-draft", "seller.quote", found("/seller/PKL/quotes/{}", QUOTE.format("draft")), COORDINATOR),
]
NO_QUOTE_PAGES = {"quotes.paper", "seller.quote_paper", "seller.question_file"}
