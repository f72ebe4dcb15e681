"""Slips as people upload them: PDF, JPEG or PNG, checked before they are kept, never run, never public.

Pictures are decoded and encoded anew, so that nothing but what can be seen survives. A PDF is kept as it is,
once its frame is whole and it carries nothing that acts by itself.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator

from flask_babel import lazy_gettext as _

from storefront.errors import DomainError
from storefront.media import pictures
from storefront.media.storage import private_files

MAX_BYTES = 10 * 1024 * 1024
#: What a PDF could do by itself, or hide. Names may be written with #xx for a letter.
ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData)\b")
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
#: Packed objects are read this far, in bytes each.
MOST_UNPACKED = 4 * 1024 * 1024
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}


class BadProof(DomainError):
    """The file cannot be kept; the sentence says why and what to do."""

    code, status = "bad_proof", 422
    message = _("Berkas ini bukan PDF, JPG, atau PNG yang dapat dibaca. Pindai lagi buktinya, lalu unggah.")


def keep(folder: str, content: bytes) -> str:
    """Put the slip into the private store and return its key; the same file has the same key. Raises BadProof."""
    extension, clean = checked(content)
    key = f"{folder}/{hashlib.sha256(clean).hexdigest()[:32]}.{extension}"
    private_files().write(key, clean)
    return key


def read(key: str) -> tuple[bytes, str]:
    """A kept slip and its media type. Raises FileNotFoundError."""
    return private_files().read(key), TYPES[key.rpartition(".")[2]]


def checked(content: bytes) -> tuple[str, bytes]:
    """File extension and what is kept of `content`. Raises BadProof."""
    if not content:
        raise BadProof(_("Pilih berkas buktinya."))
    if len(content) > MAX_BYTES:
        raise BadProof(_("Berkas ini lebih besar dari 10 MB. Kecilkan dulu, lalu unggah lagi."))
    if content.startswith(b"%PDF-"):
        return "pdf", _pdf(content)
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg", _picture(content, "JPEG")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", _picture(content, "PNG")
    raise BadProof()


def _pdf(content: bytes) -> bytes:
    if b"%%EOF" not in content[-2048:] or b"startxref" not in content:
        raise BadProof(_("PDF ini terpotong. Unduh atau pindai lagi, lalu unggah."))
    for part in _objects(content):
        names = ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part)
        if b"/Encrypt" in names:
            raise BadProof(_("PDF ini dikunci kata sandi. Simpan tanpa kata sandi, lalu unggah."))
        if ACTIVE.search(names):
            raise BadProof(_("PDF ini memuat skrip atau lampiran. Cetak ke PDF baru, lalu unggah."))
    return content


def _objects(content: bytes) -> Iterator[bytes]:
    """What a PDF says of itself: its objects, plain and packed, without pictures and text."""
    yield STREAM.sub(b"", content)
    for found in STREAM.finditer(content):
        if b"/ObjStm" in content[max(0, found.start() - 400) : found.start()]:
            try:
                yield zlib.decompressobj().decompress(found[1], MOST_UNPACKED)
            except zlib.error as error:
                raise BadProof() from error


def _picture(content: bytes, form: str) -> bytes:
    try:
        return pictures.clean_copy(content, form)
    except pictures.BadPicture as refusal:
        raise BadProof(refusal.message) from refusal
