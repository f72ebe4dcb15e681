"""Slips as people upload them: kept as `storefront.media.documents` reads them, under a key that names the content."""

from __future__ import annotations

import hashlib

from flask_babel import lazy_gettext as _

from storefront.errors import DomainError
from storefront.media import documents
from storefront.media.storage import private_files

MAX_BYTES = documents.MAX_BYTES
TYPES = documents.TYPES


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
    try:
        return documents.checked(content)
    except documents.BadDocument as refusal:
        plain = str(refusal.message) == str(documents.BadDocument.message)
        raise BadProof(None if plain else refusal.message) from refusal
