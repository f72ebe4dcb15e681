"""A real browser on the whole shop: web, worker and a database full of demo data, as `make run` starts them.

The shop is started once for each xdist worker; what one test buys, the next one finds bought. Each test has
a browser profile of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.shop import LiveShop, serve
from tests.browser.visitor import SIZES, TIMEOUT, Visitor, sign_in
from tests.clones import Clone, TestServer, worker_name
from tests.demo import demo_template
from tests.everything import browser as chromium

Cookies = dict[str, list]
expect.set_options(timeout=TIMEOUT)  # Playwright's own five seconds are short for a busy machine

#: Otherwise each page begins a process of its own, which costs a third of the look.
ONE_RENDERER = ("--renderer-process-limit=1", "--process-per-site", "--disable-site-isolation-trials")

#: How Playwright says that something did not happen in time.
IN_VAIN = ["TimeoutError", "Locator expected", "net::ERR_", "Execution context was destroyed"]


@pytest.fixture(scope="session")
def live_clone(database_server: TestServer) -> Iterator[Clone]:
    """The database of the live shop: a copy of the demo."""
    clone = database_server.clone(f"storefront_live_{worker_name()}", demo_template(database_server))
    yield clone
    clone.close()


@pytest.fixture(scope="session")
def live_server(
    live_clone: Clone, database_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveShop]:
    """A running shop with demo data; when all is done its books must agree, whatever the tests bought."""
    # The pictures of the demo were made once for all copies.
    with serve(
        live_clone, database_server.var_dir / "media", tmp_path_factory.mktemp("live"), BANK_TRANSFER="on"
    ) as live:
        yield live
        verdict = live.shop.command("verify")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. By module, not by session: Playwright's event loop would disturb other tests' asyncio."""
    path = chromium()  # before Playwright starts: it asks Playwright too, and two at once are refused
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ONE_RENDERER))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookies() -> Cookies:
    """Cookies of the demo accounts that have signed in to the live shop."""
    return {}


@pytest.fixture
def visit(browser: Browser, live_server: LiveShop, cookies: Cookies) -> Iterator[Callable[..., Visitor]]:
    """`visit("phone", "id", account=…, javascript=False)`: a person with a browser profile of their own."""
    contexts: list[BrowserContext] = []

    def new(
        size: str = "phone", language: str = "id", *, account: str | None = None, javascript: bool = True
    ) -> Visitor:
        visitor = open_profile(browser, live_server, size, language, javascript=javascript)
        contexts.append(visitor.page.context)
        become(visitor.page, account, cookies)
        return visitor

    yield new
    for context in contexts:
        context.close()


class OneProfile:
    """The profile that `visit_again` uses: a new one costs a browser more than most pages do.

    After `LOOKS` pages it is a new one all the same: the process behind it grows and slows with each.
    """

    LOOKS = 40

    def __init__(self, browser: Browser, live_server: LiveShop) -> None:
        self.browser, self.live_server = browser, live_server
        self.visitor: Visitor | None = None
        self.looks = 0

    def again(self, size: str, language: str) -> Visitor:
        """Somebody else at the same browser, who has been nowhere yet."""
        if self.looks % self.LOOKS == 0:
            self.close()
        self.looks += 1
        if self.visitor is None:
            self.visitor = open_profile(self.browser, self.live_server, size, language)
        page, context = self.visitor.page, self.visitor.page.context
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.goto("about:blank")  # the last page must not ask for anything as nobody
        context.clear_cookies()
        self.visitor.resize(size)
        self.visitor.language = language
        return self.visitor

    def close(self) -> None:
        if self.visitor is not None:
            self.visitor.page.context.close()
            self.visitor = None


@pytest.fixture(scope="module")
def one_profile(browser: Browser, live_server: LiveShop) -> Iterator[OneProfile]:
    profile = OneProfile(browser, live_server)
    yield profile
    profile.close()


@pytest.fixture
def visit_again(one_profile: OneProfile, cookies: Cookies) -> Callable[..., Visitor]:
    """As `visit`, by one profile that forgets who it was: for many looks that leave nothing in the browser."""

    def new(size: str = "phone", language: str = "id", *, account: str | None = None) -> Visitor:
        visitor = one_profile.again(size, language)
        become(visitor.page, account, cookies)
        visitor.trouble.clear()
        return visitor

    return new


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser, a shop and its worker share two busy cores: what was waited for in vain is tried once more.

    The summary counts it as rerun. What was seen and was wrong is not tried again.
    """
    for item in items:
        if "live_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=IN_VAIN))


def open_profile(
    browser: Browser, live_server: LiveShop, size: str, language: str, *, javascript: bool = True, **more: Any
) -> Visitor:
    """A new profile; `more` are further options of Playwright's. Without `service_workers` nothing is kept in it, so
    that each page comes from the shop."""
    width, height = SIZES[size]
    options: dict[str, Any] = {"service_workers": "block", **more}
    context = browser.new_context(
        base_url=live_server.address,
        viewport={"width": width, "height": height},
        java_script_enabled=javascript,
        has_touch=size == "phone",
        reduced_motion="reduce",  # pages come to rest at once
        **options,
    )
    context.set_default_timeout(TIMEOUT)
    return Visitor(context.new_page(), live_server, language, size)


def become(page: Page, account: str | None, cookies: Cookies) -> None:
    """Sign in with a demo account, or go on with the session that it has."""
    if account is not None and account not in cookies:
        sign_in(page, account)
        cookies[account] = list(page.context.cookies())
    elif account is not None:
        page.context.add_cookies(cookies[account])
