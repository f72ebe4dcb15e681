"""What a page to look at is, and the ways to get to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Response

from tests.browser.visitor import Visitor

Way = Callable[[Visitor], Response]


@dataclass(frozen=True)
class Sight:
    """One page to look at, and how to get there."""

    name: str
    #: The route that answers it.
    endpoint: str
    open: Way
    account: str | None = None
    status: int = 200


def at(path: str) -> Way:
    """Go to an address."""
    return lambda visitor: visitor.go(path)


def found(path: str, query: str) -> Way:
    """Go to an address with a row of the demo's database in it: its columns by number."""
    return lambda visitor: visitor.go(path.format(*visitor.shop.rows(query)[0].values()))


def sent(way: Way, fields: dict[str, str], button: str) -> Way:
    """Open a form, fill some of its fields and press the button with that selector."""

    def send(visitor: Visitor) -> Response:
        way(visitor)
        for selector, value in fields.items():
            box = visitor.page.locator(selector)
            if box.evaluate("box => box.tagName") == "SELECT":
                box.select_option(value)
            else:
                box.fill(value)
        with visitor.page.expect_navigation() as navigation:
            visitor.page.locator(button).click()
        return navigation.value  # type: ignore[return-value]

    return send
