"""An export as it leaves by the web: in pieces, without a file of it being kept."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from flask import current_app
from sqlalchemy import Engine

from storefront.days import ACCOUNTING_ZONE
from storefront.exports import files, formats, sales
from storefront.exports.formats import BLOCK, Format
from storefront.exports.manifest import as_json, demo_note, manifest
from storefront.exports.moment import settle
from storefront.exports.sales import Selection, Source
from storefront.extensions import db


class Part(StrEnum):
    """What of an export is wanted."""

    FILE = "file"
    MANIFEST = "manifest"
    #: Both in one archive.
    ZIP = "zip"


@dataclass(frozen=True)
class Download:
    """What a browser gets: pieces of about 64 kB under a file's name."""

    name: str
    mimetype: str
    blocks: Iterator[bytes]


def export_for(
    facility: str,
    first: date,
    last: date,
    format: Format,
    *,
    as_of: datetime | None = None,
    part: Part = Part.FILE,
) -> Download:
    """The sales of one facility (its code) on the days `first` to `last`, for its own people.

    The caller has checked that they may see it and has ended its transaction.
    Raises `BadRange`, `UnknownFacility` and what `sales_download` raises.
    """
    selection = sales.select(db.engine, first, last, facility=facility)
    return sales_download(selection, format, as_of=as_of, part=part)


def sales_download(
    selection: Selection, format: Format, *, as_of: datetime | None = None, part: Part = Part.FILE
) -> Download:
    """The selection at `as_of` (default: now) in pieces. The caller has ended its transaction.

    Raises `BadMoment`, `StillWriting`, `TooManyRows` and `CannotWrite` before the first piece; a fault after it
    cuts the download off, so that no half file looks whole.
    """
    moment = settle(db.engine, as_of)
    name, note = selection.name(format.value), demo_note()
    if part is Part.FILE and format is not Format.XLSX:
        return Download(name, format.mimetype, _text(db.engine, selection, moment, format))
    with _finished(selection, moment, format, note) as (file, found):
        if part is Part.MANIFEST:
            file.close()
            return Download(name + ".manifest.json", "application/json", iter([as_json(found)]))
        if part is Part.FILE:
            return Download(name, format.mimetype, pieces(file))
        return Download(selection.name("zip"), "application/zip", zipped(file, found, moment))


def _text(engine: Engine, selection: Selection, moment: datetime, format: Format) -> Iterator[bytes]:
    """CSV and JSONL straight from the database, in a transaction that lives as long as the download.

    It runs while the answer is sent, when the request and its app context are over.
    """
    blocks = formats.csv_blocks if format is Format.CSV else formats.jsonl_blocks
    with sales.opened(engine, selection, moment) as source:
        yield from blocks(source)


@contextmanager
def _finished(
    selection: Selection, moment: datetime, format: Format, note: str | None
) -> Iterator[tuple[IO[bytes], dict[str, Any]]]:
    """The whole export in a file that nobody can find, and its manifest; it is gone when it is closed."""
    folder = current_app.extensions["settings"].var_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as private:
        path = Path(private) / "export"
        with sales.opened(db.engine, selection, moment) as source:
            found = _filled(path, source, format, note)
        file = path.open("rb")
    # The folder is removed here already; the open file lives until the download has read it.
    yield file, found


def _filled(path: Path, source: Source, format: Format, note: str | None) -> dict[str, Any]:
    try:
        sha256 = files.fill(path, source, format, note=note)
    except OSError as error:
        raise files.CannotWrite() from error
    name = source.selection.name(format.value)
    return manifest(source, format, file=name, sha256=sha256, note=note)


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, some at a time; it is closed in the end."""
    with file:
        while piece := file.read(BLOCK):
            yield piece


def zipped(file: IO[bytes], found: dict[str, Any], moment: datetime) -> Iterator[bytes]:
    """An archive of the export and its manifest, made while it is read."""
    sink = _Sink()
    date_time = moment.astimezone(ACCOUNTING_ZONE).timetuple()[:6]
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(found["file"], date_time)
        member.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(member, "w", force_zip64=True) as packed:
            for piece in pieces(file):
                packed.write(piece)
                yield sink.taken()
        beside = zipfile.ZipInfo(found["file"] + ".manifest.json", date_time)
        archive.writestr(beside, as_json(found), zipfile.ZIP_DEFLATED)
    yield sink.taken()


class _Sink:
    """Where the archive is written to; what was written is taken from it piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to do: pieces leave when they are taken."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
