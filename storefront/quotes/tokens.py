"""The link to a quote: a keyed token, computed and never stored, exchanged for a cookie at once."""

from __future__ import annotations

import hmac
import re

from flask import Request, Response, current_app
from sqlalchemy import select

from config import Settings
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyed import in_address, keyed_check
from storefront.people import attempts
from storefront.quotes.models import Quote, QuoteState

#: Quotes are kept open so long; their papers are asked for later too.
KEPT_SECONDS = 180 * 24 * 3600
MOST_QUOTES = 5
NUMBER = re.compile(r"[A-Z0-9]{2,20}-[0-9]{4}-[0-9]{1,9}")
PAIR = re.compile(rf"({NUMBER.pattern})\.([A-Za-z0-9_-]{{43}})")


def quote_token(quote: Quote) -> str:
    """The quote's token, the same in every letter until its version is raised."""
    return in_address(keyed_check("storefront quote token", f"{quote.id}|{quote.token_version}"))


def quote_link(quote: Quote, locale: str) -> str:
    """The address of the quote's page with its token, absolute, in a language."""
    settings: Settings = current_app.extensions["settings"]
    prefix = "/en" if locale == "en" else ""
    return f"{settings.base_url.rstrip('/')}{prefix}/quotes/{quote.number}?token={quote_token(quote)}"


def open_quote(number: str, token: str | None, network: str | None) -> Quote:
    """The quote with this number, for somebody who holds its token. Wrong tokens are counted (and committed).

    Raises NotFound alike for an unknown number and a wrong token, `attempts.TooManyTries` after many.
    """
    quote: Quote | None = None
    if NUMBER.fullmatch(number):
        quote = db.session.scalar(select(Quote).where(Quote.number == number, Quote.state != QuoteState.DRAFT.value))
    expected = quote_token(quote) if quote is not None else "-" * 43
    if quote is None or not token or not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
        attempt = attempts.begin("question_token", number[:40], network)
        db.session.commit()
        attempts.check(attempt)
        raise NotFound()
    return quote


def cookie_name(settings: Settings) -> str:
    """`quotes`, or with the `__Host-` prefix where cookies are Secure."""
    return "__Host-quotes" if settings.secure else "quotes"


def tokens(request: Request, settings: Settings) -> dict[str, str]:
    """Quote number → token, the latest first; what makes no sense is left out."""
    found = PAIR.findall(request.cookies.get(cookie_name(settings), "")[:1000])
    return dict(found[:MOST_QUOTES])


def remember(response: Response, request: Request, settings: Settings, number: str, token: str) -> None:
    """Have the browser keep the token of one more quote, and forget the oldest."""
    kept = {number: token, **{key: value for key, value in tokens(request, settings).items() if key != number}}
    pairs = [f"{key}.{value}" for key, value in list(kept.items())[:MOST_QUOTES]]
    response.set_cookie(
        cookie_name(settings), "~".join(pairs), max_age=KEPT_SECONDS, path="/", secure=settings.secure,
        httponly=True, samesite="Lax",
    )  # fmt: skip
