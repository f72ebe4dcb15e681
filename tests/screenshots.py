"""Take the pictures of the documents anew: `make screenshots` (a minute or two: it loads a demo of its own).

`python -m tests.screenshots office` takes those of one part (`shop`, `coordinator`, `office`, `counter`).
"""

from __future__ import annotations

import argparse
import io
from functools import partial
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.books_pages import CLOSED, FINANCE, OPEN
from tests.browser.counter import ACCOUNT as CASHIER
from tests.browser.counter import STOCK, Phone
from tests.browser.purchase import CLOTH, CRISPS, have_in_cart, have_ordered, pay
from tests.browser.shop import LiveShop, serve
from tests.browser.visitor import Visitor, sign_in
from tests.clones import TestServer
from tests.demo import demo_template
from tests.everything import browser as chromium_path
from tests.first_product import first_product
from tests.office_pictures import connection_pictures, finance_pictures

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PHONE, DESK = (390, 844), (1280, 844)
#: Where two pages stand side by side.
SMALL_DESK = (1040, 720)
GAP, GROUND = 40, "#e9e4da"


def person(browser: Browser, shop: LiveShop, size: tuple[int, int], account: str | None = None) -> Visitor:
    """Somebody who visits the shop on a screen of `size`, signed in or not."""
    context = browser.new_context(
        base_url=shop.address, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    page = context.new_page()
    if account is not None:
        sign_in(page, account)
    return Visitor(page, shop, "id", "phone" if size == PHONE else "desk")


def shot(visitor: Visitor, path: str | None = None) -> Image.Image:
    """What the screen shows first of the page at `path`, or of the page that is open."""
    if path is not None:
        visitor.go(path)
    visitor.page.wait_for_load_state("networkidle")
    return Image.open(io.BytesIO(visitor.page.screenshot())).convert("RGB")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """The pictures in a row, on one ground."""
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) + 1)
    height = max(picture.height for picture in pictures) + 2 * GAP
    sheet = Image.new("RGB", (width, height), GROUND)
    left = GAP
    for picture in pictures:
        sheet.paste(picture, (left, GAP))
        left += picture.width + GAP
    return sheet


def take(shop: LiveShop, wanted: list[str]) -> None:
    """Take the pictures of the `wanted` parts of `shop`; it has some orders more afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        for name in wanted:
            PARTS[name](browser, shop)
        browser.close()


def first_looks(browser: Browser, shop: LiveShop) -> None:
    """The shop, a purchase, and the first page of everybody who works with it."""
    phone, desk = person(browser, shop, PHONE), person(browser, shop, DESK)
    save("home", [shot(phone, "/"), shot(desk, "/")])
    product = shot(phone, f"/products/{CLOTH.slug}")
    have_in_cart(phone, {CLOTH: 2, CRISPS: 3})
    cart = shot(phone, "/cart")
    have_ordered(phone, {})
    pay(phone)
    phone.page.locator(".order-head .pill--ready").wait_for()
    save("purchase", [product, cart, shot(phone)])
    save("seller", [shot(person(browser, shop, DESK, "coordinator@demo.test"), "/seller/PKL/")])
    office = person(browser, shop, DESK, "admin@demo.test")
    save("suspend", [shot(office, "/admin/facilities/PKL/suspend")])
    save("people", [shot(office, "/admin/people")])


def coordinator_pictures(browser: Browser, shop: LiveShop) -> None:
    """A first product from the camera to the courier."""
    pictures, counted = first_product(lambda account: person(browser, shop, PHONE, account), shot)
    for name, taken in pictures.items():
        save(name, taken)
    for name, (taps, keys) in counted.items():
        print(f"{name}: {taps} taps, {keys} keystrokes")


def office_pictures(browser: Browser, shop: LiveShop) -> None:
    """Finance's ways through a month, and what other systems are given."""
    finance = person(browser, shop, DESK, FINANCE)
    save("finance", [shot(finance, "/finance/")])
    save("statement", [shot(finance, f"/finance/statements/PKL/{shop.value(CLOSED)}")])
    save("month", [shot(finance, f"/finance/periods/{shop.value(OPEN)}")])
    for take_some, size in ((finance_pictures, SMALL_DESK), (connection_pictures, DESK)):
        for name, taken in take_some(partial(person, browser, shop, size), shot).items():
            save(name, taken)


def counter_pictures(browser: Browser, shop: LiveShop) -> None:
    """A cashier's phone with a line and without."""
    cashier = person(browser, shop, PHONE, CASHIER)
    phone = Phone.open(cashier.page.context, page=cashier.page)
    pieces = [row["sku"] for row in shop.rows(STOCK)[:3]]
    for sku in (pieces[0], pieces[1], pieces[1]):
        phone.add(sku)
    choosing = shot(cashier)
    cashier.page.locator("#pay-open").click()
    for note in ("100000", "50000"):
        cashier.page.locator(f"[data-note='{note}']").click()
    paying = shot(cashier)
    cashier.page.locator("#exact").click()
    cashier.page.locator("#receipt[open]").wait_for()
    save("counter", [choosing, paying, shot(cashier)])
    phone.next()
    cashier.page.context.set_offline(True)
    phone.sell(pieces[2])
    phone.sell(pieces[0], pieces[1])
    cashier.page.locator("#history-open").click()
    waits = shot(cashier)
    cashier.page.context.set_offline(False)
    phone.waiting(0)
    save("counter-offline", [waits, shot(cashier)])


def save(name: str, pictures: list[Image.Image]) -> None:
    """Write one picture of the documents."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    # A palette halves the file and the eye does not see it.
    sheet = side_by_side(pictures).quantize(256, dither=Image.Dither.NONE)
    sheet.save(PICTURES / f"{name}.png", optimize=True)
    print(PICTURES / f"{name}.png")


#: By the name that asks for some of the pictures alone.
PARTS = {
    "shop": first_looks,
    "coordinator": coordinator_pictures,
    "office": office_pictures,
    "counter": counter_pictures,
}


def main() -> None:
    """Write every picture that the documents show, or those of the parts that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    wanted = list(parser.parse_args().parts) or list(PARTS)
    server = TestServer().start()
    try:
        clone = server.clone("storefront_screenshots", demo_template(server))
        with serve(clone, server.var_dir / "media", server.var_dir / "screenshots") as shop:
            take(shop, wanted)
        clone.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
