"""What was done for the shop beside it, as the scripts that did it wrote down."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Upkeep(db.Model):  # type: ignore[name-defined]
    """One backup, or one proof of all invariants, that came to its end."""

    __tablename__ = "upkeep"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: `backup`, `base_backup` or `verify`.
    kind: Mapped[str]
    ended_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    is_good: Mapped[bool] = mapped_column(default=True)
    #: Where it lies and how large it is, or which invariants are broken.
    note: Mapped[str] = mapped_column(default="")
