"""Batches of address labels, and each time that one was printed."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class LabelBatch(db.Model):  # type: ignore[name-defined]
    """Parcels whose labels are printed together; a facility has at most one that waits."""

    __tablename__ = "label_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: `a6`, or the width of a roll in millimetres: `80`, `58`.
    size: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Printed for the first time, or given up.
    closed_at: Mapped[datetime.datetime | None]
    #: Of the form that was sent.
    request_key: Mapped[str]


class LabelBatchParcel(db.Model):  # type: ignore[name-defined]
    """A parcel of a batch."""

    __tablename__ = "label_batch_parcels"

    batch_id: Mapped[int] = mapped_column(ForeignKey("label_batches.id"), primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), primary_key=True)


class LabelPrint(db.Model):  # type: ignore[name-defined]
    """One time that a batch was printed."""

    __tablename__ = "label_prints"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("label_batches.id"))
    printed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    printed_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Why once more; None: the first time.
    reason: Mapped[str | None]
    request_key: Mapped[str]
