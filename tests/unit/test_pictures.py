"""A photo leaves nothing of its original behind, and nothing dangerous is ever decoded."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from storefront.media import pictures
from storefront.media.pictures import BadPicture, encode, inspect, widths_for


def photo(size: tuple[int, int] = (800, 600), form: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """A picture, red on its left half."""
    image = Image.new(mode, size, (30, 60, 200) if mode == "RGB" else (30, 60, 200, 0))
    image.paste((220, 30, 30) if mode == "RGB" else (220, 30, 30, 255), (0, 0, size[0] // 2, size[1]))
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (256, (256,)),
        (320, (320,)),
        (700, (320, 640, 700)),
        (1440, (320, 640, 960, 1440)),
        (4000, (320, 640, 960, 1440)),
    ],
)
def test_a_photo_is_offered_in_up_to_four_widths_and_never_enlarged(
    width: int, widths: tuple[int, ...]
) -> None:
    assert widths_for(width) == widths


def test_each_width_comes_as_avif_and_webp() -> None:
    picture, files = inspect(photo((800, 600))), encode(photo((800, 600)))
    assert picture.widths == (320, 640, 800)
    assert (picture.width, picture.height) == (800, 600)
    assert sorted(files) == sorted(
        f"{picture.key}-{width}.{form}" for width in picture.widths for form in ("avif", "webp")
    )
    for key, content in files.items():
        image = opened(content)
        assert image.format == key.rpartition(".")[2].upper()
        assert image.width == int(key.rpartition("-")[2].partition(".")[0])


def test_place_and_camera_are_gone_from_every_file() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Kamera rahasia"
    exif.get_ifd(0x8825)[2] = (7.0, 33.0, 12.0)
    original = photo(exif=exif, comment=b"nama warga binaan")
    assert b"Kamera rahasia" in original
    for content in encode(original).values():
        image = opened(content)
        assert not image.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & image.info.keys()
        assert b"Kamera" not in content
        assert b"warga" not in content


def test_a_photo_taken_upright_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: its left becomes its top
    original = photo((800, 600), exif=exif)
    picture = inspect(original)
    assert (picture.width, picture.height) == (600, 800)
    image = opened(encode(original)[f"{picture.key}-600.webp"]).convert("RGB")
    top, bottom = image.getpixel((300, 40)), image.getpixel((300, 760))
    assert top[0] > 180 > bottom[0]  # type: ignore[index]


def test_a_cut_out_picture_keeps_its_transparency() -> None:
    original = photo((400, 400), "PNG", "RGBA")
    files = encode(original)
    for form in ("webp", "avif"):
        image = opened(files[f"{inspect(original).key}-400.{form}"])
        assert image.mode == "RGBA"
        assert image.getchannel("A").getextrema() == (0, 255)


def test_the_same_photo_has_the_same_key_and_another_one_another() -> None:
    assert inspect(photo()).key == inspect(photo()).key
    assert inspect(photo()).key != inspect(photo((801, 600))).key
    assert inspect(photo()).key.startswith("photos/")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"%PDF-1.7\n",
        b"\xff\xd8\xff\xe0" + b"\0" * 64,
    ],
)
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(BadPicture):
        encode(content)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "BMP", "ICO", "PPM"])
def test_only_the_named_formats_are_read(form: str) -> None:
    with pytest.raises(BadPicture):
        inspect(photo((200, 200), form))


def bomb(width: int, height: int) -> bytes:
    """A PNG of some bytes that claims to be huge."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (9_000, 9_000), (100_000, 200)])
def test_a_pixel_bomb_is_refused_by_its_header(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    with pytest.raises(BadPicture):
        encode(bomb(width, height))


def test_a_broken_file_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadPicture) as refusal:
        encode(photo((1600, 1200))[:5000])
    assert refusal.value.status == 422


def test_a_file_over_the_limit_is_refused_before_it_is_opened() -> None:
    with pytest.raises(BadPicture):
        inspect(b"\xff\xd8" + b"\0" * pictures.MAX_BYTES)


def test_what_hides_behind_a_photo_is_thrown_away() -> None:
    files = encode(photo() + b"<script>alert(document.cookie)</script>PK\x03\x04")
    assert not any(b"script" in content for content in files.values())
