"""Papers as people upload them: PDF, JPEG or PNG, checked before they are kept, never run, never public.

Pictures are decoded and encoded anew, so that nothing but what can be seen survives. A PDF is kept as it is,
once its frame is whole and it carries nothing that acts by itself.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from flask_babel import lazy_gettext as _

from storefront.errors import DomainError
from storefront.media import pictures

MAX_BYTES = 10 * 1024 * 1024
#: What a PDF could do by itself, or hide. Names may be written with #xx for a letter.
ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData)\b")
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
#: Packed objects are read this far, in bytes each.
MOST_UNPACKED = 4 * 1024 * 1024
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}


class BadDocument(DomainError):
    """The file cannot be kept; the sentence says why and what to do."""

    code, status = "bad_document", 422
    message = _("Berkas ini bukan PDF, JPG, atau PNG yang dapat dibaca. Foto atau pindai lagi, lalu unggah.")


def checked(content: bytes) -> tuple[str, bytes]:
    """File extension and what is kept of `content`. Raises BadDocument."""
    if not content:
        raise BadDocument(_("Berkas ini kosong. Pilih lagi, lalu unggah."))
    if len(content) > MAX_BYTES:
        raise BadDocument(_("Berkas ini lebih besar dari 10 MB. Kecilkan dulu, lalu unggah lagi."))
    if content.startswith(b"%PDF-"):
        return "pdf", _pdf(content)
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg", _picture(content, "JPEG")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", _picture(content, "PNG")
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "jpg", _picture(content, "JPEG")
    raise BadDocument()


def _pdf(content: bytes) -> bytes:
    if b"%%EOF" not in content[-2048:] or b"startxref" not in content:
        raise BadDocument(_("PDF ini terpotong. Unduh atau pindai lagi, lalu unggah."))
    for part in _objects(content):
        names = ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part)
        if b"/Encrypt" in names:
            raise BadDocument(_("PDF ini dikunci kata sandi. Simpan tanpa kata sandi, lalu unggah."))
        if ACTIVE.search(names):
            raise BadDocument(_("PDF ini memuat skrip atau lampiran. Cetak ke PDF baru, lalu unggah."))
    return content


def _objects(content: bytes) -> Iterator[bytes]:
    """What a PDF says of itself: its objects, plain and packed, without pictures and text."""
    yield STREAM.sub(b"", content)
    for found in STREAM.finditer(content):
        if b"/ObjStm" in content[max(0, found.start() - 400) : found.start()]:
            try:
                yield zlib.decompressobj().decompress(found[1], MOST_UNPACKED)
            except zlib.error as error:
                raise BadDocument() from error


def _picture(content: bytes, form: str) -> bytes:
    try:
        return pictures.clean_copy(content, form)
    except pictures.BadPicture as refusal:
        raise BadDocument(refusal.message) from refusal
