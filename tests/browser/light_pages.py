"""The page of an order whose hold is about to end."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser import purchase
from tests.browser.purchase import CLOTH
from tests.browser.sights import Sight
from tests.browser.visitor import Visitor


def ends_soon(visitor: Visitor, when: str = "4 minutes 30 seconds") -> Response:
    """An unpaid order of this person's whose hold ends `when` from now (an SQL interval)."""
    purchase.have_ordered(visitor, {CLOTH: 1})
    visitor.page.locator("main a").last.click()
    visitor.page.wait_for_url(lambda url: "/orders/" in url and "token" not in url)
    number = purchase.order_number(visitor)
    visitor.shop.rows(
        """UPDATE orders SET expires_at = clock_timestamp() + CAST(%s AS interval) WHERE number = %s RETURNING id""",
        when,
        number,
    )
    # Without the mark of somebody who comes from the payment page: for them it first looks whether they have paid.
    return visitor.page.goto(visitor.page.url.partition("?")[0])  # type: ignore[return-value]


LIGHT_PAGES = [Sight("order-hold-ends", "checkout.show_order", ends_soon)]
