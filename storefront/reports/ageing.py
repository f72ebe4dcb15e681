"""How old is what is not yet settled or deposited: first in, first out, by the days of the postings.

What took from an account took the oldest first, so what is left of it is the youngest. An entry counts with
its net effect on a fund: where it moves money between what is owed and what must come back, nothing is born.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.rows import dict_row

from storefront import keyset
from storefront.reports.statement import AS_OF, Column, Connection, accounts, balances, columns

#: Oldest day of each age but the last, which has none.
AGES = (7, 30, 60)

#: What entries since a day brought, by facility, fund and age. An entry that took, took from something older.
YOUNG = """
    SELECT facility_id, fund, age, sum(amount)::bigint AS amount FROM (
        SELECT a.facility_id, COALESCE(u.code, 'shipping') AS fund, p.entry_id, -sum(p.amount) AS amount,
               CASE WHEN p.effective_date >= %(day)s::date - 7 THEN 0
                    WHEN p.effective_date >= %(day)s::date - 30 THEN 1 ELSE 2 END AS age
          FROM postings p JOIN accounts a ON a.id = p.account_id LEFT JOIN funds u ON u.id = a.fund_id
         WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date BETWEEN %(day)s::date - 60 AND %(day)s {as_of}
         GROUP BY a.facility_id, u.code, p.entry_id, p.effective_date HAVING sum(p.amount) < 0) born
     GROUP BY facility_id, fund, age"""
#: The youngest layers of one account that together make up its balance; the oldest of them is cut.
LAYERS = """
    SELECT l.effective_date, l.entry_id, e.kind, e.source, o.number AS order_number, l.amount,
           least(l.amount, %(balance)s - (l.so_far - l.amount))::bigint AS open, {keys}
      FROM (SELECT p.effective_date, p.entry_id, -sum(p.amount)::bigint AS amount,
                   (sum(-sum(p.amount)) OVER (ORDER BY p.effective_date DESC, p.entry_id DESC))::bigint AS so_far
              FROM postings p WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date <= %(day)s
             GROUP BY p.effective_date, p.entry_id HAVING sum(p.amount) < 0) l
      JOIN journal_entries e ON e.id = l.entry_id
      LEFT JOIN orders o ON o.id = e.order_id
     WHERE l.so_far - l.amount < %(balance)s AND l.effective_date <= %(young)s AND l.effective_date >= %(old)s"""
OLDEST_FIRST = keyset.Order((("l.effective_date", "date"), ("l.entry_id", "bigint")), descending=False)


@dataclass(frozen=True)
class Aged:
    """What one facility is owed from one fund, by age; in rupiah."""

    facility_id: int
    #: A column's code.
    fund: str
    #: By `AGES`, the oldest last. All zero when more must come back than is owed.
    amounts: tuple[int, int, int, int]
    #: What must come back, below zero.
    excess: int = 0

    @property
    def total(self) -> int:
        return sum(self.amounts) + self.excess


@dataclass(frozen=True)
class Layer:
    """An entry that brought something that is still open, or a part of it."""

    effective_date: datetime.date
    entry_id: int
    kind: str
    source: str
    order_number: str | None
    amount: int
    open: int


def ageing(
    connection: Connection,
    facility_ids: Sequence[int],
    day: datetime.date,
    as_of: datetime.datetime | None = None,
) -> list[Aged]:
    """What some facilities are owed at the end of `day`, by fund and age; nothing where nothing is owed."""
    known = accounts(connection, facility_ids, as_of)
    owed = known.by_facility(balances(connection, known, day, as_of))
    query = YOUNG.format(as_of=AS_OF if as_of else "")
    young: dict[tuple[int, str], dict[int, int]] = {}
    for facility, fund, age, amount in connection.execute(
        query, {"accounts": known.ids, "day": day, "as_of": as_of}
    ):
        young.setdefault((facility, fund), {})[age] = amount
    return [
        _aged(facility, fund, balance, young.get((facility, fund), {}))
        for (facility, fund), balance in owed.items()
        if balance
    ]


def older_than(connection: Connection, fund: str, cut: datetime.date) -> dict[int, int]:
    """By facility: what of a fund is still open now and was born on `cut` or before."""
    facilities = [row[0] for row in connection.execute("SELECT id FROM facilities ORDER BY id")]
    known = accounts(connection, facilities).of(fund)
    owed = known.by_facility(balances(connection, known, datetime.date.max))
    since = connection.execute(
        """SELECT facility_id, sum(amount)::bigint FROM (
               SELECT a.facility_id, -sum(p.amount) AS amount
                 FROM postings p JOIN accounts a ON a.id = p.account_id
                WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date > %(cut)s
                GROUP BY a.facility_id, p.entry_id HAVING sum(p.amount) < 0) born GROUP BY facility_id""",
        {"accounts": known.ids, "cut": cut},
    ).fetchall()
    born = dict(since)
    left = {facility: balance - born.get(facility, 0) for (facility, _fund), balance in owed.items()}
    return {facility: amount for facility, amount in left.items() if amount > 0}


def layers(
    connection: Connection,
    facility_id: int,
    fund: str,
    day: datetime.date,
    age: int | None,
    turn: keyset.Turn = keyset.FIRST,
) -> tuple[list[Layer], str | None, str | None]:
    """The entries that make up what a facility is owed from a fund at the end of `day`, the oldest first.

    `age` is a place in `AGES` (3: older than all), None: every age. Also the keys of the younger and the older page.
    """
    known = accounts(connection, [facility_id]).of(fund)
    balance = sum(balances(connection, known, day).values())
    young, old = _bounds(day, age)
    values = {"accounts": known.ids, "day": day, "balance": balance, "young": young, "old": old}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows, on, back = keyset.driver_page(cursor, LAYERS, values, OLDEST_FIRST, turn)
    return [Layer(**row) for row in rows], on, back


def funds(connection: Connection, rows: Sequence[Aged]) -> list[Column]:
    """The columns that an ageing needs."""
    return columns(connection, {row.fund for row in rows})


def _aged(facility_id: int, fund: str, balance: int, young: Mapping[int, int]) -> Aged:
    """Divide a balance by age: the youngest layers hold what they can, the rest is old."""
    left, amounts = max(0, balance), []
    for age in range(len(AGES)):
        amounts.append(min(left, young.get(age, 0)))
        left -= amounts[-1]
    return Aged(facility_id, fund, (amounts[0], amounts[1], amounts[2], left), min(0, balance))


def _bounds(day: datetime.date, age: int | None) -> tuple[datetime.date, datetime.date]:
    """The youngest and the oldest day of an age."""
    if age is None:
        return day, datetime.date.min
    young = day - datetime.timedelta(days=AGES[age - 1] + 1) if age else day
    old = day - datetime.timedelta(days=AGES[age]) if age < len(AGES) else datetime.date.min
    return young, old
