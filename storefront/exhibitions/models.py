"""Exhibitions, who takes part in them, and the pieces that facilities bring."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import BigInteger, FetchedValue, ForeignKey, ForeignKeyConstraint, Integer, column, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


def _of(parent: str, *columns: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(columns, [f"{parent}.{name}" for name in columns])


class Exhibition(db.Model):  # type: ignore[name-defined]
    """A fair, or a campaign at each facility's own gate; its days are inclusive."""

    __tablename__ = "exhibitions"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    venue: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[datetime.date]
    ends_on: Mapped[datetime.date]
    #: As reported, for history; null: not reported.
    participants: Mapped[int | None] = mapped_column(Integer)
    regional_divisions: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    #: `hall` with one stand, or `campaign` at each facility's own gate.
    kind: Mapped[str] = mapped_column(default="hall")
    theme: Mapped[str] = mapped_column(default="")
    #: Opening hours, as people read them.
    hours: Mapped[str] = mapped_column(default="")
    theme_en: Mapped[str] = mapped_column(default="")
    hours_en: Mapped[str] = mapped_column(default="")
    #: What the public reads of it, as Markdown.
    about: Mapped[str] = mapped_column(default="")
    about_en: Mapped[str] = mapped_column(default="")
    #: A stored picture as `catalogue.cards.Photo` reads it.
    picture: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class ExhibitionFacility(db.Model):  # type: ignore[name-defined]
    """A facility that takes part in an exhibition."""

    __tablename__ = "exhibition_facilities"

    exhibition_id: Mapped[int] = mapped_column(ForeignKey("exhibitions.id"), primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), primary_key=True)
    added_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    added_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ExhibitionPieces(db.Model):  # type: ignore[name-defined]
    """How many pieces of a variant its facility means to bring, over the whole fair."""

    __tablename__ = "exhibition_pieces"
    __table_args__ = (_of("exhibition_facilities", "exhibition_id", "facility_id"),)

    exhibition_id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    planned: Mapped[int] = mapped_column(Integer)


class ExhibitionSending(db.Model):  # type: ignore[name-defined]
    """What a facility sent to a fair's stand at one time: from then on it lies there."""

    __tablename__ = "exhibition_sendings"
    __table_args__ = (_of("exhibition_facilities", "exhibition_id", "facility_id"),)

    exhibition_id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(primary_key=True)
    #: 1, 2 … of this facility, at this fair.
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    request_key: Mapped[str]
    sent_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    sent_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: It was a mistake: all of it is in the store again.
    called_back_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    called_back_at: Mapped[datetime.datetime | None]


class ExhibitionSendingLine(db.Model):  # type: ignore[name-defined]
    """Pieces of one variant in a sending. Append-only."""

    __tablename__ = "exhibition_sending_lines"
    __table_args__ = (_of("exhibition_sendings", "exhibition_id", "facility_id", "number"),)

    exhibition_id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    pieces: Mapped[int] = mapped_column(Integer)


class ExhibitionReturn(db.Model):  # type: ignore[name-defined]
    """What left a stand for its facility's store at one time: from then on it lies at the stand no more."""

    __tablename__ = "exhibition_returns"
    __table_args__ = (_of("exhibition_facilities", "exhibition_id", "facility_id"),)

    exhibition_id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(primary_key=True)
    #: 1, 2 … of this facility, at this fair.
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    request_key: Mapped[str]
    packed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    packed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: It was a mistake: all of it is at the stand again.
    called_back_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    called_back_at: Mapped[datetime.datetime | None]


class ExhibitionReturnLine(db.Model):  # type: ignore[name-defined]
    """Pieces of one variant in a return. Append-only."""

    __tablename__ = "exhibition_return_lines"
    __table_args__ = (_of("exhibition_returns", "exhibition_id", "facility_id", "number"),)

    exhibition_id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    pieces: Mapped[int] = mapped_column(Integer)


class ExhibitionArrival(db.Model):  # type: ignore[name-defined]
    """Somebody counted what arrived: of a sending at the stand, or of a return in the store."""

    __tablename__ = "exhibition_arrivals"
    __table_args__ = (
        ForeignKeyConstraint(
            ("exhibition_id", "facility_id", "sending_number"),
            [f"exhibition_sendings.{name}" for name in ("exhibition_id", "facility_id", "number")],
        ),
        ForeignKeyConstraint(
            ("exhibition_id", "facility_id", "return_number"),
            [f"exhibition_returns.{name}" for name in ("exhibition_id", "facility_id", "number")],
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    exhibition_id: Mapped[int]
    facility_id: Mapped[int]
    #: Exactly one of the two is set.
    sending_number: Mapped[int | None] = mapped_column(Integer)
    return_number: Mapped[int | None] = mapped_column(Integer)
    counted_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    counted_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: It was counted wrongly: as if nobody had counted.
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    undone_at: Mapped[datetime.datetime | None]


class ExhibitionArrivalLine(db.Model):  # type: ignore[name-defined]
    """How many pieces of a variant were on the way and how many arrived. Append-only."""

    __tablename__ = "exhibition_arrival_lines"

    arrival_id: Mapped[int] = mapped_column(ForeignKey("exhibition_arrivals.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    pieces: Mapped[int] = mapped_column(Integer)
    arrived: Mapped[int] = mapped_column(Integer)
    #: `missing`, `damaged` or `extra`; empty when all arrived.
    reason: Mapped[str] = mapped_column(default="")


class ExhibitionPrice(db.Model):  # type: ignore[name-defined]
    """What a piece costs at the stand on some days of the fair, both inclusive."""

    __tablename__ = "exhibition_prices"

    id: Mapped[int] = mapped_column(primary_key=True)
    exhibition_id: Mapped[int] = mapped_column(ForeignKey("exhibitions.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    #: Rupiah for one piece.
    price: Mapped[int] = mapped_column(BigInteger)
    from_day: Mapped[datetime.date]
    to_day: Mapped[datetime.date]
    set_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


#: The database's own view `exhibition_sent`: pieces ever sent to a fair, without what was called back.
SENT = table("exhibition_sent", *map(column, ("exhibition_id", "facility_id", "variant_id", "pieces")))
