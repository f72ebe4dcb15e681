"""Store products of an import with their outcomes: together in one transaction, or each in its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from flask_babel import gettext as _
from sqlalchemy.exc import DataError, IntegrityError

from storefront.errors import DomainError
from storefront.extensions import db
from storefront.listing_files.current import Current
from storefront.listing_files.judge import judge
from storefront.listing_files.models import ImportState, ListingImport
from storefront.listing_files.outcomes import faulty, left, locked_import, result_of, settle, still_wait
from storefront.listing_files.reading import again, current_of
from storefront.listing_files.rows import FileRow, Plan
from storefront.listing_files.store import Moved, store
from storefront.listing_files.together import store_together

log = structlog.get_logger("storefront.listing_files")

#: How often rows are judged again because somebody writes in the same draft.
TRIES = 3


class KeptProduct:
    """The rows of one product, as they are kept and as they are read again."""

    def __init__(self, number: int, kept: Sequence[Any], keys: Sequence[str | None]) -> None:
        self.number, self.kept = number, kept
        self.rows = [again(row.cells, keys, row.row) for row in kept]

    @property
    def is_faulty(self) -> bool:
        """Whether the dry run refused it."""
        return any(row.verdict == "fault" for row in self.kept)

    @property
    def faults(self) -> list[dict[str, Any]]:
        return [{"outcome": "fault", "faults": row.faults} for row in self.kept]


def store_products(import_id: int, products: Sequence[KeptProduct], now: Current) -> bool:
    """Products in one transaction, or each in its own; False when the import goes on no further. Commits."""
    if len(products) > 1:
        try:
            return _together(import_id, products, now)
        except (DomainError, IntegrityError, DataError):
            # One of them cannot be stored as it was judged: by itself it costs no other.
            db.session.rollback()
    for product in products:
        product.rows = _fresh(product.rows)
        if not _product(import_id, product, now):
            return False
    return True


def _together(import_id: int, products: Sequence[KeptProduct], now: Current) -> bool:
    """All in one transaction. Commits. Raises what refuses one of them."""
    found = locked_import(import_id)
    if found.state != ImportState.RUNNING:
        return left(import_id)
    waits = still_wait(import_id, [product.number for product in products])
    plans: list[tuple[str, Plan]] = []
    rows: list[FileRow] = []
    results: list[Any] = []
    fault: KeptProduct | None = None
    for product in (product for product in products if product.number in waits):
        plan = None if product.is_faulty else judge(product.rows, now)
        rows += product.rows
        if plan is None or plan.has_fault:
            results += product.faults if plan is None else faulty(product.rows)
            if found.on_fault == "stop":
                fault = product
                break
        else:
            plans.append((_form_key(found, product), plan))
            results += [plan] * len(product.rows)
    done = store_together(plans, now, import_id=import_id, person_id=found.begun_by or found.created_by)
    told = [
        result_of(result, row, done.get(row.number, {})) if isinstance(result, Plan) else result
        for row, result in zip(rows, results, strict=True)
    ]
    return settle(found, rows, told, fault.rows[0] if fault else None)


def _product(import_id: int, product: KeptProduct, now: Current) -> bool:
    """One product in one transaction; False when the import goes on no further. Commits."""
    found = locked_import(import_id)
    if found.state != ImportState.RUNNING:
        return left(import_id)
    if not still_wait(import_id, [product.number]):
        db.session.rollback()  # another worker, which had taken this one for dead, was quicker
        return True
    results = product.faults if product.is_faulty else _stored(found, product, now)
    stops = found.on_fault == "stop" and any(result["outcome"] == "fault" for result in results)
    return settle(found, product.rows, results, product.rows[0] if stops else None)


def _form_key(found: ListingImport, product: KeptProduct) -> str:
    return f"{found.form_key[:50]}-{product.number}"


def _stored(found: ListingImport, product: KeptProduct, now: Current) -> list[dict[str, Any]]:
    """Judge the rows as things are now, and store them."""
    rows = product.rows
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
                    form_key=_form_key(found, product),
                    person_id=found.begun_by or found.created_by,
                )
        except Moved:
            rows = product.rows = _fresh(rows)
            now = current_of(found, rows)
            continue
        except (IntegrityError, DataError) as error:
            # One product that the database refuses must not hold up all others.
            log.error(
                "import row refused by the database",
                import_id=found.id,
                product=product.number,
                exc_info=error,
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
        return [result_of(plan, row, done.get(row.number, {})) for row in rows]
    else:
        _refuse(rows, _("Orang lain sedang mengubah karya ini. Unggah baris ini lagi nanti."))
    return faulty(rows)


def _fresh(rows: list[FileRow]) -> list[FileRow]:
    return [FileRow(row.number, row.cells, row.values) for row in rows]


def _refuse(rows: list[FileRow], sentence: str) -> None:
    for row in rows:
        row.wrong("key", sentence[:500])
