"""Orders that their buyers collect at a fair's stand: what may not become of the fair meanwhile, and who is told.

A fair's place and days may change while somebody has paid for a parcel that lies there: its buyer is told. What cannot
be kept is refused with the orders that stand in the way (docs/decisions/044-collect-at-the-stand.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.days import today
from storefront.display import format_day
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.mail.owe import owe
from storefront.orders.models import Parcel, ParcelState

#: The letter, and what of a fair it tells.
KIND, TOLD = "stand_moved", frozenset({"venue", "city", "starts_on", "ends_on"})
#: So many orders are named in a sentence.
NAMED = 5


def refused(
    fair: Exhibition, open_parcels: Sequence[tuple[Parcel, str]], values: Mapping[str, Any]
) -> dict[str, object]:
    """Why a fair cannot become what `values` say, by field: parcels could not be collected there any more."""
    if not open_parcels:
        return {}
    if values["kind"] != fair.kind:
        said = _("Masih ada pesanan yang diambil di stan ini: %(orders)s.", orders=_names(open_parcels))
        return {"kind": said}
    last = values["ends_on"]
    if last == fair.ends_on:
        return {}
    if last < today():
        said = _("Masih ada pesanan yang diambil di stan ini: %(orders)s.", orders=_names(open_parcels))
        return {"ends_on": said}
    late = [(parcel, number) for parcel, number in open_parcels if _is_late(parcel, last)]
    if late:
        said = _(
            "Pesanan ini dijanjikan siap sesudah %(day)s, jadi tidak sempat diambil: %(orders)s.",
            day=format_day(last),
            orders=_names(late),
        )
        return {"ends_on": said}
    return {}


def bound(open_parcels: Sequence[tuple[Parcel, str]], go: Collection[int]) -> str:
    """Why these facilities cannot leave a fair; empty when they can."""
    theirs = [(parcel, number) for parcel, number in open_parcels if parcel.facility_id in go]
    if not theirs:
        return ""
    return _(
        "Masih ada pesanan yang diambil di stan ini: %(orders)s. UPT-nya tetap peserta sampai semuanya diambil atau "
        "dibatalkan.",
        orders=_names(theirs),
    )


def tell_moved(fair: Exhibition, open_parcels: Sequence[tuple[Parcel, str]], changed: Collection[str]) -> int:
    """Owe a letter to each buyer who has paid and would come to another place or on other days; how many."""
    if not TOLD & set(changed):
        return 0
    db.session.refresh(fair, ["changed_at"])
    stamp = int(fair.changed_at.timestamp() * 1000)
    return sum(
        owe(KIND, parcel.order_id, parcel_id=parcel.id, key=f"parcel:{parcel.id}:{KIND}:{stamp}")
        for parcel, _number in open_parcels
        if parcel.state != ParcelState.WAITING
    )


def _is_late(parcel: Parcel, last: Any) -> bool:
    on_the_way = parcel.state in (ParcelState.TO_PACK, ParcelState.PACKED) and parcel.left_at is None
    return bool(on_the_way and parcel.ready_by is not None and parcel.ready_by > last)


def _names(open_parcels: Sequence[tuple[Parcel, str]]) -> str:
    numbers = list(dict.fromkeys(number for _parcel, number in open_parcels))
    named = ", ".join(numbers[:NAMED])
    return _("%(orders)s dan %(more)d lainnya", orders=named, more=len(numbers) - NAMED) if numbers[NAMED:] else named
