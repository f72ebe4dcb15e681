"""One bare transaction: the facts of one purchase as plain SQL, in the shop's own tables, with nothing of the shop.

It is the floor under a purchase: a client of one connection that knows beforehand what to write, and writes it in one
transaction, one INSERT for each table. Constraints, indexes and triggers are those that a purchase meets too. What only
the way there needs is left out: carts, idempotency keys, jobs, each talk with the provider, the provider's own rows.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from bench.stage import used
from storefront.embedded import WEB
from tests.drills.running_shop import Shop

#: Tables in the order of writing, and where the purchase's rows are found in each.
FACTS = {
    "orders": "id = %(order)s",
    "order_contacts": "order_id = %(order)s",
    "order_addresses": "order_id = %(order)s",
    "order_lines": "order_id = %(order)s",
    "order_line_shares": "order_line_id IN (SELECT id FROM order_lines WHERE order_id = %(order)s)",
    "instalments": "order_id = %(order)s",
    "parcels": "order_id = %(order)s",
    "parcel_lines": "parcel_id IN (SELECT id FROM parcels WHERE order_id = %(order)s)",
    "payments": "order_id = %(order)s",
    "payment_events": "gateway = 'sandbox' AND position(%(payment)s IN encode(body, 'escape')) > 0",
    "reservations": "order_line_id IN (SELECT id FROM order_lines WHERE order_id = %(order)s)",
    "stock_movements": "source = ANY (%(movements)s)",
    "journal_entries": "order_id = %(order)s",
    "postings": "entry_id IN (SELECT id FROM journal_entries WHERE order_id = %(order)s)",
    "messages": "order_id = %(order)s",
}
#: Whose ids a column holds.
POINTS_TO = {
    "order_id": "orders",
    "order_line_id": "order_lines",
    "instalment_id": "instalments",
    "parcel_id": "parcels",
    "entry_id": "journal_entries",
}
#: What no two purchases share.
UNIQUE = {"reference", "capture_reference", "event_id", "source", "key"}
#: What stands first in the name of a fact, and whose id follows.
NAMED_AFTER = {"order": "orders", "order_line": "order_lines"}
NUMBER_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class BareCost:
    """Milliseconds of processor time for one bare transaction."""

    client: float
    database: float
    statements: int
    rows: int
    transactions: int

    @property
    def total(self) -> float:
        return self.client + self.database


@dataclass
class Table:
    """The rows of one table that a purchase wrote, and the statement that writes them again."""

    name: str
    columns: list[str]
    rows: list[dict[str, Any]]
    has_id: bool
    statement: str = field(init=False)

    def __post_init__(self) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        one = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(self.columns)))
        insert = sql.SQL("INSERT INTO {} ({}) VALUES {}").format(
            sql.Identifier(self.name), names, sql.SQL(", ").join([one] * len(self.rows))
        )
        self.statement = (insert + sql.SQL(" RETURNING id") if self.has_id else insert).as_string()


class Bare:
    """Writes the facts of one finished purchase again and again, under new names."""

    def __init__(self, shop: Shop, number: str) -> None:
        self.shop = shop
        # The client's own work is not what is asked for: everything is looked up before.
        with psycopg.connect(shop.addresses()[WEB], row_factory=dict_row) as connection:
            self.tables = list(_read(connection, number))
        self.connection = psycopg.connect(shop.addresses()[WEB])

    def close(self) -> None:
        self.connection.close()

    @property
    def rows(self) -> int:
        return sum(len(table.rows) for table in self.tables)

    def write(self) -> None:
        """One transaction."""
        known: dict[tuple[str, Any], Any] = {}
        mark = secrets.token_urlsafe(16)
        with self.connection.transaction():
            for table in self.tables:
                values = [
                    _fresh(table, row, column, known, mark) for row in table.rows for column in table.columns
                ]
                cursor = self.connection.execute(table.statement.encode(), values, prepare=True)
                if table.has_id:
                    written = cursor.fetchall()
                    known |= {
                        (table.name, row["id"]): new for row, (new,) in zip(table.rows, written, strict=True)
                    }

    def measure(self, transactions: int, quiet: dict[str, float]) -> BareCost:
        """Write `transactions` times; `quiet` is what the shop uses in a second while nobody asks."""
        for _ in range(20):
            self.write()
        before, begun, mine = self.shop.cpu_seconds(), time.monotonic(), time.process_time()
        for _ in range(transactions):
            self.write()
        mine = time.process_time() - mine
        spent = used(before, self.shop.cpu_seconds(), quiet, time.monotonic() - begun)
        return BareCost(
            client=1000 * mine / transactions,
            database=1000 * spent["database"] / transactions,
            # With BEGIN and COMMIT.
            statements=len(self.tables) + 2,
            rows=self.rows,
            transactions=transactions,
        )


def _read(connection: psycopg.Connection[dict[str, Any]], number: str) -> Iterator[Table]:
    found = connection.execute(
        """SELECT o.id AS "order", p.id AS payment,
                  ARRAY(SELECT 'order_line:' || l.id || ':sold' FROM order_lines l WHERE l.order_id = o.id) AS movements
             FROM orders o JOIN payments p ON p.order_id = o.id AND p.counts WHERE o.number = %s""",
        [number],
    ).fetchone()
    assert found is not None, f"{number} is not paid"
    for name, where in FACTS.items():
        columns = connection.execute(
            """SELECT attname, attidentity FROM pg_attribute
                WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                  AND attname <> 'written_by' ORDER BY attnum""",
            [name],
        ).fetchall()
        given = [row["attname"] for row in columns if row["attidentity"] == ""]
        rows = connection.execute(
            f"SELECT * FROM {name} WHERE {where} ORDER BY 1, 2".encode(), found
        ).fetchall()
        assert rows, f"the purchase wrote nothing to {name}"
        yield Table(name, given, rows, has_id=len(given) < len(columns))


def _fresh(
    table: Table, row: dict[str, Any], column: str, known: dict[tuple[str, Any], Any], mark: str
) -> Any:
    """The value of `column` for the next transaction; `known` are the ids that it has given so far."""
    value = row[column]
    if column in POINTS_TO:
        return known.get((POINTS_TO[column], value), value)
    if table.name == "payments" and column == "id":
        known["payments", "names"] = value, f"pay_{mark}"
        return f"pay_{mark}"
    if table.name == "orders" and column == "number":
        signs = "".join(secrets.choice(NUMBER_SIGNS) for _ in range(8))
        return f"{value[:2]}-{signs[:4]}-{signs[4:]}"
    return _named(value, known, mark) if column in UNIQUE and value is not None else value


def _named(value: str, known: dict[tuple[str, Any], Any], mark: str) -> str:
    """A name that no two purchases share: after the order, line or payment that it is about."""
    about, _, rest = value.partition(":")
    number, _, end = rest.partition(":")
    if about in NAMED_AFTER and (new := known.get((NAMED_AFTER[about], int(number)))) is not None:
        return f"{about}:{new}:{end}"
    before, now = known.get(("payments", "names"), ("", ""))
    return value.replace(before, now) if before and before in value else f"{value}:{mark}"
