"""Fifty sales in a row at the counter, in a browser as a cashier's phone: taps, and the time of each."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.counter import ACCOUNT, Phone
from tests.browser.visitor import sign_in
from tests.drills.running_shop import Shop
from tests.everything import browser as chromium

SALES = 50
#: Seconds that a cashier may need for one.
MOST = 6.0


@dataclass(frozen=True)
class Fifty:
    """Seconds of each sale from the first tap to a page that is ready for the next, and taps of one."""

    seconds: list[float]
    taps: int

    @property
    def middle(self) -> float:
        return statistics.median(self.seconds)

    @property
    def slowest(self) -> float:
        return max(self.seconds)


def measure(shop: Shop, *, online: bool = True) -> Fifty:
    """Sell, with a line or without; every second sale has two pieces of different facilities.

    The stand is filled up before, so that it can be measured again and again. A person's own taps, a third of a second
    each, are not in it.
    """
    skus = fill(shop)
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium())
        context = chrome.new_context(
            base_url=shop.address, viewport={"width": 360, "height": 780}, has_touch=True, reduced_motion="reduce"
        )
        page = context.new_page()
        sign_in(page, ACCOUNT)
        phone = Phone.open(context, page=page)
        page.evaluate("taps = 0; addEventListener('click', () => { taps += 1; }, true)")
        context.set_offline(not online)
        seconds = []
        for number in range(SALES):
            begun = time.perf_counter()
            phone.sell(*(skus[:2] if number % 2 else skus[:1]))
            seconds.append(time.perf_counter() - begun)
        taps = page.evaluate("taps")
        context.set_offline(False)
        phone.waiting(0)
        chrome.close()
    return Fifty(seconds, round(taps / SALES))


def fill(shop: Shop) -> list[str]:
    """Put plenty of two pieces of different facilities on the stand; their codes."""
    with shop.owner() as connection:
        rows: list[Any] = connection.execute(
            """SELECT DISTINCT ON (p.facility_id) v.sku, v.id, l.id FROM stock_levels s
                 JOIN stock_locations l ON l.id = s.location_id JOIN exhibitions x ON x.id = l.exhibition_id
                 JOIN variants v ON v.id = s.variant_id JOIN products p ON p.id = v.product_id
                WHERE x.slug = 'pameran-karya-binaan' ORDER BY p.facility_id, v.id LIMIT 2"""
        ).fetchall()
        for _sku, variant_id, location_id in rows:
            connection.execute(
                "INSERT INTO stock_movements (variant_id, location_id, quantity, reason) VALUES (%s, %s, %s, 'made')",
                (variant_id, location_id, 2 * SALES),
            )
    return [sku for sku, _, _ in rows]
