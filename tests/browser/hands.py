"""What a thumb does on a phone, counted."""

from __future__ import annotations

from tests.browser.visitor import Visitor


class Hands:
    """What a thumb does: each tap and each key is counted."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.taps, self.keys = visitor, 0, 0

    def tap(self, selector: str) -> None:
        self.visitor.page.locator(selector).first.click()
        self.taps += 1

    def type(self, selector: str, text: str) -> None:
        self.tap(selector)
        self.visitor.page.keyboard.type(text)
        self.keys += len(text)

    def choose(self, selector: str, label: str | int) -> None:
        box = self.visitor.page.locator(selector)
        box.select_option(index=label) if isinstance(label, int) else box.select_option(label=label)
        self.taps += 2
