"""Files of rates as they were uploaded."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class RateFile(db.Model):  # type: ignore[name-defined]
    """One file: looked at against what holds now, then applied as one act, or not."""

    __tablename__ = "rate_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: `rates` or `zones`.
    kind: Mapped[str]
    name: Mapped[str]
    #: [row number in the file, cell, cell …], cells as `columns.py` orders them.
    rows: Mapped[list[list[Any]]] = mapped_column(JSONB)
    #: [row number, sentence]: cells that the reader could not take as they are.
    remarks: Mapped[list[list[Any]]] = mapped_column(JSONB, default=list)
    #: The applied file whose earlier state it brings back.
    reverts_id: Mapped[int | None] = mapped_column(ForeignKey("rate_files.id"))
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    uploaded_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    applied_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    applied_at: Mapped[datetime.datetime | None]
    #: All rows as they were when it was applied, in the shape of `rows`.
    before: Mapped[list[list[Any]] | None] = mapped_column(JSONB(none_as_null=True))
    changes: Mapped[int | None] = mapped_column(Integer)
