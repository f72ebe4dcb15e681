"""Tills of a fair: opened with a float, found again by whoever sells, and what lies in them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, func, select, text

from storefront.audit.record import dated_at, record
from storefront.counter.models import SUMS, Till, TillSession
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.people.models import Person
from storefront.written import one_line

MOST_FLOAT = 1_000_000_000
LONGEST_NAME = 60
#: One after the other whoever makes, opens or closes tills of a fair.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('counter.tills', :fair))")


class TillClosed(DomainError):
    """There is no open till to sell in."""

    code, status = "till_closed", 409

    def __init__(self) -> None:
        super().__init__(_("Kas belum dibuka. Buka kas dahulu, lalu jual lagi."))


class TillOpen(DomainError):
    """Somebody has opened it already."""

    code, status = "till_open", 409

    def __init__(self, name: str) -> None:
        sentence = _("%(name)s sudah dibuka orang lain. Pakai kas itu, atau buka kas dengan nama lain.", name=name)
        super().__init__(sentence)


@dataclass(frozen=True)
class SessionNow:
    """A session as it stands; rupiah."""

    id: int
    opened_at: datetime.datetime
    opened_by: str
    opening_float: int
    cash_sales: int
    #: Paid sales, in whatever way.
    count: int

    @property
    def is_of_an_earlier_day(self) -> bool:
        """Nobody closed it in the evening."""
        return accounting_day(self.opened_at) < accounting_day(datetime.datetime.now(datetime.UTC))


@dataclass(frozen=True)
class TillNow:
    """A till with its open session, if it has one."""

    id: int
    name: str
    session: SessionNow | None


def tills(exhibition_id: int) -> list[TillNow]:
    """The tills of a fair, by name."""
    rows = db.session.execute(
        select(
            Till.id,
            Till.name,
            TillSession,
            Person.name.label("opener"),
            SUMS.c.cash_sales,
            SUMS.c.count.label("sold"),
        )
        .outerjoin(TillSession, (TillSession.till_id == Till.id) & TillSession.closed_at.is_(None))
        .outerjoin(SUMS, SUMS.c.session_id == TillSession.id)
        .outerjoin(Person, Person.id == TillSession.opened_by)
        .where(Till.exhibition_id == exhibition_id)
        .order_by(func.lower(Till.name))
    )
    return [TillNow(row.id, row.name, _now(row)) for row in rows]


def _now(row: object) -> SessionNow | None:
    session: TillSession | None = row.TillSession  # type: ignore[attr-defined]
    if session is None:
        return None
    return SessionNow(
        id=session.id,
        opened_at=session.opened_at,
        opened_by=row.opener or "",  # type: ignore[attr-defined]
        opening_float=session.opening_float,
        cash_sales=row.cash_sales,  # type: ignore[attr-defined]
        count=row.sold,  # type: ignore[attr-defined]
    )


def open_till(
    exhibition: Exhibition,
    name_or_id: int | str,
    opening_float: int,
    person_id: int,
    *,
    at: datetime.datetime | None = None,
) -> TillSession:
    """Open a till with `opening_float` rupiah in it, which may be none; a name that is new makes the till.

    The same person opening it again with the same float gives the session that is open. Raises Invalid, TillOpen.
    """
    errors = {}
    known = find_till(exhibition.id, name_or_id)
    name = known.name if known else one_line(str(name_or_id))
    if not 1 <= len(name) <= LONGEST_NAME:
        errors["name"] = _("Beri kas ini nama, paling panjang 60 huruf.")
    if not 0 <= opening_float <= MOST_FLOAT:
        errors["opening_float"] = _("Tulis uang awal dalam rupiah bulat; nol boleh.")
    if errors:
        raise Invalid(errors)
    db.session.execute(LOCK, {"fair": exhibition.id})
    till = find_till(exhibition.id, name) or _made(exhibition, name, person_id)
    open_now = db.session.scalar(_open(till.id))
    if open_now is not None:
        if (open_now.opened_by, open_now.opening_float) == (person_id, opening_float):
            return open_now
        raise TillOpen(till.name)
    session = TillSession(
        till_id=till.id, exhibition_id=exhibition.id, opened_by=person_id, opening_float=opening_float
    )
    if (moment := at or dated_at()) is not None:
        session.opened_at = moment
    db.session.add(session)
    db.session.flush()
    after = {"till": till.name, "opening_float": opening_float}
    record("till.opened", "till_session", session.id, person_id=person_id, details={"before": None, "after": after})
    return session


def find_till(exhibition_id: int, name_or_id: int | str) -> Till | None:
    """A till of the fair by its id (a number); by its name, or what may be its id (a text)."""
    here = select(Till).where(Till.exhibition_id == exhibition_id)
    if isinstance(name_or_id, int):
        return db.session.scalar(here.where(Till.id == name_or_id))
    found: Till | None = db.session.scalar(here.where(func.lower(Till.name) == name_or_id.strip().lower()))
    if found is None and name_or_id.isascii() and name_or_id.isdecimal() and len(name_or_id) < 16:
        found = db.session.scalar(here.where(Till.id == int(name_or_id)))
    return found


def the_till(exhibition_id: int, till_id: int) -> Till:
    """A till of the fair. Raises NotFound for any other."""
    till = db.session.get(Till, till_id)
    if till is None or till.exhibition_id != exhibition_id:
        raise NotFound()
    return till


def sessions_for(exhibition_id: int, till: int | str | None, person_id: int) -> Sequence[TillSession]:
    """The sessions among which a sale's is: of the till that is named, else of the cashier's own; the latest first.

    One's own till is the one that one has opened and that is open; else the only open one; else the one that one
    opened last. Raises Invalid for a till that does not exist, TillClosed when none was ever opened.
    """
    here = select(TillSession).where(TillSession.exhibition_id == exhibition_id)
    latest = (TillSession.opened_at.desc(), TillSession.id.desc())
    if till is not None:
        found = find_till(exhibition_id, till)
        if found is None:
            raise Invalid({"till": _("Kas ini tidak ada di pameran ini. Pilih kas yang ada.")})
        till_id = found.id
    else:
        open_ones = db.session.scalars(here.where(TillSession.closed_at.is_(None)).order_by(*latest)).all()
        own = [one for one in open_ones if one.opened_by == person_id]
        last = db.session.scalars(here.where(TillSession.opened_by == person_id).order_by(*latest).limit(1)).first()
        chosen = own[0] if own else open_ones[0] if len(open_ones) == 1 else last
        if chosen is None and open_ones:
            raise Invalid({"till": _("Lebih dari satu kas terbuka. Pilih kas Anda dahulu.")})
        if chosen is None:
            raise TillClosed()
        till_id = chosen.till_id
    sessions = db.session.scalars(here.where(TillSession.till_id == till_id).order_by(*latest)).all()
    if not sessions:
        raise TillClosed()
    return sessions


def hold_open(session_id: int, *, alone: bool = False) -> TillSession:
    """The session, which nobody closes until this transaction ends; `alone`: nor does anybody sell in it."""
    return db.session.get_one(TillSession, session_id, with_for_update={"read": not alone}, populate_existing=True)


def _open(till_id: int) -> Select[TillSession]:
    return select(TillSession).where(TillSession.till_id == till_id, TillSession.closed_at.is_(None))


def _made(exhibition: Exhibition, name: str, person_id: int) -> Till:
    count = db.session.scalar(select(func.count()).where(Till.exhibition_id == exhibition.id)) or 0
    account = f"cash:{exhibition.slug.replace('-', '_')}:{count + 1}"
    till = Till(exhibition_id=exhibition.id, name=name, account=account, made_by=person_id)
    if (moment := dated_at()) is not None:
        till.made_at = moment
    db.session.add(till)
    db.session.flush()
    return till
