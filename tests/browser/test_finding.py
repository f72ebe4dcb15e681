"""Search as one types, by keyboard and by thumb; filters that keep their place; all of it without scripts too."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.purchase import CLOTH
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]


#: What the box says of all that it offers; the last one leads to the list.
SAID = "() => document.querySelectorAll('#saran [role=option]').length - 1 + ' saran. Pakai panah bawah untuk memilih.'"


def options(page: Page) -> int:
    return page.locator("#saran [role=option]").count()


def test_the_search_box_is_a_combobox(visit: Visit) -> None:
    """As the ARIA pattern says: the box keeps the focus, names what is chosen, and says how many there are."""
    page = visit("desk").page
    page.goto("/")
    box, offered = page.get_by_role("combobox"), page.locator("#saran")
    page.locator("#cari").focus()
    expect(box).to_have_attribute("aria-expanded", "false")
    with page.expect_response("**/*?q=taplak"):  # slow fingers are offered something for "tap" before
        page.keyboard.type("taplak")
    expect(offered).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    page.wait_for_function(f"() => document.querySelector('.search [role=status]').textContent === ({SAID})()")
    assert offered.locator("img").count(), "with pictures"

    page.keyboard.press("ArrowUp")  # round to the last one
    last = offered.get_by_role("option").last
    expect(last).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == last.get_attribute("id")
    page.keyboard.press("ArrowDown")  # and back to the box itself
    assert box.get_attribute("aria-activedescendant") is None
    expect(box).to_be_focused()
    expect(box).to_have_value("taplak")

    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    expect(box).to_have_value("taplak")
    page.keyboard.press("ArrowDown")
    expect(offered).to_be_visible()
    chosen = offered.locator(f"a[href$='{CLOTH.slug}']")
    for _ in range(options(page)):
        if chosen.get_attribute("aria-selected") == "true":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/products/{CLOTH.slug}")


def test_enter_without_a_choice_searches_and_a_thumb_chooses(visit: Visit) -> None:
    page = visit("phone").page
    page.goto("/")
    page.locator("#cari").press_sequentially("kursi")
    expect(page.locator("#saran")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/products?q=kursi")
    page.locator("#cari").click()
    expect(page.locator("#saran")).to_be_visible()
    page.locator("#saran a[href*='/products/']").first.click()
    page.wait_for_url("**/products/*")


def test_the_sheet_of_filters_stays_open_and_history_goes_back(visit: Visit) -> None:
    shopper = visit("phone")
    page = shopper.page
    shopper.go("/products")
    closed = page.locator(".filters > summary")
    closed.click()
    page.locator("#s-category-mebel").click()
    page.wait_for_url("**/products?category=mebel")
    expect(page.locator(".filters")).to_have_attribute("open", "")
    expect(page.locator("#s-category-mebel")).to_be_focused()
    page.locator("#s-availability-made_to_order").click()
    page.wait_for_url("**category=mebel&availability=made_to_order")
    shopper.still()
    bar = closed.bounding_box()
    assert bar is not None
    assert bar["y"] > 700, "within the thumb's reach"
    closed.click()
    expect(page.locator(".filters__in")).to_be_hidden()
    expect(page.locator(".item").first).to_be_visible()
    page.go_back()
    page.wait_for_url("**/products?category=mebel")
    expect(page.locator(".chips .chip--on")).to_have_count(1)


def test_searching_and_filtering_work_without_scripts(visit: Visit) -> None:
    page = visit("phone", javascript=False).page
    page.goto("/products")
    page.locator("#cari").fill("kursi")
    page.locator("#cari").press("Enter")
    page.wait_for_url("**/products?q=kursi")
    assert page.locator("[role=combobox]").count() == 0
    page.locator(".filters > summary").click()
    page.locator("#saring-max").fill("900000")
    page.locator(".filters form button").click()
    page.wait_for_url("**max=900000")
    expect(page.locator(".chip--on")).to_have_count(1)
    page.locator(".chip--on").click()
    page.wait_for_url("**/products?q=kursi")
