"""Databases for tests: one PostgreSQL for the run, one migrated template, a clone for each worker.

Code under test commits for real, in threads and processes of its own, so a rolled-back transaction cannot
separate tests. After each test the tables it touched are put back instead (4–10 ms, where a new clone
takes 30–80 ms and TRUNCATE of all tables 80–215 ms): a table is touched when it holds a row written after
the last cleaning, or another number of rows than the template.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from flask import Flask
from psycopg import sql

from config import Settings
from storefront.embedded import OWNER, SUPERUSER, WEB, Server

TEMPLATE = "storefront_template"
FOLDER = "storefront-tests-"
#: A younger folder may belong to a run that is just starting.
STALE_SECONDS = 600
SECRETS = {"SECRET_KEY": "key-for-tests", "SANDBOX_WEBHOOK_SECRET": "webhook-secret-for-tests"}


def settings_for(addresses: dict[str, str], var_dir: Path, **env: str) -> Settings:
    """Settings of a demo shop on the database at `addresses`; `env` adds or replaces variables."""
    values = {
        "VAR_DIR": str(var_dir),
        "DEMO": "on",
        "DATABASE_URL": addresses[WEB],
        "DATABASE_OWNER_URL": addresses[OWNER],
        "RATE_LIMITS": "off",
        "BASE_URL": "http://localhost",
        **SECRETS,
        **env,
    }
    return Settings.from_env(values)


class TestServer:
    """The PostgreSQL of one test run. `start()` is for whoever leads the run; others connect by `port`."""

    __test__ = False

    def __init__(self, var_dir: Path | None = None, port: int = 0) -> None:
        self.ours = var_dir is None
        self.var_dir = var_dir or Path(tempfile.mkdtemp(prefix=FOLDER))
        self.server = Server(self.var_dir, durable=False)
        self.server.port = port

    def start(self) -> TestServer:
        """Start the server and make the migrated template."""
        sweep()
        self.server.start()
        self.create(TEMPLATE, "template1")
        addresses = self.server.addresses(TEMPLATE)
        from storefront import create_app
        from storefront.schema import upgrade

        app = create_app(settings_for(addresses, self.var_dir))
        with app.app_context():
            upgrade()
            from storefront.extensions import db

            db.engine.dispose()
        return self

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self.server.stop()
        if self.ours:
            shutil.rmtree(self.var_dir, ignore_errors=True)

    def create(self, name: str, template: str) -> None:
        """Make the database `name` as a copy of `template`, replacing an older one."""
        with psycopg.connect(self.server.addresses("postgres")[SUPERUSER], autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy")
            connection.execute(
                create.format(sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER))
            )

    def clone(self, name: str, template: str = TEMPLATE) -> Clone:
        """A database of one's own, as `template` is now."""
        self.create(name, template)
        return Clone(self, name)


def sweep() -> None:
    """Remove the folders of earlier runs that were killed: each holds a database and the demo's pictures."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        try:
            if time.time() - folder.stat().st_mtime < STALE_SECONDS:
                continue
            with (folder / "pg.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # in use, gone already, or somebody else's


def forget_kept(app: Flask) -> None:
    """What an app's process keeps of the database is forgotten: cleaning goes past the triggers that tell it."""
    for kept in ("listing_index", "lost_searches", "operators"):
        app.extensions.pop(kept, None)


class Clone:
    """One database that can be put back to what it was."""

    #: The one that the test at work writes to, if it is put back afterwards.
    in_use: ClassVar[Clone | None] = None

    def __init__(self, server: TestServer, name: str) -> None:
        self.server = server
        self.name = name
        self.addresses = server.server.addresses(name)
        self._connection = psycopg.connect(self.addresses[SUPERUSER], autocommit=True)
        self._connection.execute("SET session_replication_role = replica")
        self._connection.execute("SET lock_timeout = '2s'")
        #: What `tests.replay` keeps: names of copies, by table.
        self.kept: dict[Any, tuple[dict[str, str], Any]] = {}
        self._remember()

    def _remember(self) -> None:
        """Keep a copy of every table that has rows (the seed), and how many rows each table has."""
        query = """SELECT c.oid::regclass::text, c.relname,
                   array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE n.nspname = 'public' AND c.relkind = 'r' GROUP BY c.oid, c.relname"""
        self.tables: dict[str, tuple[int, str, str]] = {}
        self._connection.execute("CREATE SCHEMA pristine")
        for table, name, columns in self._connection.execute(query).fetchall():
            (count,) = self._one(f"SELECT count(*) FROM {table}")
            self.tables[table] = (count, f'pristine."{name}"', ", ".join(columns))
            if count:
                self._connection.execute(f'CREATE TABLE pristine."{name}" AS SELECT * FROM {table}')
        self._mark()
        # One scan of each table; of one that was empty, any row tells. Prepared, this takes 1 ms for 154 tables.
        checks = [
            f"SELECT '{table}' FROM {table} HAVING count(*) <> {count} OR max(xmin::text::bigint) > %(mark)s"
            if count
            else f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})"
            for table, (count, _, _) in self.tables.items()
        ]
        self._touched = " UNION ALL ".join(checks)

    def _mark(self) -> None:
        (self._last,) = self._one("SELECT pg_current_xact_id()::text::bigint")

    def _one(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()

    def touched(self) -> list[str]:
        """Tables that are not as they were."""
        found = self._connection.execute(self._touched, {"mark": self._last}, prepare=True)
        return [table for (table,) in found]

    def copy_touched(self) -> dict[str, str]:
        """Copy the rows of all touched tables; returns each table's copy, for `put_in`."""
        copies: dict[str, str] = {}
        for table in self.touched():
            copies[table] = f"pristine.copy_{len(self.kept)}_{len(copies)}"
            self._connection.execute(f"CREATE TABLE {copies[table]} AS SELECT * FROM {table}")
        return copies

    def put_in(self, copies: dict[str, str]) -> None:
        """Put rows copied earlier into the tables as they were at first."""
        statements = []
        for table, copy in copies.items():
            count, _pristine, columns = self.tables[table]
            if count:
                statements.append(f"DELETE FROM {table}")
            statements.append(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {copy}"
            )
        self._connection.execute(";".join(["BEGIN", *statements, "COMMIT"]))

    def clean(self) -> None:
        """Put every touched table back. A transaction that a test left open is ended."""
        touched = self.touched()
        if not touched:
            return
        self._connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"""
        )
        with self._connection.transaction():
            for table in touched:
                count, pristine, columns = self.tables[table]
                self._connection.execute(f"DELETE FROM {table}")
                if count:
                    self._connection.execute(
                        f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {pristine}"
                    )
        self._mark()

    def keep(self) -> None:
        """What is there now is what is put back from now on."""
        self._connection.execute("DROP SCHEMA pristine CASCADE")
        self.kept.clear()
        self._remember()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


def worker_name() -> str:
    """This xdist worker's name, `main` without xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")
