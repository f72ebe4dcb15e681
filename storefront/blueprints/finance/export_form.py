"""What an export page's address asks for: rows, days, filters, and columns in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from storefront.blueprints.finance import steps
from storefront.blueprints.finance.period import Choice, chosen
from storefront.errors import NotFound
from storefront.exports.datasets import (
    CHANNELS,
    DATASETS,
    FILTERS,
    STATES,
    Dataset,
    UnknownColumn,
    Wish,
    chosen_columns,
)
from storefront.extensions import db
from storefront.written import one_line


@dataclass
class Asked:
    """What was asked for, as it stands in the form; `choice.errors` says what is wrong by field."""

    dataset: Dataset
    choice: Choice
    filters: dict[str, str]
    columns: tuple[str, ...]
    #: None while something is wrong.
    wish: Wish | None = None

    @property
    def errors(self) -> dict[str, str]:
        return self.choice.errors

    @property
    def query(self) -> dict[str, str]:
        """The one address of it."""
        found = {"dataset": self.dataset.name, **self.choice.query, **self.filters}
        if self.columns:
            found["columns"] = ",".join(self.columns)
        return {name: value for name, value in found.items() if value}


def readable() -> list[Dataset]:
    """What the reader may export at all."""
    return [one for one in DATASETS.values() if steps.may_somewhere(one.action)]


def asked_for(arguments: MultiDict[str, str]) -> Asked:
    """Read the address. Raises NotFound for rows that the reader may not read."""
    dataset = DATASETS.get(arguments.get("dataset", "sales"))
    if dataset is None or not steps.may_somewhere(dataset.action):
        raise NotFound()
    choice = chosen(arguments)
    filters = {name: one_line(arguments.get(name, ""))[:200] for name in dataset.filters}
    filters = {name: value for name, value in filters.items() if value}
    found = Asked(dataset, choice, filters, _columns(arguments, dataset))
    try:
        chosen_columns(dataset, found.columns)
        if arguments.getlist("col") == [""]:
            raise UnknownColumn()
    except UnknownColumn as error:
        choice.errors["columns"] = str(error.message)
        found.columns = ()
    if choice.selection is None or choice.errors:
        return found
    within, ids = steps.within(dataset.action), choice.selection.facility_ids
    if within is not None:
        ids = tuple(sorted(within if ids is None else within & set(ids)))
        if choice.facility and not ids:
            choice.errors["facility"] = _("UPT dengan kode %(code)s tidak ada.", code=choice.facility)
            return found
    found.wish = Wish(
        dataset.name, choice.selection.first, choice.selection.last, ids, choice.facility, found.filters, found.columns
    )
    return found


def _columns(arguments: MultiDict[str, str], dataset: Dataset) -> tuple[str, ...]:
    """`columns=a,b`, or what is ticked (`col`), by the numbers beside (`at-a`); all in their own order: none named."""
    if "col" not in arguments:
        names = tuple(name for name in arguments.get("columns", "").split(",") if name)
    else:
        known = [column.name for column in dataset.columns]
        ticked = [name for name in known if name in arguments.getlist("col")]  # an empty one is always sent
        place = {name: arguments.get(f"at-{name}", type=float) or float(known.index(name) + 1) for name in ticked}
        names = tuple(sorted(ticked, key=lambda name: (place[name], known.index(name))))
    return () if names == tuple(column.name for column in dataset.columns) else names[:60]


def choices(dataset: Dataset) -> dict[str, list[tuple[str, str]]]:
    """What each filter of the rows may be: values with their words."""
    within = steps.within(dataset.action)
    asked: dict[str, Any] = {"ids": sorted(within or ()), "all": within is None}
    found: dict[str, list[tuple[str, str]]] = {
        "channel": [(name, name) for name in CHANNELS],
        "state": [(name, name) for name in STATES],
    }
    for name, query in _KNOWN.items():
        if name in dataset.filters:
            found[name] = [(value, words) for value, words in db.session.execute(text(query), asked)]
    return {name: found[name] for name in FILTERS if name in dataset.filters}


_KNOWN = {
    "region": """SELECT DISTINCT regional_office, regional_office AS words FROM facilities
                  WHERE :all OR id = ANY (CAST(:ids AS bigint[])) ORDER BY 1""",
    "category": """SELECT c.slug, CASE WHEN p.id IS NULL THEN c.name ELSE p.name || ' – ' || c.name END
                     FROM categories c LEFT JOIN categories p ON p.id = c.parent_id
                    ORDER BY COALESCE(p.name, c.name), p.id NULLS FIRST, c.name""",
    "workshop": """SELECT DISTINCT name, name AS words FROM workshops
                    WHERE :all OR facility_id = ANY (CAST(:ids AS bigint[])) ORDER BY 1""",
    "exhibition": "SELECT slug, name FROM exhibitions ORDER BY starts_on DESC, name",
}
