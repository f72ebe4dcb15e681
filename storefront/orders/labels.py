"""Address labels: the one paper with buyers' data. Printed one batch at a time, and every print is kept.

A facility has at most one batch that waits. Its first print closes it; once more needs a reason, and is kept too.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.record import dated_at, record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.form_key import TOO_OLD, is_key
from storefront.orders.label_models import LabelBatch, LabelBatchParcel, LabelPrint
from storefront.orders.models import Order, Parcel, ParcelState
from storefront.orders.parcel_sheet import ParcelSheet, parcel_sheet
from storefront.people.models import Person

SIZES = ("a6", "80", "58")
#: Why a batch is printed once more.
REASONS = ("jammed", "damaged", "lost", "other")
#: Parcels that still need a label.
LABELLED = (ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.READY, ParcelState.SHIPPED)
#: Labels of one batch.
MOST = 100
#: A print that is asked for again with the same form within this time is a retry on a bad line.
RETRY = datetime.timedelta(minutes=5)


class BatchWaits(DomainError):
    """Another batch of the facility is neither printed nor given up."""

    code, status = "batch_waits", 409

    def __init__(self, batch_id: int) -> None:
        self.batch_id = batch_id
        super().__init__(
            _("Cetak atau lepaskan dahulu kumpulan label nomor %(number)d, supaya tidak tertukar.", number=batch_id)
        )


class PrintedBefore(DomainError):
    """Some of the parcels have a label already; whoever means it says so."""

    code, status = "printed_before", 409

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        super().__init__(_("Label kiriman ini sudah pernah dicetak: %(names)s.", names=", ".join(names)))


@dataclass(frozen=True)
class BatchRow:
    """A batch in the list."""

    id: int
    size: str
    made_at: datetime.datetime
    made_by: str
    closed_at: datetime.datetime | None
    parcels: int
    prints: int


@dataclass(frozen=True)
class PrintRow:
    printed_at: datetime.datetime
    printed_by: str
    #: None: the first time.
    reason: str | None


def make_batch(
    facility_id: int,
    parcel_ids: Sequence[int],
    size: str,
    person_id: int,
    request_key: str,
    *,
    again: bool = False,
) -> LabelBatch:
    """Gather parcels of the facility whose labels shall be printed. Never commits.

    `again`: also those that have a label. The same key gives the batch that it made before. Raises Invalid,
    PrintedBefore, BatchWaits.
    """
    # One after the other: of two people at once the second sees the first one's batch.
    db.session.get_one(Facility, facility_id, with_for_update={"key_share": True})
    made: LabelBatch | None = db.session.scalar(
        select(LabelBatch).where(LabelBatch.request_key == request_key, LabelBatch.facility_id == facility_id)
    )
    if made is not None:
        return made
    if not is_key(request_key):
        raise Invalid({"request_key": str(TOO_OLD)})
    if size not in SIZES:
        raise Invalid({"label_size": _("Pilih ukuran label.")})
    waits = db.session.scalar(
        select(LabelBatch.id).where(LabelBatch.facility_id == facility_id, LabelBatch.closed_at.is_(None))
    )
    if waits is not None:
        raise BatchWaits(waits)
    ids = _to_label(facility_id, parcel_ids)
    printed = {} if again else printed_before(ids)
    if printed:
        raise PrintedBefore(sorted(printed.values()))
    batch = LabelBatch(
        facility_id=facility_id, size=size, made_by=person_id, made_at=dated_at() or func.now(), request_key=request_key
    )
    db.session.add(batch)
    db.session.flush()
    db.session.add_all(LabelBatchParcel(batch_id=batch.id, parcel_id=parcel_id) for parcel_id in ids)
    db.session.flush()
    _record("labels.gathered", batch, person_id, {"parcels": ids, "size": size})
    return batch


def _to_label(facility_id: int, parcel_ids: Sequence[int]) -> list[int]:
    ids = list(
        db.session.scalars(
            select(Parcel.id).where(
                Parcel.facility_id == facility_id, Parcel.id.in_(parcel_ids), Parcel.state.in_(LABELLED)
            )
        )
    )
    if not ids:
        raise Invalid({"parcels": _("Centang kiriman yang masih memerlukan label: yang dikemas atau sedang dikirim.")})
    if len(ids) > MOST:
        raise Invalid({"parcels": _("Paling banyak %(most)d label sekali cetak. Persempit saringannya.", most=MOST)})
    return sorted(ids)


def printed_before(parcel_ids: Sequence[int]) -> dict[int, str]:
    """Those of the parcels that have a label already, with their names."""
    rows = db.session.execute(
        select(Parcel.id, Parcel.position, Order.number)
        .join(Order, Order.id == Parcel.order_id)
        .join(LabelBatchParcel, LabelBatchParcel.parcel_id == Parcel.id)
        .join(LabelPrint, LabelPrint.batch_id == LabelBatchParcel.batch_id)
        .where(Parcel.id.in_(parcel_ids))
        .distinct()
    )
    return {row.id: f"{row.number}/{row.position}" for row in rows}


def own_batch(facility_id: int, batch_id: int, *, locked: bool = False) -> LabelBatch:
    """A batch of the facility. Raises NotFound for another's."""
    batch = db.session.get(LabelBatch, batch_id, with_for_update=locked or None, populate_existing=True)
    if batch is None or batch.facility_id != facility_id:
        raise NotFound()
    return batch


def print_batch(facility_id: int, batch_id: int, person_id: int, request_key: str, reason: str = "") -> LabelBatch:
    """Write down that the batch is printed now, by whom, and (not the first time) why. Never commits.

    The same form within some minutes is a retry and is written down once. Raises Invalid, NotFound.
    """
    batch = own_batch(facility_id, batch_id, locked=True)
    now: datetime.datetime = dated_at() or db.session.execute(select(func.now())).scalar_one()
    made = db.session.scalar(select(LabelPrint).where(LabelPrint.request_key == request_key))
    if made is not None and (made.batch_id, made.printed_by) == (batch.id, person_id):
        if now - made.printed_at < RETRY:
            return batch
        raise Invalid({"reason": _("Label ini sudah dicetak. Pilih mengapa dicetak sekali lagi.")})
    if made is not None or not is_key(request_key):
        raise Invalid({"request_key": str(TOO_OLD)})
    is_first = db.session.scalar(select(LabelPrint.id).where(LabelPrint.batch_id == batch.id).limit(1)) is None
    if not is_first and reason not in REASONS:
        raise Invalid({"reason": _("Pilih mengapa dicetak sekali lagi.")})
    if is_first and batch.closed_at is not None:
        raise Invalid({"batch": _("Kumpulan label ini sudah dilepaskan. Buat yang baru dari daftar kiriman.")})
    why = None if is_first else reason
    db.session.add(
        LabelPrint(batch_id=batch.id, printed_by=person_id, printed_at=now, reason=why, request_key=request_key)
    )
    batch.closed_at = batch.closed_at or now
    db.session.flush()
    details = {"parcels": parcel_ids(batch.id), "reason": why}
    _record("labels.printed", batch, person_id, details)
    return batch


def give_up(facility_id: int, batch_id: int, person_id: int) -> LabelBatch:
    """A batch that was not printed is let go; nothing of it was on paper. Never commits."""
    batch = own_batch(facility_id, batch_id, locked=True)
    if batch.closed_at is None:
        batch.closed_at = db.session.execute(select(func.now())).scalar_one()
        db.session.flush()
        _record("labels.given_up", batch, person_id, {})
    return batch


def parcel_ids(batch_id: int) -> list[int]:
    """The parcels of a batch."""
    query = select(LabelBatchParcel.parcel_id).where(LabelBatchParcel.batch_id == batch_id)
    return list(db.session.scalars(query.order_by(LabelBatchParcel.parcel_id)))


def sheets(facility_id: int, batch_id: int, *, with_buyer: bool) -> list[ParcelSheet]:
    """The parcels of a batch as they are now. A buyer is missing where the parcel does not need one any more."""
    found = (parcel_sheet(facility_id, parcel_id, with_buyer=with_buyer) for parcel_id in parcel_ids(batch_id))
    return [sheet for sheet in found if sheet is not None]


def prints(batch_id: int) -> list[PrintRow]:
    """Each time that a batch was printed, the first on top."""
    rows = db.session.execute(
        select(LabelPrint.printed_at, Person.name, LabelPrint.reason)
        .join(Person, Person.id == LabelPrint.printed_by)
        .where(LabelPrint.batch_id == batch_id)
        .order_by(LabelPrint.id)
    )
    return [PrintRow(*row) for row in rows]


def batches(facility_id: int, page: int, size: int = 25) -> tuple[list[BatchRow], int]:
    """A page of the facility's batches, the youngest first, and how many pages there are."""
    total = db.session.scalar(select(func.count(LabelBatch.id)).where(LabelBatch.facility_id == facility_id)) or 0
    parcels = select(func.count()).where(LabelBatchParcel.batch_id == LabelBatch.id).scalar_subquery()
    printed = select(func.count()).where(LabelPrint.batch_id == LabelBatch.id).scalar_subquery()
    rows = db.session.execute(
        select(
            LabelBatch.id, LabelBatch.size, LabelBatch.made_at, Person.name, LabelBatch.closed_at, parcels, printed
        )
        .join(Person, Person.id == LabelBatch.made_by)
        .where(LabelBatch.facility_id == facility_id)
        .order_by(LabelBatch.id.desc())
        .offset((page - 1) * size)
        .limit(size)
    )
    return [BatchRow(*row) for row in rows], max(1, -(-total // size))


def _record(action: str, batch: LabelBatch, person_id: int, details: Mapping[str, object]) -> None:
    facility_id = batch.facility_id
    record(action, "label_batch", batch.id, person_id=person_id, facility_id=facility_id, details=dict(details))
