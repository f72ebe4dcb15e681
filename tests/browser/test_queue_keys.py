"""A coordinator packs by keyboard: j and k go through the rows, x ticks, p packs, u takes it back."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visitor import Visitor


def test_a_parcel_is_packed_and_unpacked_by_keys(visit: Callable[..., Visitor]) -> None:
    visitor = visit("desk", account="coordinator@demo.test")
    page = visitor.page
    visitor.go("/seller/PKL/parcels?state=to_pack")
    first = page.locator("[data-queue] tbody tr").first
    name = first.locator("th a").inner_text()
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(first.locator("th a")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("[data-keys-help]")).to_have_attribute("open", "")
    page.keyboard.press("x")
    expect(first.locator("[name=parcel]")).to_be_checked()
    with page.expect_navigation():
        page.keyboard.press("p")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody th")).to_have_text(name)
    # What is written is no command.
    visitor.go("/seller/PKL/parcels?state=packed")
    page.keyboard.press("/")
    page.keyboard.type("jxp")
    expect(page.locator("[name=q]")).to_have_value("jxp")
    row = page.locator("[data-queue] tbody tr", has_text=name)
    row.locator("[name=parcel]").check()
    with page.expect_navigation():
        page.keyboard.press("u")
    expect(page.locator("tbody th")).to_have_text(name)
    visitor.go("/seller/PKL/parcels?state=to_pack")
    expect(page.get_by_role("link", name=name)).to_be_visible()
    assert visitor.trouble == []
