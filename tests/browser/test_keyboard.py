"""From search to checkout with the keyboard alone: always seen where one is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.purchase import CLOTH
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
#: Nobody presses Tab more often than this.
PATIENCE = 40

#: Whether the focused element can be made out: its outline (or that of a box drawn for it) is visible, and it
#: lies within the window, not wholly under something that sticks.
FOCUS = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return 'nothing has the focus';
    const drawn = [getComputedStyle(e), getComputedStyle(e, '::after')];
    for (let box = e.parentElement; box && box.matches('.qty, .choice, .search'); box = box.parentElement)
        drawn.push(getComputedStyle(box));
    const lines = drawn.map(s => s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth));
    if (Math.max(...lines) < 2) return 'no outline: ' + e.outerHTML;
    const box = e.getBoundingClientRect();
    const spots = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]];
    const seen = spots.some(([x, y]) => {
        const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
        return top && (e.contains(top) || top.contains(e));
    });
    return seen ? null : 'covered or outside: ' + e.outerHTML;
}"""


def tab_to(visitor: Visitor, selector: str) -> None:
    """Press Tab until the element has the focus; every stop on the way must be seen."""
    page = visitor.page
    visitor.still()  # what comes later could take the focus along
    for _ in range(PATIENCE):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS) is None
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} was not reached with {PATIENCE} presses of Tab")


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_keyboard_leads_from_search_to_checkout(size: str, visit: Visit) -> None:
    shopper = visit(size)
    page = shopper.page
    shopper.go("/")
    tab_to(shopper, "#cari")
    page.keyboard.type("taplak meja")
    page.keyboard.press("Enter")
    page.wait_for_url("**/products?q=*")

    skip_to_content(shopper)
    tab_to(shopper, f".item__title a[href$='{CLOTH.slug}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/products/{CLOTH.slug}")

    skip_to_content(shopper)
    tab_to(shopper, ".buybar .btn--main")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cart")

    skip_to_content(shopper)
    tab_to(shopper, "#cart a[href$='/checkout']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checkout")

    skip_to_content(shopper)
    tab_to(shopper, "#f-name")
    page.keyboard.type("Ratna")
    tab_to(shopper, "#f-province")
    tab_to(shopper, "#shipping button[type=submit]")


def skip_to_content(visitor: Visitor) -> None:
    """The first press of Tab shows the way past the header; Enter takes it."""
    page = visitor.page
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_menu_opens_and_closes_by_keyboard(visit: Visit) -> None:
    shopper = visit("phone")
    page = shopper.page
    shopper.go("/")
    tab_to(shopper, ".top .menu > summary")
    page.keyboard.press("Enter")
    expect(page.locator(".menu__panel")).to_be_visible()
    tab_to(shopper, ".menu__panel a[href$='/facilities']")
    page.keyboard.press("Escape")
    expect(page.locator(".menu__panel")).to_be_hidden()
    expect(page.locator(".top .menu > summary")).to_be_focused()


def test_quantity_is_changed_by_keyboard(visit: Visit) -> None:
    shopper = visit("desk")
    page = shopper.page
    shopper.go(f"/products/{CLOTH.slug}")
    tab_to(shopper, "[data-step='1']")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(page.locator("#quantity")).to_have_value("3")


@pytest.mark.parametrize(
    ("path", "account"),
    [("/seller/PKL/products", "coordinator@demo.test"), ("/finance/", "finance@demo.test")],
)
def test_staff_see_where_they_are(path: str, account: str, visit: Visit) -> None:
    visitor = visit("desk", account=account)
    visitor.go(path)
    skip_to_content(visitor)
    visitor.still()
    for _ in range(12):
        visitor.page.keyboard.press("Tab")
        assert visitor.page.evaluate(FOCUS) is None
