"""Longer texts by curators and facilities: a small, safe Markdown.

Headings, paragraphs, lists, emphasis, quotes, tables and links. No HTML, no pictures; links lead to pages of
this shop, to http(s), mail and telephone addresses, and those that lead away hand nothing on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

#: A page's own title is its h1: headings in its text begin one below.
HIGHEST_HEADING = 2
SAFE_LINK = re.compile(r"(https?://|mailto:|tel:|/(?!/)|#)", re.IGNORECASE)
#: Before the anchors of sections, so that none is ever called like a part of the frame.
ANCHOR = "s-"


def to_html(text: str, *, root: str = "", anchors: bool = False) -> Markup:
    """`text` as HTML that may stand in any page.

    `root` is put before links to our own pages: `/en` on English pages. With `anchors` headings can be linked to;
    only where one such text stands on a page.
    """
    return Markup(_reader().render(text, {"root": root, "anchors": anchors}))  # noqa: S704 — the reader escapes all HTML


def outline(text: str) -> list[tuple[str, str]]:
    """Anchor and words of each heading of the first level."""
    tokens = _reader().parse(text)
    return [
        (_anchor(tokens[place + 1]), _words(tokens[place + 1]))
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h1"
    ]


def first_words(text: str, longest: int = 200) -> str:
    """The first paragraph without its marks, for a list or a search engine."""
    tokens = _reader().parse(text)
    for place, token in enumerate(tokens):
        if token.type == "paragraph_open":
            words = _words(tokens[place + 1])
            return words if len(words) <= longest else words[:longest].rpartition(" ")[0] + " …"
    return ""


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "code", "fence"])
    reader.validateLink = lambda url: bool(SAFE_LINK.match(url))  # type: ignore[method-assign]
    reader.add_render_rule("link_open", _link)
    reader.add_render_rule("heading_open", _heading)
    reader.add_render_rule("heading_close", _heading)
    reader.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table class="table">\n')
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return reader


def _link(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    token = tokens[place]
    target = str(token.attrs.get("href", ""))
    if target.startswith("/"):
        token.attrs["href"] = env.get("root", "") + target
    elif target.lower().startswith("http"):
        token.attrs["rel"] = "nofollow noopener noreferrer ugc"
    return self.renderToken(tokens, place, options, env)


def _heading(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    token = tokens[place]
    level = min(6, int(token.tag[1]) + HIGHEST_HEADING - 1)
    shown = token.copy(tag=f"h{level}")
    if env.get("anchors") and token.nesting == 1 and token.tag == "h1":
        shown.attrs = {"id": _anchor(tokens[place + 1])}
    return self.renderToken([*tokens[:place], shown, *tokens[place + 1 :]], place, options, env)


def _words(inline: Token) -> str:
    """The words of a line, without marks."""
    marks = {"softbreak": " ", "hardbreak": " "}
    return "".join(part.content or marks.get(part.type, "") for part in inline.children or []).strip()


def _anchor(inline: Token) -> str:
    return ANCHOR + re.sub(r"[\W_]+", "-", _words(inline).lower()).strip("-")
