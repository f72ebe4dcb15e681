"""Cases: what somebody reported, and what was written about it."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Case(db.Model):  # type: ignore[name-defined]
    """Something reported to the office. Nothing here says by whom, but an address that they gave themselves."""

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    #: See `report.KINDS`.
    kind: Mapped[str]
    #: Path of the page that it was sent from; empty: none, or taken out.
    about: Mapped[str] = mapped_column(default="")
    #: Whose page that is; its people never see the case.
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"))
    email: Mapped[str | None]
    locale: Mapped[str]
    #: Of the form that it came with: sent twice, it is one case.
    form_key: Mapped[str | None]
    #: `new`, `looked_at`, `answered` or `closed`.
    state: Mapped[str] = mapped_column(default="new")
    reported_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Accounting day by which the first answer is due.
    answer_by: Mapped[datetime.date]
    #: Who decides it.
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    taken_at: Mapped[datetime.datetime | None]
    #: The first answer.
    answered_at: Mapped[datetime.datetime | None]
    outcome: Mapped[str | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    closed_at: Mapped[datetime.datetime | None]


class CaseMessage(db.Model):  # type: ignore[name-defined]
    """Something written in a case; never changed."""

    __tablename__ = "case_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    #: Who of the office wrote it; null: whoever reported.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    body: Mapped[str]
    written_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class CaseFile(db.Model):  # type: ignore[name-defined]
    """A photo or PDF that came with a message, in the private store."""

    __tablename__ = "case_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("case_messages.id"))
    key: Mapped[str]
    #: Bytes.
    size: Mapped[int] = mapped_column(Integer)
