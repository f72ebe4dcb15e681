"""Exports made by a job: the same table as the page's download, as of the moment at which it was counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from storefront import sources
from storefront.exports import made_files, written_table
from storefront.exports.datasets import DATASETS, Wish
from storefront.exports.datasets import table as table_of
from storefront.exports.formats import Format
from storefront.exports.from_replica import settled
from storefront.exports.made_files import Made, Seen
from storefront.exports.manifest import demo_note
from storefront.exports.models import MadeFile
from storefront.exports.moment import parse_moment, settle
from storefront.extensions import db
from storefront.snapshot import snapshot


def ask(
    wish: Wish,
    format: Format,
    *,
    as_of: str | None,
    rows: int | None,
    person_id: int,
    title: str,
    by_letter: bool = False,
) -> MadeFile:
    """Have an export made, in the session's transaction; `rows` as counted before, for its progress. Never commits.

    `as_of` in RFC 3339; None: the moment at which it is begun.
    """
    parameters = {"wish": wish.as_json(), "format": format.value, "as_of": as_of, "rows": rows}
    ids = None if wish.facility_ids is None else frozenset(wish.facility_ids)
    kind = f"export_{wish.dataset}"
    return made_files.ask(
        kind, parameters, person_id=person_id, title=title, facility_ids=ids, by_letter=by_letter
    )


def make(draft: Path, parameters: dict[str, Any], seen: Seen) -> Made:
    """Write the export to `draft`. Raises StillWriting, TooManyRows, UnknownColumn."""
    wish, format = Wish.from_json(parameters["wish"]), Format(parameters["format"])

    def write(as_of: datetime) -> Made:
        with snapshot(sources.engine()) as connection:
            made = table_of(connection, wish, as_of)
            counted = _counted(seen, parameters["rows"])
            found = written_table.fill(draft, connection, made, format, note=demo_note(), seen=counted)
        return Made(name=f"{made.name}.{format.ending}", mimetype=format.mimetype, manifest=found)

    moment = parse_moment(parameters["as_of"]) if parameters["as_of"] else None
    if wish.dataset.startswith("audit"):  # who did what is read where it is written
        return write(settle(db.engine, moment))
    return settled(moment, write)


def _counted(seen: Seen, total: int | None) -> Callable[[int], object]:
    """`seen` as a table's writer calls it: with how many rows more."""
    done = 0

    def more(rows: int) -> None:
        nonlocal done
        done += rows
        seen(done, max(done, total or 0))

    return more


for _dataset in DATASETS.values():
    made_files.maker(f"export_{_dataset.name}", _dataset.action)(partial(make))
