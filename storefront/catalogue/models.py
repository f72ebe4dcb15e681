"""Categories, products, variants, photos, and the words that search knows."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.catalogue.fact_models import (  # noqa: F401 - the room's models come together
    CategoryNeed,
    ProductFact,
    ProductFood,
    ProductPaper,
    SizeTable,
    StockAlert,
)
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop


class DeliveryScope(enum.StrEnum):
    """How far a product may be sent (tempeh does not go to Maluku)."""

    PICKUP = "pickup"
    SAME_CITY = "same_city"
    PROVINCE = "province"
    NATIONWIDE = "nationwide"


class ProductStatus(enum.StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Category(db.Model):  # type: ignore[name-defined]
    """A branch of the shop's tree."""

    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    slug: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int] = mapped_column(Integer, default=0)
    #: No longer used; it stays for what was sold in it.
    archived_at: Mapped[datetime.datetime | None]
    #: Where what it held went, and where its address leads.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))


class CommodityGroup(db.Model):  # type: ignore[name-defined]
    """One of e-Smart IKM's nine groups; split rules may name one."""

    __tablename__ = "commodity_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int] = mapped_column(Integer)


class Product(db.Model):  # type: ignore[name-defined]
    """What is listed; belongs to one workshop, one category and at most one commodity group."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id"))
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    commodity_group_id: Mapped[int | None] = mapped_column(ForeignKey("commodity_groups.id"))
    slug: Mapped[str]
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    description_en: Mapped[str] = mapped_column(default="")
    delivery_scope: Mapped[str] = mapped_column(default=DeliveryScope.NATIONWIDE.value)
    status: Mapped[str] = mapped_column(default=ProductStatus.DRAFT.value)
    #: Names of what tells its variants apart, such as size and colour; at most two.
    options: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    #: Empty: as in Indonesian.
    options_en: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    published_at: Mapped[datetime.datetime | None]
    #: Until then it may be public without what its category asks for; None: no longer than anything else.
    sells_unpapered_until: Mapped[datetime.date | None]
    #: Kept by a trigger.
    search: Mapped[str] = mapped_column(
        TSVECTOR, server_default=FetchedValue(), server_onupdate=FetchedValue(), deferred=True
    )
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    updated_at: Mapped[datetime.datetime] = mapped_column(
        server_default=FetchedValue(), server_onupdate=FetchedValue()
    )

    facility: Mapped[Facility] = relationship()
    workshop: Mapped[Workshop] = relationship()
    category: Mapped[Category] = relationship()
    commodity_group: Mapped[CommodityGroup | None] = relationship()
    variants: Mapped[list[Variant]] = relationship(back_populates="product", order_by="Variant.position")
    photos: Mapped[list[Photo]] = relationship(back_populates="product", order_by="Photo.position")


class Variant(db.Model):  # type: ignore[name-defined]
    """What is bought: one SKU, one price."""

    __tablename__ = "variants"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    sku: Mapped[str]
    #: Its values of the product's options, in their order.
    options: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    options_en: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    #: Empty for the only variant of a product.
    title: Mapped[str] = mapped_column(default="")
    title_en: Mapped[str] = mapped_column(default="")
    price: Mapped[int]
    #: Of one piece, in rupiah; None: not known, and a `profit` rule then counts it as 0.
    material_cost: Mapped[int | None]
    weight_g: Mapped[int] = mapped_column(Integer)
    #: Made after it is ordered: no stock, a lead time instead.
    made_to_order: Mapped[bool] = mapped_column(default=False)
    lead_time_days: Mapped[int | None] = mapped_column(Integer)
    #: Pieces made to order that the workshop makes in a week; None: however many are ordered.
    weekly_capacity: Mapped[int | None] = mapped_column(Integer)
    #: Weeks that what is ordered already takes beyond the lead time, as cached pages say it (`orders.making`).
    queued_weeks: Mapped[int] = mapped_column(Integer, server_default=FetchedValue())
    position: Mapped[int] = mapped_column(Integer, default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    #: Which of its product's pictures shows it; None: all of them.
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photos.id"))

    product: Mapped[Product] = relationship(back_populates="variants")


class Photo(db.Model):  # type: ignore[name-defined]
    """A picture of a product; its files are `<key>-<width>.avif` and `.webp` in the media store."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    position: Mapped[int] = mapped_column(Integer, default=0)
    key: Mapped[str]
    widths: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    #: Ground behind a cut-out picture: `c1` … `c4`.
    tint: Mapped[str] = mapped_column(default="c1")
    alt: Mapped[str]
    alt_en: Mapped[str] = mapped_column(default="")

    product: Mapped[Product] = relationship(back_populates="photos")


class Listing(db.Model):  # type: ignore[name-defined]
    """What lists are filtered, counted and sorted by: one row for each product on sale, kept by triggers."""

    __tablename__ = "listings"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    facility_id: Mapped[int]
    category_id: Mapped[int]
    published_at: Mapped[datetime.datetime]
    price_from: Mapped[int]
    price_to: Mapped[int]
    #: The best that any variant offers: `ready`, `few_left`, `made_to_order` or `sold_out`.
    state: Mapped[str]
    #: The shortest, when made to order.
    lead_time_days: Mapped[int | None] = mapped_column(Integer)
    commodity_group_id: Mapped[int | None]
    workshop_id: Mapped[int]
    #: The last day of the pause that its facility is in; `state` is `sold_out` then.
    paused_until: Mapped[datetime.date | None]
    #: Sum of the stars of its public reviews, and how many these are.
    stars: Mapped[int]
    reviews: Mapped[int] = mapped_column(Integer)


class ListingGone(db.Model):  # type: ignore[name-defined]
    """A product that left the list, for processes that keep a copy of it; written by the database."""

    __tablename__ = "listings_gone"

    product_id: Mapped[int] = mapped_column(primary_key=True)


class SynonymGroup(db.Model):  # type: ignore[name-defined]
    """Words that mean the same to a shopper."""

    __tablename__ = "synonym_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Both None: as it came with the shop.
    changed_at: Mapped[datetime.datetime | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Synonym(db.Model):  # type: ignore[name-defined]
    """A word or term of a group, in lower case; it stands in one group only."""

    __tablename__ = "synonyms"

    term: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("synonym_groups.id"))
    position: Mapped[int] = mapped_column(Integer, default=0)


class LostSearch(db.Model):  # type: ignore[name-defined]
    """Words that found nothing, and how often on one day; never who typed them."""

    __tablename__ = "lost_searches"

    words: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(Integer)


class LostSearchDone(db.Model):  # type: ignore[name-defined]
    """Words without results that a curator has dealt with."""

    __tablename__ = "lost_searches_done"

    words: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    done_by: Mapped[int] = mapped_column(ForeignKey("people.id"))


class SearchWord(db.Model):  # type: ignore[name-defined]
    """A whole word of published products and how often it stands there; for typing errors."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(primary_key=True)
    frequency: Mapped[int] = mapped_column(Integer)


class CatalogueVersion(db.Model):  # type: ignore[name-defined]
    """A single row whose number rises with each edit of what the public sees."""

    __tablename__ = "catalogue_version"

    only_row: Mapped[bool] = mapped_column(primary_key=True)
    version: Mapped[int]


class ShortCode(db.Model):  # type: ignore[name-defined]
    """A short link on a label, `/p/<code>`: to a variant or a parcel."""

    __tablename__ = "short_codes"

    code: Mapped[str] = mapped_column(primary_key=True)
    #: `variant` or `parcel`.
    kind: Mapped[str]
    #: Id of the variant or parcel.
    target: Mapped[int]


class CatalogueChange(db.Model):  # type: ignore[name-defined]
    """When a product last changed in what the public sees of it; written by the database."""

    __tablename__ = "catalogue_changes"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    changed_at: Mapped[datetime.datetime]


class ProductRating(db.Model):  # type: ignore[name-defined]
    """What the public reviews of a product add up to; written by the database as reviews change."""

    __tablename__ = "product_ratings"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    #: Sum of the stars, 1 to 5 each.
    stars: Mapped[int]
    reviews: Mapped[int] = mapped_column(Integer)
