"""Exhibitions."""

from __future__ import annotations

import datetime

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


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
