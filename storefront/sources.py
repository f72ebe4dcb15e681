"""Which server a read goes to: the primary, or a replica that may be some seconds behind it.

All goes to the primary unless it runs inside `reading(Source.REPLICA)`. What runs inside `reading()` only reads,
wherever it goes: PostgreSQL refuses a write there, on the primary too, so that a page which may be answered by a
replica one day fails in a test today.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import current_app, g, has_app_context
from flask_sqlalchemy.session import Session

Kept = TypeVar("Kept")


class Source(enum.StrEnum):
    """A server to read from."""

    PRIMARY = "primary"
    REPLICA = "replica"


class SourcedSession(Session):
    """A session whose statements go to the source that `reading()` names."""

    def get_bind(
        self,
        mapper: Any | None = None,
        clause: Any | None = None,
        bind: sa.Engine | sa.Connection | None = None,
        **kwargs: Any,
    ) -> sa.Engine | sa.Connection:
        """The engine for a statement."""
        if bind is None and has_app_context() and (source := g.get("reads_from")) is not None:
            return _reader(source)
        return super().get_bind(mapper=mapper, clause=clause, bind=bind, **kwargs)


@contextmanager
def reading(source: Source | None) -> Iterator[None]:
    """Inside, `db.session` and `engine()` read from `source` and refuse to write; None: as outside of any."""
    before = g.get("reads_from")
    g.reads_from = source
    try:
        yield
    finally:
        g.reads_from = before


def current() -> Source:
    """Where reads go here."""
    return g.get("reads_from") or Source.PRIMARY


def engine() -> sa.Engine:
    """The engine for reads on a connection of one's own, at the source that holds here."""
    source = g.get("reads_from")
    if source is not None:
        return _reader(source)
    found: sa.Engine = current_app.extensions["sqlalchemy"].engine
    return found


def has_replica() -> bool:
    """Whether the shop was given one."""
    return current_app.extensions["settings"].database_replica_url is not None


def kept(name: str, make: Callable[[], Kept]) -> Kept:
    """What this process keeps of the source that holds here, under `name`; made when first asked for.

    Servers are in different states, so what is kept of one says nothing of the other.
    """
    full = name if current() is Source.PRIMARY else f"{name} {current()}"
    found: Kept | None = current_app.extensions.get(full)
    return found if found is not None else current_app.extensions.setdefault(full, make())


def _reader(source: Source) -> sa.Engine:
    readers: dict[Source, sa.Engine] = current_app.extensions.setdefault("readers", {})
    if source not in readers:
        engines = current_app.extensions["sqlalchemy"].engines
        found = engines[None if source is Source.PRIMARY else source.value]
        readers[source] = found.execution_options(postgresql_readonly=True)
    return readers[source]
