"""Every page, on a phone and on a wide screen, in both languages."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.browser.look import faults, lasting
from tests.browser.pages import NO_PAGES, PUBLIC, SIGHTS, Sight
from tests.browser.visitor import LANGUAGES, SIZES, Visitor

#: A folder for pictures of all pages, for people to look at.
PICTURES = os.environ.get("PICTURES")
#: axe takes most of a look, so it judges a public page once in each language and once on each screen …
WITH_AXE = (("id", "phone"), ("en", "desk"))
#: Contrast takes a third of that: it is asked for on public pages and on the first page of each route. All colours are
#: tokens, and tests/unit/test_colours.py reckons their contrast pair by pair.
COLOURED = [*PUBLIC, *{sight.endpoint: sight for sight in reversed(SIGHTS)}.values()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.name)
def test_page_is_whole_for_everybody(
    sight: Sight, language: str, visit_again: Callable[..., Visitor]
) -> None:
    """What is wrong is wrong again when the page is opened once more; what was seen once is told as a warning."""
    wrong = look(sight, language, visit_again)
    if wrong:
        print("\n".join(wrong))
        wrong = lasting(wrong, look(sight, language, visit_again))
    assert not wrong, "\n".join(wrong)


def look(sight: Sight, language: str, visit_again: Callable[..., Visitor]) -> list[str]:
    """Open the page and judge it on both screens; what is wrong with it."""
    visitor = visit_again("phone", language, account=sight.account)
    status = sight.open(visitor).status
    wrong = [] if status == sight.status else [f"answers {status}"]
    judged = judgements(sight)
    for size in SIZES:
        visitor.resize(size)
        picture(visitor, f"{sight.name}-{language}-{size}")
        found = faults(visitor, sight.status, with_axe=(language, size) in judged, colours=sight in COLOURED)
        wrong += [f"{size}: {fault}" for fault in found]
    return wrong


def judgements(sight: Sight) -> tuple[tuple[str, str], ...]:
    """… and each other page once, half of them on either screen: they are built of the same pieces."""
    if sight in PUBLIC:
        return WITH_AXE
    return (WITH_AXE[SIGHTS.index(sight) % 2],)


def test_no_page_of_the_shop_is_left_out(shared_app: Flask) -> None:
    """A new page must be looked at, or be named as no page."""
    rules = shared_app.url_map.iter_rules()
    answered = {rule.endpoint for rule in rules if "GET" in (rule.methods or ())}
    looked_at = {sight.endpoint for sight in SIGHTS}
    assert answered - looked_at - NO_PAGES == set()


def picture(visitor: Visitor, name: str) -> None:
    """Keep what is seen, when somebody has asked for pictures."""
    if PICTURES:
        folder = Path(PICTURES)
        folder.mkdir(parents=True, exist_ok=True)
        visitor.page.screenshot(path=folder / f"{name}.png", full_page=True)
