"""A cashier's phone at the stand of the running fair, as tests and measurements use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.shop import LiveShop

ACCOUNT = "cashier@demo.test"
COUNTER = "/counter/pameran-karya-binaan"
#: Pieces at the stand by code, the most first.
STOCK = """SELECT v.sku, v.price, s.on_hand - s.reserved AS left FROM stock_levels s
    JOIN stock_locations l ON l.id = s.location_id JOIN exhibitions x ON x.id = l.exhibition_id
    JOIN variants v ON v.id = s.variant_id
    WHERE x.slug = 'pameran-karya-binaan' AND s.on_hand > s.reserved ORDER BY 3 DESC, v.sku"""
ORDERS = """SELECT o.id, c.key, c.sold_at, c.tendered, c.change, i.sku, i.quantity
    FROM counter_sales c JOIN orders o ON o.id = c.order_id JOIN order_lines i ON i.order_id = o.id
    WHERE c.key = ANY(%s) ORDER BY o.id, i.id"""


@dataclass(frozen=True)
class Phone:
    """A page of the counter in a browser that keeps what it is told to."""

    page: Page

    @classmethod
    def open(cls, context: BrowserContext, *, page: Page | None = None) -> Phone:
        """Open the counter and wait until all of it is kept in the phone, with a till that is open."""
        phone = cls(page or context.new_page())
        phone.page.goto(COUNTER)
        phone.page.locator("#counter[data-kept]").wait_for()
        if phone.page.locator("#notes").get_by_text("Belum ada kas").is_visible():
            phone.open_till()
        return phone

    def open_till(self, name: str = "Kas 9", opening_float: int = 0) -> None:
        self.page.locator("#till-open").click()
        used = self.page.locator("#till-list").get_by_role("button", name="Pakai")
        if used.count():
            used.first.click()
            self.page.locator("#till [data-close]").click()
        else:
            self.page.locator("#till-name").fill(name)
            self.page.locator("#till-float").fill(str(opening_float))
            self.page.locator("#till-new [type=submit]").click()
        expect(self.page.locator("#till")).to_be_hidden()

    def add(self, sku: str) -> None:
        """Tap its picture."""
        self.page.locator(f"[data-sku='{sku}']").first.click()

    def pay_exactly(self) -> None:
        """Bayar, Uang pas: the receipt is shown."""
        self.page.locator("#pay-open").click()
        self.page.locator("#exact").click()
        self.page.locator("#receipt[open]").wait_for()

    def next(self) -> None:
        self.page.locator("#next").click()
        expect(self.page.locator("#receipt")).to_be_hidden()

    def sell(self, *skus: str) -> None:
        """One whole sale, for exactly what it costs."""
        for sku in skus:
            self.add(sku)
        self.pay_exactly()
        self.next()

    def waiting(self, count: int) -> None:
        """Wait until so many sales are waiting in this phone, and the page says so.

        What is kept is asked first: a page that has just opened says nothing yet.
        """
        for _try in range(400):
            if len(self.kept("sales")) == count:
                break
            self.page.wait_for_timeout(100)
        button = self.page.locator("#history-open")
        if count:
            expect(button).to_contain_text(f"{count} menunggu")
        else:
            expect(button).not_to_contain_text("menunggu", timeout=40_000)

    def kept(self, store: str) -> list[dict]:
        """All that the phone keeps in one of its stores."""
        return self.page.evaluate(
            """store => new Promise(done => {
                const asked = indexedDB.open("counter");
                asked.onsuccess = () => {
                    const all = asked.result.transaction(store).objectStore(store).getAll();
                    all.onsuccess = () => { asked.result.close(); done(all.result); };
                };
            })""",
            store,
        )


def sold(shop: LiveShop, keys: Sequence[str]) -> list[dict]:
    """Lines of the orders that the shop has for these keys, in the order in which it got them."""
    return shop.rows(ORDERS, list(keys))
