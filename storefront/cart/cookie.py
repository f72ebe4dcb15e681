"""The cookie that holds a guest's cart token."""

from __future__ import annotations

import re

from flask import Request, Response

from config import Settings
from storefront.cart.carts import kept_for

TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


def cookie_name(settings: Settings) -> str:
    """`cart`, or with the `__Host-` prefix where cookies are Secure."""
    return "__Host-cart" if settings.secure else "cart"


def read_token(request: Request, settings: Settings) -> str | None:
    """The cart token that the browser sent, None if there is none or it cannot be one."""
    token = request.cookies.get(cookie_name(settings), "")
    return token if TOKEN.fullmatch(token) else None


def set_token(response: Response, token: str, settings: Settings) -> None:
    """Have the browser keep `token` as long from now on as we keep its cart."""
    response.set_cookie(
        cookie_name(settings), token, max_age=kept_for(), path="/", secure=settings.secure, httponly=True,
        samesite="Lax",
    )  # fmt: skip
