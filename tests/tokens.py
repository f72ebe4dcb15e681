"""Read tokens for tests of the API."""

from __future__ import annotations

import datetime

from storefront import days
from storefront.extensions import db
from storefront.integrations import tokens
from storefront.integrations.tokens import Scope
from tests.factories import make_person

ALL = tuple(scope.value for scope in Scope)


def make_token(*scopes: str, facilities: tuple[str, ...] = (), valid_days: int = 30) -> str:
    """The text of a token, committed; without scopes it has all of them."""
    last = days.today() + datetime.timedelta(days=valid_days)
    _token, shown = tokens.make("Aplikasi kantor", scopes or ALL, facilities, last, make_person().id)
    db.session.commit()
    return shown


def bearer(shown: str) -> dict[str, str]:
    """The header by which a program shows it."""
    return {"Authorization": f"Bearer {shown}"}
