"""The cookie that opens one case in this browser until it is closed, so that its link need not carry the code."""

from __future__ import annotations

import re

from flask import Request, Response

from config import Settings

PAIR = re.compile(r"(LP-[0-9A-Z]{4}-[0-9A-Z]{4})\.([0-9A-Z]{26})")


def cookie_name(settings: Settings) -> str:
    """`case`, or with the `__Host-` prefix where cookies are Secure."""
    return "__Host-case" if settings.secure else "case"


def code_for(request: Request, settings: Settings, number: str) -> str:
    """The code that this browser holds for the case; empty: none."""
    found = PAIR.fullmatch(request.cookies.get(cookie_name(settings), "")[:60])
    return found[2] if found and found[1] == number else ""


def remember(response: Response, settings: Settings, number: str, code: str) -> None:
    """Have the browser keep the code until it is closed; an earlier case's is forgotten."""
    response.set_cookie(
        cookie_name(settings), f"{number}.{code}", path="/", secure=settings.secure, httponly=True, samesite="Lax"
    )


def forget(response: Response, settings: Settings) -> None:
    """Take the code out of this browser."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.secure, httponly=True, samesite="Lax"
    )
