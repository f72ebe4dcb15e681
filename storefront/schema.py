"""Which revision the database should have, and the rights that the web's role has in it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from flask import current_app
from psycopg import sql

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
REVISION = re.compile(r'^(down_)?revision = "([^"]+)"', re.MULTILINE)


@cache
def newest_revision() -> str:
    """The revision that this code expects: the one that no other migration follows.

    Read from the files themselves, because importing Alembic costs more than a health check may.
    """
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in (MIGRATIONS / "versions").glob("*.py"):
        for down, name in REVISION.findall(file.read_text(encoding="utf-8")):
            (followed if down else revisions).add(name)
    (newest,) = revisions - followed
    return newest


def upgrade(**options: Any) -> None:
    """Bring the app's database to the newest revision, or as `options` of Flask-Migrate's `upgrade` say."""
    # Here alone: Alembic takes ten megabytes of every process that never migrates.
    from flask_migrate import Migrate
    from flask_migrate import upgrade as bring_up

    from storefront.extensions import db

    Migrate(current_app, db, directory=str(MIGRATIONS))
    bring_up(**options)


def is_current(connection: psycopg.Connection) -> bool:
    """Whether the database has every migration."""
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
        return False
    return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest_revision(),)]


def apply_grants(owner_connection: psycopg.Connection, web_role: str) -> None:
    """Give `web_role` what `migrations/sql/grants.sql` lists, in the caller's transaction.

    The owner needs no grants: when the web connects as the owner (a database with one role), nothing is
    done, and only the triggers keep the ledger append-only.
    """
    if owner_connection.info.user == web_role:
        return
    rights = (MIGRATIONS / "sql" / "grants.sql").read_text(encoding="utf-8")
    role = sql.Identifier(web_role).as_string(owner_connection)
    owner_connection.execute(rights.replace("{web}", role).encode())
