"""The commands: `flask --app wsgi <command>`. Rooms bring their own; this file wires them and serves."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import ModuleType

import click
from flask import Flask
from flask.cli import with_appcontext


def init_app(app: Flask, rooms: Iterable[ModuleType]) -> None:
    """Register our own commands on `app`, and those that stand in the rooms' `commands.py`."""
    for module in [sys.modules[__name__], *rooms]:
        commands = {value for value in vars(module).values() if isinstance(value, click.Command)}
        inner = {
            sub for group in commands if isinstance(group, click.Group) for sub in group.commands.values()
        }
        for command in sorted(commands - inner, key=lambda command: command.name or ""):
            app.cli.add_command(command)


@click.command()
def serve() -> None:
    """Web, worker and (without DATABASE_URL) the database under one parent: what `make run` starts."""
    from storefront import embedded

    embedded.release()  # the parent starts its own
    os.execv(sys.executable, [sys.executable, "-m", "storefront.run"])  # noqa: S606


@click.command()
@with_appcontext
def worker() -> None:
    """Run background jobs until SIGTERM or Ctrl-C."""
    from flask import current_app

    from storefront import worker as jobs_worker

    jobs_worker.run(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database to the newest revision, give the web's role its rights, load places where they are older."""
    import psycopg
    from flask import current_app
    from psycopg.errors import LockNotAvailable
    from sqlalchemy.exc import OperationalError

    from storefront.schema import upgrade

    try:
        upgrade()
    except (LockNotAvailable, OperationalError) as error:
        if not isinstance(getattr(error, "orig", error), LockNotAvailable):
            raise
        raise click.ClickException(
            "A table that has to be changed is in use by a transaction that does not end. Nothing was changed by"
            " this step. Look into pg_stat_activity for what has run for long, then run this again."
        ) from None
    from storefront.shipping import load_places

    with psycopg.connect(current_app.extensions["settings"].database_owner_url) as connection:
        if not load_places.is_current(connection):
            load_places.load(connection)
