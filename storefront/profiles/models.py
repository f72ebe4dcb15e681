"""Versions of a facility's public texts."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ProfileText(db.Model):  # type: ignore[name-defined]
    """What a facility wrote about itself, or about one of its workshops."""

    __tablename__ = "profile_texts"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: None: about the facility itself.
    workshop_id: Mapped[int | None]
    #: Of the workshop; empty for the facility, whose name is the office's to say.
    name: Mapped[str] = mapped_column(default="")
    about: Mapped[str] = mapped_column(default="")
    about_en: Mapped[str] = mapped_column(default="")
    #: How to reach the facility in writing.
    contact: Mapped[str] = mapped_column(default="")
    #: None: as it was before the first change here.
    written_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    written_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Let through; the public reads the newest that is.
    is_shown: Mapped[bool] = mapped_column(default=False)
    #: Written anew before anybody decided.
    replaced_at: Mapped[datetime.datetime | None]

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """All that is said, for comparing."""
        return self.name, self.about, self.about_en, self.contact
