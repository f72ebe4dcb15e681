"""What a facility offers: who carries its parcels, and from when on it bears the delivery itself.

A coordinator decides both for their own facility, since it is the facility that pays the courier. Both count from
the next quote on; an order that was placed keeps what it was quoted.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, or_, select

from storefront.days import today
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.models import FacilityCourier, FreeShipping, ShippingMethod
from storefront.shipping.quote import REACHES

LONGEST_COURIER = 60
#: Rupiah; the database checks the same.
MOST = 1_000_000_000


@dataclass(frozen=True)
class OfferedMethod:
    """A delivery, whether the facility offers it, and who carries it."""

    method: ShippingMethod
    is_offered: bool
    courier: str


def methods(facility_id: int) -> list[OfferedMethod]:
    """Every delivery of the shop, and what the facility makes of it."""
    own = dict(
        db.session.execute(
            select(FacilityCourier.method_id, FacilityCourier.courier).where(
                FacilityCourier.facility_id == facility_id
            )
        ).all()
    )
    rows = db.session.scalars(
        select(ShippingMethod)
        .where(ShippingMethod.is_active, ShippingMethod.kind == "delivery")
        .order_by(ShippingMethod.position)
    )
    return [OfferedMethod(row, row.id in own if own else row.is_default, own.get(row.id, "")) for row in rows]


def offer(facility_id: int, couriers: Mapping[str, str]) -> None:
    """Have the facility offer exactly the deliveries of `couriers` (method code → who carries it, may be empty).

    Raises `Invalid` for none at all, an unknown one, and a name that is too long.
    """
    if not couriers:
        raise Invalid({"methods": _("Pilih paling sedikit satu cara kirim.")})
    known = {each.method.code: each.method.id for each in methods(facility_id)}
    wrong = {f"courier-{code}": _("Cara kirim ini tidak ada.") for code in couriers if code not in known}
    wrong |= {
        f"courier-{code}": _("Nama kurir paling panjang 60 huruf.")
        for code, courier in couriers.items()
        if len(courier) > LONGEST_COURIER
    }
    if wrong:
        raise Invalid(wrong)
    _lock(facility_id)
    db.session.execute(delete(FacilityCourier).where(FacilityCourier.facility_id == facility_id))
    for code, courier in couriers.items():
        db.session.add(FacilityCourier(facility_id=facility_id, method_id=known[code], courier=courier))
    db.session.flush()


def free_offers(facility_id: int) -> Sequence[FreeShipping]:
    """What the facility bears, or will, or did: the latest first."""
    query = select(FreeShipping).where(FreeShipping.facility_id == facility_id)
    return db.session.scalars(query.order_by(FreeShipping.valid_from.desc(), FreeShipping.minimum)).all()


def bear(
    facility_id: int,
    reach: str,
    minimum: int | None,
    valid_from: datetime.date | None,
    valid_to: datetime.date | None,
    *,
    person_id: int | None,
) -> FreeShipping:
    """From `minimum` rupiah of its goods on, the facility bears its cheapest delivery as far as `reach`.

    From today on at the earliest, so that nothing is free that was already charged. Raises `Invalid` with the
    fields at fault, also while another amount is in force for the same reach.
    """
    wrong = {}
    if reach not in REACHES:
        wrong["reach"] = _("Pilih sampai mana.")
    if minimum is None or not 1 <= minimum <= MOST:
        wrong["minimum"] = _("Tulis jumlah dalam rupiah, dari 1 sampai satu miliar.")
    if valid_from is None or valid_from < today():
        wrong["valid_from"] = _("Mulai hari ini atau sesudahnya.")
    elif valid_to is not None and valid_to < valid_from:
        wrong["valid_to"] = _("Hari terakhir tidak bisa sebelum hari pertama.")
    if wrong:
        raise Invalid(wrong)
    assert minimum is not None
    assert valid_from is not None
    _lock(facility_id)
    overlapping = select(FreeShipping.id).where(
        FreeShipping.facility_id == facility_id,
        FreeShipping.reach == reach,
        or_(FreeShipping.valid_to.is_(None), FreeShipping.valid_to >= valid_from),
    )
    if valid_to is not None:
        overlapping = overlapping.where(FreeShipping.valid_from <= valid_to)
    if db.session.scalar(overlapping.limit(1)) is not None:
        raise Invalid({"valid_from": _("Sudah ada jumlah lain pada hari-hari itu. Akhiri yang lama dahulu.")})
    row = FreeShipping(
        facility_id=facility_id,
        reach=reach,
        minimum=minimum,
        valid_from=valid_from,
        valid_to=valid_to,
        set_by=person_id,
    )
    db.session.add(row)
    db.session.flush()
    return row


def end(facility_id: int, offer_id: int) -> FreeShipping:
    """End what the facility bears: yesterday was its last day, and what had not begun is gone.

    Raises `NotFound` for another facility's, and for one that is over.
    """
    _lock(facility_id)
    row = db.session.get(FreeShipping, offer_id, populate_existing=True)
    day = today()
    if row is None or row.facility_id != facility_id or (row.valid_to is not None and row.valid_to < day):
        raise NotFound()
    if row.valid_from >= day:
        db.session.delete(row)
    else:
        row.valid_to = day - datetime.timedelta(days=1)
    db.session.flush()
    return row


def _lock(facility_id: int) -> None:
    """Two who change what a facility offers do so one after the other; whoever sells there need not wait."""
    db.session.execute(select(Facility.id).where(Facility.id == facility_id).with_for_update(key_share=True))
