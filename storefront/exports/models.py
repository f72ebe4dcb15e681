"""Papers that were issued, and files that jobs make."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import BigInteger, FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class SaleCertificate(db.Model):  # type: ignore[name-defined]
    """What a facility sold in a span of days, or in one order, as it was known when the paper was issued."""

    __tablename__ = "sale_certificates"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    year: Mapped[int] = mapped_column(Integer)
    #: 1, 2 … within facility and year.
    number: Mapped[int] = mapped_column(Integer)
    #: Who holds the paper can have it confirmed.
    code: Mapped[str]
    first_day: Mapped[datetime.date]
    last_day: Mapped[datetime.date]
    #: Of this sale alone.
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    lines: Mapped[int] = mapped_column(Integer)
    pieces: Mapped[int] = mapped_column(Integer)
    net_amount: Mapped[int]
    #: All its figures, so that it prints the same for ever.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    issued_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Of the form it came from: sent twice, it is issued once.
    request_key: Mapped[str]


class MadeFile(db.Model):  # type: ignore[name-defined]
    """A file that a job makes, from the wish to its deletion; the row stays."""

    __tablename__ = "made_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of `made_files.MAKERS`.
    kind: Mapped[str]
    title: Mapped[str]
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Of the sentences in it.
    language: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    #: Whose figures are in it; None: of all.
    facility_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    shared_at: Mapped[datetime.datetime | None]
    #: Who asked is told when it is ready.
    by_letter: Mapped[bool] = mapped_column(default=False)
    #: `waiting`, `making`, `ready` or `failed`.
    state: Mapped[str] = mapped_column(default="waiting")
    #: How often its making was begun; an older attempt that wakes again changes nothing.
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    begun_at: Mapped[datetime.datetime | None]
    ended_at: Mapped[datetime.datetime | None]
    rows_done: Mapped[int] = mapped_column(Integer, default=0)
    #: None: not counted yet.
    rows_total: Mapped[int | None] = mapped_column(Integer)
    #: A private file; None: none yet, or deleted after its time.
    file_key: Mapped[str | None]
    file_name: Mapped[str | None]
    mimetype: Mapped[str | None]
    bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    kept_until: Mapped[datetime.datetime]


class ExportPreset(db.Model):  # type: ignore[name-defined]
    """What somebody exports again and again, under a name; some by the clock."""

    __tablename__ = "export_presets"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str]
    dataset: Mapped[str]
    #: Facility, filters and columns, as an address says them; days are not kept.
    query: Mapped[dict[str, str]] = mapped_column(JSONB)
    #: Since then colleagues see it, each within what they may read.
    shared_at: Mapped[datetime.datetime | None]
    #: `day`, `week` or `month`; None: when somebody asks.
    every: Mapped[str | None]
    format: Mapped[str] = mapped_column(default="csv")
    #: Made early on this day, of the day, week or month before it.
    next_on: Mapped[datetime.date | None]
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
