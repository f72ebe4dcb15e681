"""A list of 200,000 lines, paged by key beside paged by number: first, middle and last page.

`python -m bench lists`. Milliseconds by the database's own clock. The lines are
written into a database of the bench's in one transaction that is undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from bench.stage import open_database
from storefront.bank.lists import LINE_ORDERS, LINE_TOTALS, LINES
from storefront.keyset import PAGE

ROWS = 200_000
FILL = """
    WITH account AS (
        INSERT INTO bank_accounts (bank, number, holder, permission_letter, valid_from, valid_to, proposed_by,
                                   approved_by, approved_at)
        SELECT 'Bank Ukur', '1234567890', 'Ukur', 'B-1', '1990-01-01', '1990-12-31', min(id), max(id), now()
          FROM people RETURNING id),
    file AS (
        INSERT INTO bank_files (bank_account_id, name, format, content_hash, content_key, uploaded_by)
        SELECT account.id, 'ukur.csv', 'csv', sha256('ukur'), 'ukur', (SELECT min(id) FROM people) FROM account
        RETURNING id, bank_account_id)
    INSERT INTO bank_lines (bank_account_id, file_id, line_number, booked_on, amount, description, fingerprint, state,
                            set_aside_reason, set_aside_by, set_aside_at)
    SELECT file.bank_account_id, file.id, n, date '2020-01-01' + n / 100, 1 + (n * 7919) %% 1000003, 'BARIS ' || n,
           sha256(convert_to(n::text, 'UTF8')), CASE n %% 100 WHEN 0 THEN 'open' ELSE 'set_aside' END,
           CASE n %% 100 WHEN 0 THEN NULL ELSE 'diukur' END,
           CASE n %% 100 WHEN 0 THEN NULL ELSE (SELECT min(id) FROM people) END,
           CASE n %% 100 WHEN 0 THEN NULL ELSE now() END
      FROM file, generate_series(1, %(rows)s) n"""


@dataclass(frozen=True)
class Page:
    """One page of one order: milliseconds in the database by key and by number of rows skipped."""

    sort: str
    place: str
    by_key: float
    by_offset: float


def measure(connection: psycopg.Connection[Any], rows: int = ROWS) -> tuple[list[Page], float]:
    """Each order's first, middle and last page, and what number and sum of all lines cost. Undoes what it wrote."""
    try:
        connection.execute(FILL, {"rows": rows})
        connection.execute("ANALYZE bank_lines")
        there = connection.execute("SELECT count(*) FROM bank_lines").fetchone()
        assert there is not None
        found = []
        for sort, order in LINE_ORDERS.items():
            keys = ", ".join(f"{expression} AS key_{n}" for n, (expression, _type) in enumerate(order.by))
            columns = LINES.replace("{keys}", keys)
            for place, skipped in (("first", 0), ("middle", there[0] // 2), ("last", there[0] - PAGE)):
                names = ", ".join(expression for expression, _type in order.by)
                before = connection.execute(
                    f"SELECT {names} FROM bank_lines l ORDER BY {order.sql()} OFFSET %s LIMIT 1",
                    [max(0, skipped - 1)],
                ).fetchone()
                assert before is not None
                key = {f"key_{n}": value for n, value in enumerate(before)}
                beyond = order.beyond()
                for name in key:
                    beyond = beyond.replace(f":{name}", f"%({name})s")
                where = f"WHERE {beyond}" if skipped else ""
                by_key = _ms(
                    connection, f"{columns} {where} ORDER BY {order.sql()} LIMIT {PAGE + 1}", key if skipped else {}
                )
                by_offset = _ms(
                    connection, f"{columns} ORDER BY {order.sql()} LIMIT {PAGE + 1} OFFSET {skipped:d}", {}
                )
                found.append(Page(sort or "open first", place, by_key, by_offset))
        return found, _ms(connection, LINE_TOTALS, {})
    finally:
        connection.rollback()


def run(*, fresh: bool) -> tuple[list[Page], float]:
    """The same in a database of the bench's, with the demo's people and no orders."""
    with open_database(0, fresh=fresh) as (shop, _database), shop.owner() as connection:
        connection.autocommit = False
        return measure(connection)


def _ms(connection: psycopg.Connection[Any], query: str, values: dict[str, Any]) -> float:
    """The least of three executions by EXPLAIN ANALYZE, in milliseconds."""
    times = []
    for _turn in range(3):
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", values).fetchone()
        assert row is not None
        times.append(float(row[0][0]["Execution Time"]))
    return min(times)
