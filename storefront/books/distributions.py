"""Premium distributions as pages show them. Figures stay apart: owed, paid to the facility, passed on."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from storefront.books.listed import as_list
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn

STATES = ("entered", "approved", "rejected")

ROWS = """
    SELECT d.id, d.facility_id, f.code AS facility_code, f.name AS facility_name, w.name AS workshop,
           d.distributed_on, d.people, d.amount, d.state, d.entered_by, p.name AS entered_by_name, d.entered_at,
           q.name AS approved_by_name, d.approved_at, r.name AS rejected_by_name,
           {keys}
      FROM premium_distributions d
      JOIN facilities f ON f.id = d.facility_id
      JOIN workshops w ON w.id = d.workshop_id
      JOIN people p ON p.id = d.entered_by
      LEFT JOIN people q ON q.id = d.approved_by
      LEFT JOIN people r ON r.id = d.rejected_by"""
SUMS = text(
    """
    SELECT f.id AS facility_id, f.code AS facility_code, f.name AS facility_name, COALESCE(o.amount, 0)::bigint AS owed,
           COALESCE(s.amount, 0)::bigint AS paid, COALESCE(d.amount, 0)::bigint AS passed_on,
           COALESCE(d.entered, 0)::bigint AS entered
      FROM facilities f
      LEFT JOIN (SELECT a.facility_id, -sum(p.amount) AS amount FROM accounts a
                   JOIN funds u ON u.id = a.fund_id AND u.code = 'premium'
                   JOIN postings p ON p.account_id = a.id GROUP BY a.facility_id) o ON o.facility_id = f.id
      LEFT JOIN (SELECT s.facility_id, sum(s.amount) AS amount FROM settlements s
                   JOIN funds u ON u.id = s.fund_id AND u.code = 'premium'
                  WHERE s.state = 'paid' GROUP BY s.facility_id) s ON s.facility_id = f.id
      LEFT JOIN (SELECT facility_id, sum(amount) FILTER (WHERE state = 'approved') AS amount,
                        sum(amount) FILTER (WHERE state = 'entered') AS entered
                   FROM premium_distributions WHERE state <> 'rejected' GROUP BY facility_id) d ON d.facility_id = f.id
     WHERE (CAST(:ids AS bigint[]) IS NULL OR f.id = ANY (CAST(:ids AS bigint[])))
       AND COALESCE(o.amount, s.amount, d.amount) IS NOT NULL
     ORDER BY f.name, f.code"""
)


@dataclass(frozen=True)
class DistributionRow:
    """A distribution with the names that belong to it; never a maker's."""

    id: int
    facility_id: int
    facility_code: str
    facility_name: str
    workshop: str
    distributed_on: datetime.date
    people: int
    amount: int
    state: str
    entered_by: int
    entered_by_name: str
    entered_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None


@dataclass(frozen=True)
class PremiumSums:
    """A facility's premium in rupiah: still owed to it, paid to it, passed on, and entered but not approved."""

    facility_id: int
    facility_code: str
    facility_name: str
    owed: int
    paid: int
    passed_on: int
    entered: int

    @property
    def left(self) -> int:
        """Paid to the facility and not yet recorded as passed on."""
        return self.paid - self.passed_on - self.entered


LISTING = Paged(
    DistributionRow,
    ROWS,
    "SELECT count(*), sum(d.amount)::bigint FROM premium_distributions d JOIN facilities f ON f.id = d.facility_id",
    {"": Order((("(d.state = 'entered')", "boolean"), ("d.id", "bigint")))},
    {
        "ids": "d.facility_id = ANY (CAST(:ids AS bigint[]))",
        "id": "d.id = :id",
        "state": "d.state = :state",
        "code": "f.code = :code",
    },
)


def listing(
    facility_ids: Iterable[int] | None,
    *,
    state: str | None = None,
    facility: str | None = None,
    turn: Turn = FIRST,
) -> Keyed[DistributionRow]:
    """Distributions, those that wait for approval first, then the latest; `facility` is a code."""
    return LISTING.page({"ids": as_list(facility_ids), "state": state, "code": facility}, turn)


def find(distribution_id: int, facility_ids: Iterable[int] | None) -> DistributionRow | None:
    """One distribution, None when it does not exist or is none of these facilities'."""
    return LISTING.one({"ids": as_list(facility_ids), "id": distribution_id})


def sums(facility_ids: Iterable[int] | None) -> list[PremiumSums]:
    """Premium of each facility that ever had some; of some facilities, or (None) of all."""
    return [PremiumSums(**row) for row in db.session.execute(SUMS, {"ids": as_list(facility_ids)}).mappings()]
