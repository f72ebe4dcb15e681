"""The migrations since the shop opened, on a database full of sales that its first revision has written."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storefront import create_app
from storefront.books.span import Span
from storefront.embedded import OWNER, SUPERUSER
from storefront.extensions import db
from storefront.orders.expire import end_locked_order
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import OrderState
from storefront.orders.payment import open_payment
from storefront.reports.statement import Statement, statement
from storefront.schema import MIGRATIONS, newest_revision, upgrade
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.clones import Clone, TestServer, settings_for, worker_name
from tests.factories import make_order, make_paid_order
from tests.selling import open_shop

ALWAYS = Span(datetime.date(2020, 1, 1), datetime.date(2999, 12, 31))
#: A column that the shop before had no name for is left to its default; its ways from state to state are its own.
COLUMNS = """
    SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
      FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
       AND table_name <> 'alembic_version' AND table_name NOT LIKE ALL ('{procrastinate%,%transitions}')
     GROUP BY table_name"""
#: Rows of today's shop that the shop before would refuse.
LATER = {"shipping_methods": "kind = 'stand'"}
#: As the shop before books: it knows nothing of a posting's day.
OLD_ENTRY = """
    WITH e AS (INSERT INTO journal_entries (source, kind, effective_date)
               VALUES (%s, 'sale', '2026-01-31') RETURNING id)
    INSERT INTO postings (entry_id, account_id, amount)
    SELECT e.id, a.id, x.amount FROM e, (VALUES ('clearing:sandbox', 5), ('customers:to_return', -5)) x (code, amount)
      JOIN accounts a USING (code)"""


class Before:
    """A database of the revision before, and an app on it that may migrate it."""

    def __init__(self, server: TestServer, name: str) -> None:
        server.create(name, "template1")
        self.addresses = server.server.addresses(name)
        self.app = create_app(settings_for(self.addresses, server.var_dir))
        with self.app.app_context():
            upgrade(revision="0001")

    def take(self, source: Clone) -> None:
        """Make its rows those of `source`, in the columns that it has."""
        with (
            psycopg.connect(self.addresses[SUPERUSER]) as here,
            psycopg.connect(source.addresses[SUPERUSER]) as there,
        ):
            here.execute("SET session_replication_role = replica")
            for name, columns in here.execute(COLUMNS).fetchall():
                table, names = sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
                here.execute(sql.SQL("DELETE FROM {}").format(table))
                later = sql.SQL(LATER.get(name, "false"))  # type: ignore[arg-type]
                read = sql.SQL("COPY (SELECT {} FROM {} WHERE NOT ({})) TO STDOUT").format(names, table, later)
                write = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)
                with there.cursor().copy(read) as rows, here.cursor().copy(write) as copy:
                    for row in rows:
                        copy.write(row)

    def upgrade(self, **x: str) -> None:
        with self.app.app_context():
            upgrade(x_arg=[f"{name}={value}" for name, value in x.items()])

    def one(self, query: str) -> Any:
        with psycopg.connect(self.addresses[OWNER]) as connection:
            (found,) = connection.execute(query).fetchone()  # type: ignore[misc]
            return found

    def all(self, query: str) -> list[Any]:
        with psycopg.connect(self.addresses[OWNER]) as connection:
            return connection.execute(query).fetchall()

    def execute(self, query: str, *values: Any) -> None:
        with psycopg.connect(self.addresses[OWNER]) as connection:
            connection.execute(query, values or None)


@pytest.fixture
def before(app: Flask, database: Clone, database_server: TestServer, db_session: Session) -> Iterator[Before]:
    """Paid, unpaid and expired orders of two facilities, one paid too late whose money has gone back."""
    shop = open_shop()
    for day in (3, 20):
        make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=datetime.datetime(2026, 1, day, tzinfo=datetime.UTC))
    make_paid_order((shop.tempeh, 3), shipping=0)
    late = make_order((shop.honey, 1))
    payment = open_payment(late)
    end_locked_order(late, OrderState.EXPIRED)
    make_order((shop.honey, 1))  # the last one
    assert record_payment(payment.id, reference=payment.id, amount=payment.amount) == "paid_too_late"
    db_session.commit()
    made = Before(database_server, f"storefront_before_{worker_name()}")
    made.take(database)
    yield made
    with made.app.app_context():
        db.engine.dispose()


def statements(addresses: dict[str, str]) -> list[Statement]:
    with psycopg.connect(addresses[OWNER]) as connection:
        ids = connection.execute("SELECT id FROM facilities ORDER BY id").fetchall()
        return [statement(connection, facility, ALWAYS) for (facility,) in ids]


def broken(addresses: dict[str, str]) -> set[str]:
    with psycopg.connect(addresses[OWNER]) as connection:
        return {found.invariant.name for found in check(connection, INVARIANTS) if not found.holds}


def test_sales_of_before_are_right_after(before: Before, database: Clone) -> None:
    before.upgrade()
    assert before.one("SELECT version_num FROM alembic_version") == newest_revision()
    # Jobs were not taken along, and the provider's books are not in it: nothing else may be broken by the way here.
    assert {name for name in broken(before.addresses) if not name.endswith("_have_a_job")} == broken(database.addresses)
    told = statements(before.addresses)
    assert told == statements(database.addresses)
    assert sum(amount for one in told for amount in one.closing.values()) > 0
    assert before.one("SELECT count(*) FROM postings WHERE effective_date IS NULL") == 0
    # Workshops have time to declare: nothing that is sold is taken off sale by the way.
    assert before.one("SELECT bool_and(workshop_may_sell(id, accounting_date(now()) + 90)) FROM workshops")
    assert before.one("SELECT count(*) FROM listings") == 4


def test_lines_of_before_are_given_their_category_and_region(before: Before) -> None:
    before.upgrade()
    query = """SELECT l.category_id = p.category_id AND l.regional_office = f.regional_office, count(*)
                 FROM order_lines l JOIN products p ON p.id = l.product_id JOIN facilities f ON f.id = l.facility_id
                GROUP BY 1"""
    assert before.all(query) == [(True, before.one("SELECT count(*) FROM order_lines"))]
    with pytest.raises(psycopg.errors.RestrictViolation):
        before.execute("UPDATE order_lines SET regional_office = 'Kanwil lain'")


def test_while_lines_are_filled_in_nothing_else_changes(before: Before) -> None:
    with before.app.app_context():
        upgrade(revision="0002")
    before.execute((MIGRATIONS / "sql" / "0003" / "while_selling" / "1_columns.sql").read_text())
    before.execute("UPDATE order_lines SET category_id = (SELECT min(id) FROM categories), regional_office = 'X'"
        " WHERE id = (SELECT min(id) FROM order_lines)")
    for change in (
        "UPDATE order_lines SET quantity = quantity + 1, category_id = 1, regional_office = 'Y'",
        "UPDATE order_lines SET regional_office = 'Y' WHERE regional_office = 'X'",
        "DELETE FROM order_lines",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            before.execute(change)
    before.upgrade()  # and goes on where it stopped
    assert before.one("SELECT count(*) FROM order_lines WHERE regional_office = 'X'") == 1
    assert before.one("SELECT count(*) FROM order_lines WHERE category_id IS NULL") == 0


def test_the_schema_is_the_same_on_both_ways(before: Before, database: Clone) -> None:
    """Of a database that was full and of an empty one: columns, indexes, triggers and what they call."""
    before.upgrade()
    query = """
        SELECT array_agg(line ORDER BY line) FROM (
            SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable) AS line
              FROM information_schema.columns WHERE table_schema IN ('public', 'reporting')
            UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                         AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c') AND prokind = 'f'
            UNION ALL SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid) FROM pg_constraint
                       WHERE connamespace = 'public'::regnamespace) lines"""
    with psycopg.connect(database.addresses[OWNER]) as connection:
        (expected,) = connection.execute(query).fetchone()  # type: ignore[misc]
    assert before.one(query) == expected


def test_the_shop_of_before_sells_on_until_the_last_step(before: Before) -> None:
    with psycopg.connect(before.addresses[OWNER]) as reader, ThreadPoolExecutor(1) as thread:
        reader.execute("SELECT count(*) FROM refunds")  # somebody reads for long what has to be changed
        upgrading = thread.submit(before.upgrade)
        until(lambda: before.one("SELECT count(*) FROM pg_locks WHERE relation = 'refunds'::regclass AND NOT granted"))
        # All days are filled in by now, and nobody who books waits for the rest.
        assert before.one("SELECT count(*) FROM postings WHERE effective_date IS NULL") == 0
        before.execute(OLD_ENTRY, "payment:between:captured")
        reader.rollback()
        upgrading.result(timeout=60)
    query = """SELECT min(p.effective_date)::text FROM postings p JOIN journal_entries e ON e.id = p.entry_id
                WHERE e.source = 'payment:between:captured'"""
    assert before.one(query) == "2026-01-31"


def test_an_upgrade_that_was_cut_off_goes_on(before: Before) -> None:
    for table in ("postings", "refunds"):
        with psycopg.connect(before.addresses[OWNER]) as reader:
            reader.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            with pytest.raises((psycopg.errors.LockNotAvailable, OperationalError)):
                before.upgrade(lock_timeout="50ms")
            reader.rollback()
        # The shop of before sells as before.
        assert before.one("SELECT version_num FROM alembic_version") == "0001"
        before.execute(OLD_ENTRY, f"payment:{table}:captured")
    before.upgrade()
    assert before.one("SELECT version_num FROM alembic_version") == newest_revision()
    assert before.one("SELECT count(*) FROM postings WHERE effective_date <> '2026-01-31'") > 0
    assert before.one("SELECT count(*) FROM postings WHERE effective_date = '2026-01-31'") == 4


def test_while_days_are_filled_in_nothing_else_changes(before: Before) -> None:
    before.execute((MIGRATIONS / "sql" / "0002" / "while_selling" / "1_column.sql").read_text())
    for change in (
        "UPDATE postings SET amount = amount + 1",
        "UPDATE postings SET account_id = account_id + 1, effective_date = current_date",
        "DELETE FROM postings",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            before.execute(change)
    before.execute("UPDATE postings SET effective_date = '2026-01-01'")
    with pytest.raises(psycopg.errors.RestrictViolation):
        before.execute("UPDATE postings SET effective_date = '2026-01-02'")
    assert before.one("SELECT count(*) FROM postings WHERE effective_date <> '2026-01-01'") == 0


def until(is_so: Callable[[], object], seconds: float = 60) -> None:
    """Return as soon as `is_so`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        pause.wait(0.02)
