"""Registered accounts, paying units, deadlines and returned budget, as pages list them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from storefront import days
from storefront.books.bank_accounts import mask
from storefront.books.listed import as_list
from storefront.books.models import DepositDeadline
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale

ACCOUNTS = text(
    """
    SELECT b.id, b.facility_id, f.code AS facility_code, f.name AS facility_name, b.bank, b.number, b.holder,
           b.permission_letter, b.valid_from, b.valid_to, b.proposed_by, p.name AS proposed_by_name, b.proposed_at,
           q.name AS approved_by_name, b.approved_at, b.rejected_at, b.end_on, b.end_proposed_by, b.from_facility,
           e.name AS end_proposed_by_name, b.end_approved_by IS NOT NULL AS is_end_approved
      FROM bank_accounts b
      LEFT JOIN facilities f ON f.id = b.facility_id
      JOIN people p ON p.id = b.proposed_by
      LEFT JOIN people q ON q.id = b.approved_by
      LEFT JOIN people e ON e.id = b.end_proposed_by
     WHERE (CAST(:ids AS bigint[]) IS NULL OR b.facility_id = ANY (CAST(:ids AS bigint[])))
       AND (CAST(:code AS text) IS NULL OR f.code = CAST(:code AS text))
       AND (CAST(:id AS bigint) IS NULL OR b.id = CAST(:id AS bigint))
     ORDER BY b.facility_id IS NOT NULL, f.name, b.rejected_at IS NOT NULL, b.valid_from DESC, b.id DESC"""
)
CONNECTED = text(
    """
    SELECT c.id, c.facility_id, f.code AS facility_code, f.name AS facility_name, c.account, c.permission_letter,
           c.valid_from, c.valid_to, c.proposed_by, p.name AS proposed_by_name, c.proposed_at,
           q.name AS approved_by_name, c.approved_at, c.rejected_at, c.end_on, c.end_proposed_by,
           c.end_approved_by IS NOT NULL AS is_end_approved
      FROM connected_accounts c
      JOIN facilities f ON f.id = c.facility_id
      JOIN people p ON p.id = c.proposed_by
      LEFT JOIN people q ON q.id = c.approved_by
     WHERE (CAST(:ids AS bigint[]) IS NULL OR c.facility_id = ANY (CAST(:ids AS bigint[])))
       AND (CAST(:id AS bigint) IS NULL OR c.id = CAST(:id AS bigint))
     ORDER BY f.name, c.rejected_at IS NOT NULL, c.valid_from DESC, c.id DESC"""
)
SATKERS = text(
    """
    SELECT s.*, f.code AS facility_code, f.name AS facility_name
      FROM satkers s JOIN facilities f ON f.id = s.facility_id
     WHERE (CAST(:ids AS bigint[]) IS NULL OR s.facility_id = ANY (CAST(:ids AS bigint[])))
     ORDER BY f.name, f.code, s.valid_from DESC"""
)
RETURN_ROWS = """
    SELECT r.id, r.facility_id, f.code AS facility_code, f.name AS facility_name, u.code AS fund_code,
           CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END AS fund_label, r.amount, r.reference,
           r.returned_on, r.state, r.proposed_by, p.name AS proposed_by_name, r.proposed_at,
           q.name AS approved_by_name, r.approved_at, {keys}
      FROM budget_returns r
      JOIN facilities f ON f.id = r.facility_id
      JOIN funds u ON u.id = r.fund_id
      JOIN people p ON p.id = r.proposed_by
      LEFT JOIN people q ON q.id = r.approved_by"""


class Registered:
    """What an account is by now, of whichever kind."""

    valid_from: datetime.date
    valid_to: datetime.date | None
    approved_at: datetime.datetime | None
    rejected_at: datetime.datetime | None
    end_on: datetime.date | None
    is_end_approved: bool

    @property
    def state(self) -> str:
        """`proposed`, `rejected`, `to_come`, `in_force` or `ended`."""
        if self.rejected_at is not None:
            return "rejected"
        if self.approved_at is None:
            return "proposed"
        if self.valid_from > days.today():
            return "to_come"
        return "in_force" if self.valid_to is None or self.valid_to >= days.today() else "ended"

    @property
    def waits_for_end(self) -> bool:
        """Somebody has named its last day, and nobody has agreed yet."""
        if self.end_on is None or self.is_end_approved:
            return False
        return self.valid_to is None or self.valid_to > self.end_on


@dataclass(frozen=True)
class AccountRow(Registered):
    """A bank account with the names that belong to it."""

    id: int
    #: None: the central office's.
    facility_id: int | None
    facility_code: str | None
    facility_name: str | None
    bank: str
    number: str
    holder: str
    permission_letter: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_at: datetime.datetime | None
    end_on: datetime.date | None
    end_proposed_by: int | None
    end_proposed_by_name: str | None
    is_end_approved: bool
    #: The facility itself asked for it: finance agrees.
    from_facility: bool = False

    @property
    def masked(self) -> str:
        return mask(self.number)


@dataclass(frozen=True)
class ConnectedRow(Registered):
    """A facility's account at the provider, with the names that belong to it."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    account: str
    permission_letter: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_at: datetime.datetime | None
    end_on: datetime.date | None
    end_proposed_by: int | None
    is_end_approved: bool


@dataclass(frozen=True)
class ReturnRow:
    """Budget that returned, with the names that belong to it."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    fund_code: str
    fund_label: str
    amount: int
    reference: str
    returned_on: datetime.date
    state: str
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None


RETURNS = Paged(
    ReturnRow,
    RETURN_ROWS,
    "SELECT count(*), sum(r.amount)::bigint FROM budget_returns r JOIN facilities f ON f.id = r.facility_id",
    {"": Order((("r.id", "bigint"),))},
    {
        "ids": "r.facility_id = ANY (CAST(:ids AS bigint[]))",
        "id": "r.id = :id",
        "state": "r.state = :state",
        "code": "f.code = :code",
    },
)


def accounts(facility_ids: Iterable[int] | None, *, facility: str | None = None) -> list[AccountRow]:
    """Accounts by facility, the central office's first; of some facilities, or (None) all and the central ones."""
    values = {"ids": as_list(facility_ids), "code": facility, "id": None}
    return [AccountRow(**row) for row in db.session.execute(ACCOUNTS, values).mappings()]


def account(account_id: int, facility_ids: Iterable[int] | None) -> AccountRow | None:
    """One account, None when it does not exist or is none of these facilities'."""
    values = {"ids": as_list(facility_ids), "code": None, "id": account_id}
    row = db.session.execute(ACCOUNTS, values).mappings().one_or_none()
    return AccountRow(**row) if row else None


def connected(facility_ids: Iterable[int] | None, *, account_id: int | None = None) -> list[ConnectedRow]:
    """Facilities' accounts at the provider, by facility; or the one with this id, if it is in reach."""
    values = {"ids": as_list(facility_ids), "id": account_id}
    return [ConnectedRow(**row) for row in db.session.execute(CONNECTED, values).mappings()]


def satkers(facility_ids: Iterable[int] | None) -> Sequence[Any]:
    """Paying units by facility, the latest first: columns of the table and the facility's code and name."""
    return db.session.execute(SATKERS, {"ids": as_list(facility_ids)}).all()


def deadlines() -> Sequence[DepositDeadline]:
    """How long a deposit may take, the latest setting first."""
    return db.session.scalars(select(DepositDeadline).order_by(DepositDeadline.valid_from.desc())).all()


def budget_returns(
    facility_ids: Iterable[int] | None,
    *,
    state: str | None = None,
    facility: str | None = None,
    turn: Turn = FIRST,
) -> Keyed[ReturnRow]:
    """Budget that returned, the latest first; `facility` is a code."""
    asked = {"ids": as_list(facility_ids), "state": state, "code": facility}
    return RETURNS.page(asked, turn, english=locale() == "en")


def budget_return(return_id: int, facility_ids: Iterable[int] | None) -> ReturnRow | None:
    """One of them, None when it does not exist or is none of these facilities'."""
    return RETURNS.one({"ids": as_list(facility_ids), "id": return_id}, english=locale() == "en")
