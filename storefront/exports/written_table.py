"""A table as a file: CSV and JSONL streamed by COPY, XLSX and Parquet some rows at a time, each with its manifest.

The question is asked once where it can be: rows and sums are taken from what is written. What reads, reads in one
snapshot, so that rows, sums and what stands before them agree.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from flask import current_app
from sqlalchemy import Engine

from storefront import crash_points
from storefront.exports.download import Download, Part, pieces, zipped
from storefront.exports.files import CannotWrite, check_target, drafts, put_in_place
from storefront.exports.formats import Format, text_blocks
from storefront.exports.manifest import as_json
from storefront.exports.parquet_file import write_parquet
from storefront.exports.table import Table, Tally, manifest
from storefront.exports.workbook import write_xlsx
from storefront.snapshot import snapshot

#: Gives the table once the snapshot is open.
Made = Callable[[psycopg.Connection[Any]], "Table"]


def fill(
    draft: Path,
    connection: psycopg.Connection[Any],
    table: Table,
    format: Format,
    *,
    note: str | None,
    seen: Callable[[int], object] = lambda rows: None,
) -> dict[str, Any]:
    """Write the table's bytes to `draft`; returns the manifest. Raises TooManyRows and OSError.

    `seen` is told how many rows more are written.
    """
    tally, digest = Tally.of(table), hashlib.sha256()
    if format.is_text:
        with draft.open("wb") as file:
            for block in text_blocks(connection, table, format, tally=tally, seen=seen):
                file.write(block)
                digest.update(block)
                crash_points.reach("export.half_written")
    else:
        write_of = write_xlsx if format is Format.XLSX else write_parquet
        write_of(draft, connection, table, tally, note, seen)
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    sha256 = digest.hexdigest()
    named = f"{table.name}.{format.ending}"
    found = manifest(table, tally, file=named, format=format.ending, sha256=sha256, note=note)
    return found | ({"delimiter": ";"} if format is Format.CSV_SEMICOLON else {})


def write(
    connection: psycopg.Connection[Any],
    table: Table,
    format: Format,
    target: Path,
    *,
    note: str | None,
    seen: Callable[[int], object] = lambda rows: None,
) -> dict[str, Any]:
    """Write the table to `target` and its manifest beside it, whole or not at all; returns the manifest.

    Raises CannotWrite and TooManyRows.
    """
    return beside(target, lambda draft: fill(draft, connection, table, format, note=note, seen=seen))


def beside(target: Path, fill: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Write a file by `fill(draft)`, which gives its manifest, and that beside it, whole or not at all.

    Returns the manifest, which names the file `target`. Raises CannotWrite and what `fill` raises.
    """
    check_target(target)
    manifest_target = target.with_name(target.name + ".manifest.json")
    with drafts(target, manifest_target) as (draft, manifest_draft):
        found = fill(draft) | {"file": target.name}
        manifest_draft.write_bytes(as_json(found))
        put_in_place(draft, manifest_draft, target, manifest_target)
    return found


def download(
    connection: psycopg.Connection[Any], table: Table, format: Format, part: Part, *, note: str | None
) -> Download:
    """The table in pieces, its manifest, or both in one archive; all written before the first piece leaves.

    Raises TooManyRows and CannotWrite.
    """
    with _private_file() as path:
        try:
            found = fill(path, connection, table, format, note=note)
        except OSError as error:
            raise CannotWrite() from error
        file = path.open("rb")
    # The file has no name any more; it is gone when the download has read it.
    return parted(file, found, format.mimetype, table.as_of, part)


def download_made(engine: Engine, make: Made, format: Format, part: Part, *, note: str | None) -> Download:
    """The table that `make` gives, as it is wanted: what is text and wanted alone leaves while it is read.

    Raises what `download` and `make` raise, but of text, for which a fault cuts the download off.
    """
    with snapshot(engine) as connection:
        made = make(connection)
        if part is not Part.FILE or not format.is_text:
            return download(connection, made, format, part, note=note)
    return Download(f"{made.name}.{format.ending}", format.mimetype, streamed(engine, made, format))


def streamed(engine: Engine, table: Table, format: Format) -> Iterator[bytes]:
    """CSV and JSONL straight from the database, in a transaction that lives as long as the download.

    It runs while the answer is sent, when the request and its app context are over; a fault cuts the download off, so
    that no half file looks whole.
    """
    with snapshot(engine) as connection:
        yield from text_blocks(connection, table, format)


def parted(file: IO[bytes], found: dict[str, Any], mimetype: str, as_of: datetime, part: Part) -> Download:
    """A finished file, its manifest `found`, or both; the manifest names the file."""
    name = found["file"]
    if part is Part.MANIFEST:
        file.close()
        return Download(f"{name}.manifest.json", "application/json", iter([as_json(found)]))
    if part is Part.ZIP:
        return Download(f"{Path(name).stem}.zip", "application/zip", zipped(file, found, as_of))
    return Download(name, mimetype, pieces(file))


@contextmanager
def _private_file() -> Iterator[Path]:
    """A path that nobody can find; whoever keeps the file open can read it after."""
    folder = current_app.extensions["settings"].var_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as private:
        yield Path(private) / "export"
