"""Some pieces of a parcel go another day: they get a parcel of their own, until it is packed or put back.

The order is locked first, then its parcels by their ids. The database holds that the pieces of all parcels of a line
add up to the line, and that nothing leaves a parcel that is packed.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping

from flask_babel import gettext as _
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.days import today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.mail.owe import owe
from storefront.orders.models import Order, Parcel, ParcelLine, ParcelState, RefundPieces
from storefront.orders.promised import follow
from storefront.orders.ship import WrongParcelState
from storefront.payments.models import Refund

#: A promise reaches no further.
LONGEST = datetime.timedelta(days=365)


class CannotMerge(DomainError):
    """The pieces of a split parcel do not go back into the first one any more."""

    code, status = "cannot_merge", 409
    message = ""


def split_parcel(
    parcel_id: int,
    pieces: Mapping[int, int],
    person_id: int,
    split_key: str,
    *,
    ready_by: datetime.date | None = None,
) -> Parcel:
    """Put `pieces` (by order line) of a parcel to pack into a new one, which is promised for `ready_by`.

    Each of the two is promised for the day of what it holds now, never later than both were; a later `ready_by` is
    told to the buyer. Shipping stays with the first. The same key gives the parcel that it made before. Never commits.
    Raises Invalid (`quantity-<line>`, `pieces`, `ready_by`), WrongParcelState.
    """
    parcel = locked(parcel_id)
    made: Parcel | None = db.session.scalar(select(Parcel).where(Parcel.split_key == split_key))
    if made is not None:
        if made.order_id != parcel.order_id:
            raise NotFound()
        return made
    if parcel.state != ParcelState.TO_PACK or parcel.merged_at is not None:
        raise WrongParcelState()
    wanted, promised = _wanted(parcel, pieces, ready_by), parcel.ready_by
    position = db.session.scalar(select(func.max(Parcel.position)).where(Parcel.order_id == parcel.order_id)) or 0
    later = Parcel(
        order_id=parcel.order_id,
        facility_id=parcel.facility_id,
        position=position + 1,
        method_id=parcel.method_id,
        is_pickup=parcel.is_pickup,
        shipping_amount=0,
        state=ParcelState.TO_PACK.value,
        ready_by=promised,
        days_min=parcel.days_min,
        days_max=parcel.days_max,
        exhibition_id=parcel.exhibition_id,
        split_from=parcel.id,
        split_key=split_key,
    )
    db.session.add(later)
    db.session.flush()
    for line_id, quantity in sorted(wanted.items()):
        _take(parcel.id, line_id, quantity)
        db.session.execute(
            insert(ParcelLine).values(parcel_id=later.id, order_line_id=line_id, quantity=quantity)
        )
    follow(parcel, later, at_latest=promised)
    if ready_by is not None:
        later.ready_by = ready_by
        db.session.flush()
        if promised is not None and ready_by > promised:
            owe("parcel_apart", parcel.order_id, parcel_id=later.id, key=f"parcel:{later.id}:apart")
    days = {"ready_by": str(later.ready_by or ""), "first_ready_by": str(parcel.ready_by or "")}
    details = {"to": later.position, "pieces": sum(wanted.values()), **days}
    _record("parcel.split", parcel, person_id, details)
    _refresh(parcel, later)
    return later


def merge_back(parcel_id: int, person_id: int) -> Parcel:
    """Undo a split while neither part is packed; the parcel that holds the pieces again. Never commits.

    Raises CannotMerge, saying why; done twice, it changes nothing.
    """
    parcel = locked(parcel_id)
    first = _first(parcel)
    if first is None:
        raise CannotMerge(_("Kiriman ini tidak dipisah dari kiriman lain."))
    if parcel.merged_at is not None:
        return first
    if parcel.state != ParcelState.TO_PACK or first.state != ParcelState.TO_PACK:
        raise CannotMerge(
            _("Hanya kiriman yang keduanya belum dikemas dapat digabung lagi. Batalkan dahulu kemasannya.")
        )
    if spoken_of([parcel.id]):
        raise CannotMerge(_("Ada pengembalian dana untuk isi kiriman ini, jadi kirimannya tetap terpisah."))
    lines = db.session.execute(
        select(ParcelLine.order_line_id, ParcelLine.quantity).where(ParcelLine.parcel_id == parcel.id)
    ).all()
    for line_id, quantity in lines:
        _take(parcel.id, line_id, quantity)
        added = upsert(ParcelLine).values(parcel_id=first.id, order_line_id=line_id, quantity=quantity)
        db.session.execute(
            added.on_conflict_do_update(
                index_elements=["parcel_id", "order_line_id"],
                set_={"quantity": ParcelLine.quantity + added.excluded.quantity},
            )
        )
    promised = max((day for day in (first.ready_by, parcel.ready_by) if day is not None), default=None)
    parcel.state = ParcelState.CANCELLED.value
    parcel.merged_at = db.session.execute(select(func.now())).scalar_one()
    db.session.flush()
    follow(first, at_latest=promised)
    details = {"into": first.position, "pieces": sum(quantity for _line, quantity in lines)}
    _record("parcel.merged", parcel, person_id, details)
    _refresh(parcel, first)
    return first


def locked(parcel_id: int) -> Parcel:
    """The parcel, its order locked first and all parcels of the order after it. Raises NotFound."""
    order_id = db.session.scalar(select(Parcel.order_id).where(Parcel.id == parcel_id))
    if order_id is None:
        raise NotFound()
    # As whoever proposes a refund does, so that one who does both need not ask for more.
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    db.session.scalars(
        select(Parcel)
        .where(Parcel.order_id == order_id)
        .order_by(Parcel.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    return db.session.get_one(Parcel, parcel_id)


def spoken_of(parcel_ids: Collection[int]) -> dict[int, int]:
    """Pieces in these parcels that a living refund speaks of, by order line."""
    rows = db.session.execute(
        select(RefundPieces.order_line_id, func.sum(RefundPieces.quantity))
        .join(Refund, Refund.id == RefundPieces.refund_id)
        .where(RefundPieces.parcel_id.in_(parcel_ids), Refund.state.not_in(("rejected", "failed")))
        .group_by(RefundPieces.order_line_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _wanted(parcel: Parcel, pieces: Mapping[int, int], ready_by: datetime.date | None) -> dict[int, int]:
    """What shall go into the new parcel. Raises Invalid."""
    held = {
        row.order_line_id: row.quantity
        for row in db.session.execute(
            select(ParcelLine.order_line_id, ParcelLine.quantity).where(ParcelLine.parcel_id == parcel.id)
        )
    }
    gone = spoken_of([parcel.id])
    wanted = {line_id: quantity for line_id, quantity in pieces.items() if quantity}
    if not wanted.keys() <= held.keys():
        raise NotFound()
    errors = {}
    for line_id, quantity in wanted.items():
        free = held[line_id] - gone.get(line_id, 0)
        if not 0 < quantity <= free:
            errors[f"quantity-{line_id}"] = _("Paling banyak %(left)d buah dari baris ini.", left=free)
    if not wanted:
        errors["pieces"] = _("Tulis berapa buah yang menyusul.")
    elif not errors and sum(wanted.values()) >= sum(held.values()) - sum(gone.values()):
        errors["pieces"] = _(
            "Sisakan setidaknya satu buah di kiriman ini; bila semuanya menyusul, tidak perlu dipisah."
        )
    if ready_by is not None and not today() <= ready_by <= today() + LONGEST:
        errors["ready_by"] = _("Janjikan hari ini atau sesudahnya, paling lama setahun lagi.")
    if errors:
        raise Invalid(errors)
    return wanted


def _take(parcel_id: int, line_id: int, quantity: int) -> None:
    """Take pieces out of a parcel; the row goes with the last one."""
    here = (ParcelLine.parcel_id == parcel_id, ParcelLine.order_line_id == line_id)
    gone = db.session.execute(
        delete(ParcelLine)
        .where(*here, ParcelLine.quantity == quantity)
        .returning(ParcelLine.quantity)
        .execution_options(synchronize_session=False)
    ).all()
    if not gone:
        db.session.execute(
            update(ParcelLine)
            .where(*here, ParcelLine.quantity > quantity)
            .values(quantity=ParcelLine.quantity - quantity)
            .execution_options(synchronize_session=False)
        )


def _first(parcel: Parcel) -> Parcel | None:
    """The parcel that it was split from; where that one went back itself, the one before."""
    found = parcel
    while found.split_from is not None:
        found = db.session.get_one(Parcel, found.split_from)
        if found.merged_at is None:
            return found
    return None


def _refresh(*parcels: Parcel) -> None:
    for parcel in parcels:
        db.session.expire(parcel, ["lines"])


def _record(action: str, parcel: Parcel, person_id: int, details: Mapping[str, object]) -> None:
    facility_id = parcel.facility_id
    record(action, "parcel", parcel.id, person_id=person_id, facility_id=facility_id, details=dict(details))
