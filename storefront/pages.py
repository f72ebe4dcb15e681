"""Which page of a list a request asks for."""

from __future__ import annotations

from flask import request

#: Far enough for people; no OFFSET beyond what the database counts in.
LAST_PAGE = 100_000


def page_number(name: str = "page") -> int:
    """The page asked for in the query string, from 1; anything else means the first."""
    asked = request.args.get(name, 1, type=int)
    return min(max(asked, 1), LAST_PAGE)
