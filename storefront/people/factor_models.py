"""The second factor of those who work here (`people.second_factor`)."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db
from storefront.people.models import Proposal


class SecondFactor(db.Model):  # type: ignore[name-defined]
    """One phone that makes codes; of each person one is in use, and one may be on its way in."""

    __tablename__ = "second_factors"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    #: Sealed (`keyed.sealed`).
    secret: Mapped[bytes]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    confirmed_at: Mapped[datetime.datetime | None]
    #: Time step (30 s since 1970) of the last code taken.
    last_step: Mapped[int | None]
    ended_at: Mapped[datetime.datetime | None]
    #: Who agreed to the reset; None: its owner, by a new phone, or a command.
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class RecoveryCode(db.Model):  # type: ignore[name-defined]
    """A code on paper, for once."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    factor_id: Mapped[int] = mapped_column(ForeignKey("second_factors.id"))
    code_hash: Mapped[bytes]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    used_at: Mapped[datetime.datetime | None]
    #: Newer ones were made.
    void_at: Mapped[datetime.datetime | None]


class FactorReset(Proposal, db.Model):  # type: ignore[name-defined]
    """One administrator asks that somebody may begin anew, another agrees."""

    __tablename__ = "factor_resets"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
