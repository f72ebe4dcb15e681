"""Run an import: product by product, each in a transaction with its result, in chunks that end soon.

The rows' outcomes are the memory: whatever is killed, the next job goes on with the first row that has none. The
imports of one facility run one after the other, since its job always takes the one that was begun first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import DataError, IntegrityError

from storefront import crash_points
from storefront.audit.record import record
from storefront.errors import DomainError
from storefront.extensions import db, defer
from storefront.listing_files.judge import judge
from storefront.listing_files.models import ImportState, ListingImport, ListingImportRow
from storefront.listing_files.reading import again, current_of
from storefront.listing_files.rows import FileRow, Plan
from storefront.listing_files.store import Moved, store

log = structlog.get_logger("storefront.listing_files")

#: A job ends after this, so that a worker that is told to stop stops; the next goes on.
SECONDS = 2.0
PRODUCTS_AT_ONCE = 200
#: How often rows are judged again because somebody writes in the same draft.
TRIES = 3


def queue(facility_id: int) -> None:
    """Let the facility's imports go on, in the session's transaction."""
    name = f"listing-import:{facility_id}"
    defer("listing_files.run", facility_id=facility_id, lock=name, queueing_lock=name)


def work_on(facility_id: int, seconds: float = SECONDS) -> None:
    """Go on with the facility's imports for a while; queues itself again when anything is left. Commits."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = db.session.scalar(
            select(ListingImport)
            .where(
                ListingImport.facility_id == facility_id,
                ListingImport.state.in_((ImportState.RUNNING, ImportState.STOPPING)),
            )
            .order_by(ListingImport.begun_at, ListingImport.id)
            .limit(1)
            .execution_options(populate_existing=True)
        )
        if found is None:
            db.session.rollback()
            return
        with force_locale(found.language):
            _chunk(found, ends)
    queue(facility_id)
    db.session.commit()


def _chunk(found: ListingImport, ends: float) -> None:
    waiting = _waiting(found.id)
    if not waiting:
        _finish(found.id)
        return
    keys, import_id = found.layout["columns"], found.id
    rows = {row.row: again(row.cells, keys, row.row) for row in waiting}
    now = current_of(found, list(rows.values()))
    for product, members in groupby(waiting, key=lambda row: row.product):
        kept = list(members)
        if time.monotonic() > ends or not _product(
            import_id, product, kept, [rows[row.row] for row in kept], now
        ):
            return


def _waiting(import_id: int) -> Sequence[Any]:
    """Rows of the next products without an outcome."""
    products = (
        select(ListingImportRow.product)
        .where(ListingImportRow.import_id == import_id, ListingImportRow.outcome.is_(None))
        .order_by(ListingImportRow.product)
        .distinct()
        .limit(PRODUCTS_AT_ONCE)
    )
    columns = (ListingImportRow.row, ListingImportRow.product, ListingImportRow.cells, ListingImportRow.verdict,
               ListingImportRow.faults, ListingImportRow.pictures)  # fmt: skip
    statement = select(*columns).where(
        ListingImportRow.import_id == import_id,
        ListingImportRow.outcome.is_(None),
        ListingImportRow.product.in_(products),
    )
    return db.session.execute(statement.order_by(ListingImportRow.product, ListingImportRow.row)).all()


def _product(import_id: int, product: int, kept: Sequence[Any], rows: list[FileRow], now: Any) -> bool:
    """One product in one transaction; False when the import goes on no further. Commits."""
    found = db.session.execute(
        select(ListingImport)
        .where(ListingImport.id == import_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    if found.state != ImportState.RUNNING:
        _leave(import_id, _("Impor ini dihentikan sebelum sampai ke baris ini."))
        db.session.commit()
        return False
    if not _still_waits(import_id, product):
        db.session.rollback()  # another worker, which had taken this one for dead, was quicker
        return True
    if any(row.verdict == "fault" for row in kept):
        results = [{"outcome": "fault", "faults": row.faults} for row in kept]
    else:
        results = _stored(found, product, rows, now)
    _note(import_id, rows, results)
    crash_points.reach("import.before_commit")
    stops = found.on_fault == "stop" and any(result["outcome"] == "fault" for result in results)
    if stops:
        _leave(
            import_id,
            _("Tidak dijalankan: impor berhenti pada kesalahan di baris %(row)d.", row=rows[0].number),
        )
        _end(found, ImportState.STOPPED)
    db.session.commit()
    crash_points.reach("import.after_commit")
    return not stops


def _still_waits(import_id: int, product: int) -> bool:
    waits = select(ListingImportRow.row).where(
        ListingImportRow.import_id == import_id,
        ListingImportRow.product == product,
        ListingImportRow.outcome.is_(None),
    )
    return db.session.scalar(waits.limit(1)) is not None


def _stored(found: ListingImport, product: int, rows: list[FileRow], now: Any) -> list[dict[str, Any]]:
    """Judge the rows as things are now, and store them."""
    for _try in range(TRIES):
        plan = judge(rows, now)
        if plan.has_fault:
            break
        try:
            with db.session.begin_nested():
                done = store(
                    plan,
                    now,
                    import_id=found.id,
                    form_key=f"{found.form_key[:50]}-{product}",
                    person_id=found.begun_by or found.created_by,
                )
        except Moved:
            rows = _fresh(rows)
            now = current_of(found, rows)
            continue
        except (IntegrityError, DataError) as error:
            # One product that the database refuses must not hold up all others.
            log.error(
                "import row refused by the database", import_id=found.id, product=product, exc_info=error
            )
            _refuse(
                rows,
                _("Karya ini tidak dapat disimpan begini. Periksa isinya, atau tulis lewat halaman karya."),
            )
            break
        except DomainError as refusal:
            told = refusal.extra.get("errors") or {}
            _refuse(rows, "; ".join(str(text) for text in told.values()) or str(refusal.message))
            break
        return [_result(plan, row, done.get(row.number, {})) for row in rows]
    else:
        _refuse(rows, _("Orang lain sedang mengubah karya ini. Unggah baris ini lagi nanti."))
    return [{"outcome": "fault", "faults": row.faults} for row in rows]


def _fresh(rows: list[FileRow]) -> list[FileRow]:
    return [FileRow(row.number, row.cells, row.values) for row in rows]


def _refuse(rows: list[FileRow], sentence: str) -> None:
    for row in rows:
        row.wrong("key", sentence[:500])


def _result(plan: Plan, row: FileRow, done: dict[str, Any]) -> dict[str, Any]:
    acts = plan.is_new or bool(row.changes)
    return {
        "outcome": "stored" if acts else "nothing",
        "done": done,
        "pictures": row.pictures,
        "product_id": plan.product.id if plan.product else None,
        "draft_id": plan.written_to if acts else None,
    }


def _note(import_id: int, rows: Sequence[FileRow], results: Sequence[dict[str, Any]]) -> None:
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


def _leave(import_id: int, sentence: str) -> None:
    """What was not reached is listed with its reason, beside what was wrong before."""
    told = [{"column": "key", "text": sentence}]
    db.session.execute(
        update(ListingImportRow)
        .where(ListingImportRow.import_id == import_id, ListingImportRow.outcome.is_(None))
        .values(outcome="left", faults=ListingImportRow.faults + told)
        .execution_options(synchronize_session=False)
    )


def _finish(import_id: int) -> None:
    """Nothing waits any more. Commits."""
    found = db.session.get_one(ListingImport, import_id, with_for_update=True, populate_existing=True)
    _end(found, ImportState.CANCELLED if found.state == ImportState.STOPPING else ImportState.DONE)
    db.session.commit()


def _end(found: ListingImport, state: ImportState) -> None:
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
