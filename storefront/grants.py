"""The rights of the web's database role, given anew after every migration."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

RIGHTS = Path(__file__).resolve().parent.parent / "migrations" / "sql" / "grants.sql"


def apply_grants(owner_connection: psycopg.Connection, web_role: str) -> None:
    """Give `web_role` what `migrations/sql/grants.sql` lists, in the caller's transaction.

    The owner needs no grants: when the web connects as the owner (a database with one role), nothing is
    done, and only the triggers keep the ledger append-only.
    """
    if owner_connection.info.user == web_role:
        return
    text = RIGHTS.read_text(encoding="utf-8").replace(
        "{web}", sql.Identifier(web_role).as_string(owner_connection)
    )
    owner_connection.execute(text.encode())
