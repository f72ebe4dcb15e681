"""A first product from the camera to the courier, as somebody new would do it: counted in taps, with pictures.

`make screenshots` takes the pictures of docs/id/koordinator.md by it, and prints what it counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from storefront.demo.files import PICTURES
from tests.browser.hands import Hands
from tests.browser.purchase import Goods, have_ordered, pay
from tests.browser.visitor import Visitor

Open = Callable[[str | None], Visitor]
Shot = Callable[[Visitor], Image.Image]
COORDINATOR, CURATOR = "coordinator@demo.test", "curator@demo.test"
TITLE = "Keranjang belanja"
#: What the camera sees: a picture of the demo on a plain ground, as large as a phone's.
PICTURE, GROUND, SIZE = PICTURES / "basket.webp", "#e3ddd2", (1600, 1200)


def first_product(open_phone: Open, shot: Shot) -> tuple[dict[str, list[Image.Image]], dict[str, tuple[int, int]]]:
    """Walk it on phones. Pictures by name, and (taps, keystrokes) of each part."""
    maker = open_phone(COORDINATOR)
    pictures: dict[str, list[Image.Image]] = {}
    counted: dict[str, tuple[int, int]] = {}

    listing = Hands(maker)
    _list(maker, listing)
    writing = shot(maker)
    listing.tap(".write__bar [value=preview]")
    expect(maker.page.locator(".preview")).to_be_visible()
    seen = shot(maker)
    listing.tap(".preview a")
    listing.tap(".write__bar [value=ask]")
    maker.page.wait_for_url("**/review")
    listing.tap("form[action$='/submit'] button[type=submit]")
    expect(maker.page.locator("form[action$='/withdraw']")).to_be_visible()
    pictures["listing"] = [writing, seen, shot(maker)]
    counted["listing"] = (listing.taps, listing.keys)

    curator = open_phone(CURATOR)
    draft_id = maker.page.url.rsplit("/", 2)[1]
    curator.go(f"/admin/listings/{draft_id}")
    with curator.page.expect_navigation():
        curator.page.locator("form[action*='/approve'] button").click()
    sku = maker.shop.rows(
        f"SELECT v.sku, p.slug FROM variants v JOIN products p ON p.id = v.product_id WHERE p.title = '{TITLE}'"
    )[0]
    goods = Goods(TITLE, sku["slug"], sku["sku"], "PKL")

    buyer = open_phone(None)
    have_ordered(buyer, {goods: 1})
    number = pay(buyer)
    buyer.page.locator(".order-head .pill--ready").wait_for()

    packing = Hands(maker)
    maker.go("/seller/PKL/")
    today = shot(maker)
    maker.go(f"/seller/PKL/parcels?q={number}")
    packing.taps += 1  # the button on the first page
    packing.tap(f"a.code:has-text('{number}')")
    packing.tap("form[action*='/packed'] button")
    parcel = shot(maker)
    packing.choose("#f-courier", "JNE")
    packing.type("#f-tracking", "JP1234567890")
    packing.tap("form[action*='/shipped'] button[type=submit]")
    expect(maker.page.locator("form[action*='/received']")).to_be_visible()
    pictures["packing"] = [today, parcel, shot(maker)]
    counted["packing"] = (packing.taps, packing.keys)
    return pictures, counted


def _list(maker: Visitor, hands: Hands) -> None:
    """Write it down: what must be said, and nothing else."""
    maker.go("/seller/PKL/listings")
    hands.tap(".staff-head__end a.btn--main")
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "keranjang.jpg"
        _photograph(photo)
        maker.page.locator("#f-camera").set_input_files(photo)
        hands.taps += 3  # the button, the shutter, the phone's own "use it"
        hands.type("[name^='photo.'][name$='.alt']", "Anyaman kuning, gagang")
    hands.type("[name=title]", TITLE)
    hands.choose("[name=category]", "Rumah tangga")
    hands.choose("select[name=workshop]", 2)
    hands.type("[name='variants.0.price']", "125000")
    hands.type("[name='variants.0.stock']", "4")
    hands.type("[name='variants.0.weight']", "600")
    expect(maker.page.locator(".shot img")).to_be_visible()
    expect(maker.page.locator("#said")).to_contain_text(maker.says("Tersimpan %(at)s", at=""))


def _photograph(path: Path) -> None:
    with Image.open(PICTURE) as drawn:
        piece = drawn.convert("RGBA").resize((900, 900), Image.Resampling.LANCZOS)
    seen = Image.new("RGB", SIZE, GROUND)
    seen.paste(piece, ((SIZE[0] - 900) // 2, (SIZE[1] - 900) // 2), piece)
    seen.save(path, "JPEG", quality=90)
