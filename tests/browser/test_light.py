"""Light and open to all: the dark, large letters, the reader's own colours, a slow line, and no line at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import purchase
from tests.browser.conftest import open_profile
from tests.browser.light_pages import ends_soon
from tests.browser.look import AXE, SIDEWAYS
from tests.browser.purchase import CLOTH, GUEST
from tests.browser.shop import LiveShop
from tests.browser.visitor import Visitor

Open = Callable[..., Visitor]
PAGES = ("/", "/products", f"/products/{CLOTH.slug}", "/facilities", "/impact", "/help", "/cart", "/checkout")
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
CONTRAST = """() => axe.run({runOnly: {type: 'rule', values: ['color-contrast']}, preload: false, elementRef: false})
    .then(found => found.violations.flatMap(v => v.nodes.map(n => `${n.target} ${n.any[0]?.message}`)))"""
#: Where colours alone would say something.
MARKED = ".btn:not(.btn--quiet), .pill, .chip, .bag, .input"
#: Milliseconds (LOOK.md).
LARGEST_PAINT = 2500
#: Lighthouse's "slow 4G" as a request meets it, in milliseconds and bits per millisecond; and how much slower a cheap
#: phone is.
ROUND_TRIP, BANDWIDTH, SLOW_PHONE = 562.5, 1474.56, 4
#: What the largest paint waited for: the page, then what blocks it or is painted, and what shares the line with that:
#: for words the style sheets and the font, which come first, for a picture all that was asked for no later than it:
#: pictures further down are found a round later, and give way to what was marked as pressing.
ON_THE_WAY = """() => new Promise(resolve => new PerformanceObserver(list => {
    const last = list.getEntries().at(-1);
    const size = entry => entry.encodedBodySize + 300;
    const page = performance.getEntriesByType('navigation')[0];
    const others = performance.getEntriesByType('resource');
    const needed = others.filter(one => one.renderBlockingStatus === 'blocking' || one.name === last.url);
    const asked = others.find(one => one.name === last.url)?.startTime;
    // Pictures and sheets of one round are asked for within some milliseconds.
    const until = asked + 20 || last.startTime;
    const early = others.filter(one => one.startTime < until && !one.name.includes('/fragments/')
        && (last.url || /[.](css|woff2)$/.test(one.name)));
    resolve({
        what: last.element?.outerHTML.slice(0, 80) ?? '',
        rounds: 1 + (needed.length ? 1 : 0),
        // What a style sheet or a script asks for is asked for a round later still.
        late: needed.some(one => ['css', 'script', 'xmlhttprequest', 'fetch'].includes(one.initiatorType)) ? 1 : 0,
        page: size(page), beside: early.reduce((sum, one) => sum + size(one), 0), requests: early.length,
    });
}).observe({type: 'largest-contentful-paint', buffered: true}))"""
#: Controls whose words do not fit into them.
CUT = """() => [...document.querySelectorAll('a, button, summary, label, h1, h2, h3, .price, .pill, dd, td')]
    .filter(e => e.checkVisibility() && getComputedStyle(e).overflowX === 'visible' && e.clientWidth
        && !e.closest('.sr, .skip, .rail, .crumbs, .thumbs, .jump, .chips--rail, .scroll, [aria-hidden=true]')
        && e.scrollWidth > e.clientWidth + 2)
    .map(e => `${e.scrollWidth} on ${e.clientWidth}: ${e.outerHTML.slice(0, 90)}`)"""


@pytest.fixture
def open_as(browser: Browser, live_server: LiveShop) -> Iterator[Open]:
    """`open_as("phone", "id", color_scheme="dark")`: a profile with the browser's own settings."""
    opened: list[Visitor] = []

    def new(size: str = "phone", language: str = "id", **options: Any) -> Visitor:
        opened.append(open_profile(browser, live_server, size, language, **options))
        return opened[-1]

    yield new
    for visitor in opened:
        visitor.page.context.close()


@pytest.mark.parametrize(("size", "language"), [("phone", "id"), ("desk", "en")])
def test_in_the_dark_everything_can_be_read(size: str, language: str, open_as: Open) -> None:
    """Of axe's rules only that of contrast speaks of colours; all of them judge these pages in the light."""
    visitor = open_as(size, language, color_scheme="dark")
    purchase.have_in_cart(visitor, {CLOTH: 1})
    number = visitor.shop.value(
        """SELECT o.number FROM orders o JOIN order_status s ON s.order_id = o.id
            WHERE s.status = 'partly_shipped' LIMIT 1"""
    )
    order = visitor.shop.order_link(number)
    wrong: list[str] = []
    for path in ("/", "/products", f"/products/{CLOTH.slug}", "/cart", "/checkout", "/impact", order):
        visitor.go(path)
        visitor.still()
        assert visitor.page.evaluate(GROUND) == "rgb(18, 20, 28)"
        visitor.page.evaluate(AXE)
        found = visitor.page.evaluate(CONTRAST)
        wrong += [f"{path.partition('?')[0]}: {fault}" for fault in [*found, *visitor.trouble]]
    assert not wrong, "\n".join(wrong)
    visitor.page.emulate_media(media="print")
    assert visitor.page.evaluate(GROUND) == "rgb(255, 255, 255)"


def test_at_twice_the_size_nothing_is_lost(open_as: Open) -> None:
    """1280 pixels at 200 % leave 640; at 400 % they leave 320, and the way to a purchase still fits (WCAG 1.4.10)."""
    visitor = open_as("desk")
    purchase.have_in_cart(visitor, {CLOTH: 1})
    wrong: list[str] = []
    for path in PAGES:
        for width, height in ((640, 450), (320, 256)):
            if width == 320 and path in ("/facilities", "/impact", "/help"):
                continue
            visitor.page.set_viewport_size({"width": width, "height": height})
            visitor.go(path)
            visitor.still()
            sideways = visitor.page.evaluate(SIDEWAYS)
            wrong += [f"{path} on {width}: {sideways}"] if sideways else []
            wrong += [f"{path} on {width}: cut, {line}" for line in visitor.page.evaluate(CUT)]
    assert not wrong, "\n".join(wrong)


def test_for_who_wants_no_motion_nothing_moves(open_as: Open) -> None:
    visitor = open_as("desk")  # all profiles ask for it
    for path in ("/", "/products", f"/products/{CLOTH.slug}"):
        visitor.go(path)
        moving = visitor.page.evaluate(
            """() => [...document.querySelectorAll('body *')].filter(e => {
                const style = getComputedStyle(e);
                return style.transitionDuration !== '0s' || style.animationName !== 'none';
            }).map(e => e.outerHTML.slice(0, 90))"""
        )
        assert moving == []


def test_in_the_readers_own_colours_controls_keep_an_outline(open_as: Open) -> None:
    visitor = open_as(forced_colors="active")
    for path in ("/", "/products", f"/products/{CLOTH.slug}"):
        visitor.go(path)
        bare = visitor.page.evaluate(
            """marked => [...document.querySelectorAll(marked)].filter(e => e.checkVisibility()).filter(e => {
                const style = getComputedStyle(e);
                return style.borderTopStyle !== 'solid' || style.borderTopWidth === '0px'
                    || style.borderTopColor === style.backgroundColor;
            }).map(e => e.outerHTML.slice(0, 90))""",
            MARKED,
        )
        assert bare == []


@pytest.mark.parametrize(
    "path", ["/", "/products", f"/products/{CLOTH.slug}"], ids=["home", "listing", "product"]
)
def test_on_a_slow_line_and_a_cheap_phone_the_page_is_there_in_time(path: str, open_as: Open) -> None:
    """Reckoned from what the browser fetched and how long its main thread worked in its own time: by the wall one
    would measure a busy machine, not the page. `make lighthouse` looks by the wall too."""
    works: list[float] = []
    for _ in range(3):  # what else a busy machine does can only add
        visitor = open_as("phone")
        session = visitor.page.context.new_cdp_session(visitor.page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        visitor.go(path)
        visitor.page.wait_for_load_state("load")
        way = visitor.page.evaluate(ON_THE_WAY)
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        works.append(SLOW_PHONE * 1000 * metrics["TaskDuration"])
    work = min(works)
    line = (way["rounds"] + way["late"]) * ROUND_TRIP + 8 * (way["page"] + way["beside"]) / BANDWIDTH
    print(f"{path}: {line:.0f} ms on the line, {work:.0f} ms of work, {way}")
    assert line + work < LARGEST_PAINT, way


def test_data_blocks_pass_the_policy_and_run_nothing(open_as: Open) -> None:
    visitor = open_as()
    visitor.go(f"/products/{CLOTH.slug}")
    blocks = visitor.page.locator("script[type='application/ld+json']").all_text_contents()
    assert {json.loads(block)["@type"] for block in blocks} == {"Product", "BreadcrumbList"}
    assert visitor.trouble == []


def with_worker(visitor: Visitor) -> None:
    """Wait until the service worker has this page."""
    visitor.page.wait_for_function("() => navigator.serviceWorker.controller !== null")


@pytest.mark.parametrize("language", ["id", "en"])
def test_without_a_network_pages_seen_and_the_last_order_can_be_read(language: str, open_as: Open) -> None:
    visitor = open_as("phone", language, service_workers="allow")
    page = visitor.page
    visitor.go("/")
    with_worker(visitor)
    visitor.go(f"/products/{CLOTH.slug}")
    title = page.locator("h1").inner_text()
    page.wait_for_function("async () => Boolean(await (await caches.open('shop-pages-1')).match(location.href))")
    purchase.have_ordered(visitor, {CLOTH: 1})
    number = purchase.pay(visitor)
    kept = page.locator("[data-saved] p").first
    expect(kept).to_be_visible()
    page.wait_for_function("async () => (await (await caches.open('shop-order-1')).keys()).length")
    assert GUEST["name"] in visitor.text
    address = page.url

    page.context.set_offline(True)
    page.goto(address)
    expect(page.locator("h1")).to_contain_text(number)
    mark = "Nama, alamat, dan nomor tidak ikut disimpan. Keadaan pesanan sekarang mungkin sudah berubah."
    assert visitor.says(mark) in visitor.text
    for private in (GUEST["name"], GUEST["line1"], GUEST["email"], "812"):
        assert private not in page.content(), private
    assert page.locator("form[action$='/pay'], form[action$='/cancel']").count() == 0

    visitor.go(f"/products/{CLOTH.slug}")
    assert page.locator("h1").inner_text() == title
    expect(page.locator("#away")).to_be_visible()

    for never in ("/cart", "/checkout", "/account", "/products/baju-koko"):
        visitor.go(never)
        assert page.locator("h1").inner_text() == visitor.says("Tidak ada jaringan"), never
    expect(page.locator("[data-order] a")).to_have_text(number)
    expect(page.locator("[data-pages] a").filter(has_text=title)).to_have_count(1)
    kept_pages = page.evaluate(
        """async () => {
            const names = await caches.keys();
            const all = names.map(async name => (await (await caches.open(name)).keys()).map(one => one.url));
            return (await Promise.all(all)).flat();
        }"""
    )
    personal = ("/cart", "/checkout", "/account", "/seller", "/fragments", "/sandbox", "token=")
    assert [url for url in kept_pages if any(part in url for part in personal)] == []

    page.locator("[data-order] button").click()
    expect(page.locator("[data-order]")).to_be_hidden()
    page.goto(address)
    assert page.locator("h1").inner_text() == visitor.says("Tidak ada jaringan")
    page.context.set_offline(False)


def test_whoever_does_not_want_a_copy_has_none(open_as: Open) -> None:
    visitor = open_as("phone", service_workers="allow")
    page = visitor.page
    purchase.have_ordered(visitor, {CLOTH: 1})
    purchase.pay(visitor)
    kept, not_kept = page.locator("[data-saved] p").first, page.locator("[data-saved] p").last
    count = "async () => (await (await caches.open('shop-order-1')).keys()).length === {}"
    page.wait_for_function(count.format(1))
    kept.get_by_role("button").click()
    expect(not_kept).to_be_visible()
    page.wait_for_function(count.format(0))
    page.reload()
    expect(not_kept).to_be_visible()
    assert page.evaluate(count.format(0))
    not_kept.get_by_role("button").click()
    page.wait_for_function(count.format(1))


def test_an_old_workers_copies_go_with_it(open_as: Open) -> None:
    visitor = open_as("phone", service_workers="allow")
    page = visitor.page
    visitor.go("/")
    with_worker(visitor)
    page.evaluate(
        """async () => {
            for (const name of ['shop-pages-0', 'counter-1']) await caches.open(name);
            await (await navigator.serviceWorker.ready).unregister();
        }"""
    )
    visitor.go("/help")
    page.wait_for_function("async () => !(await caches.keys()).includes('shop-pages-0')")
    assert "counter-1" in page.evaluate("caches.keys()")  # a worker of another face keeps its own


def test_a_page_that_stays_open_warns_of_the_end_and_one_press_puts_it_off(open_as: Open) -> None:
    visitor = open_as("phone")
    visitor.page.clock.install()
    ends_soon(visitor, "7 minutes")
    warning = visitor.page.locator(".hold button")
    expect(warning).to_be_hidden()
    visitor.page.clock.fast_forward("02:01")
    expect(warning).to_be_visible()
    warning.click()
    expect(visitor.page.locator("[data-until]")).to_have_text(re.compile("3[45]"))
    expect(warning).to_have_count(0)
