"""Finance settles a closed session: its cash is brought to the bank, and what was short or over is booked for good.

What is left of a session is a sum, never a state: sales in cash less what went back, what was banked, and what is
booked as a difference. A late sale makes it more than nothing again.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from storefront.audit.record import dated_at, record
from storefront.books.bank_accounts import in_force
from storefront.counter.models import SUMS, Till, TillSession, TillSettlement
from storefront.days import accounting_day, today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Turn, select_page
from storefront.ledger.cash import book_cash_banked
from storefront.money import format_rupiah
from storefront.people.models import Person

LEAST_NOTE, MOST_NOTE, MOST_REFERENCE = 5, 500, 60
PAGE = 25
#: What waits for finance, then the latest.
PLACE = Order(
    (
        ("(till_session_sums.left_in_till <> 0 OR till_sessions.closed_at IS NULL)", "boolean"),
        ("till_sessions.opened_at", "timestamptz"),
        ("till_sessions.id", "bigint"),
    )
)
STATES = ("open", "counted", "settled")


class StillSelling(DomainError):
    """Its till is open: it is counted first."""

    code, status = "till_still_open", 409

    def __init__(self) -> None:
        super().__init__(_("Sesi kas ini masih terbuka. Minta kasir menghitung dan menutupnya dahulu."))


@dataclass(frozen=True)
class SessionRow:
    """A session as finance sees it; rupiah."""

    session: TillSession
    till: str
    slug: str
    fair: str
    opened_by: str
    closed_by: str | None
    #: Sums of the database's own view.
    count: int
    sales: int
    given_back: int
    cash_sales: int
    late: int
    late_sales: int
    banked: int
    booked_difference: int
    left_in_till: int

    @property
    def difference(self) -> int | None:
        """What was counted beyond what must have been there, late sales included; None while it is open."""
        if self.session.counted is None:
            return None
        return self.session.counted - self.session.opening_float - self.cash_sales

    @property
    def to_bank(self) -> int:
        """What lies there beyond the float and is not in the bank yet."""
        counted = self.session.counted if self.session.counted is not None else 0
        return max(0, counted - self.session.opening_float + self.late_sales - self.banked)

    @property
    def state(self) -> str:
        """`open`, `counted` (closed, and not all of it is settled) or `settled`."""
        if self.session.closed_at is None:
            return "open"
        return "counted" if self.left_in_till else "settled"

    @property
    def is_overnight(self) -> bool:
        """Open since an earlier day."""
        return self.session.closed_at is None and accounting_day(self.session.opened_at) < today()


def listed(*, state: str = "", slug: str = "", turn: Turn = FIRST) -> Keyed[SessionRow]:
    """Sessions of all fairs, those that wait for finance first, then the latest; `amount` is left in their tills."""
    where = []
    if slug:
        where.append(Exhibition.slug == slug)
    if state == "open":
        where.append(TillSession.closed_at.is_(None))
    elif state == "counted":
        where += [TillSession.closed_at.is_not(None), SUMS.c.left_in_till != 0]
    elif state == "settled":
        where += [TillSession.closed_at.is_not(None), SUMS.c.left_in_till == 0]
    base = (
        select(TillSession.id)
        .join(SUMS, SUMS.c.session_id == TillSession.id)
        .join(Exhibition, Exhibition.id == TillSession.exhibition_id)
        .where(*where)
    )
    left = db.session.scalar(base.with_only_columns(func.coalesce(func.sum(SUMS.c.left_in_till), 0)))
    found = select_page(base, PLACE, turn, size=PAGE)
    ids = [row[0] for row in found.rows]
    rows = {row.session.id: row for row in _rows(ids)}
    return replace(found.of([rows[id_] for id_ in ids]), amount=int(left or 0))


def row_of(session_id: int) -> SessionRow:
    """One session. Raises NotFound."""
    for row in _rows([session_id]):
        return row
    raise NotFound()


def settlements_of(session_id: int) -> list[TillSettlement]:
    """What was brought to the bank of a session, and booked, oldest first."""
    return list(
        db.session.scalars(
            select(TillSettlement).where(TillSettlement.session_id == session_id).order_by(TillSettlement.id)
        )
    )


def settle(
    session_id: int,
    *,
    banked: int,
    difference: int,
    on: datetime.date,
    note: str,
    key: str,
    person_id: int,
    bank_reference: str = "",
    at: datetime.datetime | None = None,
) -> TillSettlement:
    """Write down that `banked` rupiah of a closed session lie in the bank, and `difference` (over > 0) for good.

    It lies in the central office's account of that day; `bank_reference` is the number on the bank's slip. The same
    `key` gives what it made before. Raises NotFound, StillSelling, Invalid, NoBankAccount, PeriodClosed.
    """
    session = db.session.get(TillSession, session_id, with_for_update=True, populate_existing=True)
    if session is None:
        raise NotFound()
    before = db.session.scalar(select(TillSettlement).where(TillSettlement.request_key == key))
    if before is not None:
        return before
    if session.closed_at is None:
        raise StillSelling()
    note, bank_reference = note.strip(), " ".join(bank_reference.split()) if banked else ""
    left = row_of(session_id).left_in_till
    _refuse(banked, difference, on, note, bank_reference, left, accounting_day(session.opened_at))
    settlement = TillSettlement(
        session_id=session_id,
        banked=banked,
        bank_account_id=in_force(None, on).id if banked else None,
        bank_reference=bank_reference,
        difference=difference,
        on_day=on,
        note=note,
        settled_by=person_id,
        request_key=key,
    )
    if (moment := at or dated_at()) is not None:
        settlement.settled_at = moment
    db.session.add(settlement)
    db.session.flush()
    till = db.session.get_one(Till, session.till_id)
    book_cash_banked(
        settlement.id,
        till.account.removeprefix("cash:"),
        banked,
        settlement.bank_account_id,
        difference=difference,
        on=on,
        person_id=person_id,
        posted_at=at or dated_at(),
    )
    after = {"banked": banked, "difference": difference, "on": on.isoformat(), "note": note, "slip": bank_reference}
    record("till.settled", "till_session", session_id, person_id=person_id, details={"before": None, "after": after})
    return settlement


def _refuse(
    banked: int,
    difference: int,
    on: datetime.date,
    note: str,
    bank_reference: str,
    left: int,
    opened_on: datetime.date,
) -> None:
    errors: dict[str, str] = {}
    if banked < 0 or banked - difference > max(left, 0) or (banked == 0 and difference == 0):
        errors["banked"] = _("Sisa uang penjualan sesi ini %(left)s. Periksa jumlahnya.", left=format_rupiah(left))
    if difference and not LEAST_NOTE <= len(note) <= MOST_NOTE:
        errors["note"] = _("Jelaskan selisihnya.")
    if len(bank_reference) > MOST_REFERENCE:
        errors["bank_reference"] = _("Paling panjang %(most)d huruf. Persingkat dulu.", most=MOST_REFERENCE)
    if not opened_on <= on <= today():
        errors["on"] = _("Tanggal setor tidak boleh sebelum kas dibuka atau sesudah hari ini.")
    if errors:
        raise Invalid(errors)


def _rows(ids: Sequence[int]) -> list[SessionRow]:
    opener, closer = aliased(Person), aliased(Person)
    names = ("count", "sales", "given_back", "cash_sales", "late", "late_sales", "banked", "booked_difference")
    sums = [SUMS.c[name] for name in (*names, "left_in_till")]
    rows = db.session.execute(
        select(TillSession, Till.name, Exhibition.slug, Exhibition.name, opener.name, closer.name, *sums)
        .join(SUMS, SUMS.c.session_id == TillSession.id)
        .join(Till, Till.id == TillSession.till_id)
        .join(Exhibition, Exhibition.id == TillSession.exhibition_id)
        .join(opener, opener.id == TillSession.opened_by)
        .outerjoin(closer, closer.id == TillSession.closed_by)
        .where(TillSession.id.in_(ids))
    )
    return [SessionRow(*row) for row in rows]
