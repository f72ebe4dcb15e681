"""A facility's shelf: what it lists, at what price, how many pieces lie there, and how they came and went."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from storefront.catalogue.models import Photo, Product, ProductStatus, Variant
from storefront.extensions import db
from storefront.languages import locale
from storefront.people.models import Person
from storefront.stock.levels import FEW
from storefront.stock.models import StockLevel, StockLocation, StockMovement

PAGE = 25
#: Filters by stock: none left, few left, enough, made to order.
STOCK_FILTERS = ("sold_out", "few_left", "ready", "made_to_order")


@dataclass(frozen=True)
class ShelfRow:
    """One variant with its product and its pieces in the facility's own store."""

    variant_id: int
    sku: str
    product_id: int
    slug: str
    title: str
    variant_title: str
    status: str
    price: int
    made_to_order: bool
    lead_time_days: int | None
    on_hand: int
    reserved: int
    photo: Photo | None

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    @property
    def stock_state(self) -> str:
        """One of `STOCK_FILTERS`."""
        if self.made_to_order:
            return "made_to_order"
        if self.available <= 0:
            return "sold_out"
        return "few_left" if self.available <= FEW else "ready"


@dataclass(frozen=True)
class ShelfPage:
    rows: Sequence[ShelfRow]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class Movement:
    """A movement, with what was on hand after it."""

    moved_at: datetime.datetime
    quantity: int
    reason: str
    note: str
    on_hand: int
    person_name: str | None


@dataclass(frozen=True)
class HistoryPage:
    rows: Sequence[Movement]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def shelf(
    facility_id: int, *, status: str | None = None, stock: str | None = None, q: str = "", page: int = 1
) -> ShelfPage:
    """The facility's variants by title, filtered by product status, stock and words in title or SKU."""
    where = [Product.facility_id == facility_id, Variant.is_active]
    if status in set(ProductStatus):
        where.append(Product.status == status)
    if stock in STOCK_FILTERS:
        where.append(_stock_is(stock))
    for word in q.split()[:6]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where.append(
            or_(Product.title.ilike(pattern), Product.title_en.ilike(pattern), Variant.sku.ilike(pattern))
        )
    total = db.session.scalar(_joined(select(func.count())).where(*where)) or 0
    statement = _rows().where(*where).order_by(Product.title, Product.id, Variant.position, Variant.id)
    found = db.session.execute(statement.offset((page - 1) * PAGE).limit(PAGE)).all()
    return ShelfPage(_with_photos(found), total, page)


def running_out(facility_id: int, limit: int = 8) -> list[ShelfRow]:
    """Published variants that are sold out or nearly so, the emptiest first."""
    low = or_(_stock_is("sold_out"), _stock_is("few_left"))
    statement = (
        _rows()
        .where(Product.facility_id == facility_id, Variant.is_active)
        .where(Product.status == ProductStatus.PUBLISHED.value, low)
        .order_by(_available(), Product.title, Variant.position)
        .limit(limit)
    )
    return _with_photos(db.session.execute(statement).all())


def stock_counts(facility_id: int) -> dict[str, int]:
    """How many variants of published products are in each state of `STOCK_FILTERS`."""
    columns = [func.count().filter(_stock_is(name)).label(name) for name in STOCK_FILTERS]
    row = db.session.execute(
        _joined(select(*columns)).where(
            Product.facility_id == facility_id,
            Variant.is_active,
            Product.status == ProductStatus.PUBLISHED.value,
        )
    ).one()
    return dict(row._mapping)


def find(facility_id: int, sku: str) -> ShelfRow | None:
    """One of the facility's own variants by its SKU, else None."""
    found = db.session.execute(_rows().where(Product.facility_id == facility_id, Variant.sku == sku)).all()
    return _with_photos(found)[0] if found else None


def history(facility_id: int, variant_id: int, page: int = 1) -> HistoryPage:
    """Movements of a variant in the facility's store, the latest first, each with what was on hand after it."""
    store = select(StockLocation.id).where(StockLocation.facility_id == facility_id).scalar_subquery()
    here = (StockMovement.variant_id == variant_id, StockMovement.location_id == store)
    total = db.session.scalar(select(func.count()).select_from(StockMovement).where(*here)) or 0
    after = func.sum(StockMovement.quantity).over(order_by=StockMovement.id)
    running = select(StockMovement.id, after.label("on_hand")).where(*here).subquery()
    rows = db.session.execute(
        select(StockMovement, running.c.on_hand, Person.name)
        .join(running, running.c.id == StockMovement.id)
        .outerjoin(Person, Person.id == StockMovement.person_id)
        .order_by(StockMovement.id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    movements = [
        Movement(m.moved_at, m.quantity, m.reason, m.note, on_hand, name) for m, on_hand, name in rows
    ]
    return HistoryPage(movements, total, page)


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(Variant)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(StockLocation, StockLocation.facility_id == Product.facility_id)
        .outerjoin(
            StockLevel, and_(StockLevel.variant_id == Variant.id, StockLevel.location_id == StockLocation.id)
        )
    )


def _rows() -> Select[*tuple[Any, ...]]:
    return _joined(select(Variant, Product, StockLevel.on_hand, StockLevel.reserved))


def _available() -> ColumnElement[int]:
    return func.coalesce(StockLevel.on_hand - StockLevel.reserved, 0)


def _stock_is(name: str) -> ColumnElement[bool]:
    if name == "made_to_order":
        return Variant.made_to_order.is_(True)
    counted = {
        "sold_out": _available() <= 0,
        "few_left": _available().between(1, FEW),
        "ready": _available() > FEW,
    }
    return and_(Variant.made_to_order.is_(False), counted[name])


def _with_photos(found: Sequence[Row[*tuple[Any, ...]]]) -> list[ShelfRow]:
    ids = {row.Product.id for row in found}
    photos: dict[int, Photo] = {}
    for photo in db.session.scalars(
        select(Photo).where(Photo.product_id.in_(ids)).order_by(Photo.product_id, Photo.position)
    ):
        photos.setdefault(photo.product_id, photo)
    english = locale() == "en"
    return [
        ShelfRow(
            variant_id=v.id,
            sku=v.sku,
            product_id=p.id,
            slug=p.slug,
            title=(p.title_en if english else "") or p.title,
            variant_title=(v.title_en if english else "") or v.title,
            status=p.status,
            price=v.price,
            made_to_order=v.made_to_order,
            lead_time_days=v.lead_time_days,
            on_hand=on_hand or 0,
            reserved=reserved or 0,
            photo=photos.get(p.id),
        )
        for v, p, on_hand, reserved in found
    ]
