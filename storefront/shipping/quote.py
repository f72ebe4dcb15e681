"""What it costs to bring each facility's goods to a buyer, and which goods do not go there: reckoned, nothing read.

A rate counts whole kilograms begun. Of a method's rates the narrowest that fits counts: same city, then
province, then nationwide. Collecting at the facility's gallery is always offered and costs nothing. From the
amount a facility has named on, its cheapest delivery is free, and the facility bears it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from storefront.shipping.places import city_key
from storefront.shipping.stands import Stand

#: Narrow to wide; a product's delivery scope `pickup` is narrower than any of them.
REACHES = ("same_city", "province", "nationwide")


class Destination(NamedTuple):
    """Where parcels go: a known province, and the rest as the buyer wrote it (may be empty).

    `town` is what a courier counts as one city: empty when it is not certain which one is meant, None when nobody
    has looked, or the shop has no list of cities; then names are compared.
    """

    province_id: int
    province: str
    zone_id: int
    city: str
    town: str | None = None
    district: str = ""
    postal_code: str = ""


class Origin(NamedTuple):
    """Where a facility's parcels start; `town` as in `Destination`."""

    facility_id: int
    province_id: int
    zone_id: int
    city: str
    town: str | None = None
    #: Method id → who carries it (may be empty); None: every default method, by nobody in particular.
    couriers: Mapping[int, str] | None = None
    #: (reach, rupiah of goods from which the facility bears the delivery), those in force.
    free: Sequence[tuple[str, int]] = ()
    district: str = ""
    postal_code: str = ""

    def offers(self, method_id: int, is_default: bool) -> bool:
        """Whether the facility sends its parcels in this way."""
        return is_default if self.couriers is None else method_id in self.couriers


class Piece(NamedTuple):
    """A line of a parcel, as far as shipping cares: `scope` is the product's delivery scope."""

    sku: str
    scope: str
    weight_g: int
    quantity: int
    #: Rupiah for all its pieces.
    amount: int = 0


class Rate(NamedTuple):
    """One row of the rates, with its method's name and limit. Amounts in rupiah."""

    method_id: int
    code: str
    name: str
    name_en: str
    position: int
    max_weight_g: int | None
    origin_zone_id: int
    destination_zone_id: int
    reach: str
    first_kg: int
    next_kg: int
    minimum_kg: int
    days_min: int
    days_max: int
    is_default: bool = True
    bulk_above_kg: int | None = None
    bulk_kg: int | None = None


class Option(NamedTuple):
    """A way for one parcel to reach its buyer. `amount` in rupiah; days on the road, after packing."""

    method_id: int
    code: str
    name: str
    name_en: str
    is_pickup: bool
    amount: int
    days_min: int
    days_max: int
    #: Who carries it, where the facility says so.
    courier: str = ""
    #: What it would cost, where the facility bears it; then `amount` is 0.
    waived: int = 0
    #: The fair at whose stand it is collected; `is_pickup` as at the gallery.
    stand: Stand | None = None


@dataclass(frozen=True)
class ParcelQuote:
    """All that may be chosen for one facility's goods.

    `refused` are the SKUs that cannot be delivered there; while there is one, only pickup is offered.
    """

    facility_id: int
    weight_g: int
    deliveries: tuple[Option, ...]
    pickup: Option | None
    refused: tuple[str, ...]
    #: Rupiah of goods from which the cheapest delivery to this place is free; None: never.
    free_from: int | None = None
    #: Rupiah of the goods.
    goods: int = 0
    #: Fairs at whose stand the goods can be in time.
    stands: tuple[Option, ...] = ()

    @property
    def options(self) -> tuple[Option, ...]:
        """Deliveries, cheapest first, then pickup, then stands of fairs."""
        return self.deliveries + ((self.pickup,) if self.pickup else ()) + self.stands

    @property
    def cheapest(self) -> Option | None:
        """The delivery that is taken unless another one is chosen; None when nothing is delivered."""
        return self.deliveries[0] if self.deliveries else None

    @property
    def missing_for_free(self) -> int | None:
        """Rupiah of goods that are missing until a delivery is free: 0 when it is, None when it never will be."""
        return None if self.free_from is None else max(0, self.free_from - self.goods)

    def option(self, code: str) -> Option | None:
        """The option with this method code, None if it is not offered."""
        return next((option for option in self.options if option.code == code), None)


def weight_of(pieces: Iterable[Piece]) -> int:
    """Grams of all pieces together."""
    return sum(piece.weight_g * piece.quantity for piece in pieces)


def amount_for(rate: Rate, weight_g: int) -> int:
    """Rupiah for a parcel of `weight_g` grams: each kilogram begun counts, at least `minimum_kg`.

    Kilograms above `bulk_above_kg`, where the rate has it, cost `bulk_kg` each.
    """
    kilograms = -(-weight_g // 1000)
    further = max(0, kilograms - rate.minimum_kg)
    if rate.bulk_above_kg is None or rate.bulk_kg is None:
        return rate.first_kg + further * rate.next_kg
    bulk = max(0, kilograms - rate.bulk_above_kg)
    return rate.first_kg + (further - bulk) * rate.next_kg + bulk * rate.bulk_kg


def reach_to(origin: Origin, destination: Destination) -> str:
    """How far the destination is. A city that is not known counts as another one of its province."""
    if origin.province_id != destination.province_id:
        return "nationwide"
    if origin.town and destination.town is not None:
        return "same_city" if origin.town == destination.town else "province"
    wanted = city_key(destination.city)
    return "same_city" if wanted and wanted == city_key(origin.city) else "province"


def within_scope(scope: str, reach: str) -> bool:
    """Whether a product with delivery scope `scope` is sent as far as `reach`."""
    return scope in REACHES and REACHES.index(reach) <= REACHES.index(scope)


def deliveries(origin: Origin, destination: Destination, weight_g: int, rates: Sequence[Rate]) -> list[Option]:
    """The deliveries that carry `weight_g` grams from origin to destination, cheapest first."""
    reach = reach_to(origin, destination)
    narrowest: dict[int, Rate] = {}
    for rate in rates:
        if (rate.origin_zone_id, rate.destination_zone_id) != (origin.zone_id, destination.zone_id):
            continue
        if REACHES.index(rate.reach) < REACHES.index(reach) or not origin.offers(rate.method_id, rate.is_default):
            continue
        best = narrowest.get(rate.method_id)
        if best is None or REACHES.index(rate.reach) < REACHES.index(best.reach):
            narrowest[rate.method_id] = rate
    found = [
        (amount_for(rate, weight_g), rate.days_max, rate.position, rate)
        for rate in narrowest.values()
        if rate.max_weight_g is None or weight_g <= rate.max_weight_g
    ]
    couriers = origin.couriers or {}
    return [
        Option(
            rate.method_id,
            rate.code,
            rate.name,
            rate.name_en,
            False,
            amount,
            rate.days_min,
            rate.days_max,
            couriers.get(rate.method_id, ""),
        )
        for amount, _days, _position, rate in sorted(found, key=lambda each: each[:3])
    ]


def free_from(origin: Origin, destination: Destination) -> int | None:
    """Rupiah of goods from which the facility bears the delivery to that place; None: it does not."""
    reach = REACHES.index(reach_to(origin, destination))
    return min((least for far, least in origin.free if REACHES.index(far) >= reach), default=None)


def quote_parcel(
    origin: Origin, destination: Destination, pieces: Sequence[Piece], rates: Sequence[Rate], pickup: Option | None
) -> ParcelQuote:
    """The quote for one facility's `pieces`, from rates that are known already."""
    weight, goods = weight_of(pieces), sum(piece.amount for piece in pieces)
    reach = reach_to(origin, destination)
    offered = deliveries(origin, destination, weight, rates)
    refused = tuple(piece.sku for piece in pieces if not within_scope(piece.scope, reach))
    if not offered:
        refused = tuple(piece.sku for piece in pieces)
    if refused:
        return ParcelQuote(origin.facility_id, weight, (), pickup, refused, goods=goods)
    least = free_from(origin, destination)
    if least is not None and goods >= least and offered[0].amount:
        offered[0] = offered[0]._replace(amount=0, waived=offered[0].amount)
    return ParcelQuote(origin.facility_id, weight, tuple(offered), pickup, (), least, goods)
