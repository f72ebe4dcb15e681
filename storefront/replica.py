"""Reads from a replica that may be some seconds behind (`DATABASE_REPLICA_URL`), and when they go to the primary.

A view is marked in one place, by `reads_from_replica` (public pages: by `public_page`, which calls `read` too). All
others never leave the primary. A marked view is answered by the replica unless

- it is down, silent or more than `MOST_BEHIND` seconds behind (`replica_watch.Watch`),
- this browser has changed something, or seen a page of the primary, that the replica does not know yet: a cookie
  holds how far the primary's log had come (`leave_mark`), or
- it has no such page, or fails meanwhile: then the primary is asked instead.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
import structlog
from flask import Flask, Response, current_app, g, has_request_context, request
from psycopg.errors import SerializationFailure
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config import Settings
from storefront import metrics
from storefront.errors import NotFound, Unavailable
from storefront.extensions import db
from storefront.languages import PERSONAL_FACES
from storefront.replica_watch import WRITTEN, Watch
from storefront.sources import Source, reading
from storefront.web import SAFE_METHODS, WITHOUT_COOKIES

log = structlog.get_logger("storefront.replica")

#: How long a browser's mark counts: longer than any replica in use is behind.
MARK_SECONDS = 60
#: Further than any log: for a change of which nobody could say how far the log had come.
FURTHEST = "FFFFFFFF/FFFFFFFF"
LSN = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")

REACHED = "SELECT COALESCE(pg_last_wal_replay_lsn() >= CAST(:mark AS pg_lsn), false)"

Found = TypeVar("Found")
View = TypeVar("View", bound=Callable[..., Any])


class NotReached(Exception):
    """The replica does not know yet what this browser has done or seen."""


def init_app(app: Flask, settings: Settings) -> None:
    """Watch the replica, if the shop has one, and mark the browsers that change something."""
    app.extensions["replica"] = None
    if settings.database_replica_url:
        watched = app.extensions["replica"] = Watch(settings)
        app.after_request(leave_mark)
        with app.app_context():
            event.listen(db.engines[Source.REPLICA.value], "connect", watched.knows)


def watch() -> Watch | None:
    """The watch of this process; None without a replica."""
    found: Watch | None = current_app.extensions["replica"]
    return found


def reads_from_replica(view: View) -> View:
    """The view may be answered by the replica: it only reads, nothing of one person, no stock, no money."""

    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        def read_view() -> Any:
            require_reached()
            return view(*args, **kwargs)

        return read(read_view)

    answer.may_lag = True  # type: ignore[attr-defined]
    return answer  # type: ignore[return-value]


def read(view: Callable[[], Found]) -> Found:
    """`view()`, reading from the replica where that may be, else from the primary; it may be called twice."""
    found = watch()
    if found is not None and found.condition().is_good:
        try:
            with reading(Source.REPLICA):
                answer = view()
            # Not when the request ends: what replays may cut off a transaction that rests, and the page is made.
            _let_go()
            metrics.READS.labels(Source.REPLICA.value).inc()
            return answer
        except (NotReached, NotFound):
            pass  # what it does not know, or does not know yet, the primary may
        except (Unavailable, DBAPIError, PoolTimeout) as error:
            if not is_away(error):
                raise
            if isinstance(error, ProgrammingError):
                log.info("replica does not know these tables yet")
            elif _is_conflict(error):
                log.info("replica had to go on replaying")
            else:
                log.warning("replica failed", error=type(error).__name__)
                found.failed()
        _let_go()
        g.pop("lost_words", None)
    with reading(Source.PRIMARY):
        answer = view()
    metrics.READS.labels(Source.PRIMARY.value).inc()
    return answer


def _let_go() -> None:
    """End the session's transaction at the replica; its connection may be gone already."""
    try:
        db.session.remove()
    except SQLAlchemyError:
        db.session.registry.clear()


def _is_conflict(error: Exception) -> bool:
    """Whether a server that is well gave the question up: rows that it read had to go, as they are gone elsewhere."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, SerializationFailure)


def is_away(error: Exception) -> bool:
    """Whether the primary may do better: the replica is down, had to give the question up to go on replaying, or has
    not replayed a migration yet that the code at hand needs."""
    if isinstance(error, DBAPIError):
        may = (OperationalError, InterfaceError, ProgrammingError)
        return error.connection_invalidated or isinstance(error, may)
    return True


def require_reached() -> None:
    """Ask the server that the session reads from whether it knows what this browser did. Raises NotReached."""
    mark = mark_of_browser()
    if mark is None or g.get("reads_from") is not Source.REPLICA:
        return
    if not db.session.execute(text(REACHED), {"mark": mark}).scalar_one():
        raise NotReached()


def mark_of_browser() -> str | None:
    """How far the primary's log had come when this browser last changed or saw something there; None: long ago.

    Not signed: whoever writes their own sends themselves to the primary, or sees a page some seconds old.
    """
    if not has_request_context():
        return None
    mark = request.cookies.get(_cookie(), "")
    return mark if LSN.fullmatch(mark) else None


def leave_mark(response: Response) -> Response:
    """After a change, and after a page of a personal face: this browser sees nothing older from now on."""
    watched = watch()
    is_change = request.method not in SAFE_METHODS
    if watched is None or response.status_code >= 500 or request.path.startswith(WITHOUT_COOKIES):
        return response
    if not is_change and (request.blueprint not in PERSONAL_FACES or response.cache_control.public):
        return response
    try:
        mark = watched.primary.ask(WRITTEN)[0]
    except (psycopg.Error, Unavailable):
        mark = FURTHEST
    secure = current_app.extensions["settings"].secure
    response.set_cookie(_cookie(), mark, max_age=MARK_SECONDS, path="/", secure=secure, httponly=True, samesite="Lax")
    return response


def _cookie() -> str:
    return "__Host-seen" if current_app.extensions["settings"].secure else "seen"
