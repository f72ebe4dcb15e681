"""Reviews, their pictures and the replies in the curators' queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.extensions import db
from storefront.moderation.kinds import Kind, Picture, Said, Shown, register
from storefront.reviews import pictures
from storefront.reviews.models import Review, ReviewPhoto, ReviewReply


def reviews_shown(ids: Iterable[int]) -> dict[int, Shown]:
    """Reviews with their pictures and what was replied."""
    wanted = list(ids)
    replies = dict(
        db.session.execute(
            select(ReviewReply.review_id, ReviewReply.body).where(ReviewReply.review_id.in_(wanted))
        ).all()
    )
    return {
        review.id: _shown(
            review,
            title,
            slug,
            text=review.body,
            around=tuple(Said("facility", body) for body in [replies.get(review.id)] if body),
            photos=tuple(_picture(photo) for photo in _ready(review.id)),
        )
        for review, title, slug in _reviews(wanted)
        if review.erased_at is None
    }


def photos_shown(ids: Iterable[int]) -> dict[int, Shown]:
    """Pictures with the words that they came with."""
    found = db.session.scalars(select(ReviewPhoto).where(ReviewPhoto.id.in_(list(ids)))).all()
    reviews = {row.Review.id: row for row in _reviews([photo.review_id for photo in found])}
    return {
        photo.id: _shown(
            *reviews[photo.review_id],
            text=photo.alt,
            around=_words(reviews[photo.review_id].Review),
            photos=(_picture(photo),),
        )
        for photo in found
    }


def replies_shown(ids: Iterable[int]) -> dict[int, Shown]:
    """Replies with the review that they answer."""
    found = db.session.scalars(select(ReviewReply).where(ReviewReply.id.in_(list(ids)))).all()
    reviews = {row.Review.id: row for row in _reviews([reply.review_id for reply in found])}
    return {
        reply.id: _shown(
            *reviews[reply.review_id],
            text=reply.body,
            around=_words(reviews[reply.review_id].Review),
            language="id",
        )
        for reply in found
    }


def apply_review(review_id: int, is_public: bool) -> None:
    review = db.session.get_one(Review, review_id, with_for_update=True)
    review.is_shown = is_public
    db.session.flush()


def apply_reply(reply_id: int, is_public: bool) -> None:
    reply = db.session.get_one(ReviewReply, reply_id, with_for_update=True)
    reply.is_shown = is_public
    db.session.flush()


def _reviews(ids: Iterable[int]) -> Any:
    return db.session.execute(
        select(Review, Product.title, Product.slug)
        .join(Product, Product.id == Review.product_id)
        .where(Review.id.in_(list(ids)))
    ).all()


def _ready(review_id: int) -> Iterable[ReviewPhoto]:
    return db.session.scalars(
        select(ReviewPhoto)
        .where(ReviewPhoto.review_id == review_id, ReviewPhoto.state == "ready")
        .order_by(ReviewPhoto.position)
    )


def _words(review: Review) -> tuple[Said, ...]:
    return (Said("review", review.body, review.locale),) if review.body else ()


def _picture(photo: ReviewPhoto) -> Picture:
    return Picture(photo.id, photo.alt, photo.width, photo.height)


def _shown(
    review: Review,
    title: str,
    slug: str,
    *,
    text: str,
    language: str = "",
    around: tuple[Said, ...] = (),
    photos: tuple[Picture, ...] = (),
) -> Shown:
    return Shown(
        text, language=language or review.locale, product_title=title, product_slug=slug, city=review.city,
        is_buyer=True, stars=review.stars, around=around, pictures=photos,
    )  # fmt: skip


register(Kind("review", reviews_shown, apply_review))
register(Kind("photo", photos_shown, pictures.show))
register(Kind("reply", replies_shown, apply_reply))
