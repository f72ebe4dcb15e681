"""Empties the database for a new loading."""

from __future__ import annotations

import sqlalchemy as sa
from flask import current_app

from config import Settings, sqlalchemy_url
from storefront.extensions import db


def is_filled() -> bool:
    """Whether anybody or anything is in the shop beside what the migrations wrote."""
    query = (
        "SELECT EXISTS (SELECT FROM people) OR EXISTS (SELECT FROM facilities) OR EXISTS (SELECT FROM orders)"
    )
    filled = bool(db.session.execute(sa.text(query)).scalar_one())
    db.session.rollback()
    return filled


def reset() -> None:
    """Drop everything and migrate anew.

    The ledger, movements and audit trail refuse to be emptied, and rightly so: a shop is begun anew by
    making its schemas anew, as their owner, and by nothing less. Raises RuntimeError when DEMO is off.
    """
    from storefront.schema import upgrade

    settings: Settings = current_app.extensions["settings"]
    if not settings.demo:
        raise RuntimeError("Only a demo shop is ever emptied.")
    db.session.remove()
    db.engine.dispose()
    engine = sa.create_engine(sqlalchemy_url(settings.database_owner_url or ""), poolclass=sa.NullPool)
    with engine.begin() as connection:
        # Whoever uses the shop meanwhile fails at once instead of holding us up for ever.
        connection.execute(sa.text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(sa.text("DROP SCHEMA IF EXISTS reporting CASCADE"))
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    upgrade()
