"""A month beside the one before and the same month a year before, by facility and by region.

A month that is not over is compared with as many days of the others: to the same day, or to the last day of a
shorter month. Sales count on their own day and refunds on theirs; shipping is no sale.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from storefront.books.listed import as_list
from storefront.books.span import EARLIEST, Span, month
from storefront.extensions import db
from storefront.ledger.shares import STANDARD_FUNDS
from storefront.reports.sums import KINDS

#: One reading of the postings of all three stretches.
SUMS = text(
    """
    SELECT f.code, f.name, l.regional_office AS region, e.kind AS entry,
           CASE WHEN u.code = ANY (:standard) THEN u.code ELSE 'other' END AS kind,
           COALESCE(-sum(p.amount) FILTER (WHERE p.effective_date BETWEEN :a1 AND :a2), 0)::bigint AS now,
           COALESCE(-sum(p.amount) FILTER (WHERE p.effective_date BETWEEN :b1 AND :b2), 0)::bigint AS before,
           COALESCE(-sum(p.amount) FILTER (WHERE p.effective_date BETWEEN :c1 AND :c2), 0)::bigint AS year_ago
      FROM journal_entries e
      JOIN postings p ON p.entry_id = e.id
      JOIN accounts a ON a.id = p.account_id
      JOIN facilities f ON f.id = a.facility_id
      JOIN funds u ON u.id = a.fund_id
      JOIN order_lines l ON l.id = p.order_line_id
     WHERE e.kind IN ('sale', 'refund')
       AND (e.effective_date BETWEEN :a1 AND :a2 OR e.effective_date BETWEEN :b1 AND :b2
            OR e.effective_date BETWEEN :c1 AND :c2)
       AND (CAST(:ids AS bigint[]) IS NULL OR a.facility_id = ANY (CAST(:ids AS bigint[])))
     GROUP BY 1, 2, 3, 4, 5"""
)
#: Names of the three stretches, in the order in which they stand beside each other.
WHEN = ("now", "before", "year_ago")


@dataclass(frozen=True)
class Stretches:
    """Days that are compared; None where the calendar of the books does not reach."""

    now: Span
    before: Span | None
    year_ago: Span | None

    def named(self) -> list[tuple[str, Span]]:
        """Those that there are, with their names."""
        found = ((name, getattr(self, name)) for name in WHEN)
        return [(name, span) for name, span in found if span is not None]


@dataclass
class Three:
    """The same sum over the three stretches, in rupiah."""

    now: int = 0
    before: int = 0
    year_ago: int = 0

    def add(self, now: int, before: int, year_ago: int) -> None:
        """Count these too."""
        self.now, self.before, self.year_ago = self.now + now, self.before + before, self.year_ago + year_ago

    def change(self, of: str) -> int | None:
        """What `now` is above or below `before` or `year_ago`, in whole percent (halves away from zero).

        None where there was nothing to compare with.
        """
        then: int = getattr(self, of)
        if then <= 0:
            return None
        doubled = 200 * (self.now - then)
        return (doubled + then) // (2 * then) if doubled >= 0 else -((then - doubled) // (2 * then))


@dataclass
class Row:
    """One facility or one region: what it sold."""

    key: str
    name: str
    sold: Three = field(default_factory=Three)


@dataclass(frozen=True)
class Compared:
    """The three stretches: what was sold and given back, how what was sold is divided, and by whom it was sold."""

    stretches: Stretches
    sold: Three
    refunded: Three
    kinds: Mapping[str, Three]
    facilities: Sequence[Row]
    regions: Sequence[Row]

    @property
    def shown_kinds(self) -> list[str]:
        """The three kinds that every shop has, `other` when there is any."""
        return [k for k in KINDS if k != "other" or k in self.kinds]


def stretches(first: datetime.date, today: datetime.date) -> Stretches:
    """The days of the month that begins on `first`, as far as they have come, and those they are compared with."""
    whole = month(first)
    if whole.last <= today:
        return Stretches(whole, *(month(day) if day >= EARLIEST else None for day in _earlier(first)))
    day = max(1, (today - first).days + 1)
    return Stretches(
        _to(first, day), *(_to(start, day) if start >= EARLIEST else None for start in _earlier(first))
    )


def compared(over: Stretches, facility_ids: Iterable[int] | None, *, sort: str = "now") -> Compared:
    """What was sold in the three stretches; of some facilities, or (None) of all.

    `sort` is one of `WHEN` (the largest first) or `name`.
    """
    spans = {name: getattr(over, name) for name in WHEN}
    nowhere = datetime.date.min  # earlier than any entry
    bounds = {
        f"{letter}{end}": (getattr(span, which) if span else nowhere)
        for letter, span in zip("abc", spans.values(), strict=True)
        for end, which in ((1, "first"), (2, "last"))
    }
    found = db.session.execute(
        SUMS, {**bounds, "ids": as_list(facility_ids), "standard": list(STANDARD_FUNDS)}
    )
    sold, refunded = Three(), Three()
    kinds: dict[str, Three] = {}
    facilities: dict[str, Row] = {}
    regions: dict[str, Row] = {}
    for code, name, region, entry, kind, *three in found:
        if entry == "refund":
            refunded.add(*(-amount for amount in three))
            continue
        sold.add(*three)
        kinds.setdefault(kind, Three()).add(*three)
        facilities.setdefault(code, Row(code, name)).sold.add(*three)
        regions.setdefault(region, Row(region, region)).sold.add(*three)
    order = _by(sort)
    return Compared(
        over, sold, refunded, kinds, sorted(facilities.values(), key=order), sorted(regions.values(), key=order)
    )


def _by(sort: str) -> Callable[[Row], tuple[int, str, str]]:
    if sort in WHEN:
        return lambda row: (-getattr(row.sold, sort), row.name, row.key)
    return lambda row: (0, row.name, row.key)


def _earlier(first: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First days of the month before and of the same month a year before."""
    return (first - datetime.timedelta(days=1)).replace(day=1), first.replace(year=first.year - 1)


def _to(first: datetime.date, day: int) -> Span:
    """From a month's first day to its `day`, or to its end where it is shorter."""
    return Span(first, min(first + datetime.timedelta(days=day - 1), month(first).last))
