"""Batches of food in a facility's store: made, counted down, put aside when one is doubted."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.catalogue.models import Product, ProductFood, Variant
from storefront.days import today
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.stock.adjust import move
from storefront.stock.batch_models import Batch, BatchPieces, BatchState
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason, StockLevel

CODE = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,29}")
MOST = 100_000
#: Made so long ago at most, and good for so long at most.
OLDEST, LONGEST = datetime.timedelta(days=366), datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Made:
    """Pieces of a batch as somebody writes them down."""

    sku: str
    code: str
    made_on: datetime.date
    best_before: datetime.date
    pieces: int


@dataclass(frozen=True)
class BatchRow:
    """A variant of a batch, with what became of its pieces."""

    id: int
    product_id: int
    title: str
    slug: str
    variant_id: int
    sku: str
    variant_title: str
    code: str
    made_on: datetime.date
    best_before: datetime.date
    state: str
    made: int
    gone: int
    withdrawn: int
    taken: int
    packed: int

    @property
    def left(self) -> int:
        """Pieces of it that should still lie in the store."""
        return self.made - self.gone - self.withdrawn - self.packed

    @property
    def owed(self) -> int:
        """Put aside, but still promised by the shelf's books."""
        return self.withdrawn - self.taken

    @property
    def is_over(self) -> bool:
        return self.best_before < today()


#: Packed pieces are counted by the rooms above; this room reads their table and knows no more of it.
ROWS = """
SELECT b.id, b.product_id, p.title, p.slug, bp.variant_id, v.sku, v.title AS variant_title, b.code, b.made_on,
       b.best_before, b.state, bp.made, bp.gone, bp.withdrawn, bp.taken,
       COALESCE((SELECT sum(x.pieces) FROM parcel_batches x JOIN order_lines l ON l.id = x.order_line_id
                  WHERE x.batch_id = b.id AND l.variant_id = bp.variant_id), 0)::int AS packed
  FROM batches b
  JOIN batch_pieces bp ON bp.batch_id = b.id
  JOIN variants v ON v.id = bp.variant_id
  JOIN products p ON p.id = b.product_id"""


def food_variants(facility_id: int) -> list[tuple[str, str]]:
    """SKU and name of the facility's food that is kept in stock."""
    found = db.session.execute(
        select(Variant.sku, Product.title, Variant.title)
        .join(Product, Product.id == Variant.product_id)
        .join(ProductFood, ProductFood.product_id == Product.id)
        .where(Product.facility_id == facility_id, Product.status != "archived")
        .where(Variant.is_active, Variant.made_to_order.is_(False))
        .order_by(Product.title, Variant.position, Variant.id)
    )
    return [(sku, f"{title} · {size}" if size else title) for sku, title, size in found]


def of_facility(
    facility_id: int, *, only_open: bool = True, page: int = 1, size: int = 25
) -> tuple[list[BatchRow], int]:
    """Rows of a page and how many there are; `only_open`: what still lies there, or is doubted. Earliest end first."""
    where = "WHERE p.facility_id = :facility"
    narrowed = f"SELECT * FROM ({ROWS} {where}) r"  # noqa: S608 - this file's own pieces
    if only_open:
        narrowed += " WHERE made - gone - withdrawn - packed > 0 OR state = 'held' OR withdrawn > taken"
    known = {"facility": facility_id, "size": size, "skip": (page - 1) * size}
    total = db.session.execute(text(f"SELECT count(*) FROM ({narrowed}) n"), known).scalar_one()  # noqa: S608
    order = "best_before, id, sku" if only_open else "made_on DESC, id DESC, sku"
    rows = db.session.execute(text(f"{narrowed} ORDER BY {order} LIMIT :size OFFSET :skip"), known).mappings()
    return [BatchRow(**row) for row in rows], total


def rows_of(batch_id: int) -> list[BatchRow]:
    """The variants of one batch."""
    found = db.session.execute(text(f"{ROWS} WHERE b.id = :id ORDER BY v.sku"), {"id": batch_id}).mappings()
    return [BatchRow(**row) for row in found]


def open_for(variant_ids: Sequence[int]) -> dict[int, list[BatchRow]]:
    """What there is of some variants that may be packed today, the earliest end first."""
    found = db.session.execute(
        text(f"""{ROWS} WHERE bp.variant_id = ANY(:ids) AND b.state = 'on_sale' AND b.best_before >= :today
                  ORDER BY b.best_before, b.made_on, b.id"""),
        {"ids": list(variant_ids), "today": today()},
    ).mappings()
    rows: dict[int, list[BatchRow]] = {}
    for one in found:
        row = BatchRow(**one)
        if row.left > 0:
            rows.setdefault(row.variant_id, []).append(row)
    return rows


def enter(facility_id: int, made: Made, *, form_key: str, person_id: int) -> Batch:
    """Pieces that were made, moved onto the shelf under their batch; the same form does it once. Never commits.

    Raises Invalid by field: `sku`, `code`, `made_on`, `best_before`, `pieces`.
    """
    variant = _food(facility_id, made.sku)
    errors = _wrong(made)
    if variant is None:
        errors["sku"] = _("Pilih pangan dari daftar.")
    batch = _locked_or_new(variant, made, person_id, errors) if variant and not errors else None
    if errors or batch is None or variant is None:
        raise Invalid(errors)
    source = f"batch:{form_key}"
    note = _("Batch %(code)s", code=batch.code)
    location = store_location_id(facility_id)
    moved = move(
        variant.id, location, made.pieces, MovementReason.MADE, person_id=person_id, note=note, source=source
    )
    if moved:
        pieces = db.session.get(BatchPieces, (batch.id, variant.id), with_for_update=True)
        if pieces is None:
            db.session.add(BatchPieces(batch_id=batch.id, variant_id=variant.id, made=made.pieces))
        else:
            pieces.made += made.pieces
        db.session.flush()
        _note("made", batch, facility_id, person_id, sku=variant.sku, pieces=made.pieces)
    return batch


def write_off(facility_id: int, batch_id: int, sku: str, pieces: int, *, person_id: int) -> None:
    """So many pieces of a batch are gone in all: damaged, given away, sold at a stand. Never commits.

    The shelf's own count is corrected where pieces are counted. Raises NotFound, Invalid (`gone`).
    """
    batch = own(facility_id, batch_id, lock=True)
    row = next((one for one in rows_of(batch.id) if one.sku == sku), None)
    if row is None:
        raise NotFound()
    if not 0 <= pieces <= row.made - row.withdrawn - row.packed:
        most = row.made - row.withdrawn - row.packed
        raise Invalid({"gone": _("Tulis angka dari 0 sampai %(most)d.", most=most)})
    held = db.session.get_one(BatchPieces, (batch.id, row.variant_id), with_for_update=True)
    before, held.gone = held.gone, pieces
    db.session.flush()
    _note("written_off", batch, facility_id, person_id, sku=sku, before=before, after=pieces)


def own(facility_id: int, batch_id: int, *, lock: bool = False) -> Batch:
    """The facility's own batch. Raises NotFound for another's, as if it did not exist."""
    statement = (
        select(Batch)
        .join(Product, Product.id == Batch.product_id)
        .where(Batch.id == batch_id, Product.facility_id == facility_id)
    )
    if lock:
        statement = statement.with_for_update(of=Batch).execution_options(populate_existing=True)
    batch: Batch | None = db.session.scalar(statement)
    if batch is None:
        raise NotFound()
    return batch


def put_aside(batch: Batch, *, person_id: int | None) -> None:
    """What lies there of a batch that is held leaves the shelf, as far as no unpaid order holds it. Never commits."""
    for row in rows_of(batch.id):
        pieces = _pieces(batch, row.variant_id)
        pieces.withdrawn += max(0, row.left)
    db.session.flush()
    take_off(batch, person_id=person_id)


def take_off(batch: Batch, *, person_id: int | None) -> int:
    """Take what is put aside and still counted on the shelf off it, as far as it is free; how many. Never commits."""
    location = _location(batch)
    taken = 0
    for row in rows_of(batch.id):
        free = _free(row.variant_id, location)
        pieces = _pieces(batch, row.variant_id)
        number = min(free, pieces.withdrawn - pieces.taken)
        if number > 0:
            _move(batch, row.variant_id, location, -number, person_id)
            pieces.taken += number
            taken += number
    db.session.flush()
    return taken


def put_back(batch: Batch, *, person_id: int) -> None:
    """Nothing is wrong with it: what was put aside lies on the shelf again. Never commits."""
    location = _location(batch)
    for row in rows_of(batch.id):
        pieces = _pieces(batch, row.variant_id)
        if pieces.taken:
            _move(batch, row.variant_id, location, pieces.taken, person_id)
        pieces.withdrawn = pieces.taken = 0
    db.session.flush()


def take_off_all() -> int:
    """The same for all batches that are held or recalled, as pieces become free; commits after each."""
    waiting = (
        select(Batch.id)
        .join(BatchPieces, BatchPieces.batch_id == Batch.id)
        .where(Batch.state != BatchState.ON_SALE.value, BatchPieces.withdrawn > BatchPieces.taken)
        .distinct()
    )
    taken = 0
    for batch_id in list(db.session.scalars(waiting)):
        batch = db.session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
        if batch is not None and batch.state != BatchState.ON_SALE:
            taken += take_off(batch, person_id=None)
        db.session.commit()
    return taken


def _move(batch: Batch, variant_id: int, location: int, quantity: int, person_id: int | None) -> None:
    """Every such movement has a number of its own, counted per batch and variant."""
    stem = f"recall:{batch.id}:{variant_id}:"
    number = db.session.execute(
        text("SELECT count(*) FROM stock_movements WHERE variant_id = :variant AND source LIKE :stem || '%'"),
        {"variant": variant_id, "stem": stem},
    ).scalar_one()
    reason, note = MovementReason.CORRECTION, _("Batch %(code)s dilepas", code=batch.code)
    if quantity < 0:
        reason, note = MovementReason.DAMAGED, _("Batch %(code)s ditarik", code=batch.code)
    move(variant_id, location, quantity, reason, person_id=person_id, note=note, source=f"{stem}{number + 1}")


def _free(variant_id: int, location: int) -> int:
    level = db.session.scalar(
        select(StockLevel)
        .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return level.on_hand - level.reserved if level else 0


def _pieces(batch: Batch, variant_id: int) -> BatchPieces:
    key = (batch.id, variant_id)
    return db.session.get_one(BatchPieces, key, with_for_update=True, populate_existing=True)


def _location(batch: Batch) -> int:
    """The store that a batch lies in."""
    facility_id = db.session.execute(select(Product.facility_id).where(Product.id == batch.product_id)).scalar_one()
    return store_location_id(facility_id)


def _food(facility_id: int, sku: str) -> Variant | None:
    return db.session.scalar(
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .join(ProductFood, ProductFood.product_id == Product.id)
        .where(Variant.sku == sku, Product.facility_id == facility_id, Variant.made_to_order.is_(False))
    )


def _wrong(made: Made) -> dict[str, str]:
    errors = {}
    if not CODE.fullmatch(made.code):
        errors["code"] = _("Tulis kode batch seperti di kemasannya: huruf besar, angka, titik, atau garis.")
    if not today() - OLDEST <= made.made_on <= today():
        errors["made_on"] = _("Tulis hari dibuatnya, paling lambat hari ini.")
    if not made.made_on <= made.best_before <= made.made_on + LONGEST:
        errors["best_before"] = _("Tulis tanggal kedaluwarsa di kemasannya; tidak boleh sebelum dibuat.")
    if not 1 <= made.pieces <= MOST:
        errors["pieces"] = _("Tulis berapa buah, paling sedikit satu.")
    return errors


def _locked_or_new(variant: Variant, made: Made, person_id: int, errors: dict[str, str]) -> Batch | None:
    """The product's batch of this code; one that says other days, or is doubted, takes no more pieces."""
    db.session.get(Product, variant.product_id, with_for_update={"key_share": True})
    batch = db.session.scalar(
        select(Batch).where(Batch.product_id == variant.product_id, Batch.code == made.code).with_for_update()
    )
    if batch is None:
        batch = Batch(
            product_id=variant.product_id,
            code=made.code,
            made_on=made.made_on,
            best_before=made.best_before,
            created_by=person_id,
        )
        db.session.add(batch)
        db.session.flush()
    elif batch.state != BatchState.ON_SALE:
        errors["code"] = _("Batch ini sedang ditahan atau sudah ditarik. Pakai kode lain.")
    elif (batch.made_on, batch.best_before) != (made.made_on, made.best_before):
        errors["code"] = _("Batch ini sudah dicatat dengan tanggal lain. Samakan tanggalnya, atau pakai kode lain.")
    return batch


def _note(act: str, batch: Batch, facility_id: int, person_id: int | None, **details: object) -> None:
    record(
        f"batch.{act}",
        "batch",
        batch.id,
        person_id=person_id,
        facility_id=facility_id,
        details={"code": batch.code, **details},
    )


def moment() -> datetime.datetime:
    """Now, by the database's clock."""
    now: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return now
