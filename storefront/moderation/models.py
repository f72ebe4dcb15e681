"""What was said and may need a look, one row for each thing."""

from __future__ import annotations

import datetime
import enum

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from storefront.extensions import db


class ItemState(enum.StrEnum):
    """Where a thing stands; `PASSED` needed nobody."""

    WAITING = "waiting"
    HELD = "held"
    APPROVED = "approved"
    REFUSED = "refused"
    PASSED = "passed"


#: In these the public may see it.
PUBLIC = (ItemState.APPROVED, ItemState.PASSED)


class ModerationItem(db.Model):  # type: ignore[name-defined]
    """A question, answer, review, reply, picture or thank-you on its way to the public."""

    __tablename__ = "moderation_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    #: Id in the table of its kind.
    subject_id: Mapped[int]
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    state: Mapped[str]
    #: Why a person must look.
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: Why it was held or refused; who wrote it reads that.
    note: Mapped[str] = mapped_column(default="")
    #: Before the last decision, while that can be undone.
    previous_state: Mapped[str | None]
    previous_note: Mapped[str | None]
    #: Rises with each change.
    version: Mapped[int] = mapped_column(Integer, default=1)
    submitted_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    decided_at: Mapped[datetime.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    @property
    def is_public(self) -> bool:
        return self.state in PUBLIC
