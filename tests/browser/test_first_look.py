"""The pages that everybody meets first: in both widths and languages, without scripts, usable by all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE

PATHS = ["/", "/products", "/facilities", "/impact", "/cart", "/login", "/tidak-ada"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["390", "1280"])
@pytest.mark.parametrize("path", PATHS)
def test_page_is_accessible_and_fits_its_width(
    open_page: Callable[..., Page], accessible: Callable[[Page], None], size: dict[str, int], path: str
) -> None:
    page = open_page(size)
    for prefix, language in (("", "id"), ("/en", "en")):
        page.goto(prefix + path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.locator("h1").count() == 1
        accessible(page)


def test_home_works_without_scripts(open_page: Callable[..., Page]) -> None:
    page = open_page(PHONE, java_script_enabled=False)
    page.goto("/")
    page.locator("a[href^='/products/']:visible").first.click()
    assert "/products/" in page.url
    assert page.locator("h1").is_visible()
