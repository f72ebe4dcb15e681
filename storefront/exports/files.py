"""An export written to disk: the file and its manifest, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Engine

from storefront import crash_points
from storefront.errors import DomainError
from storefront.exports import formats, sales
from storefront.exports.formats import Format
from storefront.exports.manifest import as_json, manifest
from storefront.exports.sales import Selection, Source
from storefront.exports.workbook import write_xlsx


class CannotWrite(DomainError):
    """The disk or the folder does not take the file."""

    code, status = "cannot_write", 422
    message = _("Berkas tidak dapat ditulis.")


def write(
    engine: Engine,
    selection: Selection,
    as_of: datetime,
    format: Format,
    target: Path,
    *,
    note: str | None,
    begun: Callable[[int], Callable[[int], object]] = lambda rows: lambda seen: None,
) -> dict[str, Any]:
    """Write the export to `target` and its manifest to `<target>.manifest.json`; returns the manifest.

    `begun` is told the number of rows and gives back what is to be called with each number of rows written.
    A full disk or a kill leaves no half file under either name: both are written under other names first.
    Between the two renamings the file may stand without a manifest, never beside another file's.
    Raises `CannotWrite` and `workbook.TooManyRows`.
    """
    check_target(target)
    beside = target.with_name(target.name + ".manifest.json")
    with drafts(target, beside) as (draft, manifest_draft), sales.opened(engine, selection, as_of) as source:
        source = sales.watched(source, begun(source.totals.rows))
        sha256 = fill(draft, source, format, note=note)
        found = manifest(source, format, file=target.name, sha256=sha256, note=note)
        manifest_draft.write_bytes(as_json(found))
        put_in_place(draft, manifest_draft, target, beside)
    return found


def put_in_place(draft: Path, manifest_draft: Path, target: Path, beside: Path) -> None:
    """Give both drafts their names, so that a manifest never stands beside another file than its own."""
    sync(draft)
    sync(manifest_draft)
    beside.unlink(missing_ok=True)
    draft.replace(target)
    crash_points.reach("export.between_files")
    manifest_draft.replace(beside)
    sync(target.parent)


def fill(draft: Path, source: Source, format: Format, *, note: str | None) -> str:
    """Write the export's bytes to `draft`; returns their SHA-256 in hex."""
    if format is Format.XLSX:
        write_xlsx(draft, source, note=note)
        with draft.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    blocks = formats.csv_blocks if format is Format.CSV else formats.jsonl_blocks
    with draft.open("wb") as file:
        for block in blocks(source):
            digest.update(block)
            file.write(block)
            crash_points.reach("export.half_written")
    return digest.hexdigest()


def check_target(target: Path) -> None:
    """Return only if a file can be made at `target`. Raises `CannotWrite` with the reason."""
    if target.is_dir():
        raise CannotWrite(_("%(path)s adalah folder. Sebutkan nama berkasnya juga.", path=str(target)))
    if not target.parent.is_dir():
        folder = str(target.parent)
        raise CannotWrite(_("Folder %(path)s tidak ada. Buat dahulu, atau pilih yang lain.", path=folder))
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise CannotWrite(_("Folder %(path)s tidak boleh ditulisi oleh akun ini.", path=str(target.parent)))


@contextmanager
def drafts(*targets: Path) -> Iterator[list[Path]]:
    """Names to write to first, beside their targets; removed whatever happens."""
    made: list[Path] = []
    mode = 0o666 & ~_umask()
    try:
        for target in targets:
            prefix = f".{target.name[:80]}."
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=".part")
            os.fchmod(descriptor, mode)
            os.close(descriptor)
            made.append(Path(name))
        yield made
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CannotWrite(_("Penyimpanan penuh. Kosongkan sebagian, lalu ulangi.")) from None
        reason = error.strerror or str(error)
        raise CannotWrite(_("Berkas tidak dapat ditulis: %(reason)s.", reason=reason)) from error
    finally:
        for draft in made:
            draft.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Bring the file's or the folder's content to the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
