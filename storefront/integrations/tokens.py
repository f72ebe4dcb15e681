"""Read tokens: made by an administrator, shown once, kept as a hash, ended by a day or by hand.

A token is no session: it is read from `Authorization: Bearer` by the API alone, opens no page and changes nothing.
It outlives its maker's role on purpose, as the other system's nightly run does; the page says who made it.
"""

from __future__ import annotations

import datetime
import enum
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, or_, select, update

from storefront import days
from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.integrations.models import ApiToken, ApiTokenFacility
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page
from storefront.people.models import Person

#: How a token begins, so that a scanner of leaked secrets knows it.
PREFIX = "kb_"
PLAIN = re.compile(r"kb_[A-Za-z0-9_-]{43}")
#: Longest life: somebody looks at it once a year at least.
LONGEST = datetime.timedelta(days=366)
#: How often a use is noted.
NOTED = datetime.timedelta(minutes=1)
LATEST = Order((("api_tokens.id", "bigint"),))


class Scope(enum.StrEnum):
    """What a token may read."""

    SALES = "sales:read"
    STATEMENTS = "statements:read"
    FACILITIES = "facilities:read"


class AlreadyRevoked(DomainError):
    """Somebody was faster."""

    code, status = "already_revoked", 409

    def __init__(self) -> None:
        super().__init__(_("Token ini sudah dicabut. Muat ulang halaman untuk melihat keadaannya."))


@dataclass(frozen=True)
class Reader:
    """A token that was shown and holds now."""

    token_id: int
    scopes: frozenset[Scope]
    #: None: all facilities.
    facility_ids: frozenset[int] | None


@dataclass(frozen=True)
class TokenLine:
    """A token in the list."""

    token: ApiToken
    created_by: str
    #: Codes of its facilities; empty: all.
    facilities: Sequence[str]
    #: `living`, `expired` or `revoked`.
    state: str


def make(
    name: str, scopes: Sequence[str], facilities: Sequence[str], last_day: datetime.date, person_id: int
) -> tuple[ApiToken, str]:
    """A token that holds to the end of `last_day`, and its text, which nobody can find out again.

    `facilities` are codes; none means all of them. Raises Invalid. The caller commits.
    """
    errors = {}
    if not 2 <= len(name) <= 80:
        errors["name"] = _("Beri nama 2 sampai 80 huruf, misalnya nama aplikasi yang memakainya.")
    known = {scope.value for scope in Scope}
    if not scopes or not set(scopes) <= known:
        errors["scopes"] = _("Pilih setidaknya satu bagian yang boleh dibaca.")
    wanted = select(Facility.code, Facility.id).where(Facility.code.in_(facilities))
    ids = {code: id_ for code, id_ in db.session.execute(wanted)}  # noqa: C416 - rows are no pairs for a dict
    if set(facilities) - ids.keys():
        errors["facilities"] = _("Ada UPT yang tidak dikenal. Pilih lagi dari daftarnya.")
    today = days.today()
    if not today <= last_day <= today + LONGEST:
        errors["expires"] = _("Pilih hari terakhir antara hari ini dan setahun lagi.")
    if errors:
        raise Invalid(errors)
    shown = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        name=name,
        token_hash=_hash(shown),
        ending=shown[-4:],
        scopes=[scope.value for scope in Scope if scope.value in scopes],
        everywhere=not ids,
        created_by=person_id,
        expires_at=days.begins(last_day + datetime.timedelta(days=1)),
    )
    db.session.add(token)
    db.session.flush()
    db.session.add_all(ApiTokenFacility(token_id=token.id, facility_id=id_) for id_ in sorted(ids.values()))
    db.session.flush()
    after = {
        "name": name, "scopes": list(token.scopes), "facilities": sorted(ids) or "all", "last_day": last_day.isoformat()
    }  # fmt: skip
    record("api_token.made", "api_token", token.id, person_id=person_id, details={"after": after})
    return token, shown


def revoke(token_id: int, person_id: int) -> ApiToken:
    """End a token now. Raises NotFound, AlreadyRevoked. The caller commits."""
    token = db.session.get(ApiToken, token_id, with_for_update=True, populate_existing=True)
    if token is None:
        raise NotFound()
    if token.revoked_at is not None:
        raise AlreadyRevoked()
    token.revoked_at, token.revoked_by = db.session.execute(select(func.now())).scalar_one(), person_id
    db.session.flush()
    record("api_token.revoked", "api_token", token.id, person_id=person_id, details={"name": token.name})
    return token


def read(shown: str) -> Reader | None:
    """Whose token `shown` is; None when there is none that holds now. Notes the use; the caller commits."""
    if not PLAIN.fullmatch(shown):
        return None
    now = func.now()
    token = db.session.scalar(
        select(ApiToken).where(
            ApiToken.token_hash == _hash(shown), ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
        )
    )
    if token is None:
        return None
    # Not at every call: a nightly run of a thousand pages writes a dozen times.
    long_ago = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < now - NOTED)
    db.session.execute(update(ApiToken).where(ApiToken.id == token.id, long_ago).values(last_used_at=now))
    ids = None
    if not token.everywhere:
        own = select(ApiTokenFacility.facility_id).where(ApiTokenFacility.token_id == token.id)
        ids = frozenset(db.session.scalars(own))
    return Reader(token.id, frozenset(map(Scope, token.scopes)), ids)


def lines(turn: Turn = FIRST, *, living: bool) -> Keyed[TokenLine]:
    """A page of tokens, the latest first; with `living` only those that hold now."""
    holds = ApiToken.revoked_at.is_(None) & (ApiToken.expires_at > func.now())
    query = select(ApiToken, Person.name, holds).join(Person, Person.id == ApiToken.created_by)
    page = select_page(query.where(holds) if living else query, LATEST, turn)
    rows = page.rows
    codes: dict[int, list[str]] = {}
    named = (
        select(ApiTokenFacility.token_id, Facility.code)
        .join(Facility, Facility.id == ApiTokenFacility.facility_id)
        .where(ApiTokenFacility.token_id.in_([token.id for token, _name, _holds in rows]))
        .order_by(Facility.code)
    )
    for token_id, code in db.session.execute(named):
        codes.setdefault(token_id, []).append(code)
    found = []
    for token, by, is_living in rows:
        state = "revoked" if token.revoked_at else "living" if is_living else "expired"
        found.append(TokenLine(token, by, codes.get(token.id, []), state))
    return page.of(found)


def _hash(shown: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(shown.encode()).digest()
