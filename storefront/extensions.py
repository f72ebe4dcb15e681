"""The parts that the whole house shares: made here, bound to the app in `create_app()`."""

from __future__ import annotations

import datetime
from typing import Any, TypedDict

import sqlalchemy as sa
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from procrastinate import App as Jobs
from procrastinate import PsycopgConnector, SyncPsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.orm import DeclarativeBase, registry

from storefront.sources import SourcedSession


class Base(DeclarativeBase):
    """Base of all models. The schema's truth is `migrations/`; models mirror it."""

    registry = registry(
        type_annotation_map={
            int: sa.BigInteger,
            str: sa.Text,
            datetime.datetime: sa.DateTime(timezone=True),
        }
    )


class JobsConnector(PsycopgConnector):
    """procrastinate's connector, which also lets a task defer within its own session's transaction.

    Once opened for the worker's event loop, the original uses that pool for synchronous calls too, and
    cannot then take a connection of ours. A job is always queued on the session's connection (`defer`), so
    the synchronous side needs no pool of its own.
    """

    def get_sync_connector(self) -> BaseConnector:
        if self._sync_connector is None:
            self._sync_connector = SyncPsycopgConnector()
        return self._sync_connector


db = SQLAlchemy(model_class=Base, session_options={"class_": SourcedSession})
login_manager = LoginManager()
babel = Babel()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, default_limits=[])
#: Background jobs on the same PostgreSQL; the worker gives it its connections.
jobs = Jobs(connector=JobsConnector())


class DeferOptions(TypedDict, total=False):
    """How a job is put in the queue."""

    #: Jobs with the same lock run one after the other.
    lock: str
    #: While a job with the same queueing lock waits, a second is not added.
    queueing_lock: str
    #: Not before this moment.
    schedule_at: datetime.datetime
    #: Higher first; 0 unless told.
    priority: int
    queue: str


def defer(task: str, /, *, options: DeferOptions | None = None, **arguments: Any) -> int | None:
    """Queue the job `task` (its name) in the current session's transaction.

    It runs only if that transaction commits. `lock`, `queueing_lock`, `schedule_at`, `priority` and `queue`
    among the arguments say how; all else is passed to the task and must be JSON. Returns the job's id, or
    None when a job with the same `queueing_lock` waits already.
    """
    how: dict[str, Any] = dict(options or {})
    for name in DeferOptions.__annotations__:
        if name in arguments:
            how[name] = arguments.pop(name)
    # A refused duplicate aborts the statement; the savepoint keeps the caller's transaction usable.
    with db.session.begin_nested() as savepoint:
        connection = db.session.connection().connection.driver_connection
        try:
            return jobs.configure_task(task, connection=connection, **how).defer(**arguments)
        except AlreadyEnqueued:
            savepoint.rollback()
            return None
