"""A cart as it is right now: live prices and stock, grouped by the facility that sends each parcel."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Boolean, Date, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from storefront.cart.models import CartLine, KeptLine
from storefront.cart.own_holds import OwnHold
from storefront.cart.problems import FewerLeft, HeldByYou, NotOnSale, PriceMoved, Problem, Resting, SoldOut
from storefront.catalogue.models import Photo, Product, ProductStatus, Variant
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.facilities.working_days import Days, all_ready_on
from storefront.orders.making import lead_times
from storefront.shipping.quote import Piece
from storefront.stock import levels


@dataclass(frozen=True)
class Line:
    """One SKU in a cart. Amounts in rupiah; `unit_price` is today's, `shown` the one seen when it was added."""

    variant_id: int
    sku: str
    product_slug: str
    title: str
    title_en: str
    variant_title: str
    variant_title_en: str
    facility_id: int
    workshop_id: int
    commodity_group_id: int | None
    scope: str
    weight_g: int
    material_cost: int | None
    made_to_order: bool
    lead_time_days: int | None
    quantity: int
    unit_price: int
    shown: int
    is_on_sale: bool
    #: The last day of the pause that its facility is in: nothing of it can be ordered.
    paused_until: datetime.date | None
    #: Pieces that may be ordered; None when made to order.
    available: int | None
    photo: Photo | None = field(compare=False, default=None)
    #: The shopper's own unpaid orders that hold pieces of it.
    holds: tuple[OwnHold, ...] = ()

    @property
    def amount(self) -> int:
        """Rupiah for all pieces at today's price."""
        return self.unit_price * self.quantity

    @property
    def own_held(self) -> int:
        """Pieces that unpaid orders of the shopper's own hold."""
        return sum(hold.pieces[self.variant_id] for hold in self.holds)

    @property
    def most(self) -> int | None:
        """Pieces that this shopper may order, with those they hold already; None when made to order."""
        return None if self.available is None else self.available + self.own_held

    @property
    def problems(self) -> list[Problem]:
        """What the shopper must know about this line, whatever the address."""
        if self.paused_until is not None:
            return [Resting(self.sku, self.paused_until)]
        if not self.is_on_sale:
            return [NotOnSale(self.sku)]
        found: list[Problem] = []
        if self.available is not None and self.most is not None and self.available < self.quantity:
            if self.most <= 0:
                found.append(SoldOut(self.sku, self.quantity))
            elif self.most < self.quantity:
                found.append(FewerLeft(self.sku, self.quantity, self.most))
            else:
                first = self.holds[0]
                found.append(HeldByYou(self.sku, self.own_held, first.number, first.until))
        if self.unit_price != self.shown:
            found.append(PriceMoved(self.sku, self.shown, self.unit_price))
        return found

    @property
    def piece(self) -> Piece:
        """What shipping needs to know."""
        return Piece(self.sku, self.scope, self.weight_g, self.quantity, self.amount)

    @property
    def unsettled(self) -> list[Problem]:
        """What the shopper has to decide on the page before ordering: what stands in the way, and another price."""
        return [problem for problem in self.problems if problem.blocks or problem.code == "price_changed"]

    def title_in(self, locale: str) -> str:
        """The product's title in `locale`."""
        return self.title_en if locale == "en" and self.title_en else self.title

    def variant_title_in(self, locale: str) -> str:
        """The variant's title in `locale`; empty for a product's only variant."""
        return self.variant_title_en if locale == "en" and self.variant_title_en else self.variant_title


@dataclass(frozen=True)
class ParcelGoods:
    """The lines that one facility will send."""

    facility: Facility
    lines: tuple[Line, ...]

    @property
    def items_total(self) -> int:
        """Rupiah without shipping."""
        return sum(line.amount for line in self.lines)

    @property
    def pieces(self) -> list[Piece]:
        """What shipping needs to know."""
        return [line.piece for line in self.lines]

    def leaves_on(self, paid_on: datetime.date, days: Days) -> datetime.date:
        """The working day on which all of it is made and packed."""
        return all_ready_on(paid_on, [line.lead_time_days for line in self.lines], days)


@dataclass(frozen=True)
class CartView:
    """The whole cart. What is not on sale any more is listed, but counts in no sum."""

    cart_id: int
    parcels: tuple[ParcelGoods, ...]
    withdrawn: tuple[Line, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines on sale."""
        return tuple(line for parcel in self.parcels for line in parcel.lines)

    @property
    def is_empty(self) -> bool:
        return not self.parcels and not self.withdrawn

    @property
    def items_total(self) -> int:
        """Rupiah for all goods on sale, without shipping."""
        return sum(parcel.items_total for parcel in self.parcels)

    @property
    def count(self) -> int:
        """Pieces on sale."""
        return sum(line.quantity for line in self.lines)

    @property
    def problems(self) -> list[Problem]:
        """All problems, line by line."""
        return [problem for line in (*self.withdrawn, *self.lines) for problem in line.problems]

    @property
    def may_be_ordered(self) -> bool:
        """Whether nothing in the cart itself stands in the way."""
        return bool(self.parcels) and not any(problem.blocks for problem in self.problems)

    @property
    def unsettled(self) -> list[Line]:
        """The lines with something to be decided first, in the order of the page."""
        return [line for line in (*self.withdrawn, *self.lines) if line.unsettled]

    @property
    def pieces(self) -> dict[int, list[Piece]]:
        """For shipping: facility id → its pieces."""
        return {parcel.facility.id: parcel.pieces for parcel in self.parcels}


def load(cart_id: int, *, with_photos: bool = False, holds: Sequence[OwnHold] = ()) -> CartView:
    """The cart `cart_id` with live prices and stock. Three queries, and one more for photos.

    `holds`: the shopper's own unpaid orders, whose pieces are there for them.
    """
    groups: dict[int, list[Line]] = {}
    facilities: dict[int, Facility] = {}
    withdrawn: list[Line] = []
    for row, line in _lines(_query(CartLine).where(CartLine.cart_id == cart_id), with_photos, holds):
        if not line.is_on_sale:
            withdrawn.append(line)
            continue
        facilities[line.facility_id] = row.Facility
        groups.setdefault(line.facility_id, []).append(line)
    parcels = tuple(ParcelGoods(facilities[key], tuple(lines)) for key, lines in groups.items())
    return CartView(cart_id, parcels, tuple(withdrawn))


def load_saved(cart_ids: Collection[int], holds: Sequence[OwnHold] = ()) -> list[Line]:
    """What was put by for later in these carts (see `kept`), with photos, live prices and stock."""
    if not cart_ids:
        return []
    which = KeptLine.cart_id.in_(cart_ids) & (KeptLine.shelf == "saved")
    return [line for _row, line in _lines(_query(KeptLine).where(which), True, holds)]


def titles_of(skus: Collection[str], language: str) -> dict[str, str]:
    """What goods are called, by SKU, on sale or not."""
    query = select(Variant.sku, Product.title, Product.title_en, Variant.title, Variant.title_en)
    rows = db.session.execute(query.join(Product, Product.id == Variant.product_id).where(Variant.sku.in_(skus)))
    found = {}
    for sku, title, title_en, part, part_en in rows:
        is_english = language == "en"
        words = (title_en or title, part_en or part) if is_english else (title, part)
        found[sku] = " · ".join(filter(None, words))
    return found


def first_photos(product_ids: Iterable[int]) -> dict[int, Photo]:
    """Each product's first photo."""
    query = select(Photo).where(Photo.product_id.in_(list(product_ids))).ext(distinct_on(Photo.product_id))
    query = query.order_by(Photo.product_id, Photo.position)
    return {photo.product_id: photo for photo in db.session.scalars(query)}


def _lines(query: Any, with_photos: bool, holds: Sequence[OwnHold]) -> list[tuple[Any, Line]]:
    """Rows of `_query`, each with its line."""
    rows = db.session.execute(query.execution_options(populate_existing=True)).all()
    stocked = [row.Variant.id for row in rows if not row.Variant.made_to_order]
    available = levels.available(stocked) if stocked else {}
    photos = first_photos([row.Product.id for row in rows]) if with_photos and rows else {}
    leads = lead_times([(row.Variant, row[0].quantity) for row in rows])
    return [(row, _line(row, available, photos, holds, leads[row.Variant.id])) for row in rows]


def _query(source: type[CartLine] | type[KeptLine]) -> Any:
    may_sell = func.product_may_sell(Product.id, today(), type_=Boolean).label("may_sell")
    paused_until = func.paused_until(Facility.id, today(), type_=Date).label("paused_until")
    return (
        select(source, Variant, Product, Facility, may_sell, paused_until)
        .join(Variant, Variant.id == source.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Facility, Facility.id == Product.facility_id)
        .order_by(source.added_at, source.variant_id)
    )


def _line(
    row: Any,
    available: Mapping[int, int],
    photos: Mapping[int, Photo],
    holds: Sequence[OwnHold],
    lead_time_days: int | None,
) -> Line:
    cart_line, variant, product, facility = row[0], row.Variant, row.Product, row.Facility
    published = variant.is_active and product.status == ProductStatus.PUBLISHED.value
    return Line(
        variant_id=variant.id,
        sku=variant.sku,
        product_slug=product.slug,
        title=product.title,
        title_en=product.title_en,
        variant_title=variant.title,
        variant_title_en=variant.title_en,
        facility_id=facility.id,
        workshop_id=product.workshop_id,
        commodity_group_id=product.commodity_group_id,
        scope=product.delivery_scope,
        weight_g=variant.weight_g,
        material_cost=variant.material_cost,
        made_to_order=variant.made_to_order,
        lead_time_days=lead_time_days,
        quantity=cart_line.quantity,
        unit_price=variant.price,
        shown=cart_line.unit_price_shown,
        is_on_sale=published and facility.status == "active" and row.may_sell and row.paused_until is None,
        paused_until=row.paused_until,
        available=None if variant.made_to_order else available.get(variant.id, 0),
        photo=photos.get(product.id),
        holds=tuple(hold for hold in holds if hold.pieces.get(variant.id)),
    )
