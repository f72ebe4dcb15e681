"""Take the pictures of the documents anew: `make screenshots` (a minute or two: it loads a demo of its own)."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from storefront.embedded import OWNER, WEB
from tests.clones import TestServer
from tests.demo import demo_template
from tests.drills.running_shop import Shop
from tests.everything import browser as chromium_path

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PHONE, DESK = (390, 844), (1280, 844)
GAP, GROUND = 40, "#e9e4da"


def shot(browser: Browser, address: str, size: tuple[int, int]) -> Image.Image:
    """What a screen of `size` shows first of the page."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(address, wait_until="networkidle")
    picture = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    return picture.convert("RGB")


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


def main() -> None:
    """Write every picture that the documents show."""
    server = TestServer().start()
    try:
        clone = server.clone("storefront_screenshots", demo_template(server))
        addresses = {"DATABASE_URL": clone.addresses[WEB], "DATABASE_OWNER_URL": clone.addresses[OWNER]}
        with tempfile.TemporaryDirectory() as folder:
            shop = Shop(Path(folder), env=addresses | {"MEDIA_URL": str(server.var_dir / "media")})
            shop.start()
            try:
                take(shop.address)
            finally:
                shop.stop()
        clone.close()
    finally:
        server.stop()


def take(address: str) -> None:
    """Take the pictures of the shop at `address`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        home = [shot(browser, f"{address}/", size) for size in (PHONE, DESK)]
        browser.close()
    # A palette halves the file and the eye does not see it.
    sheet = side_by_side(home).quantize(256, dither=Image.Dither.NONE)
    sheet.save(PICTURES / "home.png", optimize=True)
    print(PICTURES / "home.png")


if __name__ == "__main__":
    main()
