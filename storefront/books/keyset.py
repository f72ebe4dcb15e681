"""Long lists paged by key: a page begins after a row's place in the order, not after so many rows.

So the last of 200,000 rows costs what the first does, and an address shows the same rows while others come in.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import text

from storefront.extensions import db

T = TypeVar("T")
#: Rows on one page.
PAGE = 50

_READ: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda value: {"0": False, "1": True}[value],
    "date": datetime.date.fromisoformat,
    "bigint": lambda value: int(value) if len(value) < 19 else _out_of_reach(),
}


@dataclass(frozen=True)
class Order:
    """An order of rows: SQL expressions with their types, the last one unique; the same direction for all."""

    by: tuple[tuple[str, str], ...]
    descending: bool = True

    def sql(self, *, backwards: bool = False) -> str:
        """What stands behind ORDER BY."""
        way = "DESC" if self.descending != backwards else "ASC"
        return ", ".join(f"{expression} {way}" for expression, _type in self.by)

    def beyond(self, *, backwards: bool = False) -> str:
        """The condition that a row follows (or comes before) the key bound as `:key_0`, `:key_1`, …"""
        sign = "<" if self.descending != backwards else ">"
        there = ", ".join(f"CAST(:key_{n} AS {type_})" for n, (_x, type_) in enumerate(self.by))
        return f"({', '.join(expression for expression, _type in self.by)}) {sign} ({there})"

    def read(self, name: str | None) -> dict[str, Any] | None:
        """The key written in an address; None for what is none."""
        values = (name or "").split("_")
        if len(values) != len(self.by):
            return None
        try:
            return {f"key_{n}": _READ[self.by[n][1]](value) for n, value in enumerate(values)}
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True)
class Keyed(Generic[T]):
    """Rows of one page; `total` counts and `amount` sums (in rupiah) the whole selection."""

    rows: Sequence[T]
    total: int
    amount: int
    #: Keys of the neighbouring pages; None where there is none.
    older: str | None
    newer: str | None


def keyed(
    make: type[T],
    columns: str,
    selection: str,
    totals: str,
    values: Mapping[str, Any],
    order: Order,
    *,
    older: str | None = None,
    newer: str | None = None,
) -> Keyed[T]:
    """The page of rows that follow the key `older`, or come before the key `newer`; else the first.

    `columns` is `SELECT … FROM …`, `selection` the conditions, `totals` the number and sum of all of them as SQL.
    A key that makes no sense means the first page.
    """
    number, amount = db.session.execute(text(f"{totals} WHERE {selection}"), dict(values)).one()
    back, forth = order.read(older), order.read(newer)
    backwards = back is None and forth is not None
    key = forth if backwards else back
    keys = ", ".join(f"{expression} AS key_{n}" for n, (expression, _type) in enumerate(order.by))
    beyond = f" AND {order.beyond(backwards=backwards)}" if key else ""
    query = (
        f"{columns.replace('{keys}', keys)} WHERE {selection}{beyond}"
        f" ORDER BY {order.sql(backwards=backwards)} LIMIT {PAGE + 1:d}"
    )
    found = [dict(row) for row in db.session.execute(text(query), {**values, **(key or {})}).mappings()]
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    names = ["_".join(_name(row.pop(f"key_{n}")) for n in range(len(order.by))) for row in found]
    has_older, has_newer = (True, more) if backwards else (more, key is not None)
    return Keyed(
        [make(**row) for row in found],
        number,
        int(amount or 0),
        names[-1] if names and has_older else None,
        names[0] if names and has_newer else None,
    )


def _name(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _out_of_reach() -> int:
    raise ValueError
