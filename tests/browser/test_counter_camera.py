"""Labels read by a phone's camera where the browser cannot read codes itself: every iPhone, and Firefox.

Chromium gets a film in place of a camera; its BarcodeDetector is taken away.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import segno
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Cookies, become
from tests.browser.counter import ACCOUNT, STOCK, Phone
from tests.browser.shop import LiveShop
from tests.browser.visitor import TIMEOUT
from tests.everything import browser as chromium

TABLE = (150, 132, 110)
NO_READER = "delete window.BarcodeDetector"
#: A code on a canvas, turned and small, as a hand holds it; what the decoder's thread says of it.
STILL = """async ([picture, angle, points]) => {
    const image = new Image();
    image.src = picture;
    await image.decode();
    const canvas = new OffscreenCanvas(640, 640), context = canvas.getContext("2d");
    context.fillStyle = "#96846e";
    context.fillRect(0, 0, 640, 640);
    context.translate(330, 300);
    context.rotate(angle * Math.PI / 180);
    context.drawImage(image, -points / 2, -points / 2, points, points);
    const { data } = context.getImageData(0, 0, 640, 640);
    const thread = new Worker(document.getElementById("counter").dataset.decoder, { type: "module" });
    return await new Promise((done, failed) => {
        thread.onmessage = answer => done(answer.data);
        thread.onerror = failed;
        thread.postMessage({ data, width: 640, height: 640 });
    });
}"""


def label(text: str) -> Image.Image:
    """The code of a label, as `exports.fair_papers` draws it."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="png", border=2, scale=7)
    return Image.open(drawn).convert("RGB")


def film(path: Path, text: str) -> Path:
    """Ten pictures of a hand that holds the label of `text` before a camera; played over and over."""
    with path.open("wb") as file:
        for number in range(10):
            frame = Image.new("RGB", (640, 480), TABLE)
            turned = label(text).rotate(6 + number, expand=True, fillcolor=TABLE, resample=Image.Resampling.BICUBIC)
            frame.paste(turned, (190 + 3 * number, 110))
            frame.save(file, "jpeg", quality=80)
    return path


def camera_of(film: Path) -> list[str]:
    """Switches with which Chromium takes a film for its camera, and may."""
    devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    return [f"--use-file-for-fake-video-capture={film}", *devices]


def test_a_phone_without_a_reader_of_its_own_scans_labels_with_and_without_a_line(
    browser: Browser, live_server: LiveShop, cookies: Cookies, tmp_path: Path
) -> None:
    piece = live_server.rows(STOCK)[0]
    camera = film(tmp_path / "label.mjpeg", piece["sku"])
    chrome = browser.browser_type.launch(executable_path=chromium(), args=camera_of(camera))
    context = chrome.new_context(
        base_url=live_server.address, viewport={"width": 360, "height": 780}, has_touch=True, reduced_motion="reduce"
    )
    context.set_default_timeout(TIMEOUT)
    context.add_init_script(NO_READER)
    page = context.new_page()
    become(page, ACCOUNT, cookies)
    Phone.open(context, page=page)
    assert page.evaluate("'BarcodeDetector' in window") is False
    # The page itself does not carry the decoder; the phone's worker has kept it for later.
    assert page.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('nuintun')).length") == 0

    page.locator("#scan-open").click()
    expect(page.locator("#scan-said")).to_contain_text("di keranjang")
    page.locator("#scan [data-close]").click()
    expect(page.locator(".lines__one")).to_have_count(1)
    expect(page.locator(f"[data-sku='{piece['sku']}'] .piece__in")).to_be_visible()

    # A still picture, turned by any angle, its code in small print; and one that has no code at all.
    still = io.BytesIO()
    label(f"{live_server.address}/p/7Q2KX9").save(still, "png")
    picture = "data:image/png;base64," + base64.b64encode(still.getvalue()).decode()
    for angle, points in ((0, 300), (33, 200), (178, 130), (270, 400)):
        assert page.evaluate(STILL, [picture, angle, points]) == f"{live_server.address}/p/7Q2KX9", (angle, points)
    assert page.evaluate(STILL, [picture, 0, 2]) is None

    # Switched on again in a hall without a line: page, decoder and catalogue come out of the phone.
    context.set_offline(True)
    page.reload()
    page.locator("#counter[data-ready]").wait_for()
    page.locator("#scan-open").click()
    expect(page.locator("#scan-said")).to_contain_text("di keranjang")
    chrome.close()
