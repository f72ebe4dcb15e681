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
#: Read from these formats only, whatever a file's name says; and from HEIC.
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 24 * 1024 * 1024
#: A good phone takes 12 to 50 megapixels; what claims more is a bomb.
MAX_PIXELS = 60_000_000
MAX_SIDE = 16_000
SMALLEST_SIDE = 100
#: Part of every key: raise it when pictures are made in another way, and they are made anew.
RECIPE = "1"
#: Clockwise, as people say it; Pillow turns the other way.
TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


class BadPicture(DomainError):
    """The file is no picture that we take; the sentence says why and what to do."""

    code, status = "bad_picture", 422
    message = _("Berkas ini bukan foto yang dapat dibaca. Kirim foto JPEG, PNG, WebP, atau HEIC.")


@dataclass(frozen=True)
class Picture:
    """A photo made ready: its files by width and format."""

    #: Stem of the files' keys; the same original always has the same one.
    key: str
    widths: tuple[int, ...]
    #: Size of the largest, in pixels.
    width: int
    height: int


@dataclass(frozen=True)
class Edit:
    """What somebody asked to be done to a photo, once it stands upright."""

    #: Degrees clockwise: 0, 90, 180 or 270.
    turned: int = 0
    #: Left, top, right, bottom in thousandths of the turned photo; None: all of it.
    crop: tuple[int, int, int, int] | None = None

    def __bytes__(self) -> bytes:
        return b"" if self == UNTOUCHED else repr((self.turned, self.crop)).encode() + b"\0"

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The part that stays of a turned photo of this size, in pixels; at least one each way."""
        left, top, right, bottom = self.crop or (0, 0, 1000, 1000)
        x, y = min(width - 1, width * left // 1000), min(height - 1, height * top // 1000)
        return x, y, max(x + 1, round(width * right / 1000)), max(y + 1, round(height * bottom / 1000))


UNTOUCHED = Edit()


def key_of(original: bytes, edit: Edit = UNTOUCHED) -> str:
    """The stem under which the files of this photo lie."""
    digest = hashlib.sha256(RECIPE.encode() + b"\0" + bytes(edit) + original).hexdigest()
    return f"photos/{digest[:2]}/{digest[2:34]}"


def file_key(key: str, width: int, extension: str) -> str:
    """The key of one file of a photo; extension `avif` or `webp`."""
    return f"{key}-{width}.{extension}"


def inspect(original: bytes, edit: Edit = UNTOUCHED) -> Picture:
    """What will become of `original`, from its header alone. Raises BadPicture."""
    width, height = _size(_open(original), edit.turned)
    left, top, right, bottom = edit.box(width, height)
    width, height = right - left, bottom - top
    if edit.crop and min(width, height) < SMALLEST_SIDE:
        raise BadPicture(_("Potongan ini terlalu kecil. Sisakan paling sedikit 100 piksel di setiap sisi."))
    widths = widths_for(width)
    largest = widths[-1]
    return Picture(key_of(original, edit), widths, largest, max(1, round(height * largest / width)))


def _size(image: Image.Image, turned: int) -> tuple[int, int]:
    """Width and height once it stands upright and is turned; EXIF orientations 5 to 8 lie on their side."""
    width, height = image.size
    return (height, width) if (_orientation(image) >= 5) != (turned in (90, 270)) else (width, height)


def widths_for(width: int) -> tuple[int, ...]:
    """The widths offered of a photo `width` pixels wide: up to four, none larger than itself."""
    smaller = tuple(w for w in WIDTHS if w < width)
    return smaller if len(smaller) == len(WIDTHS) else (*smaller, width)


def encode(original: bytes, edit: Edit = UNTOUCHED) -> dict[str, bytes]:
    """All files of a photo by key: WebP and AVIF in each width. Raises BadPicture.

    12 megapixels take about a second and 270 MB: one at a time.
    """
    picture = inspect(original, edit)
    image = edited(original, picture.width, edit)
    files: dict[str, bytes] = {}
    for width in reversed(picture.widths):
        height = max(1, round(picture.height * width / picture.width))
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        files[file_key(picture.key, width, "webp")] = _saved(image, "WEBP", quality=80, method=4, exact=False)
        files[file_key(picture.key, width, "avif")] = _saved(image, "AVIF", quality=60, speed=8)
    return files


def edited(original: bytes, width: int, edit: Edit = UNTOUCHED) -> Image.Image:
    """The pixels of a photo as `edit` wants it, at least `width` of them across where it has as many.

    Raises BadPicture.
    """
    left, _top, right, _bottom = edit.crop or (0, 0, 1000, 1000)
    image = _decoded(original, width * 1000 // max(1, right - left), turned=edit.turned)
    if edit.turned:
        image = image.transpose(TURNS[edit.turned])
    return image.crop(edit.box(*image.size)) if edit.crop else image


def turned_copy(original: bytes, turned: int, longest_side: int) -> bytes:
    """A photo turned but not cut, as one JPEG on white: what is shown to whoever cuts it. Raises BadPicture."""
    image = edited(original, longest_side, Edit(turned))
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    return _saved(image, "JPEG", quality=80)


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


def _decoded(original: bytes, width: int, turned: int = 0) -> Image.Image:
    """The pixels, upright, in sRGB, with transparency where the original has some; `width`: needed once `turned`."""
    image = _open(original)
    profile = image.info.get("icc_profile")
    try:
        # JPEG can be decoded at a half, a quarter or an eighth of its size: far quicker, and never below need.
        across, down = _size(image, turned)
        needed = (width * 2, max(1, width * 2 * down // across))
        lies = _orientation(image) >= 5
        needed = needed[::-1] if lies != (turned in (90, 270)) else needed
        image.draft("RGB", needed)
        image.load()
        if _orientation(image) != 1:
            image = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError, TypeError) as error:
        raise BadPicture(_("Foto ini rusak atau terpotong. Kirim lagi dari kameranya.")) from error
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
