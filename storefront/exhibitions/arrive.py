"""Somebody counts what arrived: of a sending at the stand, of a return in the store. What differs is a movement.

A sending lies at the stand from the moment it was sent, so only differences move there. A return lies nowhere while it
is on the way: its pieces come into the store here. Locks are taken as in `send`: the facility's part in the fair first.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, insert, select
from sqlalchemy.orm import InstrumentedAttribute

from storefront.audit.record import dated_at, record
from storefront.catalogue.models import Variant
from storefront.errors import DomainError, NotFound
from storefront.exhibitions.fairs import PiecesRefused, lock
from storefront.exhibitions.models import (
    Exhibition,
    ExhibitionArrival,
    ExhibitionArrivalLine,
    ExhibitionReturn,
    ExhibitionReturnLine,
    ExhibitionSending,
    ExhibitionSendingLine,
)
from storefront.exhibitions.numbered import pieces_of
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.notices.tell import tell
from storefront.stock import adjust
from storefront.stock.adjust import NotEnoughStock
from storefront.stock.levels import stand_location_id, store_location_id
from storefront.stock.models import MovementReason, StockMovement

#: Most pieces of one variant that may arrive; the table says the same.
MOST = 10_000


class What(enum.StrEnum):
    """What is on the way."""

    SENDING = "sending"
    RETURN = "return"


class Why(enum.StrEnum):
    """Why other pieces arrived than were on the way."""

    MISSING = "missing"
    DAMAGED = "damaged"
    EXTRA = "extra"


class NotOnTheWay(DomainError):
    """It was called back, or somebody has counted it already."""

    code, status = "not_on_the_way", 409


@dataclass(frozen=True)
class Counted:
    """What somebody counted of one variant."""

    arrived: int
    #: `missing` or `damaged` where fewer arrived; else not asked for.
    why: str = ""


def arrive(
    what: What,
    exhibition: Exhibition,
    facility_id: int,
    number: int,
    counted: Mapping[int, Counted],
    *,
    person_id: int,
) -> ExhibitionArrival:
    """Write down what arrived of a sending or a return, by variant id: each of its variants has to be there.

    Counted twice with the same numbers it is once. Raises NotFound, NotOnTheWay, and PiecesRefused where fewer arrived
    without a reason or than were sold since: then nothing is to be kept.
    """
    lock(exhibition.id, facility_id)
    pieces = _pieces_on_the_way(what, exhibition.id, facility_id, number)
    if set(counted) != set(pieces):
        raise NotFound()
    if (before := living(what, exhibition.id, facility_id, number)) is not None:
        if _lines_of(before.id) == {id_: one.arrived for id_, one in counted.items()}:
            return before
        raise NotOnTheWay(_("Rekan Anda sudah menghitung ini. Batalkan hitungannya dahulu bila ada yang keliru."))
    _refuse_unclear(pieces, counted)
    arrival = ExhibitionArrival(
        exhibition_id=exhibition.id, facility_id=facility_id, counted_by=person_id, **{f"{what}_number": number}
    )
    if (moment := dated_at()) is not None:
        arrival.counted_at = moment
    db.session.add(arrival)
    db.session.flush()
    place = stand_location_id(exhibition.id) if what is What.SENDING else store_location_id(facility_id)
    rows = []
    for id_, count in sorted(pieces.items()):
        one = counted[id_]
        why = _why(count, one)
        if what is What.RETURN:
            _move(arrival, id_, place, count, MovementReason.TRANSFER, "in", exhibition.name)
        reason = MovementReason.DAMAGED if why == Why.DAMAGED else MovementReason.CORRECTION
        _move(arrival, id_, place, one.arrived - count, reason, "difference", exhibition.name)
        rows.append(
            {"arrival_id": arrival.id, "variant_id": id_, "pieces": count, "arrived": one.arrived, "reason": why}
        )
    db.session.execute(insert(ExhibitionArrivalLine), rows)
    _told("exhibition.received", arrival, number, person_id)
    if what is What.SENDING and any(row["reason"] for row in rows):
        _tell_facility(exhibition, facility_id, number, arrival.id)
    return arrival


def undo(arrival_id: int, exhibition: Exhibition, *, facility_id: int | None, person_id: int) -> bool:
    """Take back what was counted, as if nobody had; False when somebody did. `facility_id`: whose it must be.

    Raises NotFound, and NotOnTheWay when a piece of it was sold or sent since: then nothing is to be kept.
    """
    found = db.session.get(ExhibitionArrival, arrival_id)
    if found is None or found.exhibition_id != exhibition.id or facility_id not in (None, found.facility_id):
        raise NotFound()
    lock(exhibition.id, found.facility_id)
    db.session.refresh(found)
    if found.undone_at is not None:
        return False
    moved = db.session.scalars(
        select(StockMovement)
        .where(StockMovement.source.like(f"arrival:{arrival_id}:%"))
        # What came goes first where a difference took of it.
        .order_by(StockMovement.variant_id, StockMovement.quantity)
    ).all()
    for movement in moved:
        try:
            adjust.take_back(movement, person_id=person_id, note=movement.note)
        except NotEnoughStock as refusal:
            sku = db.session.scalar(select(Variant.sku).where(Variant.id == movement.variant_id))
            said = _("%(sku)s: yang tiba sudah terjual atau dikirim lagi, jadi hitungannya tetap.", sku=sku)
            raise NotOnTheWay(said) from refusal
    found.undone_by, found.undone_at = person_id, dated_at() or db.session.scalar(select(func.now()))
    db.session.flush()
    _told("exhibition.count_undone", found, found.sending_number or found.return_number or 0, person_id)
    return True


def living(what: What, exhibition_id: int, facility_id: int, number: int) -> ExhibitionArrival | None:
    """What was counted of it and not undone."""
    column: InstrumentedAttribute[int | None] = getattr(ExhibitionArrival, f"{what}_number")
    found: ExhibitionArrival | None = db.session.scalar(
        select(ExhibitionArrival).where(
            ExhibitionArrival.exhibition_id == exhibition_id,
            ExhibitionArrival.facility_id == facility_id,
            column == number,
            ExhibitionArrival.undone_at.is_(None),
        )
    )
    return found


def _pieces_on_the_way(what: What, exhibition_id: int, facility_id: int, number: int) -> dict[int, int]:
    line = ExhibitionSendingLine if what is What.SENDING else ExhibitionReturnLine
    key = (exhibition_id, facility_id, number)
    found: ExhibitionSending | ExhibitionReturn | None
    if what is What.SENDING:
        found = db.session.get(ExhibitionSending, key, populate_existing=True)
    else:
        found = db.session.get(ExhibitionReturn, key, populate_existing=True)
    if found is None:
        raise NotFound()
    if found.called_back_at is not None:
        raise NotOnTheWay(_("Pengiriman ini sudah dibatalkan: tidak ada yang dihitung."))
    return pieces_of(line, exhibition_id, facility_id, number)


def _refuse_unclear(pieces: Mapping[int, int], counted: Mapping[int, Counted]) -> None:
    refused = {}
    for id_, count in pieces.items():
        one = counted[id_]
        if not 0 <= one.arrived <= MOST:
            refused[id_] = _("Tulis angka dari 0 sampai %(most)d.", most=MOST)
        elif one.arrived < count and one.why not in (Why.MISSING, Why.DAMAGED):
            refused[id_] = _("Tiba %(arrived)d dari %(sent)d. Pilih alasannya: tidak ada, atau rusak.",
                             arrived=one.arrived, sent=count)  # fmt: skip
    if refused:
        raise PiecesRefused(refused)


def _why(count: int, one: Counted) -> str:
    if one.arrived == count:
        return ""
    return one.why if one.arrived < count else Why.EXTRA


def _move(
    arrival: ExhibitionArrival,
    variant_id: int,
    place: int,
    quantity: int,
    reason: MovementReason,
    step: str,
    note: str,
) -> None:
    try:
        adjust.move(
            variant_id,
            place,
            quantity,
            reason,
            person_id=arrival.counted_by,
            note=note,
            source=f"arrival:{arrival.id}:{variant_id}:{step}",
        )
    except NotEnoughStock as refusal:
        free = refusal.extra["available"]
        said = _("Hanya %(free)d yang masih bebas: sisanya sudah terjual, jadi lebih banyak yang tiba.", free=free)
        raise PiecesRefused({variant_id: said}) from refusal


def _lines_of(arrival_id: int) -> dict[int, int]:
    line = ExhibitionArrivalLine
    rows = db.session.execute(select(line.variant_id, line.arrived).where(line.arrival_id == arrival_id))
    return dict(rows.all())


def _tell_facility(exhibition: Exhibition, facility_id: int, number: int, arrival_id: int) -> None:
    code = db.session.scalar(select(Facility.code).where(Facility.id == facility_id))
    about = _("%(fair)s, pengiriman nomor %(number)d", fair=exhibition.name, number=number)
    path = f"/seller/{code}/exhibitions/{exhibition.slug}"
    tell(facility_id, "stand", f"exhibition_arrival:{arrival_id}", about=about, path=path)


def _told(action: str, arrival: ExhibitionArrival, number: int, person_id: int) -> None:
    rows = db.session.execute(
        select(Variant.sku, ExhibitionArrivalLine.pieces, ExhibitionArrivalLine.arrived)
        .join(Variant, Variant.id == ExhibitionArrivalLine.variant_id)
        .where(ExhibitionArrivalLine.arrival_id == arrival.id)
    )
    record(
        action,
        "exhibition",
        arrival.exhibition_id,
        person_id=person_id,
        facility_id=arrival.facility_id,
        details={
            "what": "sending" if arrival.sending_number else "return",
            "number": number,
            "pieces": {sku: [pieces, arrived] for sku, pieces, arrived in rows},
        },
    )
