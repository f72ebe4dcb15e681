"""What became of rows, kept in the transaction that stored them, and how an import ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, func, select, update

from storefront import crash_points
from storefront.audit.record import record
from storefront.extensions import db
from storefront.listing_files.models import ImportState, ListingImport, ListingImportRow
from storefront.listing_files.rows import FileRow, Plan


def locked_import(import_id: int) -> ListingImport:
    """The import, locked, as it is now."""
    return db.session.execute(
        select(ListingImport)
        .where(ListingImport.id == import_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def still_wait(import_id: int, products: Sequence[int]) -> set[int]:
    """Those of the products whose rows have no outcome yet."""
    waits = select(ListingImportRow.product).where(
        ListingImportRow.import_id == import_id,
        ListingImportRow.product.in_(products),
        ListingImportRow.outcome.is_(None),
    )
    return set(db.session.scalars(waits))


def left(import_id: int) -> bool:
    """It was stopped. Commits."""
    leave(import_id, _("Impor ini dihentikan sebelum sampai ke baris ini."))
    db.session.commit()
    return False


def settle(
    found: ListingImport, rows: Sequence[FileRow], results: Sequence[dict[str, Any]], fault: FileRow | None
) -> bool:
    """Keep what became of the rows; `fault` is the row at which the import ends. Commits."""
    if rows:
        note(found.id, rows, results)
    crash_points.reach("import.before_commit")
    if fault is not None:
        row = fault.number
        leave(found.id, _("Tidak dijalankan: impor berhenti pada kesalahan di baris %(row)d.", row=row))
        end_import(found, ImportState.STOPPED)
    db.session.commit()
    crash_points.reach("import.after_commit")
    return fault is None


def result_of(plan: Plan, row: FileRow, done: dict[str, Any]) -> dict[str, Any]:
    acts = plan.is_new or bool(row.changes)
    return {
        "outcome": "stored" if acts else "nothing",
        "done": done,
        "pictures": row.pictures,
        "product_id": plan.product.id if plan.product else None,
        "draft_id": plan.written_to if acts else None,
    }


def faulty(rows: Sequence[FileRow]) -> list[dict[str, Any]]:
    return [{"outcome": "fault", "faults": row.faults} for row in rows]


def note(import_id: int, rows: Sequence[FileRow], results: Sequence[dict[str, Any]]) -> None:
    blank: dict[str, Any] = {"faults": [], "done": {}, "pictures": [], "product_id": None, "draft_id": None}
    statement = (
        update(ListingImportRow.__table__)
        .where(ListingImportRow.import_id == import_id, ListingImportRow.row == bindparam("in_row"))
        .values({name: bindparam(f"new_{name}") for name in ("outcome", *blank)})
    )
    db.session.connection().execute(
        statement,
        [
            {"in_row": row.number, **{f"new_{name}": value for name, value in {**blank, **result}.items()}}
            for row, result in zip(rows, results, strict=True)
        ],
    )


def leave(import_id: int, sentence: str) -> None:
    """What was not reached is listed with its reason, beside what was wrong before."""
    told = [{"column": "key", "text": sentence}]
    db.session.execute(
        update(ListingImportRow)
        .where(ListingImportRow.import_id == import_id, ListingImportRow.outcome.is_(None))
        .values(outcome="left", faults=ListingImportRow.faults + told)
        .execution_options(synchronize_session=False)
    )


def end_import(found: ListingImport, state: ImportState) -> None:
    """The import ends with its counts: each of its rows is in one of them."""
    counted = db.session.execute(
        select(ListingImportRow.outcome, func.count())
        .where(ListingImportRow.import_id == found.id)
        .group_by(ListingImportRow.outcome)
    )
    counts: dict[str | None, int] = dict(counted.all())
    found.stored, found.unchanged = counts.get("stored", 0), counts.get("nothing", 0)
    found.refused = counts.get("fault", 0) + counts.get("left", 0)
    found.state, found.ended_at = state.value, func.now()
    told = {
        "rows": found.rows,
        "stored": found.stored,
        "unchanged": found.unchanged,
        "refused": found.refused,
    }
    record(
        "listing_import.ended",
        "listing_import",
        found.id,
        person_id=found.begun_by,
        facility_id=found.facility_id,
        details={"state": state.value, **told},
    )
