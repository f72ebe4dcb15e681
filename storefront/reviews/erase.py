"""Forget who reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from storefront.extensions import db
from storefront.moderation.models import ItemState, ModerationItem
from storefront.moderation.queue import withdraw
from storefront.orders.models import OrderLine
from storefront.reviews import pictures
from storefront.reviews.models import Review, ReviewPhoto, ReviewReply


def _reviews(order_ids: Iterable[int]) -> list[Review]:
    lines = select(OrderLine.id).where(OrderLine.order_id.in_(list(order_ids)))
    return list(db.session.scalars(select(Review).where(Review.order_line_id.in_(lines))))


def forget(order_ids: Iterable[int]) -> int:
    """Erase the words, pictures and city of these orders' reviews; public stars keep counting. Never commits.

    Returns how many reviews.
    """
    found = [review for review in _reviews(order_ids) if review.erased_at is None]
    for review in found:
        for photo in db.session.scalars(select(ReviewPhoto).where(ReviewPhoto.review_id == review.id)).all():
            pictures.remove(photo)
        # A reply may quote what it answers.
        for reply in db.session.scalars(select(ReviewReply).where(ReviewReply.review_id == review.id)).all():
            withdraw("reply", reply.id)
            db.session.delete(reply)
        review.body, review.city, review.erased_at = "", "", func.now()
        undecided = select(ModerationItem.id).where(
            ModerationItem.kind == "review",
            ModerationItem.subject_id == review.id,
            ModerationItem.state.in_([ItemState.WAITING.value, ItemState.HELD.value]),
        )
        if db.session.scalar(select(undecided.exists())):
            withdraw("review", review.id)
    db.session.flush()
    return len(found)


def kept_of(order_ids: Iterable[int]) -> list[dict[str, Any]]:
    """What the reviews of these orders hold, for who asks for their own data."""
    return [
        {
            "written_at": review.created_at.isoformat(),
            "stars": review.stars,
            "text": review.body,
            "city": review.city,
            "is_public": review.is_shown,
        }
        for review in _reviews(order_ids)
        if review.erased_at is None
    ]
