"""A real browser on the whole shop: web, worker and a database full of demo data, as `make run` starts them.

The shop is started once for each xdist worker; what one test buys, the next one finds bought.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from storefront.embedded import OWNER, WEB
from tests.clones import Clone, TestServer, worker_name
from tests.demo import demo_template
from tests.drills.running_shop import Shop
from tests.everything import browser as chromium_path

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def live_clone(database_server: TestServer) -> Iterator[Clone]:
    """The database of the live shop: a copy of the demo."""
    clone = database_server.clone(f"storefront_live_{worker_name()}", demo_template(database_server))
    yield clone
    clone.close()


@pytest.fixture(scope="session")
def live_server(
    live_clone: Clone, database_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a running shop with demo data, without a slash at the end; verified when all is done."""
    shop = Shop(
        tmp_path_factory.mktemp("live"),
        env={
            "DATABASE_URL": live_clone.addresses[WEB],
            "DATABASE_OWNER_URL": live_clone.addresses[OWNER],
            # The pictures of the demo were made once for all clones.
            "MEDIA_URL": str(database_server.var_dir / "media"),
        },
    )
    shop.start()
    yield shop.address
    # Whatever the tests bought and broke, the books must agree afterwards.
    verdict = shop.command("verify")
    shop.stop()
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. By module, not by session: Playwright's event loop would disturb other tests' asyncio."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, live_server: str) -> Iterator[Callable[..., Page]]:
    """Opens a page in a fresh profile: `open_page(PHONE)`, with further options of Playwright's context.

    After the test, an error in the browser's console or a failed request of a page's own file fails it.
    """
    contexts = []
    complaints: list[str] = []

    def open(size: dict[str, int] = PHONE, **options: object) -> Page:
        context = browser.new_context(viewport=size, base_url=live_server, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on(
            "console",
            # A 4xx answer that a test asks for is reported here too, and is no fault of the page.
            lambda said: (
                complaints.append(f"console: {said.text} ({said.location})")
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )
        return page

    yield open
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    """A page as wide as a phone (390 px)."""
    return open_page(PHONE)


@pytest.fixture
def desktop(open_page: Callable[..., Page]) -> Page:
    """A page as wide as an office screen (1280 px)."""
    return open_page(DESKTOP)


@pytest.fixture(scope="session")
def accessible() -> Callable[[Page], None]:
    """`accessible(page)` fails with every violation of WCAG 2.2 AA that axe finds on the page."""

    def check(page: Page) -> None:
        # evaluate() is not bound by the page's policy, a script tag would be.
        page.evaluate(AXE)
        options = {"runOnly": {"type": "tag", "values": WCAG}}
        found = page.evaluate("options => axe.run(document, options)", options)["violations"]
        lines = [
            f"{violation['id']}: {violation['help']}: {node['html'][:160]}"
            for violation in found
            for node in violation["nodes"]
        ]
        assert lines == [], f"{page.url}\n" + "\n".join(lines)

    return check
