"""Sessions are rows: the browser's cookie holds a random token, the database its SHA-256 and its life.

Logout, a new password, a change of roles and the limits end the row, so a copied cookie dies with it.
Importing this module teaches Flask-Login to read them.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import structlog
from flask import current_app, session
from sqlalchemy import Row, Select, func, select, update

from storefront import sources
from storefront.extensions import db, login_manager
from storefront.people import policy
from storefront.people.models import Membership, Person, Session

log = structlog.get_logger("storefront.people")
_BROWSER, _WAITING = "browser", "waiting"
#: Where a session keeps the address that a link was last asked for.
ASKED = "asked"

#: Signed out after so long without a request: staff sit at shared office PCs.
STAFF_IDLE = timedelta(hours=2)
#: Signed out at the latest after so long; a counter's day at a fair fits.
STAFF_LIFE = timedelta(hours=14)
#: From the password to the code: setting up a phone takes some minutes.
FACTOR_WITHIN = timedelta(minutes=15)
#: Before money, roles and bank accounts staff show again who they are, when the last time was longer ago.
PROOF_HOLDS = timedelta(minutes=15)
SHOPPER_IDLE = timedelta(days=14)
SHOPPER_LIFE = timedelta(days=90)
#: Whoever came by a mailed link may set a password without the old one for so long.
LINK_PROVES = timedelta(hours=1)
#: `last_seen_at` is written at most so often: reading pages must not write rows.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Grant:
    """A membership as read with the session."""

    role: str
    facility_id: int | None
    exhibition_id: int | None
    valid_from: datetime.datetime
    valid_until: datetime.datetime | None


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in: what `current_user` is. Plain values, readable even when the database is away."""

    id: int
    email: str
    name: str
    locale: str
    is_active: bool
    is_demo: bool
    session_id: int
    token: str
    #: Whether staff have shown who they are a short while ago.
    is_proven: bool
    memberships: tuple[Grant, ...]
    #: What Flask-Login asks of a user.
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the session's token, never the person's id."""
        return self.token


def token_hash(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def start(
    person: Person, *, staff: bool, user_agent: str = "", by_link: bool = False, waits_for_factor: bool = False
) -> str:
    """Write a session row for `person` and return its token; the caller commits, then calls `remember`.

    `waits_for_factor`: the password was right and a code is asked for next (`wait`, `waiting`, `complete`).
    """
    token = secrets.token_urlsafe(32)
    life = FACTOR_WITHIN if waits_for_factor else STAFF_LIFE if staff else SHOPPER_LIFE
    row = Session(
        token_hash=token_hash(token),
        person_id=person.id,
        user_agent=_one_line(user_agent),
        expires_at=func.now() + life,
        by_link=by_link,
        waits_for_factor=waits_for_factor,
    )
    db.session.add(row)
    db.session.flush()
    return token


def remember(token: str, *, staff: bool) -> None:
    """Put a started session into the browser's cookie; nothing that was in it stays (the cart has its own).

    A shopper's cookie outlives the browser, a staff member's does not.
    """
    session.clear()
    session.permanent = not staff
    session["_user_id"] = token
    session["_fresh"] = True


def wait(token: str, back: str | None) -> None:
    """Put a session that waits for its code into the browser's cookie, with the page that it leads to."""
    session.clear()
    session.permanent = False
    session[_WAITING] = [token, back or ""]


def waiting(*, lock: bool = False) -> tuple[Session, str] | None:
    """The session of this browser that waits for its code, and the page that it leads to; None when there is none."""
    token, back = session.get(_WAITING) or ("", "")
    query = select(Session).where(
        Session.token_hash == token_hash(str(token)),
        Session.waits_for_factor,
        Session.ended_at.is_(None),
        Session.expires_at > func.now(),
    )
    found = db.session.scalar(query.with_for_update() if lock else query) if token else None
    return None if found is None else (found, str(back))


def complete(row: Session) -> str:
    """The code was right: the session is good from now on, under a new token, which the caller lets `remember`."""
    token = secrets.token_urlsafe(32)
    row.token_hash, row.waits_for_factor = token_hash(token), False
    row.factor_at = row.proven_at = row.last_seen_at = func.now()
    row.expires_at = func.now() + STAFF_LIFE
    db.session.flush()
    return token


def prove(session_id: int) -> None:
    """Its owner has just shown again who they are."""
    db.session.execute(update(Session).where(Session.id == session_id).values(proven_at=func.now()))


def keep_factor(token: str, former_id: int) -> None:
    """A session begun in place of another one of the same person is as good as that one was."""
    factor_at = select(Session.factor_at).where(Session.id == former_id).scalar_subquery()
    db.session.execute(update(Session).where(Session.token_hash == token_hash(token)).values(factor_at=factor_at))


def forget() -> None:
    """Empty the browser's cookie."""
    session.clear()


def browser_secret(*, make: bool = True) -> str | None:
    """What this browser is known again by when a link that it asked for is opened; made when it first asks."""
    if make:
        session.setdefault(_BROWSER, secrets.token_urlsafe(16))
    found = session.get(_BROWSER)
    return str(found) if found else None


@login_manager.user_loader
def load(token: str) -> SignedIn | None:
    """The person behind a cookie's token, or None when the session has ended or may not be used.

    One query; at most once a minute a second one notes that the session is alive.
    """
    with sources.reading(None):  # who has just signed in or out is known at the primary alone
        found = db.session.execute(_living(token_hash(token))).all()
    if not found:
        return None
    first = found[0]
    person: Person = first.Person
    grants = tuple(_grants(found))
    staff = any(
        g.valid_from <= first.now and (g.valid_until is None or first.now < g.valid_until) for g in grants
    )
    if not person.is_active or (person.is_demo and not is_demo_shop()):
        return None
    if staff and not person.is_demo and first.Session.factor_at is None:
        return None  # came in as a shopper, or before there was a second factor
    idle = first.now - first.Session.last_seen_at
    if idle > (STAFF_IDLE if staff else SHOPPER_IDLE):
        return None
    if idle >= SEEN_EVERY:
        _seen(first.Session.id)
    return SignedIn(
        id=person.id,
        email=person.email,
        name=person.name,
        locale=person.locale,
        is_active=True,
        is_demo=person.is_demo,
        session_id=first.Session.id,
        token=token,
        is_proven=first.now - first.Session.proven_at <= PROOF_HOLDS,
        memberships=grants,
    )


def is_demo_shop() -> bool:
    """Whether demo accounts may hold a session at all."""
    demo: bool = current_app.extensions["settings"].demo
    return demo


def needs_factor(person: policy.PersonLike, *, is_demo: bool) -> bool:
    """Whether a session of the person is good only with a second factor: staff, but for the demo's accounts."""
    return not is_demo and policy.is_staff(person)


def end(session_id: int, person_id: int) -> bool:
    """End one living session of the person; False when there is none such."""
    ended = db.session.execute(
        update(Session)
        .where(Session.id == session_id, Session.person_id == person_id, Session.ended_at.is_(None))
        .values(ended_at=func.now())
        .returning(Session.id)
    ).all()
    return bool(ended)


def end_all(person_id: int, *, but: int | None = None) -> int:
    """End all sessions of a person, but the one with id `but`; returns how many."""
    ended = db.session.execute(
        update(Session)
        .where(Session.person_id == person_id, Session.ended_at.is_(None), Session.id != (but or 0))
        .values(ended_at=func.now())
        .returning(Session.id)
    ).all()
    return len(ended)


def came_by_link(session_id: int) -> bool:
    """Whether a session began a short while ago with a mailed link: its owner has just shown who they are."""
    fresh = select(Session.id).where(
        Session.id == session_id, Session.by_link, Session.created_at > func.now() - LINK_PROVES
    )
    return db.session.scalar(fresh) is not None


def living_of(person_id: int) -> list[Session]:
    """The sessions of a person that are neither ended nor expired, the latest used first."""
    statement = (
        select(Session)
        .where(Session.person_id == person_id, Session.ended_at.is_(None), Session.expires_at > func.now())
        .where(~Session.waits_for_factor)
        .where(Session.last_seen_at > func.now() - SHOPPER_IDLE)
        .order_by(Session.last_seen_at.desc(), Session.id.desc())
        .limit(50)
    )
    return list(db.session.scalars(statement))


def _living(hash_: bytes) -> Select[*tuple[Any, ...]]:
    return (
        select(Session, Person, Membership, func.now().label("now"))
        .join(Person, Person.id == Session.person_id)
        .outerjoin(Membership, Membership.person_id == Person.id)
        .where(Session.token_hash == hash_, Session.ended_at.is_(None), Session.expires_at > func.now())
        .where(~Session.waits_for_factor)
        .order_by(Membership.id)
    )


def _grants(rows: Iterable[Row[Any]]) -> Iterable[Grant]:
    for row in rows:
        m: Membership | None = row.Membership
        if m is not None:
            yield Grant(m.role, m.facility_id, m.exhibition_id, m.valid_from, m.valid_until)


def _seen(session_id: int) -> None:
    """Note the visit in a transaction of its own: a page that only reads commits nothing."""
    with db.engine.begin() as connection:
        connection.execute(
            update(Session)
            .where(Session.id == session_id, Session.last_seen_at < func.now() - SEEN_EVERY / 2)
            .values(last_seen_at=func.now())
        )


def _one_line(text: str) -> str:
    return " ".join("".join(c for c in text if c.isprintable()).split())[:200]
