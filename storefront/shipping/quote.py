"""What it costs to bring each facility's goods to a buyer, and which goods do not go there.

A rate counts whole kilograms begun. Of a method's rates the narrowest that fits counts: same city, then
province, then nationwide. Collecting at the facility's gallery is always offered and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.models import Province, ShippingMethod, ShippingRate
from storefront.shipping.places import city_key, province_key

#: Narrow to wide; a product's delivery scope `pickup` is narrower than any of them.
REACHES = ("same_city", "province", "nationwide")


class Destination(NamedTuple):
    """Where parcels go: a known province and a city as the buyer wrote it (may be empty)."""

    province_id: int
    province: str
    zone_id: int
    city: str


class Origin(NamedTuple):
    """Where a facility's parcels start."""

    facility_id: int
    province_id: int
    zone_id: int
    city: str


class Piece(NamedTuple):
    """A line of a parcel, as far as shipping cares: `scope` is the product's delivery scope."""

    sku: str
    scope: str
    weight_g: int
    quantity: int


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

    @property
    def options(self) -> tuple[Option, ...]:
        """Deliveries, cheapest first, then pickup."""
        return self.deliveries + ((self.pickup,) if self.pickup else ())

    @property
    def cheapest(self) -> Option | None:
        """The delivery that is taken unless another one is chosen; None when nothing is delivered."""
        return self.deliveries[0] if self.deliveries else None

    def option(self, code: str) -> Option | None:
        """The option with this method code, None if it is not offered."""
        return next((option for option in self.options if option.code == code), None)


def weight_of(pieces: Iterable[Piece]) -> int:
    """Grams of a whole parcel."""
    return sum(piece.weight_g * piece.quantity for piece in pieces)


def amount_for(rate: Rate, weight_g: int) -> int:
    """Rupiah for a parcel of `weight_g` grams: each kilogram begun counts, at least `minimum_kg`."""
    kilograms = -(-weight_g // 1000)
    return rate.first_kg + max(0, kilograms - rate.minimum_kg) * rate.next_kg


def reach_to(origin: Origin, destination: Destination) -> str:
    """How far the destination is. A city that is not known counts as another one of its province."""
    if origin.province_id != destination.province_id:
        return "nationwide"
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
        if REACHES.index(rate.reach) < REACHES.index(reach):
            continue
        best = narrowest.get(rate.method_id)
        if best is None or REACHES.index(rate.reach) < REACHES.index(best.reach):
            narrowest[rate.method_id] = rate
    found = [
        (amount_for(rate, weight_g), rate.days_max, rate.position, rate)
        for rate in narrowest.values()
        if rate.max_weight_g is None or weight_g <= rate.max_weight_g
    ]
    return [
        Option(rate.method_id, rate.code, rate.name, rate.name_en, False, amount, rate.days_min, rate.days_max)
        for amount, _days, _position, rate in sorted(found)
    ]


def quote_parcel(
    origin: Origin, destination: Destination, pieces: Sequence[Piece], rates: Sequence[Rate], pickup: Option | None
) -> ParcelQuote:
    """The quote for one facility's `pieces`, from rates that are known already."""
    weight = weight_of(pieces)
    reach = reach_to(origin, destination)
    offered = deliveries(origin, destination, weight, rates)
    refused = tuple(piece.sku for piece in pieces if not within_scope(piece.scope, reach))
    if not offered:
        refused = tuple(piece.sku for piece in pieces)
    return ParcelQuote(origin.facility_id, weight, () if refused else tuple(offered), pickup, refused)


def quote(pieces: Mapping[int, Sequence[Piece]], destination: Destination) -> dict[int, ParcelQuote]:
    """The quote for each facility of `pieces` (facility id → its lines), in the order given."""
    origins = load_origins(pieces)
    rates = load_rates({origin.zone_id for origin in origins.values()}, destination.zone_id)
    pickup = pickup_option()
    return {
        facility_id: quote_parcel(origins[facility_id], destination, parcel, rates, pickup)
        for facility_id, parcel in pieces.items()
    }


def pickup_only(pieces: Mapping[int, Sequence[Piece]]) -> dict[int, ParcelQuote]:
    """The quote while no address is known: nothing but pickup, and nothing refused yet."""
    pickup = pickup_option()
    return {
        facility_id: ParcelQuote(facility_id, weight_of(parcel), (), pickup, ())
        for facility_id, parcel in pieces.items()
    }


def starting_amounts(pieces: Mapping[int, Sequence[Piece]]) -> dict[int, int | None]:
    """For each facility the least that a delivery can cost anywhere its goods go; None if they go nowhere."""
    origins = load_origins(pieces)
    rates = load_rates({origin.zone_id for origin in origins.values()}, None)
    found: dict[int, int | None] = {}
    for facility_id, parcel in pieces.items():
        weight = weight_of(parcel)
        amounts = [
            amount_for(rate, weight)
            for rate in rates
            if rate.origin_zone_id == origins[facility_id].zone_id
            and (rate.max_weight_g is None or weight <= rate.max_weight_g)
        ]
        goes = all(piece.scope in REACHES for piece in parcel)
        found[facility_id] = min(amounts, default=None) if goes else None
    return found


def destination_for(province: str, city: str, *, field: str = "address.province") -> Destination:
    """The destination for a province and city as people write them.

    Raises `Invalid` on `field` when the province is none of Indonesia's. Any city is accepted.
    """
    wanted = province_key(province)
    for row in provinces():
        if wanted and province_key(row.name) == wanted:
            return Destination(row.id, row.name, row.zone_id, city)
    raise Invalid({field: unknown_province(province)})


def unknown_province(province: str) -> Any:
    """The sentence for a province that is not known."""
    return _('Provinsi "%(name)s" tidak kami kenal. Pilih salah satu provinsi di Indonesia.', name=province[:60])


def provinces() -> Sequence[Province]:
    """All provinces by name."""
    return db.session.scalars(select(Province).order_by(Province.name)).all()


def load_origins(facility_ids: Iterable[int]) -> dict[int, Origin]:
    """Where each facility's parcels start."""
    rows = db.session.execute(
        select(Facility.id, Facility.province_id, Province.zone_id, Facility.city)
        .join(Province, Province.id == Facility.province_id)
        .where(Facility.id.in_(list(facility_ids)))
    )
    return {row[0]: Origin._make(row) for row in rows}


def load_rates(origin_zones: Iterable[int], destination_zone: int | None) -> list[Rate]:
    """The active deliveries' rates from any of `origin_zones` to one zone, or to all (None)."""
    query = (
        select(
            ShippingMethod.id, ShippingMethod.code, ShippingMethod.name, ShippingMethod.name_en,
            ShippingMethod.position, ShippingMethod.max_weight_g, ShippingRate.origin_zone_id,
            ShippingRate.destination_zone_id, ShippingRate.reach, ShippingRate.first_kg, ShippingRate.next_kg,
            ShippingRate.minimum_kg, ShippingRate.days_min, ShippingRate.days_max,
        )
        .join(ShippingMethod, ShippingMethod.id == ShippingRate.method_id)
        .where(ShippingMethod.is_active, ShippingMethod.kind == "delivery")
        .where(ShippingRate.origin_zone_id.in_(list(origin_zones)))
    )  # fmt: skip
    if destination_zone is not None:
        query = query.where(ShippingRate.destination_zone_id == destination_zone)
    return [Rate._make(row) for row in db.session.execute(query)]


def pickup_option() -> Option | None:
    """Collecting at the gallery; None when the method was switched off."""
    row = db.session.execute(
        select(ShippingMethod.id, ShippingMethod.code, ShippingMethod.name, ShippingMethod.name_en)
        .where(ShippingMethod.is_active, ShippingMethod.kind == "pickup")
        .order_by(ShippingMethod.position)
    ).first()
    return Option(row[0], row[1], row[2], row[3], True, 0, 0, 0) if row else None
