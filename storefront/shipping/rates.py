"""Quotes from what the database holds: rates, what each facility offers, and where its parcels start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, or_, select

from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.destinations import meet
from storefront.shipping.models import FacilityCourier, FreeShipping, Province, ShippingMethod, ShippingRate
from storefront.shipping.quote import (
    REACHES,
    Destination,
    Option,
    Origin,
    ParcelQuote,
    Piece,
    Rate,
    amount_for,
    quote_parcel,
    weight_of,
)

RATE_COLUMNS = (
    ShippingMethod.id, ShippingMethod.code, ShippingMethod.name, ShippingMethod.name_en, ShippingMethod.position,
    ShippingMethod.max_weight_g, ShippingRate.origin_zone_id, ShippingRate.destination_zone_id, ShippingRate.reach,
    ShippingRate.first_kg, ShippingRate.next_kg, ShippingRate.minimum_kg, ShippingRate.days_min,
    ShippingRate.days_max, ShippingMethod.is_default, ShippingRate.bulk_above_kg, ShippingRate.bulk_kg,
)  # fmt: skip


def quote(pieces: Mapping[int, Sequence[Piece]], destination: Destination) -> dict[int, ParcelQuote]:
    """The quote for each facility of `pieces` (facility id → its lines), in the order given."""
    origins, destination = meet(load_origins(pieces), destination)
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
        origin, weight = origins[facility_id], weight_of(parcel)
        amounts = [
            amount_for(rate, weight)
            for rate in rates
            if rate.origin_zone_id == origin.zone_id
            and origin.offers(rate.method_id, rate.is_default)
            and (rate.max_weight_g is None or weight <= rate.max_weight_g)
        ]
        goes = all(piece.scope in REACHES for piece in parcel)
        found[facility_id] = min(amounts, default=None) if goes else None
    return found


def methods_of(facility_ids: Iterable[int], locale: str) -> dict[int, list[tuple[str, str, str]]]:
    """The deliveries that each facility offers somewhere: code, name in `locale`, courier."""
    origins = load_origins(facility_ids)
    rows = db.session.scalars(
        select(ShippingMethod)
        .where(ShippingMethod.is_active, ShippingMethod.kind == "delivery")
        .order_by(ShippingMethod.position)
    ).all()
    found = {}
    for facility_id, origin in origins.items():
        couriers = origin.couriers or {}
        found[facility_id] = [
            (row.code, row.name_en if locale == "en" else row.name, couriers.get(row.id, ""))
            for row in rows
            if origin.offers(row.id, row.is_default)
        ]
    return found


def load_origins(facility_ids: Iterable[int]) -> dict[int, Origin]:
    """Where each facility's parcels start, who carries them, and from when on they are free. One query."""
    couriers = (
        select(func.jsonb_object_agg(FacilityCourier.method_id, FacilityCourier.courier))
        .where(FacilityCourier.facility_id == Facility.id)
        .scalar_subquery()
    )
    day = today()
    free = (
        select(func.jsonb_agg(func.jsonb_build_array(FreeShipping.reach, FreeShipping.minimum)))
        .where(FreeShipping.facility_id == Facility.id, FreeShipping.valid_from <= day)
        .where(or_(FreeShipping.valid_to.is_(None), FreeShipping.valid_to >= day))
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Facility.id, Facility.province_id, Province.zone_id, Facility.city, Facility.address,
            Facility.postal_code, couriers, free,
        )
        .join(Province, Province.id == Facility.province_id)
        .where(Facility.id.in_(list(facility_ids)))
    ).all()  # fmt: skip
    return {
        row[0]: Origin(
            facility_id=row[0],
            province_id=row[1],
            zone_id=row[2],
            city=row[3],
            couriers={int(method): courier for method, courier in row[6].items()} if row[6] else None,
            free=tuple((reach, minimum) for reach, minimum in row[7] or ()),
            # The last part of a facility's address is its district.
            district=row[4].rpartition(",")[2],
            postal_code=row[5],
        )
        for row in rows
    }


def load_rates(origin_zones: Iterable[int], destination_zone: int | None) -> list[Rate]:
    """The active deliveries' rates from any of `origin_zones` to one zone, or to all (None)."""
    query = (
        select(*RATE_COLUMNS)
        .join(ShippingMethod, ShippingMethod.id == ShippingRate.method_id)
        .where(ShippingMethod.is_active, ShippingMethod.kind == "delivery")
        .where(ShippingRate.origin_zone_id.in_(list(origin_zones)))
    )
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
