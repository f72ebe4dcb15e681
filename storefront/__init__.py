"""Karya Binaan: an open storefront for goods made in prison workshops."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from config import Settings, sqlalchemy_url

if TYPE_CHECKING:
    from flask import Flask

PROJECT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """The shop as a WSGI application, wired and ready. Raises `ConfigError` when it must not start."""
    # Imported here, not above: the parent of web and worker imports this package and needs none of it.
    from flask import Flask
    from flask_limiter.constants import ConfigVars
    from flask_login import current_user

    from storefront import (
        assets,
        blueprints,
        cli,
        compression,
        display,
        embedded,
        errors,
        languages,
        logs,
        payments,
        replica,
        sentry,
        start_checks,
        web,
    )
    from storefront.content import operator
    from storefront.extensions import db, limiter, login_manager
    from storefront.sources import Source

    settings = embedded.with_database(settings or Settings.from_env())
    logs.configure()
    start_checks.refuse_missing_packages(settings)
    sentry.configure(settings)
    app = Flask(__name__, template_folder=str(PROJECT / "templates"), static_folder=None)
    app.extensions["settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=sqlalchemy_url(settings.database_url or ""),
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings),
        BABEL_DEFAULT_TIMEZONE="Asia/Jakarta",
    )
    app.config.update(
        {
            ConfigVars.ENABLED: settings.rate_limits,
            ConfigVars.STORAGE_URI: settings.redis_url or "memory://",
            ConfigVars.HEADERS_ENABLED: True,
        }
    )
    if settings.database_replica_url:
        url = sqlalchemy_url(settings.database_replica_url)
        app.config["SQLALCHEMY_BINDS"] = {Source.REPLICA.value: {"url": url, **replica_engine_options(settings)}}
    import_rooms("models")
    for module in ("arrivals", "held_data", "letters", "moderated", "waits"):
        import_rooms(module)
    db.init_app(app)
    # Not init_app(): its hooks would read the session on every page, and remember-cookies are not used.
    app.login_manager = login_manager  # type: ignore[attr-defined]
    app.jinja_env.globals["current_user"] = current_user
    limiter.init_app(app)
    # After-request hooks run last to first: headers and log line come after the compression.
    languages.init_app(app)
    assets.init_app(app, settings.var_dir)
    display.init_app(app, settings)
    operator.init_app(app)
    replica.init_app(app, settings)
    web.init_app(app, settings)
    compression.init_app(app)
    errors.init_app(app)
    payments.init_app(app)
    blueprints.register(app)
    cli.init_app(app, import_rooms("commands"))
    start_checks.init_app(app, settings)
    return app


def engine_options(settings: Settings) -> dict[str, Any]:
    """How the web talks to PostgreSQL: one connection for each blocking thread, checked before use."""
    connect_args: dict[str, Any] = {"connect_timeout": 5, "application_name": "storefront"}
    if settings.behind_pooler:
        connect_args["prepare_threshold"] = None  # a pooler hands each transaction another connection
    return {
        "pool_size": 8,
        "max_overflow": 2,
        "pool_timeout": 5,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "connect_args": connect_args,
    }


def replica_engine_options(settings: Settings) -> dict[str, Any]:
    """The same for the replica; one that vanishes without a word is given up soon, since the primary can answer."""
    options = engine_options(settings)
    options["connect_args"] |= {"connect_timeout": 2, "tcp_user_timeout": 3000}
    return options


def import_rooms(module: str) -> list[ModuleType]:
    """Import `module` (`models`, `letters`, `tasks`, …) of every room that has one."""
    paths = sorted((PROJECT / "storefront").glob(f"*/{module}.py"))
    return [import_module(f"storefront.{path.parent.name}.{module}") for path in paths]
