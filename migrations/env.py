"""Runs the migrations as the owner of the tables, then gives the web's role its rights."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from config import Settings, sqlalchemy_url
from storefront.extensions import db
from storefront.schema import apply_grants

#: One migration at a time, whoever starts it: an advisory lock with a number of our own.
MIGRATION_LOCK = 7_304_112_001


def include_object(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    """The tables of the job queue are procrastinate's own, not our models'."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run_migrations() -> None:
    settings: Settings = current_app.extensions["settings"]
    owner, web = settings.database_owner_url, settings.database_url
    assert owner
    assert web
    engine = sa.create_engine(sqlalchemy_url(owner), poolclass=sa.NullPool)
    with engine.connect() as connection:
        # Asked for again and again: who waits within a statement would keep an index from being built beside them.
        lock = sa.text("SELECT pg_try_advisory_lock(:number)")
        while not connection.execute(lock, {"number": MIGRATION_LOCK}).scalar_one():
            connection.rollback()
            time.sleep(0.2)
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_object=include_object,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        # The rights name the tables of the newest revision.
        newest = set(context.script.get_heads())
        if newest == set(context.get_context().get_current_heads()):
            apply_grants(connection.connection.driver_connection, sa.make_url(web).username or "")
        connection.commit()
    engine.dispose()


if context.is_offline_mode():
    raise RuntimeError("Migrations need the database: --sql is not offered.")
run_migrations()
