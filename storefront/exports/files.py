"""An export written to disk: the file and its manifest, whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_babel import lazy_gettext as _

from storefront import crash_points
from storefront.errors import DomainError


class CannotWrite(DomainError):
    """The disk or the folder does not take the file."""

    code, status = "cannot_write", 422
    message = _("Berkas tidak dapat ditulis.")


def put_in_place(draft: Path, manifest_draft: Path, target: Path, beside: Path) -> None:
    """Give both drafts their names, so that a manifest never stands beside another file than its own."""
    sync(draft)
    sync(manifest_draft)
    beside.unlink(missing_ok=True)
    draft.replace(target)
    crash_points.reach("export.between_files")
    manifest_draft.replace(beside)
    sync(target.parent)


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
