"""Reviews as everybody reads them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront.catalogue.cards import Photo

#: On a product's page; the rest has a page of its own.
FIRST = 4
PAGE = 20

#: One JSON value; needs `:product`, `:reviews_limit`, `:reviews_skip`. Those that say something come first.
REVIEWS = """
    (SELECT json_agg(r) FROM (
        SELECT r.id, r.stars, r.body, r.city, r.created_at, r.locale,
               (SELECT json_agg(json_build_object('key', p.key, 'widths', p.widths, 'width', p.width,
                                                  'height', p.height, 'alt', p.alt) ORDER BY p.position)
                  FROM review_photos p WHERE p.review_id = r.id AND p.is_shown) AS photos,
               (SELECT body FROM review_replies a WHERE a.review_id = r.id AND a.is_shown) AS reply
          FROM reviews r WHERE r.product_id = :product AND r.is_shown
         ORDER BY (r.body = ''), r.created_at DESC, r.id DESC LIMIT :reviews_limit OFFSET :reviews_skip) r)"""
RATING = """
    (SELECT json_build_object('stars', g.stars, 'reviews', g.reviews, 'each', (
            SELECT json_object_agg(s.stars, s.number) FROM (
                SELECT stars, count(*) AS number FROM reviews
                 WHERE product_id = :product AND is_shown GROUP BY stars) s))
       FROM product_ratings g WHERE g.product_id = :product AND g.reviews > 0)"""


@dataclass(frozen=True)
class PublicReview:
    id: int
    stars: int
    body: str
    city: str
    created_at: datetime.datetime
    locale: str
    photos: tuple[Photo, ...]
    reply: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PublicReview:
        return cls(
            id=row["id"],
            stars=row["stars"],
            body=row["body"],
            city=row["city"],
            created_at=datetime.datetime.fromisoformat(row["created_at"]),
            locale=row["locale"],
            photos=tuple(
                Photo(
                    photo["key"], tuple(photo["widths"]), photo["width"], photo["height"], photo["alt"], None
                )
                for photo in row["photos"] or []
            ),
            reply=row["reply"],
        )


@dataclass(frozen=True)
class Rating:
    """What a product's public reviews sum to."""

    #: Sum of all stars.
    stars: int
    reviews: int
    #: How many gave one star, two …
    each: Mapping[int, int]

    @property
    def tenths(self) -> int:
        """The average in tenths of a star, rounded half up: 46 is 4.6."""
        return (self.stars * 20 + self.reviews) // (2 * self.reviews)

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Rating | None:
        if row is None:
            return None
        each = {int(stars): number for stars, number in (row["each"] or {}).items()}
        return cls(row["stars"], row["reviews"], each)
