"""Which batch of food goes out in which parcel: the one that ends first, unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import RowMapping, delete, select, text

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.orders.batch_models import ParcelBatch
from storefront.orders.models import OrderLine, Parcel, ParcelState
from storefront.stock.batch_models import Batch, BatchPieces, BatchState
from storefront.stock.batches import BatchRow, open_for, rows_of, take_off

#: In these a parcel's batches can still be said otherwise.
CHANGEABLE = (ParcelState.PACKED,)
#: Food in a parcel, as many pieces as go into the box: not those of which a refund speaks, unless it was asked for
#: once the box had left.
LINES = text(
    """
    SELECT l.id, l.variant_id, l.sku, l.title, l.variant_title, pl.quantity - gone.pieces AS quantity
      FROM parcel_lines pl
      JOIN parcels p ON p.id = pl.parcel_id
      JOIN order_lines l ON l.id = pl.order_line_id
      JOIN variants v ON v.id = l.variant_id
      JOIN product_foods f ON f.product_id = v.product_id
     CROSS JOIN LATERAL (
           SELECT COALESCE(sum(x.quantity), 0)::integer AS pieces
             FROM refund_pieces x JOIN refunds r ON r.id = x.refund_id AND r.state <> 'rejected'
            WHERE x.parcel_id = pl.parcel_id AND x.order_line_id = pl.order_line_id
              AND (p.state IN ('to_pack', 'packed') OR p.shipped_at IS NULL OR r.requested_at < p.shipped_at)) gone
     WHERE pl.parcel_id = :parcel AND pl.quantity > gone.pieces AND NOT v.made_to_order ORDER BY l.position"""
)


class HeldBatch(DomainError):
    """Something in the parcel came from a batch that is held or recalled."""

    code, status = "held_batch", 409
    message = _l("Kiriman ini berisi batch yang ditahan atau ditarik. Batalkan kemasannya, lalu pakai batch lain.")


@dataclass(frozen=True)
class FoodLine:
    """Pieces of food in a parcel: what is noted for them, and what else there is."""

    order_line_id: int
    sku: str
    title: str
    quantity: int
    #: Batch id → pieces.
    noted: Mapping[int, int]
    #: Every batch that may be chosen, with what is noted already.
    choices: tuple[BatchRow, ...]

    @property
    def missing(self) -> int:
        """Pieces of which nobody knows the batch."""
        return self.quantity - sum(self.noted.values())


def food_lines(parcel_id: int) -> list[FoodLine]:
    """The food in a parcel; before it is packed `noted` is what packing would note."""
    rows = db.session.execute(LINES, {"parcel": parcel_id}).mappings().all()
    if not rows:
        return []
    noted = _noted(parcel_id)
    state = db.session.scalar(select(Parcel.state).where(Parcel.id == parcel_id))
    there = open_for([row["variant_id"] for row in rows])
    proposed = _proposed(rows, there) if state == ParcelState.TO_PACK else {}
    return [
        FoodLine(
            row["id"],
            row["sku"],
            f"{row['title']} · {row['variant_title']}" if row["variant_title"] else row["title"],
            row["quantity"],
            proposed.get(row["id"], {}) if state == ParcelState.TO_PACK else noted.get(row["id"], {}),
            tuple(_choices(row["variant_id"], there, noted.get(row["id"], {}))),
        )
        for row in rows
    ]


def note_packed(parcel_id: int, person_id: int | None) -> None:
    """Packing notes the batches that end first, as far as there are any. Never commits."""
    rows = db.session.execute(LINES, {"parcel": parcel_id}).mappings().all()
    if not rows:
        return
    variants = sorted({row["variant_id"] for row in rows})
    # Whoever holds one of them at this moment comes first. Two who pack the same thing at once wait for each other,
    # and see what the other took.
    db.session.execute(
        select(Batch.id)
        .join(BatchPieces, BatchPieces.batch_id == Batch.id)
        .where(BatchPieces.variant_id.in_(variants))
        .order_by(Batch.id)
        .with_for_update(read=True, of=Batch)
    )
    db.session.execute(
        select(BatchPieces.batch_id)
        .where(BatchPieces.variant_id.in_(variants))
        .order_by(BatchPieces.batch_id, BatchPieces.variant_id)
        .with_for_update(key_share=True)
    )
    for line_id, batches in _proposed(rows, open_for(variants)).items():
        for batch_id, pieces in batches.items():
            db.session.add(
                ParcelBatch(
                    parcel_id=parcel_id, order_line_id=line_id, batch_id=batch_id, pieces=pieces, noted_by=person_id
                )
            )
    db.session.flush()


def forget_packed(parcel_id: int, person_id: int | None) -> None:
    """Unpacked: its pieces lie in the store again; those of a batch that is doubted are put aside. Never commits."""
    rows = db.session.execute(
        select(ParcelBatch.batch_id, ParcelBatch.pieces, OrderLine.variant_id)
        .join(OrderLine, OrderLine.id == ParcelBatch.order_line_id)
        .where(ParcelBatch.parcel_id == parcel_id)
        .order_by(ParcelBatch.batch_id)
    ).all()
    batches = {
        batch_id: db.session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)
        for batch_id in sorted({row[0] for row in rows})
    }
    db.session.execute(delete(ParcelBatch).where(ParcelBatch.parcel_id == parcel_id))
    for batch_id, pieces, variant_id in rows:
        if batches[batch_id].state != BatchState.ON_SALE:
            held = db.session.get_one(
                BatchPieces, (batch_id, variant_id), with_for_update=True, populate_existing=True
            )
            held.withdrawn += pieces
    db.session.flush()
    for batch in batches.values():
        if batch.state != BatchState.ON_SALE:
            take_off(batch, person_id=person_id)


def change(parcel_id: int, chosen: Mapping[tuple[int, int], int], *, person_id: int) -> None:
    """Say otherwise which batches lie in a packed parcel: (order line, batch) → pieces. Never commits.

    Raises Invalid (`batch:<line>`), and HeldBatch when the parcel is not packed any more.
    """
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    if parcel.state not in CHANGEABLE:
        raise HeldBatch(_("Batch hanya dapat diubah selama kirimannya sudah dikemas dan belum dikirim."))
    lines, errors = food_lines(parcel_id), {}
    for line in lines:
        left = {row.id: row.left + line.noted.get(row.id, 0) for row in line.choices}
        wanted = {batch: pieces for (line_id, batch), pieces in chosen.items() if line_id == line.order_line_id}
        name = f"batch:{line.order_line_id}"
        if sum(wanted.values()) > line.quantity:
            errors[name] = _("Kiriman ini hanya berisi %(pieces)d buah.", pieces=line.quantity)
        elif any(pieces < 0 or pieces > left.get(batch, 0) for batch, pieces in wanted.items() if pieces):
            errors[name] = _("Batch itu tidak punya buah sebanyak itu lagi. Periksa sisanya.")
    if errors:
        raise Invalid(errors)
    before = _noted(parcel_id)
    db.session.execute(delete(ParcelBatch).where(ParcelBatch.parcel_id == parcel_id))
    ids = {line.order_line_id for line in lines}
    for (line_id, batch_id), pieces in sorted(chosen.items()):
        if pieces and line_id in ids:
            row = ParcelBatch(parcel_id=parcel_id, order_line_id=line_id, batch_id=batch_id, pieces=pieces)
            row.noted_by = person_id
            db.session.add(row)
    db.session.flush()
    record(
        "parcel.batches_changed",
        "parcel",
        parcel_id,
        person_id=person_id,
        facility_id=parcel.facility_id,
        details={"before": _plain(before), "after": _plain(_noted(parcel_id))},
    )


def refuse_held(parcel_id: int) -> None:
    """Nothing of a batch that is held or recalled leaves the house. Raises HeldBatch."""
    held = db.session.scalars(
        select(Batch)
        .join(ParcelBatch, ParcelBatch.batch_id == Batch.id)
        .where(ParcelBatch.parcel_id == parcel_id)
        .order_by(Batch.id)
        .with_for_update(read=True, of=Batch)
        .execution_options(populate_existing=True)
    )
    if any(batch.state != BatchState.ON_SALE for batch in held):
        raise HeldBatch()


def _noted(parcel_id: int) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for row in db.session.execute(
        select(ParcelBatch.order_line_id, ParcelBatch.batch_id, ParcelBatch.pieces).where(
            ParcelBatch.parcel_id == parcel_id
        )
    ):
        found.setdefault(row.order_line_id, {})[row.batch_id] = row.pieces
    return found


def _proposed(rows: Sequence[RowMapping], there: Mapping[int, list[BatchRow]]) -> dict[int, dict[int, int]]:
    left = {(row.id, row.variant_id): row.left for of_one in there.values() for row in of_one}
    found: dict[int, dict[int, int]] = {}
    for row in rows:
        wanted = row["quantity"]
        for batch in there.get(row["variant_id"], ()):
            key = (batch.id, batch.variant_id)
            pieces = min(wanted, left[key])
            if pieces > 0:
                found.setdefault(row["id"], {})[batch.id] = pieces
                left[key] -= pieces
                wanted -= pieces
    return found


def _choices(variant_id: int, there: Mapping[int, list[BatchRow]], noted: Mapping[int, int]) -> list[BatchRow]:
    """What may be chosen for a line: what there is, and what is noted though nothing else of it is left."""
    rows = list(there.get(variant_id, ()))
    known = {row.id for row in rows}
    others = [one for batch_id in noted if batch_id not in known for one in rows_of(batch_id)]
    return [*rows, *(one for one in others if one.variant_id == variant_id)]


def _plain(noted: Mapping[int, Mapping[int, int]]) -> dict[str, dict[str, int]]:
    return {str(line): {str(batch): pieces for batch, pieces in of.items()} for line, of in noted.items()}
