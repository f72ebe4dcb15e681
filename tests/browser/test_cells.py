"""Finance goes through a table by keyboard, copies its rows as cells, and sorts it by a column."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visitor import Visitor


def test_a_table_is_walked_sorted_copied_and_a_figure_opened_by_keys(visit: Callable[..., Visitor]) -> None:
    finance = visit("desk", account="finance@demo.test")
    page = finance.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    finance.go("/finance/")
    with page.expect_navigation():
        page.locator("#t-upt thead a").first.click()
    expect(page.locator("#t-upt [aria-sort]")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("[data-cells-for=t-upt]")).to_be_visible()
    rows = page.locator("#t-upt tbody tr")
    page.locator("#t-upt").locator("xpath=..").focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0).locator("th")).to_be_focused()
    for key in ("ArrowDown", "ArrowRight", "End", "Home", "ArrowRight"):
        page.keyboard.press(key)
    expect(rows.nth(1).locator("td").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("[data-cells-for=t-upt] details")).to_have_attribute("open", "")
    page.keyboard.press("x")
    page.keyboard.press("c")
    expect(page.locator("[data-cells-for=t-upt] [data-said]")).to_contain_text("1")
    head, line = page.evaluate("navigator.clipboard.readText()").split("\r\n")
    shown = rows.nth(1).locator("td").first.inner_text()
    assert len(head.split("\t")) == len(line.split("\t")) == 6
    assert line.split("\t")[1] == shown.replace(".", "").replace("–", "")
    page.keyboard.press("x")
    page.locator("[data-cells-for=t-upt] [data-copy]").click()
    expect(page.locator("[data-cells-for=t-upt] [data-said]")).to_contain_text(f" {rows.count()}")
    lines = page.evaluate("navigator.clipboard.readText()").split("\r\n")
    assert len(lines) == rows.count() + 1
    linked = page.locator("#t-upt tbody td:has(a)").first
    text = linked.inner_text()
    linked.evaluate("cell => { cell.tabIndex = -1; cell.focus(); }")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("tfoot")).to_contain_text(text)
    assert finance.trouble == []
