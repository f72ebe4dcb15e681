"""What sales became for each fund, over the whole shop: the figures that the public sees.

Sums of postings, so they are the ledger's to the rupiah. They are what became *owed* (menjadi hak): sales less what
refunds, lost disputes, fees and corrections took back, also where it had been paid out before. What was paid to
facilities and what was passed on to makers are other figures, kept apart.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text

from storefront.days import today
from storefront.extensions import db
from storefront.languages import locale
from storefront.ledger.earnings import EARNING_KINDS, EarnedPart
from storefront.ledger.shares import STANDARD_FUNDS
from storefront.money import split

QUERY = text(
    """
    WITH sums AS MATERIALIZED (
        SELECT date_trunc('month', p.effective_date)::date AS month, a.facility_id, a.fund_id, e.kind,
               sum(p.amount) AS amount, min(p.effective_date) AS first_day
          FROM postings p
          JOIN accounts a ON a.id = p.account_id AND a.fund_id IS NOT NULL AND a.facility_id IS NOT NULL
          JOIN journal_entries e ON e.id = p.entry_id
         GROUP BY 1, 2, 3, 4),
    owed AS (SELECT *, extract(year FROM month)::int AS year FROM sums WHERE kind = ANY(:kinds))
    SELECT (SELECT json_agg(s ORDER BY s.month, s.facility_id, s.fund_id) FROM (
              SELECT month, year, facility_id, fund_id, kind, -sum(amount) AS amount, min(first_day) AS first_day
                FROM owed GROUP BY GROUPING SETS ((month, fund_id), (year, facility_id, fund_id), (year, kind))) s)
           AS sums,
           (SELECT json_agg(m) FROM (
              SELECT s.facility_id,
                     COALESCE(-sum(s.amount) FILTER (WHERE s.kind <> ALL(:paying)), 0) AS owed,
                     COALESCE(sum(s.amount) FILTER (WHERE s.kind = ANY(:paying)), 0) AS paid,
                     (SELECT COALESCE(sum(b.amount), 0) FROM (
                        SELECT -sum(p.amount) AS amount FROM accounts a JOIN postings p ON p.account_id = a.id
                         WHERE a.facility_id = s.facility_id AND a.fund_id = s.fund_id
                           AND p.effective_date >= CAST(:young AS date)
                         GROUP BY p.entry_id HAVING sum(p.amount) < 0) b) AS young
                FROM sums s JOIN funds f ON f.id = s.fund_id AND f.code = 'premium'
               GROUP BY s.facility_id, s.fund_id) m) AS premium,
           (SELECT json_agg(json_build_object('id', id, 'code', code, 'name', name, 'name_en', name_en)
                            ORDER BY position, id) FROM funds) AS funds,
           (SELECT json_object_agg(f.id, r.name) FROM facilities f JOIN provinces r ON r.id = f.province_id)
           AS provinces,
           (SELECT json_agg(y) FROM (
              SELECT extract(year FROM accounting_date(paid_at))::int AS year, count(*) AS orders
                FROM orders WHERE state = 'paid' GROUP BY 1) y) AS orders,
           (SELECT json_agg(y) FROM (
              SELECT extract(year FROM accounting_date(o.paid_at))::int AS year, l.workshop_id,
                     sum(l.quantity) AS pieces, sum(l.net_amount) AS sold
                FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.state = 'paid' GROUP BY 1, 2) y) AS lines,
           (SELECT json_object_agg(id, facility_id) FROM workshops) AS workshops"""
)
#: Entries that pay premium out to facilities, and those that undo such a payment.
PAYING_KINDS = ("settlement", "reversal")
#: What is owed longer than this is named apart, in days.
OLD_DAYS = 60

#: Adding up may take this long on every new sale; beyond it, at most a fiftieth of the time is spent on it.
CHEAP_SECONDS = 0.05
#: Never older than this, in seconds.
OLDEST = 300.0

Amounts = dict[int, int]


@dataclass(frozen=True)
class Premium:
    """Three figures that are kept apart, two of them in the ledger; the third, passed on, the facilities record.

    `owed` counts what became the makers' right, also by budget that came back; `paid` what facilities received.
    """

    owed: int = 0
    paid: int = 0
    #: Of what is open, what has been owed for more than `OLD_DAYS` days.
    old: int = 0

    @property
    def open(self) -> int:
        """Owed and not yet paid to the facility."""
        return self.owed - self.paid

    def __add__(self, other: Premium) -> Premium:
        return Premium(self.owed + other.owed, self.paid + other.paid, self.old + other.old)


@dataclass(frozen=True)
class Totals:
    """Sums by fund id; empty ones are left out."""

    #: Funds in their order: id, code, name, name_en.
    funds: list[dict[str, Any]]
    by_month: dict[datetime.date, Amounts]
    by_facility: dict[tuple[int, int], Amounts]
    #: Each facility's province.
    provinces: dict[int, str]
    first_days: dict[int, datetime.date]
    #: Orders paid and pieces sold, by year.
    counts: dict[int, tuple[int, int]]
    #: By year and kind of entry (`EARNING_KINDS`): what was sold, and what took of it.
    by_kind: dict[tuple[int, str], int]
    #: By facility, from the first day on.
    premium: dict[int, Premium]
    #: Net amount of the lines sold, as sold, by year and workshop.
    by_workshop: dict[tuple[int, int], int]
    #: Each workshop's facility, those that never sold too.
    workshops: dict[int, int]
    #: Another number, other figures: for keys of cached pages.
    stamp: int = field(default=0, compare=False)

    def years(self) -> list[int]:
        """Years with sales, newest first."""
        return sorted({month.year for month in self.by_month}, reverse=True)

    def of_year(self, year: int) -> list[EarnedPart]:
        """Parts of all sales of a year."""
        return self._parts(_added(amounts for month, amounts in self.by_month.items() if month.year == year))

    def of_month(self, month: datetime.date) -> list[EarnedPart]:
        """Parts of all sales of the month that begins on `month`."""
        return self._parts(self.by_month.get(month, {}))

    def of_facility(self, facility_id: int) -> list[EarnedPart]:
        """Parts of all sales of a facility, from its first day on."""
        return self._parts(
            _added(amounts for (_, of), amounts in self.by_facility.items() if of == facility_id)
        )

    def steps(self, year: int) -> list[tuple[str, int]]:
        """How the year's sales became what is owed: kinds of entry and their sums, which add up to the year."""
        return [(kind, self.by_kind[year, kind]) for kind in EARNING_KINDS if self.by_kind.get((year, kind))]

    def premium_of(self, facility_id: int | None = None) -> Premium:
        """Premium owed and paid of a facility, or of all."""
        if facility_id is not None:
            return self.premium.get(facility_id, Premium())
        return sum(self.premium.values(), Premium())

    def by_province(self, year: int) -> list[tuple[str, int, list[EarnedPart]]]:
        """Province, facilities that sold, and parts; the largest sum first."""
        groups: dict[str, list[Amounts]] = {}
        for (of_year, facility_id), amounts in self.by_facility.items():
            if of_year == year:
                groups.setdefault(self.provinces.get(facility_id, ""), []).append(amounts)
        rows = [(name, len(group), self._parts(_added(group))) for name, group in groups.items()]
        return sorted(rows, key=lambda row: (-total_of(row[2]), row[0]))

    def kinds(self, year: int) -> list[EarnedPart]:
        """One part for each kind that a table of the year needs a column for, in order."""
        parts = {part.kind: part for part in self.of_year(year)}
        standard = [parts[kind] for kind in STANDARD_FUNDS if kind in parts]
        return standard + [part for kind, part in parts.items() if kind not in STANDARD_FUNDS]

    def _parts(self, amounts: Mapping[int, int]) -> list[EarnedPart]:
        """The funds' parts of a sum, each with its share of it; they add up to a whole."""
        english = locale() == "en"
        funds = [fund for fund in self.funds if amounts.get(fund["id"])]
        weights = [max(amounts[fund["id"]], 0) for fund in funds]
        points = split(10_000, weights) if any(weights) else [0] * len(funds)
        return [
            EarnedPart(
                code=fund["code"],
                kind=fund["code"] if fund["code"] in STANDARD_FUNDS else "other",
                label=fund["name_en"] if english else fund["name"],
                amount=amounts[fund["id"]],
                basis_points=share,
            )
            for fund, share in zip(funds, points, strict=True)
        ]


def total_of(parts: Iterable[EarnedPart]) -> int:
    """Rupiah of all parts together."""
    return sum(part.amount for part in parts)


def _added(many: Iterable[Mapping[int, int]]) -> Amounts:
    added: Amounts = {}
    for amounts in many:
        for fund_id, amount in amounts.items():
            added[fund_id] = added.get(fund_id, 0) + amount
    return added


def read_totals() -> Totals:
    """Add everything up anew: about a second for a million postings."""
    row = db.session.execute(
        QUERY,
        {
            "kinds": list(EARNING_KINDS),
            "paying": list(PAYING_KINDS),
            "young": today() - datetime.timedelta(days=OLD_DAYS),
        },
    ).one()
    by_month: dict[datetime.date, Amounts] = {}
    by_facility: dict[tuple[int, int], Amounts] = {}
    first_days: dict[int, datetime.date] = {}
    by_kind: dict[tuple[int, str], int] = {}
    for item in row.sums or []:
        if item["kind"] is not None:
            by_kind[item["year"], item["kind"]] = int(item["amount"])
            continue
        if item["facility_id"] is None:
            by_month.setdefault(datetime.date.fromisoformat(item["month"]), {})[item["fund_id"]] = int(
                item["amount"]
            )
            continue
        facility_id, day = item["facility_id"], datetime.date.fromisoformat(item["first_day"])
        by_facility.setdefault((item["year"], facility_id), {})[item["fund_id"]] = int(item["amount"])
        first_days[facility_id] = min(day, first_days.get(facility_id, day))
    pieces: dict[int, int] = {}
    for item in row.lines or []:
        pieces[item["year"]] = pieces.get(item["year"], 0) + int(item["pieces"])
    return Totals(
        funds=row.funds or [],
        by_month=by_month,
        by_facility=by_facility,
        provinces={int(facility_id): name for facility_id, name in (row.provinces or {}).items()},
        first_days=first_days,
        counts={item["year"]: (item["orders"], pieces.get(item["year"], 0)) for item in row.orders or []},
        by_kind=by_kind,
        premium={item["facility_id"]: _premium(item) for item in row.premium or []},
        by_workshop={(item["year"], item["workshop_id"]): int(item["sold"]) for item in row.lines or []},
        workshops={int(workshop): facility for workshop, facility in (row.workshops or {}).items()},
    )


def _premium(item: Mapping[str, Any]) -> Premium:
    owed, paid = int(item["owed"]), int(item["paid"])
    # First in, first out: what took from the fund took the oldest, so what is left is the youngest.
    return Premium(owed, paid, max(0, owed - paid - int(item["young"])))


class TotalsCache:
    """The totals, kept in the process until the ledger has grown.

    A small shop's figures are exact on every page. Where adding up takes long they may lag a little behind, so
    that a busy day does not spend itself on counting; never by more than five minutes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Totals | None = None
        self._newest: object = None
        self._read_at = 0.0
        self._cost = 0.0
        self._stamps = 0

    @property
    def kept(self) -> Totals | None:
        """The totals as they were read last, None before that."""
        return self._totals

    def get(self, newest: object) -> Totals:
        """The totals; `newest` is the id of the journal's last entry, or whatever changes when it grows."""
        with self._lock:
            if self._totals is None or not self._is_fresh(newest):
                self._read(newest)
            assert self._totals is not None
            return self._totals

    def _is_fresh(self, newest: object) -> bool:
        age = time.monotonic() - self._read_at
        if newest == self._newest:
            return age < OLDEST
        return self._cost > CHEAP_SECONDS and age < min(self._cost * 50, OLDEST)

    def _read(self, newest: object) -> None:
        started = time.monotonic()
        totals = read_totals()
        self._read_at = time.monotonic()
        self._cost, self._newest = self._read_at - started, newest
        if totals != self._totals:
            self._stamps += 1
            self._totals = replace(totals, stamp=self._stamps)
