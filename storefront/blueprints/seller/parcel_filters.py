"""What of the packing queue an address asks for; kept in every address that leads on from the queue and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from storefront.orders import parcel_queue
from storefront.orders.parcel_queue import Asked
from storefront.written import day, one_line

#: Longest text that is looked for.
LONGEST = 60


def asked(arguments: Mapping[str, str] | None = None) -> Asked:
    """The filter of this request; what is not understood asks for nothing."""
    read = arguments if arguments is not None else request.args
    size = read.get("size", "")
    return Asked(
        state=_one_of(read, "state", parcel_queue.STATES),
        due=_one_of(read, "due", parcel_queue.DUE),
        day=day(read.get("day", "")),
        way=one_line(read.get("way", ""))[:LONGEST] or None,
        courier=one_line(read.get("courier", ""))[:LONGEST] or None,
        workshop=_number(read.get("workshop", "")),
        text=one_line(read.get("q", ""))[:LONGEST],
        sort=_one_of(read, "sort", parcel_queue.SORTS) or parcel_queue.SORTS[0],
        size=int(size) if size in {str(size) for size in parcel_queue.SIZES} else parcel_queue.SIZES[0],
    )


def kept() -> dict[str, Any]:
    """The filter of this request as arguments, its page too: for links and forms that lead on."""
    query: dict[str, Any] = dict(asked().query)
    page = _number(request.args.get("page", ""))
    return {**query, "page": page} if page and page > 1 else query


def _one_of(read: Mapping[str, str], name: str, known: object) -> str | None:
    value = read.get(name, "")
    return value if value in known else None  # type: ignore[operator]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None
