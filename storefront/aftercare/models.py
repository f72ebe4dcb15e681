"""Problems with what was sold, the news that its money has moved, and a thank-you."""

from __future__ import annotations

import datetime
import enum
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.extensions import db


class ProblemKind(enum.StrEnum):
    DAMAGED = "damaged"
    WRONG = "wrong"
    MISSING = "missing"
    NOT_AS_DESCRIBED = "not_as_described"
    NOT_ARRIVED = "not_arrived"


class ProblemState(enum.StrEnum):
    """`open`: the facility answers. `handed_over`: it did not in time, the office decides."""

    OPEN = "open"
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Problem(db.Model):  # type: ignore[name-defined]
    """What a shopper says is wrong with a parcel: a request to get money back."""

    __tablename__ = "problems"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    kind: Mapped[str]
    #: Plain text of the shopper's; None: erased.
    words: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=ProblemState.OPEN.value)
    reported_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: The facility's last day to answer.
    answer_by: Mapped[datetime.date]
    handed_over_at: Mapped[datetime.datetime | None]
    answered_at: Mapped[datetime.datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    #: To the shopper, plain text.
    answer: Mapped[str] = mapped_column(default="")
    #: What an accepted one became.
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    #: Of the form: sent twice, it is one problem.
    request_key: Mapped[str]
    erased_at: Mapped[datetime.datetime | None]

    lines: Mapped[list[ProblemLine]] = relationship(order_by="ProblemLine.order_line_id")
    photos: Mapped[list[ProblemPhoto]] = relationship(order_by="ProblemPhoto.position")


class ProblemLine(db.Model):  # type: ignore[name-defined]
    """Pieces that it concerns."""

    __tablename__ = "problem_lines"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problems.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)


class ProblemPhoto(db.Model):  # type: ignore[name-defined]
    """A photo in private storage."""

    __tablename__ = "problem_photos"

    problem_id: Mapped[int] = mapped_column(ForeignKey("problems.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    key: Mapped[str]


class MoneyNews(db.Model):  # type: ignore[name-defined]
    """That the shares of an order have moved was told; what was said then."""

    __tablename__ = "money_news"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    told_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: False: some of it was still on its way.
    is_whole: Mapped[bool]
    #: As `money_moved.Share` writes itself down.
    shares: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class ThankYou(db.Model):  # type: ignore[name-defined]
    """A shopper's thanks to the workshops of an order; a curator reads it first."""

    __tablename__ = "thank_yous"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    #: Plain text; None: erased.
    words: Mapped[str | None]
    #: *Pembeli di <kota>*; empty when everything was collected.
    city: Mapped[str] = mapped_column(default="")
    #: The order's: what language the words are likely in.
    locale: Mapped[str]
    #: To its workshops, once a curator has let it through.
    is_shown: Mapped[bool] = mapped_column(default=False)
    written_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    erased_at: Mapped[datetime.datetime | None]
