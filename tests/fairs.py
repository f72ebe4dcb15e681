"""Fairs that facilities take part in, for tests."""

from __future__ import annotations

import datetime
import itertools

from sqlalchemy import select

from storefront import days
from storefront.catalogue.models import Product, Variant
from storefront.exhibitions.models import Exhibition, ExhibitionFacility, ExhibitionPieces
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Channel, Order
from storefront.orders.payment import open_payment
from storefront.orders.place import ParcelShipping, PricedLine, place
from storefront.stock.levels import stand_location_id
from tests.factories import method_id

_numbers = itertools.count(1)


def make_fair(*facilities: Facility, opens: int = -1, ends: int = 9, slug: str = "") -> Exhibition:
    """A fair that opens and ends so many days from today, with these taking part; committed."""
    number = next(_numbers)
    fair = Exhibition(
        slug=slug or f"pameran-{number}",
        name=f"Pameran Kota {number}",
        venue="Balai Kota",
        city="Semarang",
        starts_on=days.today() + datetime.timedelta(days=opens),
        ends_on=days.today() + datetime.timedelta(days=ends),
    )
    db.session.add(fair)
    db.session.flush()
    for facility in facilities:
        db.session.add(ExhibitionFacility(exhibition_id=fair.id, facility_id=facility.id))
    db.session.commit()
    return fair


def planned(fair: Exhibition, facility: Facility, variant_id: int, pieces: int) -> None:
    """The facility means to bring so many; committed."""
    db.session.add(
        ExhibitionPieces(
            exhibition_id=fair.id, facility_id=facility.id, variant_id=variant_id, planned=pieces
        )
    )
    db.session.commit()


def sold_at_stand(fair: Exhibition, variant: Variant, pieces: int, price: int | None = None) -> Order:
    """Pieces sold from the stand, paid on the spot; committed."""
    facility_id = db.session.execute(select(Product.facility_id).where(Product.id == variant.product_id)).scalar_one()
    order = place(
        [PricedLine(variant.id, pieces, price or variant.price, stand_location_id(fair.id))],
        contact=None,
        address=None,
        shipping={facility_id: ParcelShipping(method_id(), is_pickup=True, amount=0, days_min=0, days_max=0)},
        channel=Channel.COUNTER,
        exhibition_id=fair.id,
    )
    payment = open_payment(order)
    record_payment(payment.id, reference=payment.id, amount=payment.amount)
    db.session.commit()
    return order
