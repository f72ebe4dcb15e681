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
