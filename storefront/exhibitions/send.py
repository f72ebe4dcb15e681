"""Pieces go from a facility's store to a fair's stand, as one act; the same act is called back when it was a mistake.

Locks are taken in one order: the facility's part in the fair, then levels in (variant, location) order.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import func, insert, select

from storefront.audit.record import dated_at
from storefront.catalogue.models import Variant
from storefront.days import today
from storefront.errors import DomainError, NotFound
from storefront.exhibitions.fairs import FairEnded, PiecesRefused, When, lock, when
from storefront.exhibitions.models import (
    Exhibition,
    ExhibitionArrival,
    ExhibitionSending,
    ExhibitionSendingLine,
)
from storefront.exhibitions.numbered import by_key, next_number, pieces_of, write_trail
from storefront.exhibitions.plan import own_variants, planned, sent_pieces
from storefront.extensions import db
from storefront.stock import adjust
from storefront.stock.adjust import NotEnoughStock
from storefront.stock.levels import available, stand_location_id, store_location_id
from storefront.stock.models import MovementReason, StockMovement


class GoneFromStand(DomainError):
    """Of a sending that is to be called back, pieces are no longer at the stand: sold, held, or counted there."""

    code, status = "gone_from_stand", 409


def send(
    exhibition: Exhibition, facility_id: int, pieces: Mapping[int, int], *, key: str, person_id: int
) -> ExhibitionSending:
    """Move pieces by variant id (at least one, each above 0) from the store to the stand.

    `key` is the form's: sent twice, it moves once. Raises FairEnded, NotFound for a variant of another facility, and
    PiecesRefused where more is wanted than is planned and not yet sent, or than is free: then nothing is to be kept.
    """
    lock(exhibition.id, facility_id)
    if (before := by_key(ExhibitionSending, exhibition.id, facility_id, key)) is not None:
        return before
    if when(exhibition, today()) is When.PAST:
        raise FairEnded(exhibition.ends_on)
    own_variants(facility_id, pieces)
    _refuse_too_many(exhibition.id, facility_id, pieces)
    sending = ExhibitionSending(
        exhibition_id=exhibition.id,
        facility_id=facility_id,
        number=next_number(ExhibitionSending, exhibition.id, facility_id),
        request_key=key,
        sent_by=person_id,
    )
    if (moment := dated_at()) is not None:
        sending.sent_at = moment
    db.session.add(sending)
    db.session.flush()
    _move(exhibition, sending, pieces)
    write_trail("exhibition.sent", sending, pieces, person_id)
    return sending


def call_back(exhibition: Exhibition, facility_id: int, number: int, *, person_id: int) -> bool:
    """Take all pieces of a sending back into the store; False when they already are.

    Raises NotFound, and GoneFromStand when one of them is no longer at the stand: then nothing is to be kept.
    """
    lock(exhibition.id, facility_id)
    key = (exhibition.id, facility_id, number)
    sending = db.session.get(ExhibitionSending, key, populate_existing=True)
    if sending is None:
        raise NotFound()
    if sending.called_back_at is not None:
        return False
    if _is_counted(exhibition.id, facility_id, number):
        raise GoneFromStand(
            _("Kiriman ini sudah dihitung di stan. Barangnya pulang sebagai pengembalian, bukan dengan dibatalkan.")
        )
    pieces = pieces_of(ExhibitionSendingLine, exhibition.id, facility_id, number)
    sources = [source(sending, id_, way) for id_ in pieces for way in ("out", "in")]
    moved = db.session.scalars(
        select(StockMovement)
        .where(StockMovement.source.in_(sources))
        .order_by(StockMovement.variant_id, StockMovement.location_id)
    ).all()
    for movement in moved:
        _undo(movement, person_id)
    at = dated_at() or db.session.scalar(select(func.now()))
    sending.called_back_by, sending.called_back_at = person_id, at
    db.session.flush()
    write_trail("exhibition.called_back", sending, pieces, person_id)
    return True


def source(sending: ExhibitionSending, variant_id: int, way: str) -> str:
    """The business key of a movement; `way`: `out` of the store or `in` at the stand."""
    return f"sending:{sending.exhibition_id}:{sending.facility_id}:{sending.number}:{variant_id}:{way}"


def _is_counted(exhibition_id: int, facility_id: int, number: int) -> bool:
    arrival = ExhibitionArrival
    counted = select(arrival.id).where(
        arrival.exhibition_id == exhibition_id,
        arrival.facility_id == facility_id,
        arrival.sending_number == number,
        arrival.undone_at.is_(None),
    )
    return db.session.scalar(counted) is not None



def _refuse_too_many(exhibition_id: int, facility_id: int, pieces: Mapping[int, int]) -> None:
    plan, sent = planned(exhibition_id, facility_id), sent_pieces(exhibition_id, facility_id)
    free = available(pieces)
    refused = {}
    for id_, wanted in pieces.items():
        missing = plan.get(id_, 0) - sent.get(id_, 0)
        if wanted > missing:
            refused[id_] = _too_many(plan.get(id_, 0), sent.get(id_, 0))
        elif wanted > free.get(id_, 0):
            refused[id_] = _not_free(free.get(id_, 0))
    if refused:
        raise PiecesRefused(refused)


def _too_many(plan: int, sent: int) -> str:
    if plan <= sent:
        return _(
            "Rencananya %(plan)d dan semuanya sudah dikirim. Kosongkan, atau naikkan rencananya dahulu.",
            plan=plan,
        )
    return _(
        "Rencananya %(plan)d, sudah dikirim %(sent)d: paling banyak %(missing)d lagi. Naikkan rencananya bila perlu.",
        plan=plan,
        sent=sent,
        missing=plan - sent,
    )


def _not_free(free: int) -> str:
    if free <= 0:
        return _("Di gudang sedang tidak ada yang bebas. Kosongkan baris ini.")
    return _("Di gudang hanya %(free)d yang bebas. Kurangi jumlahnya.", free=free)



def _move(exhibition: Exhibition, sending: ExhibitionSending, pieces: Mapping[int, int]) -> None:
    store, stand = store_location_id(sending.facility_id), stand_location_id(exhibition.id)
    lines = []
    for id_, count in sorted(pieces.items()):
        steps = sorted([(store, -count, "out"), (stand, count, "in")])
        for location, quantity, way in steps:
            try:
                adjust.move(
                    id_,
                    location,
                    quantity,
                    MovementReason.TRANSFER,
                    person_id=sending.sent_by,
                    note=exhibition.name,
                    source=source(sending, id_, way),
                )
            except NotEnoughStock as refusal:
                raise PiecesRefused({id_: _not_free(refusal.extra["available"])}) from refusal
        lines.append(
            {
                "exhibition_id": sending.exhibition_id,
                "facility_id": sending.facility_id,
                "number": sending.number,
                "variant_id": id_,
                "pieces": count,
            }
        )
    db.session.execute(insert(ExhibitionSendingLine), lines)


def _undo(movement: StockMovement, person_id: int) -> None:
    try:
        adjust.take_back(movement, person_id=person_id, note=movement.note)
    except NotEnoughStock as refusal:
        sku = db.session.scalar(select(Variant.sku).where(Variant.id == movement.variant_id))
        raise GoneFromStand(
            _(
                "%(sku)s: dari %(sent)d yang dikirim, hanya %(left)d masih bebas di stan. Kiriman yang sebagian isinya "
                "sudah terjual tidak dapat dibatalkan.",
                sku=sku,
                sent=movement.quantity,
                left=refusal.extra["available"],
            )
        ) from refusal
