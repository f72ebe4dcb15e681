"""What the public reviews of a product add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def tenths(stars: int, reviews: int) -> int:
    """The mean in tenths of a star, rounded half up: 46 is 4.6; 0 without reviews."""
    return (20 * stars + reviews) // (2 * reviews) if reviews else 0


@dataclass(frozen=True)
class Rating:
    """Of a product that has reviews."""

    #: Sum of the stars, 1 to 5 each.
    stars: int
    reviews: int
    #: How many gave one star, two …; empty where nobody asks.
    each: Mapping[int, int] = field(default_factory=dict)

    @property
    def tenths(self) -> int:
        """The mean in tenths of a star: 46 is 4.6."""
        return tenths(self.stars, self.reviews)

    @property
    def average(self) -> str:
        """The mean with one digit, as `4.6`."""
        return f"{self.tenths // 10}.{self.tenths % 10}"

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Rating | None:
        """From a row of `product_ratings`, with or without `each`; None without one."""
        if row is None:
            return None
        each = {int(stars): number for stars, number in (row.get("each") or {}).items()}
        return cls(row["stars"], row["reviews"], each)
