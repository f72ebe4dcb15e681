"""One state of the database, for readers that ask many questions of it: exports, checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import click
import psycopg
from psycopg.errors import UndefinedTable
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

#: Name of our connections that only read, so that nobody waits for them.
READER = "storefront reader"
#: Longest that one of their questions, or a pause between two, may take: what reads a million rows, or writes them
#: to somebody on a slow line, takes longer than any page may.
PATIENCE = "15min"


@contextmanager
def snapshot(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """One state of the database, for reading only, however many queries it takes."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        driver = driver_connection(connection)
        driver.execute(
            "SELECT set_config('application_name', %s, true), set_config('statement_timeout', %s, true),"
            " set_config('idle_in_transaction_session_timeout', %s, true)",
            (READER, PATIENCE, PATIENCE),
        )
        yield driver


def driver_connection(connection: Any) -> psycopg.Connection[Any]:
    """The psycopg connection below an SQLAlchemy one; COPY and server-side cursors need it."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


class DatabaseAway(click.ClickException):
    """For commands: what was asked could not be found out, which is neither yes nor no."""

    exit_code = 2


@contextmanager
def database_needed() -> Iterator[None]:
    """Tell whoever runs a command that the database is away or has no tables, instead of showing them our inside."""
    try:
        yield
    except (OperationalError, psycopg.OperationalError) as error:
        said = str(getattr(error, "orig", error)).strip().splitlines()
        raise DatabaseAway(
            f"The database cannot be reached or went away: {said[0] if said else error}"
        ) from None
    except (ProgrammingError, UndefinedTable) as error:
        if not isinstance(getattr(error, "orig", error), UndefinedTable):
            raise
        raise DatabaseAway(
            "The database has not the tables that this needs. Make them first: flask --app wsgi migrate"
        ) from None
