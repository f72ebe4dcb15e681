"""Where a cart shall go, as far as prices depend on it: a district, kept with the cart; and what sending costs."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import update

from storefront.cart import carts, delivery
from storefront.cart.models import Cart
from storefront.cart.problems import NotSentThere
from storefront.cart.view import CartView, ParcelGoods
from storefront.days import today
from storefront.errors import CartClosed, Invalid
from storefront.extensions import db
from storefront.facilities.working_days import calendars
from storefront.shipping.destinations import destination_for
from storefront.shipping.find_places import Place, search_places
from storefront.shipping.quote import Option, ParcelQuote
from storefront.shipping.rates import quote

LONGEST = 120
UNKNOWN = _(
    "Tempat ini tidak kami temukan. Tulis kode pos lima angka, atau kecamatan dan kotanya, misalnya Depok, Sleman."
)


@dataclass(frozen=True)
class GroupShipping:
    """How one facility's goods get there. Amounts in rupiah."""

    goods: ParcelGoods
    quote: ParcelQuote
    #: When they leave, if they are paid today.
    leaves_on: datetime.date
    not_sent: Mapping[str, NotSentThere]

    @property
    def option(self) -> Option | None:
        """The cheapest delivery, which the checkout takes too; else collecting at the gallery."""
        return self.quote.cheapest or self.quote.pickup

    @property
    def arrives_on(self) -> datetime.date:
        """By when they should be there, or ready at the gallery."""
        return delivery.arrives_on(self.option, self.leaves_on) if self.option else self.leaves_on

    @property
    def total(self) -> int:
        """Goods and shipping."""
        return self.goods.items_total + (self.option.amount if self.option else 0)


@dataclass(frozen=True)
class CartShipping:
    """What sending a whole cart to one place costs."""

    place: str
    #: By facility id.
    groups: Mapping[int, GroupShipping]

    @property
    def amount(self) -> int:
        """Rupiah for all parcels."""
        return sum(group.option.amount for group in self.groups.values() if group.option)

    @property
    def total(self) -> int:
        """Rupiah for goods and parcels."""
        return sum(group.total for group in self.groups.values())

    def problem(self, facility_id: int, sku: str) -> NotSentThere | None:
        """Why a line is not delivered there, if so."""
        group = self.groups.get(facility_id)
        return group.not_sent.get(sku) if group else None


def choose(cart_id: int, written: str) -> list[Place]:
    """Keep with the cart the place that is meant by a postal code, a district or a city, or none by empty text.

    Returns the places to choose from where several are meant: then nothing is kept yet. Never commits. Raises
    `Invalid` on `to` for a place that is not known, `CartClosed`.
    """
    words = " ".join(written.split())[:LONGEST]
    found = search_places(words) if words else []
    # In one city every price is the same.
    towns = list({(place.province_id, place.town): place for place in reversed(found)}.values())[::-1]
    if len(towns) > 1:
        return found
    if words and not towns:
        raise Invalid({"to": UNKNOWN})
    carts.lock_open(cart_id)
    place = towns[0] if towns else None
    keep(cart_id, place and (place.label if len(found) == 1 else f"{place.city}, {place.province}"))
    return []


def keep(cart_id: int, label: str | None) -> None:
    """Note `district, city, province` or `city, province` with the cart, or forget it."""
    db.session.execute(update(Cart).where(Cart.id == cart_id).values(place=label))


def suggest(cart_id: int, written: str) -> None:
    """Keep a place that was typed elsewhere, if it is clear which one is meant and the cart has none yet."""
    try:
        if db.session.get_one(Cart, cart_id).place is None and written:
            choose(cart_id, written)
    except (Invalid, CartClosed):
        return


def shipping_to(place: str | None, view: CartView) -> CartShipping | None:
    """What sending the cart there costs by the same code as the checkout's; None while no place is known."""
    if not place or not view.parcels:
        return None
    *district, city, province = ["", *place.split(", ")]
    try:
        quotes = quote(view.pieces, destination_for(province, city, ", ".join(filter(None, district))))
    except Invalid:  # the list of places has changed
        return None
    day = today()
    days = calendars([goods.facility.id for goods in view.parcels], day)
    groups = {}
    for goods in view.parcels:
        found = quotes[goods.facility.id]
        not_sent = {problem.sku: problem for problem in delivery.not_sent(goods, found)}
        groups[goods.facility.id] = GroupShipping(goods, found, goods.leaves_on(day, days[goods.facility.id]), not_sent)
    return CartShipping(place, groups)
