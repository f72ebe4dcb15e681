"""Photos by file name from the ZIPs of an import: found by name, read one at a time, never trusted."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.errors import DomainError
from storefront.listing_files.sheet import MOST_ZIP_BYTES
from storefront.media import pictures
from storefront.media.storage import private_files

#: Files in one ZIP, and what they take unpacked; photos hardly shrink, so what grows much is a bomb.
MOST_FILES = 1000
MOST_UNPACKED = 200 * 1024 * 1024


class BadArchive(DomainError):
    """The ZIP as a whole cannot be used."""

    code, status = "bad_archive", 422
    message = _l("Berkas ini bukan ZIP yang dapat dibaca. Kemas fotonya lagi, lalu unggah.")


class BadPhotoFile(DomainError):
    """One photo of a ZIP cannot be used."""

    code, status = "bad_photo_file", 422


def open_archive(content: bytes) -> zipfile.ZipFile:
    """A ZIP whose directory is within the limits. Raises BadArchive."""
    if len(content) > MOST_ZIP_BYTES:
        raise BadArchive(_("ZIP ini lebih besar dari 20 MB. Bagi fotonya menjadi beberapa ZIP."))
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise BadArchive() from error
    members = archive.infolist()
    if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_UNPACKED:
        raise BadArchive(_("ZIP ini memuat terlalu banyak: paling banyak 1.000 foto, 200 MB setelah dibuka."))
    return archive


def plain_name(name: str) -> str:
    """A file's name without its folder, as names are compared."""
    return PurePosixPath(name.replace("\\", "/")).name.strip().casefold()


@dataclass
class PhotoFiles:
    """The photos of an import's ZIPs by name; ZIPs are opened when one of theirs is read."""

    keys: Sequence[str] = ()
    #: Plain name → which ZIP, which member; None: two files have this name.
    places: dict[str, tuple[int, str] | None] = field(default_factory=dict)
    opened: dict[int, zipfile.ZipFile] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Sequence[str]) -> PhotoFiles:
        """The photos in these private files, which were found sound when they came."""
        found = cls(keys)
        for number in range(len(keys)):
            for member in found._archive(number).infolist():
                name = plain_name(member.filename)
                is_rubbish = (
                    member.is_dir()
                    or not name
                    or name.startswith(".")
                    or "__macosx" in member.filename.casefold()
                )
                if not is_rubbish:
                    found.places[name] = None if name in found.places else (number, member.filename)
        return found

    def fault(self, name: str) -> str:
        """Why there is no photo of this name; empty when there is one."""
        place = self.places.get(plain_name(name), False)
        if place is None:
            return _("Ada dua berkas bernama %(name)s di dalam ZIP. Beri nama yang berbeda.", name=name[:80])
        return "" if place else _("Foto %(name)s tidak ada di dalam ZIP.", name=name[:80])

    def read(self, name: str) -> bytes:
        """The file, looked at by its header. Raises BadPhotoFile."""
        place = self.places.get(plain_name(name))
        if place is None:
            raise BadPhotoFile(self.fault(name))
        try:
            with self._archive(place[0]).open(place[1]) as file:
                content = file.read(pictures.MAX_BYTES + 1)
            pictures.inspect(content)
        except pictures.BadPicture as refusal:
            raise BadPhotoFile(f"{name[:80]}: {refusal.message}") from refusal
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
            OSError,
        ) as error:
            raise BadPhotoFile(_("Foto %(name)s di dalam ZIP rusak. Kemas lagi.", name=name[:80])) from error
        return content

    def _archive(self, number: int) -> zipfile.ZipFile:
        if number not in self.opened:
            # One at a time: each is as large as what may be uploaded at once.
            self.opened = {number: open_archive(private_files().read(self.keys[number]))}
        return self.opened[number]
