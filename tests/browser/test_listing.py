"""A coordinator lists from a phone, on a bad line, and by keyboard at the office: counted in taps and keystrokes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from tests.browser.hands import Hands
from tests.browser.test_keyboard import FOCUS
from tests.browser.visitor import Visitor
from tests.listings import jpeg

Visit = Callable[..., Visitor]
COORDINATOR = "coordinator@demo.test"
ADDRESS = "/seller/PKL/listings"


def test_a_listing_from_a_phone_on_a_line_that_breaks(visit: Visit, tmp_path: Path) -> None:
    maker = visit("phone", account=COORDINATOR)
    page, hands = maker.page, Hands(maker)
    page.set_viewport_size({"width": 360, "height": 760})
    maker.go(ADDRESS)
    hands.tap(".staff-head__end a.btn--main")
    photo = tmp_path / "meja.jpg"
    photo.write_bytes(jpeg())
    page.locator("#f-camera").set_input_files(photo)
    hands.taps += 3  # the button, the shutter, the phone's own "use it"
    hands.type("[name^='photo.'][name$='.alt']", "Cokelat tua, kaki empat")
    hands.type("[name=title]", "Meja lipat jati")
    hands.choose("[name=category]", 4)
    hands.choose("select[name=workshop]", 1)
    hands.type("[name='variants.0.price']", "250000")
    hands.type("[name='variants.0.stock']", "4")
    # The line is gone while the last is typed: it stays in this browser, and goes out when the line is back.
    maker.page.context.set_offline(True)
    hands.type("[name='variants.0.weight']", "6000")
    said = page.locator("#said")
    kept = maker.says("Belum terkirim. Tulisan Anda aman di perangkat ini dan dikirim lagi sendiri.")
    expect(said).to_contain_text(kept)
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(said).to_contain_text(maker.says("Tersimpan %(at)s", at=""))
    page.reload()
    expect(page.locator("[name='variants.0.weight']")).to_have_value("6000")
    expect(page.locator("[name='variants.0.price']")).to_have_value("250000")
    expect(page.locator(".shot img")).to_be_visible()
    hands.tap(".write__bar [value=preview]")
    expect(page.locator(".buybar .btn--main")).to_be_disabled()
    maker.still()
    assert "Rp 250.000" in maker.text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (hands.taps, hands.keys) == (14, 49)
    maker.trouble = [one for one in maker.trouble if "ERR_INTERNET_DISCONNECTED" not in one]


def test_what_was_typed_without_a_line_comes_back_after_the_page_was_closed(visit: Visit) -> None:
    maker = visit("phone", account=COORDINATOR)
    page = maker.page
    maker.go(f"{ADDRESS}/new")
    page.locator("[name=title]").fill("Keranjang rotan")
    expect(page.locator("#said")).to_contain_text(maker.says("Tersimpan %(at)s", at=""))
    page.context.set_offline(True)
    page.locator("[name='variants.0.price']").fill("75000")
    expect(page.locator("#said")).to_have_attribute("data-state", "away")
    # Ended by the phone, not left: a page that is left sends what it holds once more, and on some days that arrives.
    address, context = page.url, page.context
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("[name='variants.0.price']")).to_have_value("75000")
    back = page.get_by_text(
        maker.says("Tulisan yang belum terkirim dari perangkat ini sudah dikembalikan ke formulir.")
    )
    expect(back).to_be_visible()
    # It stays while one goes on writing and that is saved; once all has arrived there is nothing more to say.
    expect(page.locator("#said")).to_contain_text(maker.says("Tersimpan %(at)s", at=""))
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.ok):
        page.locator("[name='variants.0.stock']").fill("3")
    expect(back).to_be_visible()
    expect(page.locator("#said")).to_contain_text(maker.says("Tersimpan %(at)s", at=""))
    page.reload()
    expect(page.locator("[name='variants.0.price']")).to_have_value("75000")
    expect(back).to_be_hidden()
    maker.trouble = [one for one in maker.trouble if "ERR_INTERNET_DISCONNECTED" not in one]


@pytest.mark.parametrize("language", ["id", "en"])
def test_by_keyboard_at_the_office(language: str, visit: Visit, tmp_path: Path) -> None:
    maker = visit("desk", language, account=COORDINATOR)
    page = maker.page
    maker.go(f"{ADDRESS}/new")
    for number, colour in enumerate(((200, 30, 30), (30, 30, 200))):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(colour))
    page.locator("#f-gallery").set_input_files([tmp_path / "0.jpg", tmp_path / "1.jpg"])
    shots = page.locator("[data-shot]")
    expect(shots).to_have_count(2)
    expect(page.locator("#sending li")).to_have_count(0)
    first = shots.first.get_attribute("data-shot")
    down = page.locator("[value^='photo-down:']").first
    down.focus()
    assert page.evaluate(FOCUS) is None
    page.keyboard.press("Enter")
    expect(shots.nth(1)).to_have_attribute("data-shot", first or "")
    title = page.locator("[name=title]")
    title.focus()
    page.keyboard.type("Baki kayu")
    for expected in ("category", "workshop", "variants.0.price", "variants.0.stock", "variants.0.weight"):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS) is None
        assert page.evaluate("document.activeElement.name") == expected
    title.press("Enter")  # saves, as the button would
    page.wait_for_url("**/listings/*?check=1")
    expect(title).to_have_value("Baki kayu")
    with page.expect_navigation():
        page.locator("[value^='photo-crop:']").first.press("Enter")
    grip = page.locator(".cut__grip").first
    grip.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.locator("[name=left]")).to_have_value("50")
    with page.expect_navigation():
        page.locator("[data-cut-form] button").press("Enter")
    expect(shots).to_have_count(2)
