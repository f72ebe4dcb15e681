"""A person at the shop: a page of a certain width, a language, and what went wrong while they looked."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from babel.support import Translations
from playwright.sync_api import ConsoleMessage, Page, Response

from storefront.languages import TRANSLATIONS
from tests.browser.shop import LiveShop

T = TypeVar("T")
#: A cheap phone and an office screen, in CSS pixels (LOOK.md).
SIZES = {"phone": (390, 844), "desk": (1280, 900)}
LANGUAGES = ("id", "en")
#: Milliseconds that anything may take on a busy machine: a page, a change on it, the worker's part. What is waited for
#: comes within a tenth of it or never, so the length costs a failing test alone.
TIMEOUT = 30_000
#: htmx says this when a page is left before its fragment came.
HARMLESS = ("htmx:sendAbort", "htmx:afterRequest")
#: In three frames, one after the other, nothing is asked for, swapped in, loaded or moving any more: what is half faded
#: is no colour of ours, letters of a font that is on its way have other widths, and one swap may begin the next.
STILL = """() => {
    const still = document.readyState === 'complete' && document.fonts.status === 'loaded'
        && !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')
        && document.getAnimations().every(
            a => a.playState !== 'running' || a.effect?.getTiming().iterations === Infinity);
    window.stillFrames = still ? (window.stillFrames ?? 0) + 1 : 0;
    if (window.stillFrames < 3) return false;
    window.stillFrames = 0;
    return true;
}"""


class Visitor:
    """A page of one person. `trouble` collects what a browser complains about."""

    def __init__(self, page: Page, shop: LiveShop, language: str, size: str) -> None:
        self.page = page
        self.shop = shop
        self.language = language
        self.size = size
        self.trouble: list[str] = []
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.trouble.append(f"error in a script: {error}"))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            self.trouble.append(f"console: {message.text} ({message.location.get('url', '')})")

    def go(self, path: str) -> Response:
        """Open a page of the shop in this person's language."""
        response = self.page.goto(self.address(path))
        assert response is not None
        return response

    def resize(self, size: str) -> None:
        """Look at the same page on another screen."""
        if size == self.size:
            return
        self.size = size
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})

    def still(self) -> None:
        """Wait until the page has come to rest: before it is measured, or looked at as a whole."""
        self.page.wait_for_function(STILL)

    def until(self, ask: Callable[[], T | None], what: str) -> T:
        """Ask until the answer is something; that answer. Raises TimeoutError, saying `what` never came.

        For what happens out of this page's sight, by the worker or another process.
        """
        end = time.monotonic() + TIMEOUT / 1000
        while not (answer := ask()):
            if time.monotonic() > end:
                raise TimeoutError(what)
            self.wait(0.1)
        return answer

    def wait_for_letter(self) -> None:
        """Wait until the worker has sent a letter."""
        folder = self.shop.shop.var_dir / "mail"
        self.until(lambda: any(folder.glob("*.eml")), "no letter was sent")

    def address(self, path: str) -> str:
        """`path` in this person's language."""
        return f"/en{path}" if self.language == "en" else path

    def says(self, text: str, context: str | None = None, **values: object) -> str:
        """The Indonesian `text` of a template as this person reads it."""
        if self.language == "en":
            catalogue = english()
            text = catalogue.pgettext(context, text) if context else catalogue.gettext(text)
        return text % values if values else text

    @property
    def text(self) -> str:
        """What can be read on the page, amounts with ordinary spaces."""
        return self.page.locator("body").inner_text().replace("\N{NO-BREAK SPACE}", " ")

    def wait(self, seconds: float) -> None:
        """Let the page's own clock run, for what happens on its own."""
        self.page.wait_for_timeout(seconds * 1000)


@cache
def english() -> Translations:
    """The English catalogue, as the shop uses it."""
    return Translations.load(Path(TRANSLATIONS), ["en"])


def sign_in(page: Page, account: str) -> None:
    """Sign in with a demo account."""
    page.goto("/login")
    page.locator("input[name=email]").fill(account)
    page.locator("input[name=password]").fill("demo")
    page.locator("form:has(input[name=password]) button[type=submit]").click()
    page.wait_for_url(lambda url: "/login" not in url)


def rupiah(amount: int) -> str:
    """An amount as pages show it, with an ordinary space."""
    return f"Rp {amount:,}".replace(",", ".")
