"""Take the pictures of the documents anew: `make screenshots` (a minute or two: it loads a demo of its own).

`python -m tests.screenshots office` takes those of one part (`shop`, `coordinator`, `office`, `counter`, `fair`).
"""

from __future__ import annotations

import argparse
import io
import re
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.books_pages import CLOSED, FINANCE, OPEN
from tests.browser.counter import ACCOUNT as CASHIER
from tests.browser.counter import COUNTER, STOCK, Phone
from tests.browser.fair_pages import TILL
from tests.browser.purchase import CLOTH, CRISPS, have_in_cart, have_ordered, pay
from tests.browser.shop import LiveShop, serve
from tests.browser.test_counter_camera import camera_of, film
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
#: A fair of the year to come, with those who take part in the one that runs.
COMING = """WITH made AS (
    INSERT INTO exhibitions (slug, name, venue, city, starts_on, ends_on, theme, hours, about)
    SELECT 'pameran-tahun-depan', 'Pameran Karya Binaan ' || extract(year FROM now() + interval '90 days'),
           'Plasa Pameran Industri', 'Jakarta', current_date + 90, current_date + 93,
           'Karya tangan dari bengkel lapas', '10.00–21.00', 'Datang, lihat, dan bawa pulang karya dari seluruh negeri.'
    RETURNING id), taking_part AS (
    INSERT INTO exhibition_facilities (exhibition_id, facility_id) SELECT made.id, f.facility_id
      FROM made, exhibition_facilities f JOIN exhibitions x ON x.id = f.exhibition_id
     WHERE x.slug = 'pameran-karya-binaan' RETURNING facility_id)
    INSERT INTO exhibition_pieces (exhibition_id, facility_id, variant_id, planned)
    SELECT made.id, b.facility_id, b.variant_id, b.planned
      FROM made, exhibition_pieces b JOIN exhibitions x ON x.id = b.exhibition_id
     WHERE x.slug = 'pameran-karya-binaan' RETURNING variant_id"""
GAP, GROUND = 40, "#e9e4da"


def person(browser: Browser, shop: LiveShop, size: tuple[int, int], account: str | None = None) -> Visitor:
    """Somebody who visits the shop on a screen of `size`, signed in or not."""
    context = browser.new_context(
        base_url=shop.address,
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
        locale="id-ID",
        timezone_id="Asia/Jakarta",
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
    """A cashier's phone with a line and without, then each of the counter's other screens."""
    cashier = person(browser, shop, PHONE, CASHIER)
    page, phone = cashier.page, Phone.open(cashier.page.context, page=cashier.page)
    pieces = [row["sku"] for row in shop.rows(STOCK)[:3]]
    for sku in (pieces[0], pieces[1], pieces[1]):
        phone.add(sku)
    expect(page.locator("#bar-count")).to_contain_text("3")
    choosing = shot(cashier)
    page.locator("#pay-open").click()
    for _note in range(-(-int("0" + re.sub(r"\D", "", page.locator("#pay-total").inner_text())) // 100_000)):
        page.locator("[data-note='100000']").click()
    paying = shot(cashier)
    page.locator("#pay-form [type=submit]").click()
    page.locator("#receipt[open]").wait_for()
    save("counter", [choosing, paying, shot(cashier)])
    sold = phone.kept("done")[-1]["order"]["number"]
    phone.next()
    page.context.set_offline(True)
    phone.sell(pieces[2])
    phone.sell(pieces[0], pieces[1])
    page.locator("#history-open").click()
    waits = shot(cashier)
    page.context.set_offline(False)
    phone.waiting(0)
    save("counter-offline", [waits, shot(cashier)])
    page.locator("#history [data-close]").click()

    buyer = person(browser, shop, PHONE)
    buyer.go(shop.order_link(sold))
    save("counter-receipt", [shot(buyer, f"/orders/{sold}/receipt"), shot(cashier, f"{COUNTER}/receipts/{sold}")])
    scanning = scanning_picture(browser, shop, pieces[0])
    cashier.go(COUNTER)
    page.locator("#counter[data-ready]").wait_for()
    phone.add(pieces[0])
    page.locator("#pay-open").click()
    page.locator("#by-code").click()
    page.locator("#code-qr img").wait_for()
    code = shot(cashier)
    page.once("dialog", lambda asked: asked.accept())
    page.locator("#code-cancel").click()
    page.locator("#code").wait_for(state="hidden")
    page.locator("#history-open").click()
    save("counter-code", [scanning, code, shot(cashier)])

    tills = shot(cashier, f"{COUNTER}/tills")
    till = shop.value(TILL)
    save("counter-till", [tills, shot(cashier, f"{COUNTER}/tills/{till}"), shot(cashier, f"{COUNTER}/day")])
    sales = shot(cashier, f"{COUNTER}/sales")
    cashier.go(f"{COUNTER}/sales/{sold}")
    page.locator("details.panel summary").click()
    page.locator("details.panel").evaluate("panel => panel.scrollIntoView()")
    page.locator("#f-reason").focus()
    save("counter-undo", [sales, shot(cashier), shot(cashier, f"{COUNTER}/pin")])
    cashier.go(f"{COUNTER}/conflicts")
    page.locator("details.careful summary").first.click()
    save("counter-stand", [shot(cashier), shot(cashier, f"{COUNTER}/stand")])


def scanning_picture(browser: Browser, shop: LiveShop, sku: str) -> Image.Image:
    """A label before the camera, and what was put into the basket."""
    with TemporaryDirectory() as folder:
        chrome = browser.browser_type.launch(
            executable_path=chromium_path(), args=camera_of(film(Path(folder) / "label.mjpeg", sku))
        )
        cashier = person(chrome, shop, PHONE, CASHIER)
        Phone.open(cashier.page.context, page=cashier.page)
        cashier.page.locator("#scan-open").click()
        cashier.page.locator("#scan-said").get_by_text("di keranjang").wait_for()
        taken = shot(cashier)
        chrome.close()
    return taken


def fair_pictures(browser: Browser, shop: LiveShop) -> None:
    """The public page of a fair before, during and after; the one that runs is over afterwards."""
    anybody = person(browser, shop, PHONE)
    shop.rows(COMING)
    before = long_shot(anybody, "/exhibitions/pameran-tahun-depan")
    during = long_shot(anybody, "/exhibitions/pameran-karya-binaan")
    shop.rows("UPDATE exhibitions SET ends_on = starts_on WHERE slug = 'pameran-karya-binaan' RETURNING id")
    save("fair", [before, during, long_shot(anybody, "/exhibitions/pameran-karya-binaan")])


def long_shot(visitor: Visitor, path: str) -> Image.Image:
    """Two screens of the page at `path`."""
    visitor.page.set_viewport_size({"width": PHONE[0], "height": 2 * PHONE[1]})
    return shot(visitor, path)


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
    "fair": fair_pictures,
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
