"""What to fetch for many parcels at once, summed by workshop and article. Goes to the workshop: no buyer in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from storefront.days import today
from storefront.extensions import db
from storefront.orders.models import Parcel
from storefront.orders.packing import PackedLine, ParcelRow, packed_lines, parcel_row, with_order


@dataclass
class Pick:
    """Pieces of one article, and the parcels that they go to."""

    workshop: str
    sku: str
    title: str
    variant_title: str
    quantity: int = 0
    #: Parcel's name and its pieces.
    parcels: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class PickList:
    picks: Sequence[Pick]
    #: How many parcels it is for.
    parcels: int

    @property
    def pieces(self) -> int:
        return sum(pick.quantity for pick in self.picks)

    @property
    def by_workshop(self) -> dict[str, list[Pick]]:
        """Picks of each workshop, by its name."""
        found: dict[str, list[Pick]] = {}
        for pick in self.picks:
            found.setdefault(pick.workshop, []).append(pick)
        return found


def packed(parcel_ids: Sequence[int]) -> list[tuple[ParcelRow, Sequence[PackedLine]]]:
    """These parcels with what lies in each, in the order of `parcel_ids`."""
    rows = db.session.execute(with_order().where(Parcel.id.in_(parcel_ids))).all()
    lines, day = packed_lines(parcel_ids), today()
    found = {}
    for row in rows:
        own = lines.get(row.Parcel.id, [])
        found[row.Parcel.id] = (parcel_row(row, own, day), own)
    return [found[parcel_id] for parcel_id in parcel_ids if parcel_id in found]


def pick_list(parcel_ids: Sequence[int]) -> PickList:
    """What these parcels need; pieces that a refund speaks of are left on the shelf."""
    picks: dict[tuple[str, str], Pick] = {}
    parcels = packed(parcel_ids)
    for parcel, lines in parcels:
        for line in lines:
            if not line.to_pack:
                continue
            pick = picks.setdefault(
                (line.workshop, line.sku), Pick(line.workshop, line.sku, line.title, line.variant_title)
            )
            pick.quantity += line.to_pack
            pick.parcels.append((f"{parcel.order_number}/{parcel.position}", line.to_pack))
    return PickList([picks[key] for key in sorted(picks)], len(parcels))
