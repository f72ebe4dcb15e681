"""The treasurer's books: the general cash book (BKU), its subsidiary books, and the sums of the monthly report (LPJ).

Columns follow PER-3/PB/2014 of the Directorate General of Treasury: day, evidence, description, debit, credit, balance.
A facility's money lies with the central office, so its books tell what is held for it, fund by fund; the office's tell
where the money lies: bank accounts, tills, and what the provider has not passed on yet. Each book is nothing but sums
of postings: it opens with all before its first day and closes with all up to its last.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row, dict_row

from storefront import keyset
from storefront.books.span import Span
from storefront.reports.statement import Connection, accounts

#: The book of all books of a facility or the office.
GENERAL = "bku"
#: Parts of the office's money; the general book has what it can pay with.
OFFICE_PARTS = ("bank", "cash", "provider")
IN_HAND = ("bank", "cash")
#: Lines on one page.
PAGE = 100

OFFICE = """
    SELECT id, CASE split_part(code, ':', 1) WHEN 'bank' THEN 'bank' WHEN 'cash' THEN 'cash' ELSE 'provider' END
      FROM accounts
     WHERE facility_id IS NULL AND kind = 'asset' AND split_part(code, ':', 1) IN ('bank', 'cash', 'clearing')"""
#: The movements of a book by entry and part, as whoever keeps it sees them: in above zero.
MOVED = """
    SELECT p.effective_date AS day, p.entry_id, k.part, (%(sign)s * sum(p.amount))::bigint AS amount
      FROM unnest(%(accounts)s::bigint[], %(parts)s::text[]) k (account_id, part)
      JOIN postings p ON p.account_id = k.account_id AND p.effective_date BETWEEN %(first)s AND %(last)s {as_of}
     GROUP BY p.effective_date, p.entry_id, k.part HAVING sum(p.amount) <> 0"""
AS_OF = "AND EXISTS (SELECT FROM journal_entries x WHERE x.id = p.entry_id AND x.posted_at <= %(as_of)s)"
ROWS = """
    SELECT g.day, g.entry_id, e.kind, g.part, e.source, o.number AS order_number,
           CASE e.kind WHEN 'settlement' THEN (SELECT s.bank_reference FROM settlements s
                                 WHERE s.id = substring(e.source FROM '^settlement:([0-9]+):')::bigint)
                       WHEN 'deposit' THEN (SELECT d.ntpn FROM deposits d
                                 WHERE d.id = substring(e.source FROM '^deposit:([0-9]+):')::bigint)
           END AS reference, GREATEST(g.amount, 0) AS debit, GREATEST(-g.amount, 0) AS credit,
           (%(opening)s + sum(g.amount) OVER (ORDER BY g.day, g.entry_id, g.part))::bigint AS balance
      FROM ({moved}) g
      JOIN journal_entries e ON e.id = g.entry_id
      LEFT JOIN orders o ON o.id = e.order_id"""
IN_ORDER = keyset.Order((("day", "date"), ("entry_id", "bigint"), ("part", "text")), descending=False)
SUMS = """
    SELECT k.part, COALESCE(sum(%(sign)s * p.amount) FILTER (WHERE p.effective_date < %(first)s), 0)::bigint AS opening
      FROM unnest(%(accounts)s::bigint[], %(parts)s::text[]) k (account_id, part)
      LEFT JOIN postings p ON p.account_id = k.account_id AND p.effective_date <= %(last)s {as_of}
     GROUP BY k.part"""
TURNED = """
    SELECT g.part, COALESCE(sum(g.amount) FILTER (WHERE g.amount > 0), 0)::bigint,
           COALESCE(-sum(g.amount) FILTER (WHERE g.amount < 0), 0)::bigint FROM ({moved}) g GROUP BY g.part"""

#: What the general books of many facilities open and close with.
ENDS = """
    SELECT a.facility_id, COALESCE(-sum(p.amount) FILTER (WHERE p.effective_date < %(first)s), 0)::bigint,
           COALESCE(-sum(p.amount), 0)::bigint
      FROM accounts a JOIN postings p ON p.account_id = a.id AND p.effective_date <= %(last)s
     WHERE a.facility_id = ANY (%(facilities)s) GROUP BY a.facility_id"""


@dataclass(frozen=True)
class Sums:
    """What a book opens with, takes in, gives out and closes with; in rupiah."""

    code: str
    opening: int
    debit: int
    credit: int

    @property
    def closing(self) -> int:
        return self.opening + self.debit - self.credit


@dataclass(frozen=True)
class Line:
    """A line of a book; `balance` is what is left after it."""

    day: datetime.date
    entry_id: int
    kind: str
    part: str
    source: str
    order_number: str | None
    reference: str | None
    debit: int
    credit: int
    balance: int


@dataclass(frozen=True)
class CashBook:
    """One book over some days, ready to be read line by line."""

    #: `bku`, a fund's code, `shipping`, or a part of the office's money.
    code: str
    span: Span
    sums: Sums
    sql: str
    parameters: Mapping[str, Any]

    def count(self, connection: Connection) -> int:
        """How many lines it has."""
        row = connection.execute(f"SELECT count(*) FROM ({self.sql}) t", self.parameters).fetchone()  # noqa: S608
        assert row is not None  # an aggregate always answers
        return int(row[0])

    def lines(self, connection: Connection, *, limit: int) -> list[Line]:
        """Its first lines, in their order."""
        with connection.cursor(row_factory=class_row(Line)) as cursor:
            return cursor.execute(f"{self.sql} ORDER BY {IN_ORDER.sql()} LIMIT {limit:d}", self.parameters).fetchall()

    def page(self, connection: Connection, turn: keyset.Turn = keyset.FIRST) -> keyset.Keyed[Line]:
        """A page of its lines; each carries the balance of all before it."""
        sql = f"SELECT l.*, {{keys}} FROM ({self.sql}) l WHERE true"  # noqa: S608  (SQL of our own)
        with connection.cursor(row_factory=dict_row) as cursor:
            rows, older, newer = keyset.driver_page(cursor, sql, self.parameters, IN_ORDER, turn, size=PAGE)
        return keyset.Keyed([Line(**row) for row in rows], self.count(connection), 0, older, newer)


@dataclass(frozen=True)
class Books:
    """All books of a facility, or (None) of the office, over some days."""

    facility_id: int | None
    span: Span
    #: The general book first, then each part that ever moved.
    sums: Sequence[Sums]
    parts: Mapping[int, str]
    as_of: datetime.datetime | None

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self.sums]

    def of(self, code: str) -> Sums:
        """The sums of one book."""
        return next(one for one in self.sums if one.code == code)

    def book(self, code: str) -> CashBook:
        """One of the books."""
        wanted = self._general() if code == GENERAL else {code}
        sums = self.of(code)
        values = _values(self.parts, wanted, self.facility_id, self.span, self.as_of)
        moved = MOVED.format(as_of=AS_OF if self.as_of else "")
        if code == GENERAL and self.facility_id is not None:
            # One line for each entry, whichever funds it moves.
            values["parts"] = [""] * len(values["accounts"])
        return CashBook(code, self.span, sums, ROWS.format(moved=moved), {**values, "opening": sums.opening})

    def general_accounts(self) -> list[int]:
        """Ids of the accounts whose postings the general book lists."""
        wanted = self._general()
        return [account for account, part in self.parts.items() if part in wanted]

    def _general(self) -> set[str]:
        return set(self.parts.values()) if self.facility_id is not None else set(IN_HAND)


def books(
    connection: Connection, facility_id: int | None, span: Span, as_of: datetime.datetime | None = None
) -> Books:
    """The books of a facility or (None) the office over `span`; with `as_of` only what was written by then."""
    if facility_id is None:
        parts = dict(connection.execute(OFFICE).fetchall())
        order = list(OFFICE_PARTS)
    else:
        parts = dict(accounts(connection, [facility_id], as_of).columns)
        order = sorted(set(parts.values()), key=lambda code: (code == "shipping", code))
    found = Books(facility_id, span, [], parts, as_of)
    values = _values(parts, set(parts.values()), facility_id, span, as_of)
    at = AS_OF if as_of else ""
    opening = dict(connection.execute(SUMS.format(as_of=at), values).fetchall())
    turned = {
        part: (debit, credit)
        for part, debit, credit in connection.execute(TURNED.format(moved=MOVED.format(as_of=at)), values)
    }
    sums = [Sums(code, opening.get(code, 0), *turned.get(code, (0, 0))) for code in order]
    return Books(facility_id, span, [_general(connection, found, sums), *sums], parts, as_of)


def ends(connection: Connection, facility_ids: Sequence[int], span: Span) -> dict[int, tuple[int, int]]:
    """What the general book of each facility opens and closes with; those that never moved anything are missing."""
    values = {"facilities": list(facility_ids), "first": span.first, "last": span.last}
    return {row[0]: (row[1], row[2]) for row in connection.execute(ENDS, values).fetchall()}


def _general(connection: Connection, found: Books, sums: Sequence[Sums]) -> Sums:
    """The sums of the general book: an entry that moves money between its parts counts there as the book lists it."""
    wanted = found._general()
    opening = sum(one.opening for one in sums if one.code in wanted)
    values = _values(found.parts, wanted, found.facility_id, found.span, found.as_of)
    if found.facility_id is not None:
        values["parts"] = [""] * len(values["accounts"])
    turned = TURNED.format(moved=MOVED.format(as_of=AS_OF if found.as_of else ""))
    rows = connection.execute(turned, values).fetchall()
    return Sums(GENERAL, opening, sum(row[1] for row in rows), sum(row[2] for row in rows))


def _values(
    parts: Mapping[int, str],
    wanted: set[str],
    facility_id: int | None,
    span: Span,
    as_of: datetime.datetime | None,
) -> dict[str, Any]:
    chosen = {account: part for account, part in parts.items() if part in wanted}
    return {
        "accounts": list(chosen),
        "parts": list(chosen.values()),
        "sign": 1 if facility_id is None else -1,
        "first": span.first,
        "last": span.last,
        "as_of": as_of,
    }
