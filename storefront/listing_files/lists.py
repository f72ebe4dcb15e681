"""Imports as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, case, func, select

from storefront.extensions import db
from storefront.listing_files.models import (
    ENDED,
    UNDER_WAY,
    ImportState,
    ListingImport,
    ListingImportArchive,
    ListingImportRow,
)
from storefront.people.models import Person

IMPORTS_SHOWN = 20
ROWS_SHOWN = 50
VERDICTS = ("new", "change", "same", "fault", "pictures")
OUTCOMES = ("stored", "nothing", "fault", "left", "pictures")


@dataclass(frozen=True)
class Page:
    rows: Sequence[Any]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Counts:
    """Of an import's rows; products are what is stored whole."""

    rows: int = 0
    products: int = 0
    done: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    #: Rows with photos that are missing or bad.
    pictures: int = 0
    #: Rows whose price, stock, lead time or capacity changed at once.
    at_once: int = 0


def history(facility_id: int, page: int) -> Page:
    """The facility's imports, the youngest first."""
    condition = (ListingImport.facility_id == facility_id) & (ListingImport.state != ImportState.DISCARDED)
    total = db.session.scalar(select(func.count()).select_from(ListingImport).where(condition)) or 0
    statement = (
        select(ListingImport, Person.name.label("person_name"))
        .join(Person, Person.id == ListingImport.created_by)
        .where(condition)
        .order_by(ListingImport.id.desc())
    )
    return _page(statement, total, page, IMPORTS_SHOWN)


def counts(import_id: int) -> Counts:
    """What stands in an import now: one statement."""
    of_import = ListingImportRow.import_id == import_id
    rows = db.session.execute(
        select(
            ListingImportRow.verdict,
            ListingImportRow.outcome,
            func.count(),
            func.count(case((ListingImportRow.pictures != [], 1))),
            func.count(case((ListingImportRow.done != {}, 1))),
        )
        .where(of_import)
        .group_by(ListingImportRow.verdict, ListingImportRow.outcome)
    ).all()
    products = (
        db.session.scalar(select(func.count(ListingImportRow.product.distinct())).where(of_import)) or 0
    )
    verdicts: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    for verdict, outcome, number, _pictures, _done in rows:
        verdicts[verdict] = verdicts.get(verdict, 0) + number
        if outcome:
            outcomes[outcome] = outcomes.get(outcome, 0) + number
    return Counts(
        rows=sum(verdicts.values()),
        products=products,
        done=sum(outcomes.values()),
        verdicts=verdicts,
        outcomes=outcomes,
        pictures=sum(row[3] for row in rows),
        at_once=sum(row[4] for row in rows),
    )


def rows(found: ListingImport, wanted: str, page: int) -> Page:
    """Rows of an import by verdict, once it ran by outcome; `pictures`: those with photo faults."""
    conditions = [ListingImportRow.import_id == found.id]
    if wanted == "pictures":
        conditions.append(ListingImportRow.pictures != [])
    elif wanted:
        conditions.append(
            (ListingImportRow.outcome if found.state in ENDED else ListingImportRow.verdict) == wanted
        )
    total = db.session.scalar(select(func.count()).select_from(ListingImportRow).where(*conditions)) or 0
    return _page(
        select(ListingImportRow).where(*conditions).order_by(ListingImportRow.row), total, page, ROWS_SHOWN
    )


def archives(import_id: int) -> Sequence[ListingImportArchive]:
    statement = select(ListingImportArchive).where(ListingImportArchive.import_id == import_id)
    return db.session.scalars(statement.order_by(ListingImportArchive.id)).all()


def is_under_way(found: ListingImport) -> bool:
    return found.state in UNDER_WAY


def ahead(found: ListingImport) -> int:
    """How many imports of the same facility run before this one."""
    earlier = (
        ListingImport.facility_id == found.facility_id,
        ListingImport.state.in_((ImportState.RUNNING, ImportState.STOPPING)),
        ListingImport.begun_at < found.begun_at,
    )
    return db.session.scalar(select(func.count()).select_from(ListingImport).where(*earlier)) or 0


def _page(statement: Any, total: int, page: int, size: int) -> Page:
    pages = max(1, -(-total // size))
    page = min(page, pages)
    found: Sequence[Row[Any]] = db.session.execute(statement.offset((page - 1) * size).limit(size)).all()
    return Page([row[0] if len(row) == 1 else row for row in found], total, page, pages)
