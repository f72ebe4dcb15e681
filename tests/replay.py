"""Rows that many tests begin with, built by the shop's own rules once and then copied.

`@replayed` on a function that fills an empty database and commits: on its first call in a worker it runs, and the
rows it has left are kept; on later calls they are put in as they were, ids and moments too. That takes a tenth of the
time. Whenever the database is not empty before, the function simply runs.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import inspect, text
from sqlalchemy.exc import NoInspectionAvailable

from storefront import days
from storefront.extensions import db
from tests.clones import Clone

P = ParamSpec("P")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class _Row:
    """An entity of any session."""

    model: type
    identity: tuple[Any, ...]


def replayed(build: Callable[P, T]) -> Callable[P, T]:
    """`build` returns ids, entities, or dataclasses, lists and dicts of them."""

    @functools.wraps(build)
    def opened(*args: P.args, **kwargs: P.kwargs) -> T:
        clone = Clone.in_use
        if clone is None or not _nothing_is_written(clone):
            return build(*args, **kwargs)
        # By day, and by the day that a test pretends.
        key = (build.__module__, build.__qualname__, args, tuple(sorted(kwargs.items())), days.today())
        if key not in clone.kept:
            made = build(*args, **kwargs)
            db.session.commit()
            clone.kept[key] = (clone.copy_touched(), _without_session(made))
            return made
        rows, made = clone.kept[key]
        db.session.commit()  # begin anew: what is put in must be seen
        clone.put_in(rows)
        return _in_session(made)

    return opened


def _nothing_is_written(clone: Clone) -> bool:
    """Whether the session is on this database, has written nothing, and nobody else has."""
    session = db.session()
    if session.new or session.dirty or session.deleted:
        return False
    name, wrote = session.execute(
        text("SELECT current_database(), pg_current_xact_id_if_assigned() IS NOT NULL")
    ).one()
    return name == clone.name and not wrote and not clone.touched()


def _without_session(made: Any) -> Any:
    def leaf(value: Any) -> Any:
        try:
            state = inspect(value)
        except NoInspectionAvailable:
            return value
        return _Row(state.class_, state.identity)

    return _walk(made, leaf)


def _in_session(kept: Any) -> Any:
    return _walk(kept, lambda x: db.session.get_one(x.model, x.identity) if isinstance(x, _Row) else x)


def _walk(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """`value` with everything in it given to `leaf`."""
    if isinstance(value, _Row):
        return leaf(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return type(value)(**{name: _walk(getattr(value, name), leaf) for name in fields})
    if isinstance(value, dict):
        return {key: _walk(item, leaf) for key, item in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(_walk(item, leaf) for item in value)
    return value if value is None or isinstance(value, str | int) else leaf(value)
