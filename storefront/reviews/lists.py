"""Reviews as their two sides read them: the buyer beside the order, the facility in its list."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select

from storefront.catalogue.models import Product
from storefront.extensions import db
from storefront.languages import locale
from storefront.moderation.lists import Told, states_of, told
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState
from storefront.pages import Paged
from storefront.reviews.models import Review, ReviewPhoto, ReviewReply
from storefront.reviews.write import is_editable

PAGE = 20


@dataclass(frozen=True)
class OwnLine:
    """A line of somebody's order, and what may be said of it."""

    position: int
    title: str
    parcel_positions: tuple[int, ...]
    is_received: bool
    #: None: not reviewed yet.
    stars: int | None
    #: `shown`, `waiting`, `refused`, or empty.
    state: str
    note: str
    may_edit: bool


@dataclass(frozen=True)
class FacilityReview:
    """A public review with the facility's reply."""

    id: int
    product_title: str
    product_slug: str
    stars: int
    body: str
    locale: str
    city: str
    created_at: datetime.datetime
    photos: tuple[ReviewPhoto, ...]
    reply: str
    #: `shown`, `waiting`, `refused`, or empty.
    reply_state: str
    reply_note: str


class ReviewPage(Paged[FacilityReview]):
    size = PAGE


def of_order(order: Order) -> list[OwnLine]:
    """The order's lines, in its order, with their reviews."""
    rows = db.session.execute(
        select(
            OrderLine,
            Review,
            func.array_agg(Parcel.position),
            func.bool_or(Parcel.state == ParcelState.RECEIVED.value),
            func.now(),
        )
        .join(ParcelLine, ParcelLine.order_line_id == OrderLine.id)
        .join(Parcel, Parcel.id == ParcelLine.parcel_id)
        .outerjoin(Review, Review.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == order.id)
        .group_by(OrderLine.id, Review.id)
        .order_by(OrderLine.position)
    ).all()
    items = states_of("review", [review.id for _line, review, *_rest in rows if review])
    found = []
    for line, review, parcels, received, now in rows:
        fate = told(review.is_shown, items.get(review.id)) if review else Told("", "")
        found.append(
            OwnLine(
                position=line.position,
                title=(line.title_en if locale() == "en" else "") or line.title,
                parcel_positions=tuple(parcels),
                is_received=bool(received),
                stars=review.stars if review else None,
                state=fate.state,
                note=fate.note,
                may_edit=review is not None and is_editable(review, now),
            )
        )
    return found


def photos_of(review_id: int) -> list[ReviewPhoto]:
    """A review's pictures, in order."""
    return list(
        db.session.scalars(
            select(ReviewPhoto)
            .where(ReviewPhoto.review_id == review_id, ReviewPhoto.state != "broken")
            .order_by(ReviewPhoto.position)
        )
    )


def of_facility(facility_id: int, page: int = 1, only_unanswered: bool = False) -> ReviewPage:
    """A page of the facility's public reviews, the latest first."""
    where = [Review.facility_id == facility_id, Review.is_shown]
    if only_unanswered:
        where.append(~select(ReviewReply.id).where(ReviewReply.review_id == Review.id).exists())
        where.append(Review.body != "")
    total = db.session.scalar(select(func.count()).select_from(Review).where(*where)) or 0
    rows = db.session.execute(
        select(Review, Product.title, Product.title_en, Product.slug, ReviewReply)
        .join(Product, Product.id == Review.product_id)
        .outerjoin(ReviewReply, ReviewReply.review_id == Review.id)
        .where(*where)
        .order_by(Review.created_at.desc(), Review.id.desc())
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    ).all()
    items = states_of("reply", [row.ReviewReply.id for row in rows if row.ReviewReply])
    photos: dict[int, list[ReviewPhoto]] = {}
    for photo in db.session.scalars(
        select(ReviewPhoto)
        .where(ReviewPhoto.review_id.in_([row.Review.id for row in rows]), ReviewPhoto.is_shown)
        .order_by(ReviewPhoto.position)
    ):
        photos.setdefault(photo.review_id, []).append(photo)
    english = locale() == "en"
    found = []
    for review, title, title_en, slug, reply in rows:
        fate = told(reply.is_shown, items.get(reply.id)) if reply else Told("", "")
        found.append(
            FacilityReview(
                review.id, (title_en if english else "") or title, slug, review.stars, review.body, review.locale,
                review.city,
                review.created_at, tuple(photos.get(review.id, ())), reply.body if reply else "",
                fate.state, fate.note,
            )
        )  # fmt: skip
    return ReviewPage(found, total, page)


def own_review(facility_id: int, review_id: int) -> Review | None:
    """A public review of the facility's own."""
    return db.session.scalar(
        select(Review).where(Review.id == review_id, Review.facility_id == facility_id, Review.is_shown)
    )
