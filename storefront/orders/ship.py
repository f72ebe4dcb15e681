"""Parcels on their way: packed, shipped or ready, received. Allowed steps stand in `parcel_transitions`."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.integrations import events
from storefront.orders import packed_batches
from storefront.orders.models import Order, Parcel, ParcelState
from storefront.orders.progress import tell_soon

#: Pieces of a parcel that no refund speaks of, and those of which one is still decided.
WITHHELD = text(
    """SELECT (SELECT COALESCE(sum(quantity), 0) FROM parcel_lines WHERE parcel_id = :parcel_id)
               - COALESCE(sum(x.quantity), 0) AS left,
              COALESCE(sum(x.quantity) FILTER (WHERE r.state = 'proposed'), 0) AS undecided
         FROM refund_pieces x JOIN refunds r ON r.id = x.refund_id AND r.state <> 'rejected'
        WHERE x.parcel_id = :parcel_id"""
)


class WrongParcelState(DomainError):
    """The parcel is not where this step begins; somebody else was faster, or a page was old."""

    code, status = "wrong_parcel_state", 409

    def __init__(self) -> None:
        super().__init__(
            _("Kiriman ini sudah berubah sejak halaman dibuka. Muat ulang untuk melihat keadaannya.")
        )


class Withheld(WrongParcelState):
    """A refund speaks of pieces of the parcel; `left` is how many others there are."""

    def __init__(self, left: int) -> None:
        DomainError.__init__(
            self,
            _("Keuangan sedang memutuskan pengembalian untuk sebagian isinya. Pisahkan bagian itu, atau tunggu.")
            if left
            else _("Seluruh isi kiriman ini menunggu keputusan keuangan, jadi belum ada yang dikemas."),
        )


def mark_packed(parcel_id: int, person_id: int) -> Parcel:
    """to_pack → packed; of food, the batches that end first are noted.

    Raises Withheld while it is decided about pieces of it, or when none is left to pack.
    """
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    if parcel.state == ParcelState.TO_PACK:
        _refuse_withheld(parcel_id)
    parcel = _step(parcel_id, ParcelState.PACKED, person_id, stamp="packed_at")
    packed_batches.note_packed(parcel_id, person_id)
    return parcel


def unpack(parcel_id: int, person_id: int) -> Parcel:
    """packed → to_pack, for the usual slip of the finger; never one that was called off."""
    parcel = _step(parcel_id, ParcelState.TO_PACK, person_id, only_from=ParcelState.PACKED)
    packed_batches.forget_packed(parcel_id, person_id)
    return parcel


def mark_shipped(parcel_id: int, courier: str, tracking: str, person_id: int) -> Parcel:
    """packed → shipped, with the courier and the tracking number (may be empty: not every courier has one).

    Raises Invalid without a courier, or for one or a number that is too long.
    """
    courier, tracking = _courier(courier, tracking)
    parcel = _step(
        parcel_id,
        ParcelState.SHIPPED,
        person_id,
        stamp="shipped_at",
        values={"courier": courier, "tracking": tracking or None},
    )
    tell_soon(parcel.order_id)
    # Without the tracking number: couriers show the name of whoever receives it.
    number, code = db.session.execute(
        select(Order.number, Facility.code)
        .join(Parcel, Parcel.order_id == Order.id)
        .join(Facility, Facility.id == Parcel.facility_id)
        .where(Parcel.id == parcel.id)
    ).one()
    told = {"order_number": number, "parcel": parcel.position, "facility": code, "courier": courier}
    assert parcel.shipped_at is not None
    events.tell(events.Kind.PARCEL_SHIPPED, f"parcel:{parcel.id}:shipped", told, parcel.shipped_at)
    return parcel


def correct_tracking(parcel_id: int, courier: str, tracking: str, person_id: int) -> Parcel:
    """Put the courier or the number of a shipped parcel right. Raises Invalid as above, WrongParcelState."""
    courier, tracking = _courier(courier, tracking)
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    if parcel.state != ParcelState.SHIPPED:
        raise WrongParcelState()
    before = {"courier": parcel.courier, "tracking": parcel.tracking}
    after = {"courier": courier, "tracking": tracking or None}
    if before != after:
        parcel.courier, parcel.tracking = courier, tracking or None
        db.session.flush()
        details = {"before": before, "after": after}
        record(
            "parcel.tracking", "parcel", parcel.id, person_id=person_id, facility_id=parcel.facility_id, details=details
        )
    return parcel


def _courier(courier: str, tracking: str) -> tuple[str, str]:
    courier, tracking = courier.strip(), tracking.strip()
    errors = {}
    if not 2 <= len(courier) <= 60:
        errors["courier"] = _("Isi nama kurir, misalnya JNE atau Pos Indonesia.")
    if len(tracking) > 60 or not tracking.isprintable():
        errors["tracking"] = _("Nomor resi paling panjang 60 huruf dan angka.")
    if errors:
        raise Invalid(errors)
    return courier, tracking


def mark_ready(parcel_id: int, person_id: int) -> Parcel:
    """packed → ready, at the facility's gallery or at its fair's stand."""
    parcel = _step(parcel_id, ParcelState.READY, person_id, stamp="shipped_at")
    tell_soon(parcel.order_id)
    return parcel


def mark_received(parcel_id: int, person_id: int | None, *, by_itself: bool = False) -> Parcel:
    """shipped or ready → received; by the shopper (None) or by who handed it over.

    `by_itself`: nobody said so, and the time in which it must have arrived has passed (`receive`).
    """
    parcel = _step(parcel_id, ParcelState.RECEIVED, person_id, stamp="received_at", by_itself=by_itself)
    tell_soon(parcel.order_id)
    return parcel


def _step(
    parcel_id: int,
    to: ParcelState,
    person_id: int | None,
    *,
    stamp: str | None = None,
    values: dict[str, str | None] | None = None,
    only_from: ParcelState | None = None,
    by_itself: bool = False,
) -> Parcel:
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    before = parcel.state
    if not _allowed(before, to) or before != (only_from or before) or (
        (to in (ParcelState.SHIPPED, ParcelState.READY)) and (parcel.is_pickup != (to is ParcelState.READY))
    ):
        raise WrongParcelState()
    if to in (ParcelState.SHIPPED, ParcelState.READY):
        packed_batches.refuse_held(parcel_id)
    for name, value in (values or {}).items():
        setattr(parcel, name, value)
    if stamp:
        setattr(parcel, stamp, db.session.execute(select(func.now())).scalar_one())
    if to is ParcelState.READY and parcel.exhibition_id is not None and parcel.left_at is None:
        parcel.left_at = parcel.shipped_at
    elif to is ParcelState.TO_PACK:
        parcel.left_at = None
    parcel.state = to.value
    if by_itself:
        parcel.received_by_itself = True
    db.session.flush()
    record(
        f"parcel.{to.value}",
        "parcel",
        parcel.id,
        person_id=person_id,
        facility_id=parcel.facility_id,
        details={"from": before, "to": to.value, **(values or {}), **({"by_itself": True} if by_itself else {})},
    )
    return parcel


def _refuse_withheld(parcel_id: int) -> None:
    found = db.session.execute(WITHHELD, {"parcel_id": parcel_id}).one()
    if found.left <= 0 or found.undecided:
        raise Withheld(max(0, found.left))


def _allowed(before: str, to: ParcelState) -> bool:
    found = db.session.execute(
        text("SELECT EXISTS (SELECT FROM parcel_transitions WHERE from_state = :before AND to_state = :to)"),
        {"before": before, "to": to.value},
    )
    return bool(found.scalar_one())
