"""Training programmes, their later outcomes, and targets."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, ForeignKeyConstraint, Integer, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class Kind(StrEnum):
    """What a programme is."""

    VOCATIONAL = "vocational_training"
    APPRENTICESHIP = "apprenticeship"
    CERTIFICATION = "competence_certification"


class TrainingProgramme(db.Model):  # type: ignore[name-defined]
    """One programme of a workshop: what was taught, when, and how many people. No field takes a name."""

    __tablename__ = "training_programmes"
    __table_args__ = (
        ForeignKeyConstraint(["workshop_id", "facility_id"], ["workshops.id", "workshops.facility_id"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    workshop_id: Mapped[int]
    #: A value of `Kind`.
    kind: Mapped[str]
    skill: Mapped[str]
    skill_en: Mapped[str] = mapped_column(default="")
    #: The body that teaches or certifies.
    partner: Mapped[str] = mapped_column(default="")
    started_on: Mapped[datetime.date]
    #: Its last day; planned while it runs.
    ended_on: Mapped[datetime.date]
    hours: Mapped[int] = mapped_column(Integer)
    participants: Mapped[int] = mapped_column(Integer)
    women: Mapped[int] = mapped_column(Integer)
    #: None: not known yet.
    passed: Mapped[int | None] = mapped_column(Integer)
    certified: Mapped[int | None] = mapped_column(Integer)
    #: Certificate scheme and number of the batch that proves them.
    scheme: Mapped[str] = mapped_column(default="")
    batch: Mapped[str] = mapped_column(default="")
    #: recorded, checked (public from then on), rejected (sent back), withdrawn.
    state: Mapped[str] = mapped_column(default="recorded")
    recorded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    checked_at: Mapped[datetime.datetime | None]
    rejected_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    rejected_at: Mapped[datetime.datetime | None]
    #: What the facility has to change before the office reads it again.
    rejection_reason: Mapped[str | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    withdrawn_at: Mapped[datetime.datetime | None]
    withdrawal_reason: Mapped[str | None]


class TrainingOutcome(db.Model):  # type: ignore[name-defined]
    """How many of a programme's participants were in own business or employed on a later day."""

    __tablename__ = "training_outcomes"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("training_programmes.id"))
    counted_on: Mapped[datetime.date]
    own_business: Mapped[int] = mapped_column(Integer)
    employed: Mapped[int] = mapped_column(Integer)
    recorded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())
    checked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    checked_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())


class TrainingFollowup(db.Model):  # type: ignore[name-defined]
    """A later count as the facility wrote it down, until the office has read it and it is an outcome."""

    __tablename__ = "training_followups"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("training_programmes.id"))
    counted_on: Mapped[datetime.date]
    own_business: Mapped[int] = mapped_column(Integer)
    employed: Mapped[int] = mapped_column(Integer)
    #: recorded, checked, rejected (sent back), withdrawn.
    state: Mapped[str] = mapped_column(default="recorded")
    recorded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime.datetime | None]
    reason: Mapped[str | None]
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("training_outcomes.id"), unique=True)


class TrainingTarget(db.Model):  # type: ignore[name-defined]
    """How many people the programme set out to reach in a year, or by its end."""

    __tablename__ = "training_targets"

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    #: new_entrepreneurs, participants, certified.
    measure: Mapped[str]
    people: Mapped[int] = mapped_column(Integer)
    is_cumulative: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(default="")


class TrainingImport(db.Model):  # type: ignore[name-defined]
    """A file of programmes: looked at row by row, then stored as it was promised, or thrown away."""

    __tablename__ = "training_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: Of the form that brought it: sent twice, it is kept once.
    form_key: Mapped[str] = mapped_column(unique=True)
    file_name: Mapped[str]
    #: xlsx, ods, csv.
    format: Mapped[str]
    #: [row number in the file, cell, cell …] in the order of `sheet.COLUMNS`; what reads like a person is left out.
    rows: Mapped[list[list[Any]]] = mapped_column(JSONB)
    #: [row number, column, sentence]: cells that could not be kept or taken as they are.
    remarks: Mapped[list[list[Any]]] = mapped_column(JSONB, default=list)
    #: ready, stored, discarded.
    state: Mapped[str] = mapped_column(default="ready")
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    uploaded_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime.datetime | None]
    #: Row by row {"row", "programme", "faults": [[column, sentence]]}.
    outcomes: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    stored: Mapped[int | None] = mapped_column(Integer)
    faults: Mapped[int | None] = mapped_column(Integer)
