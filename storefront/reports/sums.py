"""Sales by facility and month, as sums of the journal's postings."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from storefront import days
from storefront.extensions import db
from storefront.ledger.shares import STANDARD_FUNDS

#: Kinds of money in their order on every page; funds of other codes are added up as `other`.
KINDS = (*STANDARD_FUNDS, "other")

BY_MONTH = text(
    """
    SELECT f.code, f.name, extract(month FROM e.effective_date)::int AS month,
           CASE WHEN u.code = ANY (:standard) THEN u.code ELSE 'other' END AS kind, -sum(p.amount)::bigint AS amount
      FROM journal_entries e
      JOIN postings p ON p.entry_id = e.id
      JOIN accounts a ON a.id = p.account_id
      JOIN facilities f ON f.id = a.facility_id
      JOIN funds u ON u.id = a.fund_id
     WHERE e.kind = 'sale' AND e.effective_date >= :first AND e.effective_date <= :last
       AND (CAST(:ids AS bigint[]) IS NULL OR a.facility_id = ANY (CAST(:ids AS bigint[])))
     GROUP BY 1, 2, 3, 4
     ORDER BY f.name, f.code"""
)


@dataclass
class FacilityYear:
    """What one facility sold in a year, in rupiah."""

    code: str
    name: str
    #: Net amount by month, 1–12; months without sales are missing.
    months: dict[int, int] = field(default_factory=dict)
    #: Amount by kind of money.
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def net_amount(self) -> int:
        return sum(self.months.values())


@dataclass(frozen=True)
class YearOfSales:
    """A year's sales: a row for each facility that sold, and sums over all of them."""

    year: int
    rows: Sequence[FacilityYear]

    @property
    def months(self) -> dict[int, int]:
        """Net amount of all facilities by month."""
        return _added(row.months for row in self.rows)

    @property
    def kinds(self) -> dict[str, int]:
        """Amount of all facilities by kind of money."""
        return _added(row.kinds for row in self.rows)

    @property
    def net_amount(self) -> int:
        return sum(row.net_amount for row in self.rows)

    @property
    def shown_kinds(self) -> list[str]:
        """Kinds that need a column: the three that every shop has, `other` when there is any."""
        return [kind for kind in KINDS if kind != "other" or self.kinds.get("other")]


def year_of_sales(year: int, facility_ids: Iterable[int] | None) -> YearOfSales:
    """The sales booked in an accounting `year`; of some facilities, or (None) of all."""
    found = db.session.execute(
        BY_MONTH,
        {
            "standard": list(STANDARD_FUNDS),
            "first": datetime.date(year, 1, 1),
            "last": datetime.date(year, 12, 31),
            "ids": None if facility_ids is None else list(facility_ids),
        },
    )
    rows: dict[str, FacilityYear] = {}
    for code, name, month, kind, amount in found:
        row = rows.setdefault(code, FacilityYear(code, name))
        row.months[month] = row.months.get(month, 0) + amount
        row.kinds[kind] = row.kinds.get(kind, 0) + amount
    return YearOfSales(year, list(rows.values()))


def years() -> list[int]:
    """The years with sales and the present one, the latest first."""
    first, last = db.session.execute(
        text("SELECT min(effective_date), max(effective_date) FROM journal_entries")
    ).one()
    now = days.today().year
    return list(range(max(now, last.year if last else now), (first.year if first else now) - 1, -1))


def _added(many: Iterable[Mapping]) -> dict:  # type: ignore[type-arg]
    added: dict = {}  # type: ignore[type-arg]
    for amounts in many:
        for key, amount in amounts.items():
            added[key] = added.get(key, 0) + amount
    return added
