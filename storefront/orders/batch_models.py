"""Which batch of food went out in which parcel."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ParcelBatch(db.Model):  # type: ignore[name-defined]
    """Pieces of a line in a parcel that came from a batch."""

    __tablename__ = "parcel_batches"

    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    pieces: Mapped[int] = mapped_column(Integer)
    noted_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
