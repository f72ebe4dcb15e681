"""Who reads: a token in `Authorization: Bearer kb_…`, its scopes, and the facilities within its reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from flask_limiter.util import get_remote_address

from storefront.errors import DomainError
from storefront.extensions import db, limiter
from storefront.integrations import tokens
from storefront.integrations.tokens import Reader, Scope
from storefront.people import attempts

REALM = 'Bearer realm="api"'
#: Calls that one token may make: a courtesy to the others.
PACE = "600 per minute"


class TokenNeeded(DomainError):
    code, status = "token_needed", 401
    message = _("Kirim token baca: Authorization: Bearer kb_… Administrator membuatnya di halaman Token.")
    headers = {"WWW-Authenticate": REALM}


class InvalidToken(DomainError):
    """Unknown, expired or revoked: which of them is not said."""

    code, status = "invalid_token", 401
    message = _("Token ini tidak berlaku. Mintalah token baru kepada administrator.")
    headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}


class InsufficientScope(DomainError):
    code, status = "insufficient_scope", 403
    message = _("Token ini tidak boleh membaca bagian ini. Mintalah token dengan cakupan yang sesuai.")

    def __init__(self, scope: Scope) -> None:
        super().__init__(extra={"scope": scope.value})
        self.headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}


def reads(scope: Scope) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """The route is for tokens with `scope`; `reader()` says whose. No session and no cookie counts here."""

    def declare(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            g.reader = _reader()
            if scope not in g.reader.scopes:
                raise InsufficientScope(scope)
            return view(*args, **kwargs)

        return limiter.limit(lambda: PACE, key_func=_pace_of)(checked)

    return declare


def reader() -> Reader:
    """Whose token this call shows."""
    found: Reader = g.reader
    return found


def private(body: dict[str, Any], version: str | None = None) -> Response:
    """An answer that its reader may keep and ask about by ETag (304); `version` stands for what it says."""
    response = jsonify(body)
    response.cache_control.private = True
    response.cache_control.no_cache = True
    response.vary.add("Authorization")
    response.set_etag(version or hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
    return response.make_conditional(request)  # type: ignore[return-value]


def _reader() -> Reader:
    kind, _space, shown = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not shown.strip():
        raise TokenNeeded()
    found = tokens.read(shown.strip())
    if found is None:
        attempt = attempts.begin("api_token", shown.strip()[:80], request.remote_addr)
        db.session.commit()
        attempts.check(attempt)
        raise InvalidToken()
    db.session.commit()
    return found


def _pace_of() -> str:
    """One pace for each token; what shows none is counted by its network."""
    shown = request.headers.get("Authorization", "")
    return hashlib.sha256(shown.encode()).hexdigest() if shown else get_remote_address()
