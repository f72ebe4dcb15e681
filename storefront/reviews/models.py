"""A review of one order line, its pictures, and the facility's reply."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Review(db.Model):  # type: ignore[name-defined]
    """What somebody who received it says of a product; one for each order line."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"))
    #: Of the line; written by the database.
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: 1 to 5.
    stars: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[str] = mapped_column(default="")
    #: All that is shown of the buyer.
    city: Mapped[str] = mapped_column(default="")
    locale: Mapped[str]
    #: Passed or approved; only then it counts in `product_ratings`.
    is_shown: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    updated_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    erased_at: Mapped[datetime.datetime | None]


class ReviewPhoto(db.Model):  # type: ignore[name-defined]
    """A picture of a review; in the private store until a curator has let it through."""

    __tablename__ = "review_photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    #: Private key of the upload, until the picture is made from it.
    original: Mapped[str | None]
    #: Stem of the files, random.
    key: Mapped[str]
    widths: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    #: Size of the largest, in pixels.
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    #: What is to be seen, in the buyer's words.
    alt: Mapped[str] = mapped_column(default="")
    #: `new`, `ready`, `broken`.
    state: Mapped[str] = mapped_column(default="new")
    is_shown: Mapped[bool] = mapped_column(default=False)


class ReviewReply(db.Model):  # type: ignore[name-defined]
    """What the facility says to a review."""

    __tablename__ = "review_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    body: Mapped[str]
    is_shown: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    updated_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
