"""What is done to a photo before anyone sees it.

The file is judged by its header before a single pixel is decoded; then it is decoded and encoded anew, so
that nothing of the original survives: no EXIF (the place where it was taken!), no comments, no second file
hidden behind the first.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from PIL import Image, ImageCms, ImageOps

from storefront.errors import DomainError

#: Widths offered to browsers, in pixels; a photo is never made larger than it is.
WIDTHS = (320, 640, 960, 1440)
#: Read from these formats only, whatever a file's name says. HEIC joins when `pi-heif` is installed.
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 24 * 1024 * 1024
#: A good phone takes 12 to 50 megapixels; what claims more is a bomb.
MAX_PIXELS = 60_000_000
MAX_SIDE = 16_000
SMALLEST_SIDE = 100
#: Part of every key: raise it when pictures are made in another way, and they are made anew.
RECIPE = "1"


class BadPicture(DomainError):
    """The file is no picture that we take; the sentence says why and what to do."""

    code, status = "bad_picture", 422
    message = _("Berkas ini bukan foto yang dapat dibaca. Kirim foto JPEG, PNG, atau WebP.")


@dataclass(frozen=True)
class Picture:
    """A photo made ready: its files by width and format."""

    #: Stem of the files' keys; the same original always has the same one.
    key: str
    widths: tuple[int, ...]
    #: Size of the largest, in pixels.
    width: int
    height: int


def key_of(original: bytes) -> str:
    """The stem under which the files of this photo lie."""
    digest = hashlib.sha256(RECIPE.encode() + b"\0" + original).hexdigest()
    return f"photos/{digest[:2]}/{digest[2:34]}"


def file_key(key: str, width: int, extension: str) -> str:
    """The key of one file of a photo; extension `avif` or `webp`."""
    return f"{key}-{width}.{extension}"


def inspect(original: bytes) -> Picture:
    """What will become of `original`, from its header alone. Raises BadPicture."""
    image = _open(original)
    width, height = image.size
    # EXIF orientations 5 to 8 lie on their side.
    if _orientation(image) >= 5:
        width, height = height, width
    widths = widths_for(width)
    largest = widths[-1]
    return Picture(key_of(original), widths, largest, max(1, round(height * largest / width)))


def widths_for(width: int) -> tuple[int, ...]:
    """The widths offered of a photo `width` pixels wide: up to four, none larger than itself."""
    smaller = tuple(w for w in WIDTHS if w < width)
    return smaller if len(smaller) == len(WIDTHS) else (*smaller, width)


def encode(original: bytes) -> dict[str, bytes]:
    """All files of a photo by key: WebP and AVIF in each width. Raises BadPicture.

    12 megapixels take about a second and 270 MB: one at a time.
    """
    picture = inspect(original)
    image = _decoded(original, picture.width)
    files: dict[str, bytes] = {}
    for width in reversed(picture.widths):
        height = max(1, round(picture.height * width / picture.width))
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        files[file_key(picture.key, width, "webp")] = _saved(image, "WEBP", quality=80, method=4, exact=False)
        files[file_key(picture.key, width, "avif")] = _saved(image, "AVIF", quality=60, speed=8)
    return files


def clean_copy(original: bytes, form: str, longest_side: int = 2400) -> bytes:
    """A picture that stays a single file, such as a scanned slip: decoded and encoded anew as `form`.

    `form` is `JPEG` or `PNG`. Raises BadPicture.
    """
    image = _decoded(original, longest_side)
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    if form == "JPEG":
        return _saved(image.convert("RGB"), "JPEG", quality=85)
    return _saved(image, "PNG", optimize=True)


def _open(original: bytes) -> Image.Image:
    """The picture with its header read and nothing decoded. Raises BadPicture."""
    if len(original) > MAX_BYTES:
        raise BadPicture(_("Foto ini lebih besar dari 24 MB. Kecilkan dulu, lalu kirim lagi."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(original), formats=_formats())
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombWarning,
        OverflowError,
        TypeError,
    ) as error:
        raise BadPicture() from error
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_large()
    if min(width, height) < SMALLEST_SIDE:
        raise BadPicture(_("Foto ini terlalu kecil. Kirim foto dengan sisi paling sedikit 100 piksel."))
    return image


def _too_large() -> BadPicture:
    return BadPicture(_("Foto ini terlalu besar. Kirim foto paling besar 60 megapiksel."))


def _formats() -> list[str]:
    try:
        import pi_heif
    except ImportError:
        return list(FORMATS)
    pi_heif.register_heif_opener()
    return [*FORMATS, "HEIF"]


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except (ValueError, TypeError, SyntaxError, OSError, KeyError):
        return 1  # broken EXIF says nothing; it is thrown away anyhow


def _decoded(original: bytes, width: int) -> Image.Image:
    """The pixels, upright, in sRGB, with transparency where the original has some."""
    image = _open(original)
    try:
        # JPEG can be decoded at a half, a quarter or an eighth of its size: far quicker, and never below need.
        image.draft("RGB", (width * 2, width * 2))
        image.load()
        if _orientation(image) != 1:
            image = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError, TypeError) as error:
        raise BadPicture(_("Foto ini rusak atau terpotong. Kirim lagi dari kameranya.")) from error
    profile = image.info.get("icc_profile")
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if profile and image.mode in ("RGB", "RGBA", "L", "CMYK"):
        image = _in_srgb(image, profile)
    image = image.convert("RGBA" if has_alpha else "RGB")
    if has_alpha and image.getchannel("A").getextrema()[0] == 255:
        image = image.convert("RGB")
    return image


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    mode: Any = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # an unreadable profile: the colours are taken as they are
    return converted or image


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """The pixels alone: no EXIF, XMP or colour profile is handed on."""
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    buffer = io.BytesIO()
    clean.save(buffer, form, exif=b"", xmp=b"", icc_profile=b"", **options)
    return buffer.getvalue()
