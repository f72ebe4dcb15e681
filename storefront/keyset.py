"""Long lists paged by key: a page begins after a row's place in the order, not after so many rows.

So the last of 200,000 rows costs what the first does, and an address shows the same rows while others come in.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import psycopg
from flask import request
from sqlalchemy import TextClause, bindparam, func, literal_column, text

from storefront.extensions import db

T = TypeVar("T")
U = TypeVar("U")
#: Rows on one page.
PAGE = 50
#: Longer than any key that a page writes.
LONGEST = 400

_READ: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda value: {"0": False, "1": True}[value],
    "date": datetime.date.fromisoformat,
    "timestamptz": lambda value: _with_zone(datetime.datetime.fromisoformat(value)),
    "bigint": lambda value: int(value) if len(value.lstrip("-")) < 19 else _refuse(),
    # Hexadecimal, so that it holds no separator and reads back whatever it is.
    "text": lambda value: _without_zero(bytes.fromhex(value).decode()),
}


@dataclass(frozen=True)
class Turn:
    """Which page is asked for: the rows after the key `older`, or those before the key `newer`; else the first."""

    older: str | None = None
    newer: str | None = None


FIRST = Turn()


def asked_turn() -> Turn:
    """The page that the query string asks for."""
    return Turn(request.args.get("older"), request.args.get("newer"))


@dataclass(frozen=True)
class Order:
    """An order of rows: SQL expressions with their types, unique together; the same direction for all.

    Types are those that a key can be written in: boolean, bigint, date, timestamptz, text. No expression is ever null.
    """

    by: tuple[tuple[str, str], ...]
    descending: bool = True

    @property
    def keys(self) -> str:
        """The columns that a row's key is read from."""
        return ", ".join(f"{expression} AS key_{n}" for n, (expression, _type) in enumerate(self.by))

    def sql(self, *, backwards: bool = False) -> str:
        """What stands behind ORDER BY."""
        way = "DESC" if self.descending != backwards else "ASC"
        return ", ".join(f"{expression} {way}" for expression, _type in self.by)

    def beyond(self, *, backwards: bool = False, parameter: str = ":{}") -> str:
        """The condition that a row follows (or comes before) the key bound as `key_0`, `key_1`, …"""
        sign = "<" if self.descending != backwards else ">"
        there = ", ".join(f"CAST({parameter.format(f'key_{n}')} AS {type_})" for n, (_x, type_) in enumerate(self.by))
        here = ", ".join(expression for expression, _type in self.by)
        if self.by[0][1] == "boolean":
            # Of a comparison of rows the planner estimates the first column alone: nothing is below false, so it would
            # expect one row, read all that follow and sort them. With the key itself let in it keeps the index's order.
            return f"({here}) {sign}= ({there}) AND ({here}) <> ({there})"
        return f"({here}) {sign} ({there})"

    def read(self, name: str | None) -> dict[str, Any] | None:
        """The key written in an address; None for what is none."""
        values = (name or "")[:LONGEST].split("_")
        if len(values) != len(self.by):
            return None
        try:
            return {f"key_{n}": _READ[self.by[n][1]](value) for n, value in enumerate(values)}
        except (KeyError, ValueError, OverflowError):
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

    @property
    def is_first(self) -> bool:
        return self.newer is None

    def of(self, rows: Sequence[U]) -> Keyed[U]:
        """The same page with its rows made into something else."""
        return replace(self, rows=rows)  # type: ignore[arg-type, return-value]


@dataclass(frozen=True)
class Paged(Generic[T]):
    """A list that is paged by key: its rows, what can narrow them, and the orders that it can be in."""

    make: type[T]
    #: `SELECT …, {keys} FROM …` without conditions.
    columns: str
    #: `SELECT count(*), sum(…)::bigint FROM …`, likewise.
    totals: str
    #: By name; the one named '' unless told.
    orders: Mapping[str, Order]
    #: Conditions by the name of their parameter. Only what is asked for becomes SQL, so that an index can answer.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: A condition of all rows.
    always: str = "true"

    def page(
        self,
        asked: Mapping[str, Any],
        turn: Turn = FIRST,
        *,
        sort: str = "",
        size: int | None = None,
        **others: Any,
    ) -> Keyed[T]:
        """A page of the rows that all of `asked` is true of (None: not asked); `others` are further parameters.

        A key or a sort that makes no sense means the first page, in the usual order.
        """
        selection, values = self._selected(asked, others)
        number, amount = db.session.execute(text(f"{self.totals} WHERE {selection}"), values).one()
        order = self.orders.get(sort) or self.orders[""]
        rows, older, newer = fetch(self.columns, selection, values, order, turn, size=size)
        return Keyed([self.make(**row) for row in rows], number, int(amount or 0), older, newer)

    def one(self, asked: Mapping[str, Any], **others: Any) -> T | None:
        """The first row that all of `asked` is true of; None when there is none."""
        selection, values = self._selected(asked, others)
        rows, _older, _newer = fetch(self.columns, selection, values, self.orders[""], FIRST, size=1)
        return self.make(**rows[0]) if rows else None

    def _selected(self, asked: Mapping[str, Any], others: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        values = {name: value for name, value in asked.items() if value is not None}
        return " AND ".join([self.always, *(self.filters[name] for name in values)]), {**values, **others}


def fetch(
    columns: str, selection: str, values: Mapping[str, Any], order: Order, turn: Turn, *, size: int | None = None
) -> tuple[list[dict[str, Any]], str | None, str | None]:
    """Rows of the page that `turn` names, and the keys of the pages after and before it."""

    most = size or PAGE

    def read(condition: str | None, key: Mapping[str, Any], *, backwards: bool) -> list[dict[str, Any]]:
        query = (
            f"{columns.replace('{keys}', order.keys)} WHERE {selection}{f' AND {condition}' if condition else ''}"
            f" ORDER BY {order.sql(backwards=backwards)} LIMIT {most + 1:d}"
        )
        return [dict(row) for row in db.session.execute(text(query), {**values, **key}).mappings()]

    return turned(read, order, turn, most)


def driver_page(
    cursor: psycopg.Cursor[dict[str, Any]],
    query: str,
    values: Mapping[str, Any],
    order: Order,
    turn: Turn,
    *,
    size: int | None = None,
) -> tuple[list[dict[str, Any]], str | None, str | None]:
    """The same as `fetch` on the driver's cursor, whose rows are dicts; `query` is written up to its conditions."""

    most = size or PAGE

    def read(condition: str | None, key: Mapping[str, Any], *, backwards: bool) -> list[dict[str, Any]]:
        wanted = (
            f"{query.replace('{keys}', order.keys)}{f' AND {condition}' if condition else ''}"
            f" ORDER BY {order.sql(backwards=backwards)} LIMIT {most + 1:d}"
        )
        return cursor.execute(wanted, {**values, **key}).fetchall()

    return turned(read, order, turn, most, "%({})s")


def select_page(query: Any, order: Order, turn: Turn, *, size: int | None = None) -> Keyed[tuple[Any, ...]]:
    """The page of a SELECT without order that `turn` names; `order` speaks of its tables by their names."""
    total = db.session.execute(query.with_only_columns(func.count(), maintain_column_froms=True)).scalar_one()
    keys: list[Any] = [literal_column(expression).label(f"key_{n}") for n, (expression, _type) in enumerate(order.by)]

    most = size or PAGE

    def read(condition: str | None, key: Mapping[str, Any], *, backwards: bool) -> list[dict[str, Any]]:
        wanted = query.add_columns(*keys).order_by(text(order.sql(backwards=backwards))).limit(most + 1)
        if condition:
            wanted = wanted.where(bound(condition, key))
        return [
            {"row": tuple(row[: -len(keys)]), **{f"key_{n}": row[n - len(keys)] for n in range(len(keys))}}
            for row in db.session.execute(wanted)
        ]

    rows, older, newer = turned(read, order, turn, most)
    return Keyed([row["row"] for row in rows], total, 0, older, newer)


def turned(
    read: Callable[..., list[dict[str, Any]]], order: Order, turn: Turn, size: int, parameter: str = ":{}"
) -> tuple[list[dict[str, Any]], str | None, str | None]:
    """The rows of a page and the keys of its neighbours, whatever they are read with.

    `read(condition or None, key, backwards=…)` gives one row more than fits, each with `key_0`, …, which are taken out.
    Where nothing lies beyond the key (any more), and where turning back reaches the beginning, it is the first page.
    """
    back, forth = order.read(turn.older), order.read(turn.newer)
    backwards = back is None and forth is not None
    key = forth if backwards else back
    found = read(order.beyond(backwards=backwards, parameter=parameter), key, backwards=backwards) if key else []
    if not found or (backwards and len(found) <= size):
        key, backwards, found = None, False, read(None, {}, backwards=False)
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    names = ["_".join(_name(row.pop(f"key_{n}")) for n in range(len(order.by))) for row in found]
    return (
        found,
        names[-1] if names and (backwards or more) else None,
        names[0] if names and key is not None else None,
    )


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    return value.encode().hex() if isinstance(value, str) else str(value)


def bound(condition: str, key: Mapping[str, Any]) -> TextClause:
    """A condition of `Order.beyond` with the key that it speaks of."""
    return text(condition).bindparams(*(bindparam(name, value) for name, value in key.items()))


def _with_zone(value: datetime.datetime) -> datetime.datetime:
    return value if value.tzinfo else _refuse()


def _without_zero(value: str) -> str:
    return _refuse() if "\0" in value else value


def _refuse() -> Any:
    raise ValueError
