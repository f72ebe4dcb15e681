"""Reviews as everybody reads them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront.catalogue.cards import Photo

#: On the page of its own.
PAGE = 20


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
