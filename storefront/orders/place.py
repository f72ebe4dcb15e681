"""Place an order: the one way in for cart, counter, quote and marketplace import."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Boolean, ColumnElement, Date, Row, func, select

from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.days import accounting_day
from storefront.errors import ListingUnavailable, PriceChanged
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.shares import share_out
from storefront.ledger.split_rules import RuleInForce, Scope, hold_rules, rules_in_force
from storefront.mail.owe import owe
from storefront.orders.expire import end_locked_order
from storefront.orders.holding_times import holding_times
from storefront.orders.instalments import Part
from storefront.orders.making import lead_times, queue_up, tell_pages
from storefront.orders.models import (
    Channel,
    Instalment,
    Order,
    OrderAddress,
    OrderContact,
    OrderLine,
    OrderLineShare,
    OrderNote,
    OrderState,
    Parcel,
    ParcelLine,
)
from storefront.orders.numbers import new_order_number
from storefront.payments.gateway import current_gateway, gateway
from storefront.stock.models import StockLocation
from storefront.stock.reserve import Wanted, held_levels, hold, lock_levels, reserve


@dataclass(frozen=True)
class PricedLine:
    """A wish to buy. `location_id` None: the facility's own store (or made to order)."""

    variant_id: int
    quantity: int
    #: Rupiah, as the buyer saw it.
    unit_price: int
    location_id: int | None = None
    #: Made for this order in so many days, as was agreed, whether or not the thing lies in a store; None: as listed.
    made_in_days: int | None = None
    #: False: made to measure for this order, so that nobody else is shown it.
    is_listed: bool = True


@dataclass(frozen=True)
class Contact:
    name: str | None
    email: str | None
    phone: str | None
    #: Keyed hash of the buyer's network.
    network: bytes | None = None


@dataclass(frozen=True)
class Address:
    line1: str
    district: str
    city: str
    province: str
    postal_code: str


@dataclass(frozen=True)
class Notes:
    """What the buyer wrote: on a card for whoever receives the goods, and to whoever sends them."""

    gift_note: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ParcelShipping:
    """How one facility's goods travel, as quoted."""

    method_id: int
    is_pickup: bool
    amount: int
    days_min: int
    days_max: int
    #: What it would cost, where the facility bears it; then `amount` is 0.
    waived: int = 0
    #: The fair at whose stand it is collected.
    exhibition_id: int | None = None


#: What a line is snapshotted from: variant, product, facility, workshop, the store's location, and whether the
#: thing may be sold on the order's day.
Listing = Row[Variant, Product, Facility, Workshop, int | None, bool]


def place(
    lines: Sequence[PricedLine],
    *,
    contact: Contact | None,
    address: Address | None,
    shipping: Mapping[int, ParcelShipping],
    notes: Notes | None = None,
    channel: Channel | str = Channel.ONLINE,
    exhibition_id: int | None = None,
    person_id: int | None = None,
    locale: str = "id",
    gateway_name: str | None = None,
    expires_at: datetime.datetime | None = None,
    parts: Callable[[int], Sequence[Part]] | None = None,
    placed_at: datetime.datetime | None = None,
    replacing: Sequence[Order] = (),
) -> Order:
    """Reserve the pieces and write the order with everything as it is sold, in the caller's transaction.

    `shipping` holds, for each facility's id, how its parcel travels. `expires_at` defaults to the hold of the
    gateway that it will be paid through (`gateway_name`, by default the first) from now; `placed_at` to the
    database's now, and decides which split rules count. `parts` divides the total into instalments, by default one
    that is due when the hold ends. `replacing`: unpaid orders of the same shopper, locked by
    the caller, which are cancelled here so that their pieces come into this one. Raises OutOfStock,
    ListingUnavailable or PriceChanged, each naming the lines concerned, with nothing written.
    """
    if not lines:
        raise ValueError("an order has at least one line")
    channel = Channel(channel)
    placed_at = placed_at or db.session.execute(select(func.now())).scalar_one()
    # Before the goods are looked at: until the order is written no rule changes and no facility is suspended.
    hold_rules()
    listings = _listings(lines, accounting_day(placed_at), channel)
    _check_prices(lines, listings, channel)
    rules = _rules(lines, listings, placed_at, exhibition_id)
    wanted = [_wanted(line, listings[line.variant_id]) for line in lines]
    variants = [listings[line.variant_id][0] for line in lines]
    queue_up(variants)
    _cancel_replaced(replacing, wanted)
    leads = lead_times([(variant, line.quantity) for variant, line in zip(variants, lines, strict=True)])
    reserve([w for w in wanted if w is not None])
    hold_for = holding_times(placed_at).of(gateway(gateway_name) if gateway_name else current_gateway())
    order = Order(
        number=_free_number(),
        channel=channel.value,
        exhibition_id=exhibition_id,
        person_id=person_id,
        locale=locale,
        items_total=sum(line.unit_price * line.quantity for line in lines),
        shipping_total=sum(part.amount for part in shipping.values()),
        placed_at=placed_at,
        expires_at=expires_at or placed_at + hold_for,
    )
    total = order.items_total + order.shipping_total
    order.instalments = [
        Instalment(position=position, amount=part.amount, due_at=part.due_at)
        for position, part in enumerate(parts(total) if parts else [Part(total, order.expires_at)], start=1)
    ]
    order.lines = [
        _snapshot(
            position, line, listings[line.variant_id], rule, w,
            leads[line.variant_id] if line.made_in_days is None else line.made_in_days,
        )
        for position, (line, rule, w) in enumerate(zip(lines, rules, wanted, strict=True), start=1)
    ]
    order.parcels = _parcels(order.lines, shipping)
    order.contact = OrderContact(**vars(contact)) if contact else None
    order.address = OrderAddress(**vars(address)) if address else None
    order.note = OrderNote(**vars(notes)) if notes and (notes.gift_note or notes.note) else None
    db.session.add(order)
    db.session.flush()
    if contact and contact.email:
        owe("order_placed", order.id)
    hold((line.id, w) for line, w in zip(order.lines, wanted, strict=True) if w is not None)
    tell_pages(variants)
    return order


def _cancel_replaced(orders: Sequence[Order], wanted: Sequence[Wanted | None]) -> None:
    """Cancel the orders that this one replaces. All levels concerned are locked first, in their one order."""
    if not orders:
        return
    ids = select(OrderLine.id).where(OrderLine.order_id.in_([order.id for order in orders]))
    lock_levels(
        [*held_levels(list(db.session.scalars(ids))), *((w.variant_id, w.location_id) for w in wanted if w is not None)]
    )
    for order in orders:
        end_locked_order(order, OrderState.CANCELLED)


def _listings(lines: Sequence[PricedLine], day: datetime.date, channel: Channel) -> dict[int, Listing]:
    may_sell: ColumnElement[bool] = func.product_may_sell(Product.id, day, type_=Boolean)
    if channel is Channel.ONLINE:
        # What is agreed at a stand or in an offer is handed over whatever the facility's calendar says.
        may_sell = may_sell & func.paused_until(Facility.id, day, type_=Date).is_(None)
    rows = db.session.execute(
        select(Variant, Product, Facility, Workshop, StockLocation.id, may_sell)
        .join(Product, Variant.product_id == Product.id)
        .join(Facility, Product.facility_id == Facility.id)
        .join(Workshop, Product.workshop_id == Workshop.id)
        .outerjoin(StockLocation, StockLocation.facility_id == Facility.id)
        .where(Variant.id.in_({line.variant_id for line in lines}))
        # Prices as they are now, not as an earlier look in this session remembers them.
        .execution_options(populate_existing=True)
    )
    listings: dict[int, Listing] = {row[0].id: row for row in rows}
    unavailable = [
        row[0].sku if (row := listings.get(line.variant_id)) else None
        for line in lines
        if not _is_for_sale(line, listings.get(line.variant_id))
    ]
    if unavailable:
        raise ListingUnavailable([{"sku": sku} for sku in unavailable])
    return listings


def _is_for_sale(line: PricedLine, listing: Listing | None) -> bool:
    if listing is None:
        return False
    variant, product, facility, _, _, may_sell = listing
    published = variant.is_active and (product.status == ProductStatus.PUBLISHED or not line.is_listed)
    return bool(published and facility.status == "active" and may_sell)


def _check_prices(lines: Sequence[PricedLine], listings: dict[int, Listing], channel: Channel) -> None:
    # A quote's, a stand's or a marketplace's price is agreed elsewhere; online it is the listed one.
    if channel is not Channel.ONLINE:
        return
    changed = [
        {
            "sku": listings[line.variant_id][0].sku,
            "shown": line.unit_price,
            "price": listings[line.variant_id][0].price,
        }
        for line in lines
        if line.unit_price != listings[line.variant_id][0].price
    ]
    if changed:
        raise PriceChanged(lines=changed)


def _rules(
    lines: Sequence[PricedLine],
    listings: dict[int, Listing],
    placed_at: datetime.datetime,
    exhibition_id: int | None,
) -> list[RuleInForce]:
    products = [listings[line.variant_id][1] for line in lines]
    scopes = [Scope(p.facility_id, p.workshop_id, p.commodity_group_id) for p in products]
    return rules_in_force(scopes, accounting_day(placed_at), exhibition_id)


def _wanted(line: PricedLine, listing: Listing) -> Wanted | None:
    variant, _, _, _, store_id, _ = listing
    if variant.made_to_order or line.made_in_days is not None:
        return None
    # A facility without a store has no level either; location 0 never exists, so the line is out of stock.
    return Wanted(variant.id, line.location_id or store_id or 0, line.quantity, variant.sku)


def _free_number() -> str:
    while True:
        number = new_order_number()
        if db.session.scalar(select(Order.id).where(Order.number == number)) is None:
            return number


def _snapshot(
    position: int,
    line: PricedLine,
    listing: Listing,
    rule: RuleInForce,
    wanted: Wanted | None,
    lead_time_days: int | None,
) -> OrderLine:
    variant, product, facility, workshop, _, _ = listing
    net_amount = line.unit_price * line.quantity
    material_cost = (variant.material_cost or 0) * line.quantity
    return OrderLine(
        position=position,
        variant_id=variant.id,
        product_id=product.id,
        location_id=wanted.location_id if wanted else None,
        facility_id=facility.id,
        workshop_id=workshop.id,
        commodity_group_id=product.commodity_group_id,
        split_rule_id=rule.id,
        sku=variant.sku,
        title=product.title,
        title_en=product.title_en or product.title,
        variant_title=variant.title,
        variant_title_en=variant.title_en or variant.title,
        facility_code=facility.code,
        facility_name=facility.name,
        workshop_name=workshop.name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        net_amount=net_amount,
        material_cost=material_cost,
        weight_g=variant.weight_g,
        lead_time_days=lead_time_days,
        split_basis=rule.basis,
        shares=[
            OrderLineShare(
                position=share.position,
                fund_id=share.fund_id,
                basis_points=share.basis_points,
                amount=share.amount,
                is_material=share.is_material,
            )
            for share in share_out(rule, net_amount, material_cost)
        ],
    )


def _parcels(lines: Sequence[OrderLine], shipping: Mapping[int, ParcelShipping]) -> list[Parcel]:
    by_facility: dict[int, list[OrderLine]] = {}
    for line in lines:
        by_facility.setdefault(line.facility_id, []).append(line)
    return [
        Parcel(
            facility_id=facility_id,
            position=position,
            method_id=shipping[facility_id].method_id,
            is_pickup=shipping[facility_id].is_pickup,
            shipping_amount=shipping[facility_id].amount,
            shipping_waived=shipping[facility_id].waived,
            days_min=shipping[facility_id].days_min,
            days_max=shipping[facility_id].days_max,
            exhibition_id=shipping[facility_id].exhibition_id,
            lines=[ParcelLine(line=line, quantity=line.quantity) for line in own],
        )
        for position, (facility_id, own) in enumerate(by_facility.items(), start=1)
    ]
