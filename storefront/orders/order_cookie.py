"""The cookie that opens the last few orders of this browser, so that links need not carry a token."""

from __future__ import annotations

import re

from flask import Request, Response

from config import Settings

#: An order's link ends 180 days after completion.
KEPT_SECONDS = 180 * 24 * 3600
MOST_ORDERS = 5
PAIR = re.compile(r"([A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]{4})\.([A-Za-z0-9_-]{22,64})")


def cookie_name(settings: Settings) -> str:
    """`orders`, or with the `__Host-` prefix where cookies are Secure."""
    return "__Host-orders" if settings.secure else "orders"


def tokens(request: Request, settings: Settings) -> dict[str, str]:
    """Order number → token, the latest first; what makes no sense is left out."""
    found = PAIR.findall(request.cookies.get(cookie_name(settings), "")[:1000])
    return dict(found[:MOST_ORDERS])


def remember(response: Response, request: Request, settings: Settings, number: str, token: str) -> None:
    """Have the browser keep the token of one more order, and forget the oldest."""
    kept = {number: token, **{key: value for key, value in tokens(request, settings).items() if key != number}}
    pairs = [f"{key}.{value}" for key, value in list(kept.items())[:MOST_ORDERS]]
    response.set_cookie(
        cookie_name(settings), "~".join(pairs), max_age=KEPT_SECONDS, path="/", secure=settings.secure,
        httponly=True, samesite="Lax",
    )  # fmt: skip
