"""The colours of both schemes: what is written on them can be read, and no rule names a colour that only fits one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "css"
APP, STAFF = (CSS / "app.css").read_text(), (CSS / "staff.css").read_text()
TOKENS, RULES = APP.split("/* ── base", 1)
SCREEN = RULES.split("/* ── print", 1)[0]
LIGHT, DARK = TOKENS.split("@media screen and (prefers-color-scheme: dark)")
TOKEN = re.compile(r"--([a-z0-9-]+): (#[0-9A-Fa-f]{6})\b")
WHITE = "#FFFFFF"
GROUNDS = ("paper", "card", "sand", "tint")
#: What is written, and on what.
WRITTEN = [
    *[(ink, ground) for ink in ("ink", "ink-2", "muted", "nila", "sogan", "daun", "bata") for ground in GROUNDS],
    ("daun-ink", "daun-soft"), ("sogan-ink", "sogan-soft"), ("kunyit-text", "kunyit-soft"), ("off-ink", "off-soft"),
    ("off-ink", "off"), ("bata", "bata-soft"), ("nila", "nila-soft"), ("ink", "nila-soft"), ("ink-2", "sogan-soft"),
    ("kunyit-ink", "kunyit"), ("kunyit-ink", "kunyit-2"), ("ink", "daun-soft"), ("ink", "kunyit-soft"),
    ("ink", "bata-soft"), ("white", "fill"), ("white", "fill-2"), ("white", "fill-3"), ("nila-text", "fill"),
    ("nila-text", "fill-2"), ("bata", "card"), ("ink", "c1"), ("ink", "c4"),
]  # fmt: skip
#: The parts of the money bar, which stand on a card and on sand.
MONEY = [(part, ground) for part in ("sogan", "nila", "daun", "bahan", "lain") for ground in ("card", "sand")]
#: Borders of controls, marks and the focus.
DRAWN = [("edge", "card"), ("edge", "paper"), ("nila-3", "card"), ("nila-3", "paper"), ("kunyit", "fill"),
         ("nila-edge", "fill"), ("bata", "bata-field"), ("daun", "card")]  # fmt: skip


def tokens(scheme: str) -> dict[str, str]:
    """The colours of a scheme by name; what the dark one does not name stays as in the light."""
    found = dict(TOKEN.findall(LIGHT))
    if scheme == "dark":
        found |= dict(TOKEN.findall(DARK))
    return {"white": WHITE, **found}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_written_can_be_read(scheme: str) -> None:
    known = tokens(scheme)
    found = {(ink, on): round(contrast(known[ink], known[on]), 2) for ink, on in [*WRITTEN, *MONEY]}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_and_focus_are_seen(scheme: str) -> None:
    known = tokens(scheme)
    found = {(mark, on): round(contrast(known[mark], known[on]), 2) for mark, on in DRAWN}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 3} == {}


def test_the_two_schemes_have_the_same_meanings() -> None:
    """The dark one renames nothing, and gives every ground and ink a colour of its own."""
    light, dark = dict(TOKEN.findall(LIGHT)), dict(TOKEN.findall(DARK))
    assert set(dark) <= set(light)
    same_in_both = {"kunyit", "kunyit-2", "kunyit-ink", "nila-text", "nila-edge"}
    assert {name for name in light if dark.get(name, light[name]) == light[name]} == same_in_both


@pytest.mark.parametrize("sheet", ["app.css", "staff.css"])
def test_no_rule_names_a_colour_that_fits_one_scheme_only(sheet: str) -> None:
    """Colours stand with the tokens; white is for what stands on --fill, and --nila is no ground for it."""
    rules = SCREEN if sheet == "app.css" else STAFF.split("@layer print", 1)[0]
    plain = re.sub(r'url\("[^"]*"\)|mask-image:[^;}]*', "", rules)
    assert set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", plain)) - {"#fff"} == set()
    assert re.findall(r"background(?:-color|-image)?:[^;}]*var\(--nila(?:-[23])?\)", plain) == []


def test_paper_stays_white() -> None:
    assert APP.count("prefers-color-scheme: dark") == APP.count("@media screen and (prefers-color-scheme: dark)")
