"""What of the shelf an address or a form asks for, and how it is handed on: kept after every edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storefront.pages import LAST_PAGE
from storefront.stock.shelf import SORTS, STOCK_FILTERS, ShelfFilter

#: All that the shelf's address may carry.
NAMES = ("status", "stock", "workshop", "category", "q", "sort", "page")


def wanted(values: Mapping[str, str]) -> ShelfFilter:
    """The filters; what is not understood does not narrow."""
    stock = values.get("stock", "")
    return ShelfFilter(
        status=values.get("status", ""),
        stock=stock if stock in STOCK_FILTERS else "",
        workshop=_id(values.get("workshop", "")),
        category=_id(values.get("category", "")),
        q=values.get("q", "").strip()[:100],
    )


def sort(values: Mapping[str, str]) -> str:
    """By what the shelf is sorted."""
    asked = values.get("sort", "")
    return asked if asked.removeprefix("-") in SORTS else "title"


def page(values: Mapping[str, str]) -> int:
    """The page, from 1."""
    return min(max(_id(values.get("page", "")) or 1, 1), LAST_PAGE)


def kept(values: Mapping[str, str], *, leave: tuple[str, ...] = ()) -> dict[str, Any]:
    """What was asked, for `url_for` and hidden fields; nothing empty in it."""
    return {
        name: values[name][:100]
        for name in NAMES
        if name not in leave and values.get(name) and not (name == "page" and values[name] == "1")
    }


def _id(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 18 else None
