"""For a cheap phone on a slow line: what a page weighs, what one sees first, what a thumb can hit (LOOK.md)."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from playwright.sync_api import Response, Route

from tests.browser.purchase import CLOTH
from tests.browser.visitor import SIZES, Visitor

Visit = Callable[..., Visitor]
PAGES = {"home": "/", "listing": "/products", "product": f"/products/{CLOTH.slug}"}
#: Bytes.
TEXT, SCRIPT, FIRST_VIEW = 60_000, 35_000, 100_000
#: What a phone asks for until its first view stands, pictures below it not counted.
REQUESTS = 20
SHIFT = 0.05
#: CSS pixels: a thumb's target, and the least that WCAG 2.2 allows for a link among others.
THUMB, LEAST = 44, 24

WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const e of list.getEntries()) if (!e.hadRecentInput)
            window.shifts.push([e.value, e.sources.map(s => s.node?.outerHTML?.slice(0, 80)).join(' | ')]);
    }).observe({type: 'layout-shift', buffered: true});
"""
IN_FIRST_VIEW = """() => [...document.images].filter(i => {
    const box = i.getBoundingClientRect();
    return i.currentSrc && box.top < innerHeight && box.left < innerWidth && box.width && i.checkVisibility();
}).map(i => i.currentSrc)"""
SMALL_TARGETS = """([thumb, least]) => {
    const found = [];
    const targets = 'a[href], button, summary, select, textarea, input, label.choice, label.tick';
    for (const e of document.querySelectorAll(targets)) {
        if (e.type === 'hidden' || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        if (e.closest('.sr, .skip, [aria-hidden=true]') || e.matches('label.choice input, label.tick input')) continue;
        const after = getComputedStyle(e, '::after');
        const whole = after.position === 'absolute' && after.inset === '0px' ? e.closest('article') : null;
        const box = (whole ?? e).getBoundingClientRect();
        const often = e.closest('nav, form, header, footer');
        if (e.tagName === 'A' && getComputedStyle(e).display === 'inline' && !often) continue;
        if (Math.min(box.width, box.height) < (often ? thumb : least))
            found.push(`${Math.round(box.width)}×${Math.round(box.height)} ${e.outerHTML.slice(0, 90)}`);
    }
    return found;
}"""


def weigh(visitor: Visitor, path: str) -> dict[str, list[Response]]:
    """Load a page anew; its answers by kind."""
    answers: list[Response] = []
    visitor.page.on("response", lambda answer: answers.append(answer))
    visitor.go(path)
    visitor.page.wait_for_load_state("networkidle")
    kinds: dict[str, list[Response]] = {}
    for answer in answers:
        kinds.setdefault(answer.request.resource_type, []).append(answer)
    return kinds


def zipped(answers: list[Response]) -> int:
    return sum(len(gzip.compress(answer.body(), 6)) for answer in answers)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_page_is_light(path: str, visit: Visit) -> None:
    visitor = visit()
    kinds = weigh(visitor, path)
    script = zipped(kinds["script"])
    text = script + zipped(kinds["document"]) + zipped(kinds["stylesheet"])
    assert script <= SCRIPT
    assert text <= TEXT
    seen = set(visitor.page.evaluate(IN_FIRST_VIEW))
    others = [a for kind, answers in kinds.items() if kind not in ("image", "preflight") for a in answers]
    first_view = others + [
        answer for answer in kinds.get("image", []) if answer.url in seen or ".svg" in answer.url
    ]
    sent = sum(answer.request.sizes()["responseBodySize"] for answer in first_view)
    assert sent <= FIRST_VIEW
    assert len(first_view) <= REQUESTS, [answer.url for answer in first_view]
    print(f"{path}: script {script}, text {text}, first view {sent} bytes, {len(first_view)} requests")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_nothing_jumps_when_the_font_comes_late(path: str, size: str, visit: Visit) -> None:
    visitor = visit(size)
    page = visitor.page
    page.add_init_script(WATCH_SHIFTS)
    held: list[Route] = []
    page.route("**/*.woff2", lambda route: held.append(route))
    page.goto(path, wait_until="commit")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    visitor.until(lambda: held, "the page was painted without asking for its font")
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.mouse.wheel(0, 1500)
    page.wait_for_load_state("networkidle")
    shifts = page.evaluate("window.shifts")
    print(f"{path} {size}: {shifts}")
    assert sum(value for value, _node in shifts) < SHIFT


@pytest.mark.parametrize(
    "path", ["/", "/products", "/products?q=kursy", "/facilities/lapas-kelas-iia-pekalongan"]
)
def test_a_product_is_seen_on_a_phone_without_scrolling(path: str, visit: Visit) -> None:
    visitor = visit("phone")
    visitor.go(path if "facilities" not in path else f"/facilities/{slug_of(visitor, 'PKL')}")
    visitor.still()
    box = visitor.page.locator(".item .price").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= SIZES["phone"][1]


def slug_of(visitor: Visitor, code: str) -> str:
    return str(visitor.shop.value("SELECT slug FROM facilities WHERE code = %s", code))


def test_gold_button_stays_within_reach_of_the_thumb(visit: Visit) -> None:
    """The buy button sticks to the lower edge of a phone, wherever one reads."""
    visitor = visit("phone")
    visitor.go(f"/products/{CLOTH.slug}")
    button = visitor.page.locator(".buybar .btn--main")
    for _ in range(3):
        box = button.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= SIZES["phone"][1] - box["height"]
        visitor.page.mouse.wheel(0, 500)
        visitor.wait(0.1)


@pytest.mark.parametrize(
    ("path", "account"),
    [
        *((path, None) for path in (*PAGES.values(), "/facilities", "/impact", "/help", "/cart", "/login")),
        ("/account", "shopper@demo.test"),
        ("/seller/PKL/", "coordinator@demo.test"),
        ("/seller/PKL/parcels", "coordinator@demo.test"),
        ("/seller/PKL/products", "coordinator@demo.test"),
        (f"/seller/PKL/stock/{CLOTH.sku}", "coordinator@demo.test"),
        ("/finance/export", "finance@demo.test"),
    ],
)
def test_thumbs_hit_what_they_aim_at(path: str, account: str | None, visit_again: Visit) -> None:
    visitor = visit_again("phone", account=account)
    visitor.go(path)
    visitor.page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    visitor.still()
    assert visitor.page.evaluate(SMALL_TARGETS, [THUMB, LEAST]) == []
