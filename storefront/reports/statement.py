"""The statement of one facility and one period: sums of the postings of its accounts, by fund and by kind.

What is owed and what must come back (the receivable) count together, so that the closing of one period is the
opening of the next by itself: both are the same sum over the same days. Amounts are seen from the facility:
what makes more be owed to it is above zero.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from flask_babel import gettext as _

from storefront.books.span import Span
from storefront.languages import locale
from storefront.ledger.shares import STANDARD_FUNDS

#: The column of what belongs to no fund.
SHIPPING = "shipping"
#: Rows that every statement shows, and those shown when there is something in them.
ALWAYS = ("sale", "refund", "fee", "deposit", "settlement")
KINDS = (*ALWAYS, "dispute", "offset", "budget_return", "cash_banked", "correction", "reversal")

ACCOUNTS = """
    SELECT a.id, a.facility_id, a.kind, COALESCE(u.code, 'shipping') AS fund
      FROM accounts a LEFT JOIN funds u ON u.id = a.fund_id {used}
     WHERE a.facility_id = ANY (%(facilities)s) ORDER BY a.id"""
#: Accounts that had been used by a moment: one that is opened later must not bring its column into a file of then.
USED = """
     CROSS JOIN LATERAL (SELECT FROM postings p JOIN journal_entries e ON e.id = p.entry_id
                          WHERE p.account_id = a.id AND e.posted_at <= %(as_of)s ORDER BY p.id LIMIT 1) used"""
FUNDS = """
    SELECT code, CASE WHEN %(english)s THEN finance_name_en ELSE finance_name END AS label, id
      FROM funds ORDER BY position, id"""
#: Entries written after the moment that a file speaks of are not in it.
AS_OF = " AND EXISTS (SELECT FROM journal_entries e WHERE e.id = p.entry_id AND e.posted_at <= %(as_of)s)"
UP_TO = """
    SELECT p.account_id, -sum(p.amount)::bigint AS amount FROM postings p
     WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date <= %(day)s {as_of}
     GROUP BY p.account_id"""
MOVEMENTS = """
    SELECT p.account_id, e.kind, -sum(p.amount)::bigint AS amount
      FROM postings p JOIN journal_entries e ON e.id = p.entry_id
     WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date BETWEEN %(first)s AND %(last)s
       -- the same days again, so that the entries of other days are not even read
       AND e.effective_date BETWEEN %(first)s AND %(last)s {as_of}
     GROUP BY p.account_id, e.kind"""
DISTRIBUTIONS = """
    SELECT d.distributed_on, w.name AS workshop, d.people, d.amount
      FROM premium_distributions d JOIN workshops_at(%(as_of)s) w ON w.id = d.workshop_id
     WHERE d.facility_id = %(facility)s AND d.distributed_on BETWEEN %(first)s AND %(last)s AND {approved}
     ORDER BY d.distributed_on, d.id"""

Connection = psycopg.Connection[Any]
Amounts = Mapping[str, int]


@dataclass(frozen=True)
class Column:
    """A fund, or shipping (no fund, its code is `shipping`)."""

    code: str
    label: str
    fund_id: int | None = None


@dataclass(frozen=True)
class Movement:
    """What one kind of entry did in the period, by column."""

    kind: str
    amounts: Amounts

    @property
    def total(self) -> int:
        return sum(self.amounts.values())


@dataclass(frozen=True)
class Distribution:
    """Premium that the facility passed on, as it says; it moves no money of ours."""

    distributed_on: datetime.date
    workshop: str
    people: int
    amount: int


@dataclass(frozen=True)
class Statement:
    """One facility, one period. Rupiah by column's code; a code that is missing means zero."""

    facility_id: int
    span: Span
    columns: Sequence[Column]
    opening: Amounts
    movements: Sequence[Movement]
    closing: Amounts
    #: What of the closing must come back from the facility or the treasury.
    receivable: Amounts
    distributions: Sequence[Distribution]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever owed and nothing has moved."""
        return not any((*self.opening.values(), *(m.total for m in self.movements), *self.closing.values()))

    @property
    def distributed(self) -> int:
        return sum(row.amount for row in self.distributions)


@dataclass(frozen=True)
class Accounts:
    """The accounts of some facilities, each by its column."""

    columns: Mapping[int, str]
    #: The facility that each belongs to.
    homes: Mapping[int, int]
    #: Those that hold what must come back.
    receivables: frozenset[int]

    @property
    def ids(self) -> list[int]:
        return list(self.columns)

    def of(self, code: str) -> Accounts:
        """Those of one column alone."""
        return replace(self, columns={account: c for account, c in self.columns.items() if c == code})

    def by_facility(self, sums: Mapping[int, int]) -> dict[tuple[int, str], int]:
        """Sums by account as sums by facility and column."""
        found: dict[tuple[int, str], int] = {}
        for account, amount in sorted(sums.items()):
            key = (self.homes[account], self.columns[account])
            found[key] = found.get(key, 0) + amount
        return found

    def by_column(self, sums: Mapping[int, int], *, only: Iterable[int] | None = None) -> dict[str, int]:
        """Sums by account as sums by column."""
        found: dict[str, int] = {}
        for account, amount in sums.items():
            if only is None or account in only:
                found[self.columns[account]] = found.get(self.columns[account], 0) + amount
        return found


def statement(
    connection: Connection, facility_id: int, span: Span, as_of: datetime.datetime | None = None
) -> Statement:
    """The statement of a facility over `span`; with `as_of` only what was written by then."""
    own = accounts(connection, [facility_id], as_of)
    opening = balances(connection, own, span.first - datetime.timedelta(days=1), as_of)
    moved = _movements(connection, own, span, as_of)
    closing = _added([opening, *moved.values()])
    kinds = [kind for kind in KINDS if kind in moved or kind in ALWAYS]
    kinds += sorted(moved.keys() - set(KINDS))
    used = {own.columns[account] for sums in (opening, *moved.values()) for account in sums}
    return Statement(
        facility_id,
        span,
        columns(connection, used),
        own.by_column(opening),
        [Movement(kind, own.by_column(moved.get(kind, {}))) for kind in kinds],
        own.by_column(closing),
        own.by_column(closing, only=own.receivables),
        _distributions(connection, facility_id, span, as_of),
    )


def accounts(
    connection: Connection, facility_ids: Sequence[int], as_of: datetime.datetime | None = None
) -> Accounts:
    """The accounts of some facilities; with `as_of` those that had been used by then."""
    query = ACCOUNTS.format(used=USED if as_of else "")
    rows = connection.execute(query, {"facilities": list(facility_ids), "as_of": as_of}).fetchall()
    return Accounts(
        {account: fund for account, _facility, _kind, fund in rows},
        {account: facility for account, facility, _kind, _fund in rows},
        frozenset(account for account, _facility, kind, _fund in rows if kind == "asset"),
    )


def balances(
    connection: Connection, of: Accounts, day: datetime.date, as_of: datetime.datetime | None = None
) -> dict[int, int]:
    """What each account amounts to at the end of `day`, owed above zero."""
    query = UP_TO.format(as_of=AS_OF if as_of else "")
    rows = connection.execute(query, {"accounts": of.ids, "day": day, "as_of": as_of}).fetchall()
    return dict(rows)


def columns(connection: Connection, used: Iterable[str] = ()) -> list[Column]:
    """The three funds of every shop, further ones that are `used`, and shipping, in their order."""
    wanted = {*STANDARD_FUNDS, *used}
    rows = connection.execute(FUNDS, {"english": locale() == "en"}).fetchall()
    found = [Column(*row) for row in rows if row[0] in wanted]
    return [*found, Column(SHIPPING, _("Ongkos kirim"))]


def _added(many: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Sums by account of several such sums."""
    found: dict[int, int] = {}
    for sums in many:
        for account, amount in sums.items():
            found[account] = found.get(account, 0) + amount
    return found


def _movements(
    connection: Connection, of: Accounts, span: Span, as_of: datetime.datetime | None
) -> dict[str, dict[int, int]]:
    """What each kind of entry did to each account in the period."""
    query = MOVEMENTS.format(as_of=" AND e.posted_at <= %(as_of)s" if as_of else "")
    parameters = {"accounts": of.ids, "first": span.first, "last": span.last, "as_of": as_of}
    found: dict[str, dict[int, int]] = {}
    for account, kind, amount in connection.execute(query, parameters).fetchall():
        found.setdefault(kind, {})[account] = amount
    return found


def _distributions(
    connection: Connection, facility_id: int, span: Span, as_of: datetime.datetime | None
) -> list[Distribution]:
    then = "d.approved_at <= %(as_of)s AND (d.rejected_at IS NULL OR d.rejected_at > %(as_of)s)"
    query = DISTRIBUTIONS.format(approved=then if as_of else "d.state = 'approved'")
    parameters = {"facility": facility_id, "first": span.first, "last": span.last, "as_of": as_of}
    rows = connection.execute(query, parameters).fetchall()
    return [Distribution(*row) for row in rows]
