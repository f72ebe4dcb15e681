"""Pieces that were left go from the stand towards their store, as one numbered act; a mistake is called back whole.

While they are on the way they lie nowhere and are sold nowhere; `arrive` takes them into the store.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import func, insert, select

from storefront.audit.record import dated_at
from storefront.catalogue.models import Product, Variant
from storefront.errors import DomainError, NotFound
from storefront.exhibitions import arrive
from storefront.exhibitions.arrive import What
from storefront.exhibitions.fairs import PiecesRefused, lock
from storefront.exhibitions.models import Exhibition, ExhibitionReturn, ExhibitionReturnLine
from storefront.exhibitions.numbered import by_key, next_number, pieces_of, write_trail
from storefront.exhibitions.plan import own_variants
from storefront.extensions import db
from storefront.stock import adjust
from storefront.stock.adjust import NotEnoughStock
from storefront.stock.levels import stand_location_id
from storefront.stock.models import MovementReason, StockLevel, StockMovement


class AlreadyHome(DomainError):
    """A return that is to be called back was counted in the store."""

    code, status = "already_home", 409


def left(exhibition_id: int, facility_id: int) -> dict[int, int]:
    """Pieces of the facility that are free at the stand, by variant id."""
    rows = db.session.execute(
        select(StockLevel.variant_id, StockLevel.on_hand - StockLevel.reserved)
        .join(Variant, Variant.id == StockLevel.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(
            StockLevel.location_id == stand_location_id(exhibition_id),
            Product.facility_id == facility_id,
            StockLevel.on_hand > StockLevel.reserved,
        )
    )
    return dict(rows.all())


def give_back(
    exhibition: Exhibition, facility_id: int, pieces: Mapping[int, int], *, key: str, person_id: int
) -> ExhibitionReturn:
    """Take pieces by variant id (at least one, each above 0) off the stand, on their way to the store.

    `key` is the form's: sent twice, it moves once. Raises NotFound for a variant of another facility, and PiecesRefused
    where more is wanted than is free at the stand: then nothing is to be kept.
    """
    lock(exhibition.id, facility_id)
    if (before := by_key(ExhibitionReturn, exhibition.id, facility_id, key)) is not None:
        return before
    own_variants(facility_id, pieces)
    found = ExhibitionReturn(
        exhibition_id=exhibition.id,
        facility_id=facility_id,
        number=next_number(ExhibitionReturn, exhibition.id, facility_id),
        request_key=key,
        packed_by=person_id,
    )
    if (moment := dated_at()) is not None:
        found.packed_at = moment
    db.session.add(found)
    db.session.flush()
    _move(exhibition, found, pieces)
    write_trail("exhibition.returned", found, pieces, person_id)
    return found


def call_back(exhibition: Exhibition, facility_id: int, number: int, *, person_id: int) -> bool:
    """All pieces of a return are at the stand again; False when they already are.

    Raises NotFound, and AlreadyHome when the store has counted them.
    """
    lock(exhibition.id, facility_id)
    found = db.session.get(ExhibitionReturn, (exhibition.id, facility_id, number), populate_existing=True)
    if found is None:
        raise NotFound()
    if found.called_back_at is not None:
        return False
    if arrive.living(What.RETURN, exhibition.id, facility_id, number) is not None:
        raise AlreadyHome(_("Barangnya sudah dihitung di gudang. Batalkan hitungannya dahulu."))
    pieces = pieces_of(ExhibitionReturnLine, exhibition.id, facility_id, number)
    sources = [source(found, id_) for id_ in pieces]
    moved = db.session.scalars(
        select(StockMovement).where(StockMovement.source.in_(sources)).order_by(StockMovement.variant_id)
    ).all()
    for movement in moved:
        adjust.take_back(movement, person_id=person_id, note=movement.note)
    found.called_back_by, found.called_back_at = person_id, dated_at() or db.session.scalar(select(func.now()))
    db.session.flush()
    write_trail("exhibition.return_undone", found, pieces, person_id)
    return True


def source(found: ExhibitionReturn, variant_id: int) -> str:
    """The business key of the movement that takes pieces off the stand."""
    return f"return:{found.exhibition_id}:{found.facility_id}:{found.number}:{variant_id}:out"


def _move(exhibition: Exhibition, found: ExhibitionReturn, pieces: Mapping[int, int]) -> None:
    stand, lines = stand_location_id(exhibition.id), []
    for id_, count in sorted(pieces.items()):
        try:
            adjust.move(
                id_,
                stand,
                -count,
                MovementReason.TRANSFER,
                person_id=found.packed_by,
                note=exhibition.name,
                source=source(found, id_),
            )
        except NotEnoughStock as refusal:
            free = refusal.extra["available"]
            said = _("Di stan hanya %(free)d yang bebas: sisanya terjual atau dipegang pesanan.", free=free)
            raise PiecesRefused({id_: said}) from refusal
        lines.append(
            {
                "exhibition_id": found.exhibition_id,
                "facility_id": found.facility_id,
                "number": found.number,
                "variant_id": id_,
                "pieces": count,
            }
        )
    db.session.execute(insert(ExhibitionReturnLine), lines)
