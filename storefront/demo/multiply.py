"""A large history: orders that ended well, copied many times in sets within PostgreSQL.

What the rules wrote for an order (its lines with their shares, reservations, movements, parcels, payment, the
provider's books and events, messages, journal entry) is written again under new ids and numbers, whole days
earlier. So a copy is as right as its original; `flask verify` proves all of them afterwards.
"""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Callable, Sequence
from typing import Any

from storefront.demo.bare_tables import bare
from storefront.demo.copied_tables import TABLES, Copied
from storefront.demo.moments import days
from storefront.demo.seasons import busyness
from storefront.extensions import db
from storefront.money import split
from storefront.snapshot import driver_connection

#: Orders that the rules make one by one; what is asked for beyond them is copied.
BY_RULE = 1000
#: Days of copies before the year that the rules made.
BEFORE = 480
#: Copies written at once.
BATCH = 50_000
#: Ids kept free for each copy in every table.
ROOM = 64

#: Paid once by the sandbox that kept nothing of it, received by everybody, nothing given back; from which day on
#: all of it was sold so.
ENDED_WELL = """
    CREATE TEMPORARY TABLE originals ON COMMIT DROP AS
    SELECT o.id AS source, p.id AS payment, e.id AS entry, accounting_date(o.placed_at) AS placed_on,
           max(greatest(r.valid_from, accounting_date(d.published_at) + 1)) AS from_day
      FROM orders o
      JOIN order_lines l ON l.order_id = o.id
      JOIN split_rules r ON r.id = l.split_rule_id
      JOIN products d ON d.id = l.product_id
      JOIN payments p ON p.order_id = o.id AND p.counts AND p.gateway = 'sandbox' AND p.fee IS NULL
      JOIN journal_entries e ON e.source = 'payment:' || p.id || ':captured'
     WHERE o.state = 'paid' AND o.channel = 'online' AND r.valid_to IS NULL
       AND NOT EXISTS (SELECT FROM payments x WHERE x.order_id = o.id AND x.id <> p.id)
       AND NOT EXISTS (SELECT FROM refunds x WHERE x.order_id = o.id)
       AND NOT EXISTS (SELECT FROM parcels x
                        WHERE x.order_id = o.id AND (x.state <> 'received' OR x.exhibition_id IS NOT NULL))
       AND (%(facility)s::text IS NULL
            OR NOT EXISTS (SELECT FROM order_lines x WHERE x.order_id = o.id AND x.facility_code <> %(facility)s))
     GROUP BY o.id, p.id, e.id"""

#: One row for each copy, in the order of time. 40 bits make an order's number, no two the same.
COPIES = """
    CREATE TEMPORARY TABLE copies ON COMMIT DROP AS
    WITH listed AS (SELECT row_number() OVER (ORDER BY from_day, source) AS place, * FROM originals),
         wanted AS (SELECT row_number() OVER (ORDER BY day, number) AS n, day, choice
                      FROM unnest(%(days)s::date[], %(counts)s::int[], %(choices)s::int[]) AS w (day, count, choice)
                     CROSS JOIN LATERAL generate_series(1, w.count) AS number)
    SELECT w.n, o.source, o.payment, o.entry, w.day - o.placed_on AS days,
           make_interval(days => w.day - o.placed_on) AS shift,
           %(orders)s + w.n AS order_id, %(instalments)s + w.n AS instalment_id,
           %(journal_entries)s + w.n AS entry_id, 'pay_' || md5(%(seed)s || ':payment:' || w.n) AS payment_id,
           pg_temp.order_number(w.n * 668265263 + %(offset)s) AS number
      FROM wanted w
      JOIN listed o ON o.place = 1 + (w.n * 2654435761 %% 4294967296) %% w.choice"""
ORDER_NUMBER = """
    CREATE FUNCTION pg_temp.order_number(bits bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT 'KB-' || string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((bits >> (5 * place)) & 31)::int + 1, 1)
                                   || CASE place WHEN 4 THEN '-' ELSE '' END, '' ORDER BY place DESC)
          FROM generate_series(0, 7) AS place
    $$"""
#: A number that an order of the rules has already.
RENUMBER = """
    UPDATE copies SET number = pg_temp.order_number((n + 1000000007) * 668265263 + %(offset)s)
     WHERE number IN (SELECT number FROM orders)"""
NEW_IDS = """
    INSERT INTO copied_{part} SELECT c.n, s.id, {last:d} + row_number() OVER (ORDER BY c.n, s.id)
      FROM batch c JOIN original_{table} s ON s.order_id = c.source"""
#: What the copies sold was made at the beginning of its month.
MADE = """
    INSERT INTO stock_movements (variant_id, location_id, quantity, reason, moved_at)
    SELECT variant_id, location_id, -sum(quantity), 'made', month
      FROM (SELECT s.variant_id, s.location_id, s.quantity,
                   date_trunc('month', s.moved_at AT TIME ZONE 'Asia/Jakarta') AT TIME ZONE 'Asia/Jakarta' AS month
              FROM stock_movements s WHERE s.id > %(first)s AND s.id <= %(last)s AND s.reason = 'sold') sold
     GROUP BY month, variant_id, location_id ORDER BY month, variant_id, location_id"""
#: What numbers the rows of a table, for those that have an id of their own.
SEQUENCE = """
    SELECT pg_get_serial_sequence(attrelid::regclass::text, attname) FROM pg_attribute
     WHERE attrelid = %s::regclass AND attname = 'id' AND attidentity <> ''"""
COLUMNS = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""


class Multiplier:
    """Make one before the history is written: its copies are older, and so get the lower ids."""

    def __init__(self, number: int, facility: str | None = None) -> None:
        """`number` copies will be wanted, of what the facility with this code sold alone; None: of everything."""
        self.number = number
        self.facility = facility
        #: Tables that number their rows, with the last id that is used.
        self.last: dict[str, int] = {}
        connection = driver_connection(db.session.connection())
        for table in TABLES:
            row = connection.execute(SEQUENCE, (table.name,)).fetchone()
            if row is not None:
                used = connection.execute(f"SELECT COALESCE(max(id), 0) FROM {table.name}").fetchone()  # noqa: S608
                assert used is not None
                self.last[table.name] = used[0]
                connection.execute("SELECT setval(%s, %s)", (row[0], used[0] + number * ROOM + 1))

    def write(self, last: datetime.date, seed: str, progress: Callable[[int], None]) -> None:
        """Write the copies, dated within `BEFORE` days up to `last`. The session must be the owner's.

        Raises RuntimeError when no order can be copied to those days.
        """
        db.session.flush()
        db.session.expunge_all()
        connection = driver_connection(db.session.connection())
        connection.execute("SET LOCAL work_mem = '128MB'")
        connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
        moved = self.last["stock_movements"]
        with bare(connection, [table.name for table in TABLES]):
            self._prepare(connection, last, seed)
            for first in range(0, self.number, BATCH):
                done = min(first + BATCH, self.number)
                self._batch(connection, first, done)
                progress(done)
            connection.execute(MADE, {"first": moved, "last": self.last["stock_movements"]})
        for table in TABLES:
            connection.execute(f"ANALYZE {table.name}")

    def _prepare(self, connection: Any, last: datetime.date, seed: str) -> None:
        """The originals, and for each copy when it was placed and what it copies."""
        connection.execute(ENDED_WELL, {"facility": self.facility})
        for table in TABLES:
            rows = f"SELECT s.* FROM originals o JOIN {table.name} s ON {table.own}"  # noqa: S608 (our own words)
            connection.execute(f"CREATE TEMPORARY TABLE original_{table.name} ON COMMIT DROP AS {rows}")
            connection.execute(f"ANALYZE original_{table.name}")
        query = "SELECT from_day FROM originals ORDER BY from_day"
        begins = [day for (day,) in connection.execute(query).fetchall()]
        calendar, counts, choices = _calendar(self.number, last, begins)
        values = {"days": calendar, "counts": counts, "choices": choices, "seed": seed}
        values |= {"offset": int.from_bytes(seed.encode()[:4], "big"), **self.last}
        connection.execute(ORDER_NUMBER)
        connection.execute(COPIES, values)
        connection.execute("ALTER TABLE copies ADD PRIMARY KEY (n)")
        connection.execute(RENUMBER, values)
        connection.execute("ANALYZE copies")
        for part in ("lines", "parcels"):
            connection.execute(
                f"CREATE TEMPORARY TABLE copied_{part} (n bigint, source bigint, id bigint) ON COMMIT DROP"
            )

    def _batch(self, connection: Any, first: int, last: int) -> None:
        """Copies from `first` (not included) to `last`, table by table."""
        connection.execute("TRUNCATE copied_lines, copied_parcels")
        within = f"n > {first:d} AND n <= {last:d}"
        connection.execute(f"CREATE TEMPORARY VIEW batch AS SELECT * FROM copies WHERE {within}")  # noqa: S608
        for part, table in (("lines", "order_lines"), ("parcels", "parcels")):
            made = connection.execute(NEW_IDS.format(part=part, table=table, last=self.last[table]))
            self.last[table] += made.rowcount
            connection.execute(f"ANALYZE copied_{part}")
        for copied in TABLES:
            self._copy(connection, copied)
        connection.execute("DROP VIEW batch")

    def _copy(self, connection: Any, table: Copied) -> None:
        columns = connection.execute(COLUMNS, (table.name,)).fetchall()
        changes = dict(table.changes)
        is_numbered = table.name in self.last and "id" not in changes
        if is_numbered:
            changes["id"] = f"{self.last[table.name]:d} + row_number() OVER (ORDER BY c.n, s.id)"
        values = ", ".join(changes.get(name) or _moved(name, kind) for name, kind in columns)
        names = ", ".join(name for name, _ in columns)
        # All words of this statement are ours, or the schema's own.
        chosen = f"SELECT {values} FROM batch c {table.joined}"  # noqa: S608
        made = connection.execute(f"INSERT INTO {table.name} ({names}) OVERRIDING SYSTEM VALUE {chosen}")
        if is_numbered:
            self.last[table.name] += made.rowcount


def _moved(name: str, kind: str) -> str:
    """A column of the copy as SQL: the ids of its own order, moments and days moved, all else as it was."""
    if name in ("order_id", "instalment_id", "payment_id"):
        return f"c.{name}"
    if name == "written_by":
        return "pg_current_xact_id()"
    if kind == "timestamp with time zone":
        return f"s.{name} + c.shift"
    return f"s.{name} + c.days" if kind == "date" else f"s.{name}"


def _calendar(
    number: int, last: datetime.date, begins: Sequence[datetime.date]
) -> tuple[list[datetime.date], list[int], list[int]]:
    """Days, how many copies each gets, and how many originals (of those that begin first) could be sold on it."""
    found = [last - days(back) for back in range(BEFORE - 1, -1, -1)]
    choices = {day: bisect.bisect_right(begins, day) for day in found}
    found = [day for day in found if choices[day]]
    if not found:
        raise RuntimeError("no order that the rules made can be copied to those days")
    counts = split(number, [round(1000 * busyness(day)) for day in found])
    return found, counts, [choices[day] for day in found]
