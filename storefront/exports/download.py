"""An export as it leaves by the web: in pieces, without a file of it being kept."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Any, cast

from storefront.days import ACCOUNTING_ZONE
from storefront.exports.formats import BLOCK
from storefront.exports.manifest import as_json


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
