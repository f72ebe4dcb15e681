"""Many files in one archive, with an index for people, sums, and a hash of each: flat in memory, whatever is in it."""

from __future__ import annotations

import datetime
import hashlib
import html
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from flask_babel import gettext as _

from storefront.days import ACCOUNTING_ZONE
from storefront.display import language
from storefront.exports.moment import rfc3339
from storefront.money import format_number

BLOCK = 1 << 16


@dataclass(frozen=True)
class Member:
    """A file of the archive, and what it is for."""

    name: str
    about: str
    sha256: str
    size: int
    #: Rows and sums where it is a table.
    manifest: dict[str, Any] = field(default_factory=dict)


class Pack:
    """An archive that is being written. Files are put together beside it first, one at a time."""

    def __init__(self, path: Path, as_of: datetime.datetime) -> None:
        self.members: list[Member] = []
        self.as_of = as_of
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._drafts = tempfile.TemporaryDirectory(dir=path.parent, prefix="pack-")

    def __enter__(self) -> Pack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()
        self._drafts.cleanup()

    def add(self, name: str, about: str, fill: Callable[[Path], dict[str, Any] | None]) -> Member:
        """Add what `fill(draft)` writes; it gives the file's manifest, or None."""
        draft = Path(self._drafts.name) / "draft"
        told = fill(draft) or {}
        with draft.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = draft.stat().st_size
        with draft.open("rb") as file, self._archive.open(self._info(name), "w", force_zip64=True) as packed:
            shutil.copyfileobj(file, packed, BLOCK)
        draft.unlink()
        member = Member(name, about, sha256, size, told)
        self.members.append(member)
        return member

    def add_bytes(self, name: str, about: str, content: bytes, told: dict[str, Any] | None = None) -> Member:
        """Add a file that is small."""

        def fill(draft: Path) -> dict[str, Any] | None:
            draft.write_bytes(content)
            return told

        return self.add(name, about, fill)

    def finish(self, title: str, heading: list[tuple[str, str]], facts: dict[str, Any]) -> dict[str, Any]:
        """Write the index (text and HTML), `SHA256SUMS` and `manifest.json`; returns the latter."""
        found = {
            "title": title,
            "as_of": rfc3339(self.as_of),
            "files": [
                {
                    "file": member.name,
                    "bytes": member.size,
                    "sha256": member.sha256,
                    **{key: member.manifest[key] for key in ("row_count", "sums", "note") if key in member.manifest},
                }
                for member in self.members
            ],
            **facts,
        }
        sums = "".join(f"{member.sha256}  {member.name}\n" for member in self.members)
        self._write("INDEKS.txt", _as_text(title, heading, self.members))
        self._write("INDEKS.html", _as_html(title, heading, self.members))
        self._write("SHA256SUMS", sums)
        self._write("manifest.json", json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return found

    def _write(self, name: str, text: str) -> None:
        self._archive.writestr(self._info(name), text.encode())

    def _info(self, name: str) -> zipfile.ZipInfo:
        local = self.as_of.astimezone(ACCOUNTING_ZONE)
        info = zipfile.ZipInfo(
            name, (local.year, local.month, local.day, local.hour, local.minute, local.second)
        )
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return info


def how_to_check() -> list[str]:
    """How a reader checks the archive without us."""
    return [
        _(
            "Cocokkan sidik semua berkas: jalankan sha256sum -c SHA256SUMS di folder ini "
            "(Windows: certutil -hashfile NAMA SHA256)."
        ),
        _(
            "Banyaknya baris dan jumlah setiap kolom rupiah tertulis di manifest.json; "
            "jumlahkan kolomnya di lembar kerja, hasilnya sama."
        ),
        _("Berkas yang sama dapat dibuat lagi untuk saat data yang sama; isinya sama."),
    ]


def _rows(members: list[Member]) -> list[tuple[str, str, str, str]]:
    return [
        (
            member.name,
            member.about,
            format_number(member.manifest["row_count"]) if "row_count" in member.manifest else "",
            member.sha256,
        )
        for member in members
    ]


def _as_text(title: str, heading: list[tuple[str, str]], members: list[Member]) -> str:
    lines = [title, "=" * len(title), "", *(f"{label}: {value}" for label, value in heading), ""]
    for name, about, rows, sha256 in _rows(members):
        lines += [name, f"  {about}{' (' + _('%(rows)s baris', rows=rows) + ')' if rows else ''}", f"  {sha256}", ""]
    lines += [_("Cara memeriksa"), *(f"{place}. {line}" for place, line in enumerate(how_to_check(), 1)), ""]
    return "\n".join(lines)


def _as_html(title: str, heading: list[tuple[str, str]], members: list[Member]) -> str:
    """A page of its own: no script, no style of ours, opened from a disk."""
    facts = "".join(f"<dt>{html.escape(a)}</dt><dd>{html.escape(b)}</dd>" for a, b in heading)
    rows = "".join(
        f'<tr><td><a href="{html.escape(name)}">{html.escape(name)}</a></td><td>{html.escape(about)}</td>'
        f"<td>{rows}</td><td><code>{sha256}</code></td></tr>"
        for name, about, rows, sha256 in _rows(members)
    )
    checks = "".join(f"<li>{html.escape(line)}</li>" for line in how_to_check())
    columns = "".join(f"<th>{html.escape(word)}</th>" for word in (_("Berkas"), _("Isi"), _("Baris"), "SHA-256"))
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        "</head><body>"
        f"<h1>{html.escape(title)}</h1><dl>{facts}</dl><table border=1><thead><tr>{columns}</tr></thead>"
        f"<tbody>{rows}</tbody></table><h2>{html.escape(_('Cara memeriksa'))}</h2><ol>{checks}</ol></body></html>\n"
    )
