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

from storefront.extensions import db, login_manager
from storefront.people.models import Membership, Person, Session

log = structlog.get_logger("storefront.people")
_BROWSER = "browser"
#: Where a session keeps the address that a link was last asked for.
ASKED = "asked"

#: Signed out after so long without a request: staff sit at shared office PCs.
STAFF_IDLE = timedelta(hours=2)
#: Signed out at the latest after so long; a counter's day at a fair fits.
STAFF_LIFE = timedelta(hours=14)
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


def start(person: Person, *, staff: bool, user_agent: str = "", by_link: bool = False) -> str:
    """Write a session row for `person` and return its token; the caller commits, then calls `remember`."""
    token = secrets.token_urlsafe(32)
    life = STAFF_LIFE if staff else SHOPPER_LIFE
    row = Session(
        token_hash=token_hash(token),
        person_id=person.id,
        user_agent=_one_line(user_agent),
        expires_at=func.now() + life,
        by_link=by_link,
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
    found = db.session.execute(_living(token_hash(token))).all()
    if not found:
        return None
    first = found[0]
    person: Person = first.Person
    grants = tuple(_grants(found))
    staff = any(
        g.valid_from <= first.now and (g.valid_until is None or first.now < g.valid_until) for g in grants
    )
    if not person.is_active or not may_sign_in(is_demo=person.is_demo, staff=staff):
        return None
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
        memberships=grants,
    )


def may_sign_in(*, is_demo: bool, staff: bool) -> bool:
    """Whether an account of this kind may hold a session at all.

    Demo accounts exist only while DEMO is on. Staff need a second factor, which is not there yet: until
    then only demo accounts, in demo mode, work as staff (PRODUCT.md, "Who may do what").
    """
    demo: bool = current_app.extensions["settings"].demo
    return demo if is_demo else not staff


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
