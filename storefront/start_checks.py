"""What must be true of this machine and of the database before the shop is opened to the public."""

from __future__ import annotations

from importlib.util import find_spec

import click
import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from config import ConfigError, Settings
from storefront.errors import Unavailable
from storefront.extensions import db

log = structlog.get_logger("storefront.start")
DEMO_ACCOUNTS = text("SELECT email FROM people WHERE is_demo OR email LIKE '%@demo.test' ORDER BY email")


def refuse_missing_packages(settings: Settings) -> None:
    """Raise `ConfigError` naming the setting whose package is not installed."""
    needed = {
        "REDIS_URL": ("redis", bool(settings.redis_url)),
        "MEDIA_URL": ("obstore", (settings.media_url or "").startswith("s3://")),
        "SENTRY_DSN": ("sentry_sdk", bool(settings.sentry_dsn)),
    }
    for setting, (package, is_set) in needed.items():
        if is_set and find_spec(package) is None:
            raise ConfigError(
                f"{setting} needs packages that are not installed here: pip install -r requirements-scale.txt."
            )


def init_app(app: Flask, settings: Settings) -> None:
    """With DEMO off, refuse to serve while demo accounts are in the database. Raises `ConfigError`.

    Commands are let through: one of them may be what puts the database right. When the database is away,
    the check waits for the first request that finds it, and no request is served before.
    """
    if settings.demo or click.get_current_context(silent=True) is not None:
        return
    checked = False

    def check() -> None:
        nonlocal checked
        if not checked:
            refuse_demo_accounts()
            checked = True

    def guard() -> None:
        try:
            check()
        except SQLAlchemyError as error:
            raise Unavailable from error

    with app.app_context():
        try:
            check()
        except DBAPIError as error:
            log.warning(
                "database away at start; demo accounts are looked for later", error=type(error).__name__
            )
            app.before_request(guard)


def refuse_demo_accounts() -> None:
    """Raise `ConfigError` naming every demo account that the database still has."""
    found = list(db.session.execute(DEMO_ACCOUNTS).scalars())
    if found:
        raise ConfigError(
            f"DEMO is off, but the database still has demo accounts, whose password everybody knows:"
            f" {', '.join(found)}. Use a database of your own for production (DATABASE_URL), or set DEMO=on."
        )
