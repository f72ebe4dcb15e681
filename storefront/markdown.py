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


def to_html(text: str, *, root: str = "") -> Markup:
    """`text` as HTML that may stand in any page.

    `root` is put before links to our own pages: `/en` on English pages.
    """
    return Markup(_reader().render(text, {"root": root}))  # noqa: S704 — the reader escapes all HTML


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "code", "fence"])
    reader.validateLink = lambda url: bool(SAFE_LINK.match(url))  # type: ignore[method-assign]
    reader.add_render_rule("link_open", _link)
    reader.add_render_rule("heading_open", _heading)
    reader.add_render_rule("heading_close", _heading)
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
    return self.renderToken(
        [*tokens[:place], token.copy(tag=f"h{level}"), *tokens[place + 1 :]], place, options, env
    )
