"""A facility's shelf: what it lists, at what price, and how many pieces lie where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from storefront.catalogue.models import Category, Photo, Product, ProductStatus, Variant
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.languages import locale
from storefront.pages import Paged
from storefront.stock.low_marks import mark
from storefront.stock.models import LowStockMark, StockLevel, StockLocation

PAGE = 25
#: Filters by stock: none left, few left, enough, made to order.
STOCK_FILTERS = ("sold_out", "few_left", "ready", "made_to_order")
#: What the shelf may be sorted by.
SORTS = ("title", "sku", "price", "on_hand", "available")


@dataclass(frozen=True)
class ShelfFilter:
    """What of the shelf is wanted; what is empty does not narrow it."""

    status: str = ""
    stock: str = ""
    #: A workshop of the facility, and a category with all below it; by id.
    workshop: int | None = None
    category: int | None = None
    q: str = ""


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
    #: Pieces at exhibitions' stands.
    at_stands: int
    #: From how many free pieces down it is running out.
    low_mark: int
    workshop: str
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
        return "few_left" if self.available <= self.low_mark else "ready"


class ShelfPage(Paged[ShelfRow]):
    size = PAGE


def shelf(
    facility_id: int, wanted: ShelfFilter | None = None, sort: str = "title", page: int = 1
) -> ShelfPage:
    """The facility's variants as `wanted`, by `sort` (one of `SORTS`, with a minus in front: the other way)."""
    where = _narrowed(facility_id, wanted or ShelfFilter())
    total = db.session.scalar(_joined(select(func.count())).where(*where)) or 0
    statement = _rows().where(*where).order_by(*_order(sort))
    found = db.session.execute(statement.offset((page - 1) * PAGE).limit(PAGE)).all()
    return ShelfPage(_with_photos(found), total, page)


def matching(facility_id: int, wanted: ShelfFilter) -> list[int]:
    """Ids of all of the facility's variants as `wanted` that are kept in stock."""
    where = [*_narrowed(facility_id, wanted), Variant.made_to_order.is_(False)]
    return list(db.session.scalars(_joined(select(Variant.id)).where(*where)))


def own(facility_id: int, skus: Sequence[str]) -> list[ShelfRow]:
    """Those of the facility's own variants, by title; what is not its own is left out."""
    statement = _rows().where(Product.facility_id == facility_id, Variant.sku.in_(skus))
    return _with_photos(db.session.execute(statement.order_by(*_order("title"))).all())


def by_id(variant_ids: Sequence[int]) -> dict[int, ShelfRow]:
    """Rows of variants by their id, whosesoever they are."""
    found = db.session.execute(_rows().where(Variant.id.in_(variant_ids))).all()
    return {row.variant_id: row for row in _with_photos(found)}


def countable(facility_id: int, wanted: ShelfFilter | None = None, limit: int = 1000) -> list[ShelfRow]:
    """What may lie in the store, in the order of a sheet: by workshop, title and size.

    All that is kept in stock and not archived, and whatever else still has pieces there.
    """
    narrowed = wanted or ShelfFilter()
    where = [
        Product.facility_id == facility_id,
        Variant.made_to_order.is_(False),
        or_(
            and_(Variant.is_active, Product.status != ProductStatus.ARCHIVED.value),
            func.coalesce(StockLevel.on_hand, 0) > 0,
        ),
        *_of_kind(narrowed),
        *_with_words(narrowed.q),
    ]
    order = (Workshop.name, Workshop.id, Product.title, Product.id, Variant.position, Variant.id)
    return _with_photos(db.session.execute(_rows().where(*where).order_by(*order).limit(limit)).all())


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


def workshops(facility_id: int) -> list[tuple[int, str]]:
    """Id and name of the facility's workshops."""
    rows = db.session.execute(
        select(Workshop.id, Workshop.name).where(Workshop.facility_id == facility_id).order_by(Workshop.name)
    )
    return [(id_, name) for id_, name in rows]


def categories(facility_id: int) -> list[tuple[int, str]]:
    """Id and name of the categories in which the facility lists something, and of those above them."""
    used = (
        select(Category.id, Category.parent_id)
        .where(Category.id.in_(select(Product.category_id).where(Product.facility_id == facility_id)))
        .cte(recursive=True)
    )
    used = used.union(select(Category.id, Category.parent_id).join(used, used.c.parent_id == Category.id))
    name = Category.name_en if locale() == "en" else Category.name
    rows = db.session.execute(
        select(Category.id, name).where(Category.id.in_(select(used.c.id))).order_by(name, Category.id)
    )
    return [(id_, text) for id_, text in rows]


def _narrowed(facility_id: int, wanted: ShelfFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Product.facility_id == facility_id, Variant.is_active.is_(True)]
    where += [*_of_kind(wanted), *_with_words(wanted.q)]
    if wanted.status in set(ProductStatus):
        where.append(Product.status == wanted.status)
    if wanted.stock in STOCK_FILTERS:
        where.append(_stock_is(wanted.stock))
    return where


def _of_kind(wanted: ShelfFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.workshop is not None:
        where.append(Product.workshop_id == wanted.workshop)
    if wanted.category is not None:
        below = select(Category.id).where(Category.id == wanted.category).cte(recursive=True)
        below = below.union(select(Category.id).join(below, Category.parent_id == below.c.id))
        where.append(Product.category_id.in_(select(below.c.id)))
    return where


def _with_words(q: str) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for word in q.split()[:6]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where.append(
            or_(Product.title.ilike(pattern), Product.title_en.ilike(pattern), Variant.sku.ilike(pattern))
        )
    return where


def _order(sort: str) -> list[ColumnElement[Any]]:
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    chosen: dict[str, Any] = {
        "title": Product.title,
        "sku": Variant.sku,
        "price": Variant.price,
        "on_hand": func.coalesce(StockLevel.on_hand, 0),
        "available": _available(),
    }
    first = chosen.get(name, Product.title)
    return [first.desc() if backwards else first, Product.title, Product.id, Variant.position, Variant.id]


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(Variant)
        .join(Product, Product.id == Variant.product_id)
        .join(Workshop, Workshop.id == Product.workshop_id)
        .outerjoin(StockLocation, StockLocation.facility_id == Product.facility_id)
        .outerjoin(
            StockLevel, and_(StockLevel.variant_id == Variant.id, StockLevel.location_id == StockLocation.id)
        )
        .outerjoin(LowStockMark, LowStockMark.variant_id == Variant.id)
    )


def _rows() -> Select[*tuple[Any, ...]]:
    level, place = aliased(StockLevel), aliased(StockLocation)
    at_stands = (
        select(func.coalesce(func.sum(level.on_hand), 0))
        .join(place, place.id == level.location_id)
        .where(level.variant_id == Variant.id, place.exhibition_id.is_not(None))
        .correlate(Variant)
        .scalar_subquery()
    )
    return _joined(
        select(
            Variant,
            Product,
            StockLevel.on_hand,
            StockLevel.reserved,
            at_stands.label("at_stands"),
            mark().label("low_mark"),
            Workshop.name.label("workshop"),
        )
    )


def _available() -> ColumnElement[int]:
    return func.coalesce(StockLevel.on_hand - StockLevel.reserved, 0)


def _stock_is(name: str) -> ColumnElement[bool]:
    if name == "made_to_order":
        return Variant.made_to_order.is_(True)
    counted = {
        "sold_out": _available() <= 0,
        "few_left": and_(_available() > 0, _available() <= mark()),
        "ready": and_(_available() > 0, _available() > mark()),
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
            at_stands=at_stands,
            low_mark=low_mark,
            workshop=workshop,
            photo=photos.get(p.id),
        )
        for v, p, on_hand, reserved, at_stands, low_mark, workshop in found
    ]
