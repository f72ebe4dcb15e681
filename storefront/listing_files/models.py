"""Imports of listings: the file, its rows, and what became of each."""

from __future__ import annotations

import datetime
import enum
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class ImportState(enum.StrEnum):
    READING = "reading"
    #: The file as a whole cannot be read.
    REFUSED = "refused"
    #: The dry run stands; nothing is stored yet.
    READY = "ready"
    RUNNING = "running"
    #: Somebody asked it to stop.
    STOPPING = "stopping"
    DONE = "done"
    #: At its first fault, as was asked.
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"


ENDED = (ImportState.DONE, ImportState.STOPPED, ImportState.CANCELLED)
UNDER_WAY = (ImportState.READING, ImportState.RUNNING, ImportState.STOPPING)


class ListingImport(db.Model):  # type: ignore[name-defined]
    """One file of listings, from its upload to its end."""

    __tablename__ = "listing_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    form_key: Mapped[str]
    file_name: Mapped[str]
    #: `xlsx`, `ods` or `csv`.
    format: Mapped[str]
    #: A private file; None: deleted after its time.
    file_key: Mapped[str | None]
    #: Of the sentences in it.
    language: Mapped[str]
    state: Mapped[str] = mapped_column(default=ImportState.READING.value)
    #: Why the file as a whole was refused, for people.
    fault: Mapped[str] = mapped_column(default="")
    #: `headings`, `columns` (keys or None), and of a CSV `delimiter`.
    layout: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    #: Sentences about the file as a whole.
    remarks: Mapped[list[str]] = mapped_column(JSONB, default=list)
    rows: Mapped[int] = mapped_column(Integer, default=0)
    #: `stop` at the first fault or `skip` it.
    on_fault: Mapped[str | None]
    stored: Mapped[int | None] = mapped_column(Integer)
    unchanged: Mapped[int | None] = mapped_column(Integer)
    refused: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    read_at: Mapped[datetime.datetime | None]
    begun_at: Mapped[datetime.datetime | None]
    begun_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime.datetime | None]
    undone_at: Mapped[datetime.datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ListingImportArchive(db.Model):  # type: ignore[name-defined]
    """A ZIP of photos that belongs to an import."""

    __tablename__ = "listing_import_archives"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("listing_imports.id"))
    file_name: Mapped[str]
    file_key: Mapped[str]
    fault: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())


class ListingImportRow(db.Model):  # type: ignore[name-defined]
    """A row of the file: what it says, what is thought of it, and what became of it."""

    __tablename__ = "listing_import_rows"

    import_id: Mapped[int] = mapped_column(ForeignKey("listing_imports.id"), primary_key=True)
    #: As a spreadsheet counts.
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The rows of one product share a number.
    product: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(default="")
    sku: Mapped[str] = mapped_column(default="")
    title: Mapped[str] = mapped_column(default="")
    cells: Mapped[list[str]] = mapped_column(JSONB)
    #: `new`, `change`, `same` or `fault`.
    verdict: Mapped[str]
    #: `column`, `old`, `new`, and `at_once`.
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    #: `column` and `text`.
    faults: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    remarks: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    #: Photos that are missing or bad: `name` and `text`.
    pictures: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    #: `stored`, `nothing` to change, `fault`, or `left` when the run ended before it; None: not run.
    outcome: Mapped[str | None]
    #: What changed at once: field → [old, new].
    done: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("listing_drafts.id"))
