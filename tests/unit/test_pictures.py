"""A photo leaves nothing of its original behind, and nothing dangerous is ever decoded."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from storefront.media import pictures
from storefront.media.pictures import BadPicture, Edit, encode, inspect, turned_copy, widths_for


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


#: 240 × 160 pixels of a phone that keeps HEIC, red on its left half, with the camera and the place in its EXIF.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAZZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAABugABAAAAAAAAAEcAAgAAAAACAQABAAAAAAAAAGoAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA1WlwcnAAAAC2aXBjbwAAAHdodmNDAQNwAAAA"
    "kAAAAAAAPPAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAPLoCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwA8oB4gKFlu"
    "pJKa5uAhoMCAAAAMgAAAAwCEYgABAAdEAcFysGJAAAAAE2NvbHJuY2x4AAEADQAGgAAAABRpc3BlAAAAAAAAAPAAAACgAAAAEHBp"
    "eGkAAAAAAwgICAAAABdpcG1hAAAAAAAAAAEAAQSBAgMEAAAAGmlyZWYAAAAAAAAADmNkc2MAAgABAAEAAAC5bWRhdAAAAEMoAa9W"
    "a0iA+Q6SX//xnr//YlJD5rejGxWRMo6B/Uwtf5Ci31J+DnG0yAhQoDwverAFJAAZsLAAG8f3gJ0BLaOnbCD4AAAABkV4aWYAAE1N"
    "ACoAAAAIAAIBDwACAAAADwAAACaIJQAEAAAAAQAAADYAAAAAS2FtZXJhIHJhaGFzaWEAAAABAAIABQAAAAMAAABIAAAAAAAAAAcA"
    "AAABAAAAIQAAAAEAAAAMAAAAAQ=="
)


def test_a_phones_heic_is_read_and_loses_what_it_tells() -> None:
    assert b"Kamera rahasia" in HEIC
    picture, made = inspect(HEIC), encode(HEIC)
    assert (picture.width, picture.height) == (240, 160)
    image = opened(made[f"{picture.key}-240.webp"]).convert("RGB")
    for place, colour in (((20, 80), (220, 30, 30)), ((220, 80), (30, 60, 200))):
        assert all(abs(a - b) < 8 for a, b in zip(image.getpixel(place), colour, strict=True))  # type: ignore[arg-type]
    assert not any(b"Kamera" in content for content in made.values())


@pytest.mark.parametrize(
    ("primaries", "gamma"),
    [
        # Display P3, and Adobe RGB (1998): their red, green and blue in CIE xy, and how light grows.
        (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), 2.2),
        (((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)), 2.19921875),
    ],
)
@pytest.mark.parametrize("colour", [(180, 120, 90), (90, 140, 110), (128, 128, 128)])
def test_colours_of_a_wide_profile_look_the_same_in_srgb(
    primaries: tuple[tuple[float, float], ...], gamma: float, colour: tuple[int, int, int]
) -> None:
    image = Image.new("RGB", (200, 200), colour)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", icc_profile=wide_profile(primaries, gamma))
    picture, made = inspect(buffer.getvalue()), encode(buffer.getvalue())
    shown = opened(made[f"{picture.key}-200.webp"]).convert("RGB").getpixel((100, 100))
    expected = in_srgb(colour, primaries, gamma)
    assert all(abs(a - b) <= 4 for a, b in zip(shown, expected, strict=True)), (shown, expected)  # type: ignore[arg-type]
    if len(set(colour)) > 1:
        assert max(abs(a - b) for a, b in zip(colour, expected, strict=True)) > 4  # the profile does matter


WHITE = (0.3127, 0.3290)


def columns(primaries: tuple[tuple[float, float], ...]) -> Any:
    """The matrix from linear RGB to CIE XYZ under daylight."""
    import numpy

    xyz = numpy.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = numpy.array([WHITE[0] / WHITE[1], 1, (1 - WHITE[0] - WHITE[1]) / WHITE[1]])
    return xyz * numpy.linalg.solve(xyz, white)


def in_srgb(colour: tuple[int, int, int], primaries: tuple[tuple[float, float], ...], gamma: float) -> list[int]:
    """What the colour of that profile is in sRGB, by the textbook."""
    import numpy

    srgb = columns(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
    linear = (numpy.array(colour) / 255) ** gamma
    light = numpy.clip(numpy.linalg.solve(srgb, columns(primaries) @ linear), 0, 1)
    shown = numpy.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return [round(255 * float(value)) for value in shown]


def wide_profile(primaries: tuple[tuple[float, float], ...], gamma: float) -> bytes:
    """An ICC profile of these primaries (version 2, adapted to D50 as the format asks)."""
    import numpy

    bradford = numpy.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d65 = numpy.array([WHITE[0] / WHITE[1], 1, (1 - WHITE[0] - WHITE[1]) / WHITE[1]])
    d50 = numpy.array([0.9642, 1, 0.8249])
    adapt = numpy.linalg.inv(bradford) @ numpy.diag((bradford @ d50) / (bradford @ d65)) @ bradford
    adapted = adapt @ columns(primaries)

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def point(values: Any) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(fixed(float(value)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"Wide\0" + b"\0" * 78 + b"\0"
    tags = {
        b"desc": name, b"wtpt": point(d50), b"cprt": b"text\0\0\0\0-\0\0\0",
        b"rXYZ": point(adapted[:, 0]), b"gXYZ": point(adapted[:, 1]), b"bXYZ": point(adapted[:, 2]),
        b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += padded
    size = 128 + 4 + len(table) + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s4x4x4x4xI", size, 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp", 0)
    header = header[:64].ljust(68, b"\0") + b"".join(fixed(float(v)) for v in d50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def test_a_photo_is_turned_and_cut_from_its_original() -> None:
    original = photo((800, 600))
    turned = Edit(turned=90, crop=(0, 0, 1000, 500))
    picture = inspect(original, turned)
    assert (picture.width, picture.height) == (600, 400)
    image = opened(encode(original, turned)[f"{picture.key}-600.webp"]).convert("RGB")
    assert all(image.getpixel((x, 200))[0] > 180 for x in (20, 580))  # type: ignore[index]
    assert picture.key != inspect(original).key
    assert opened(turned_copy(original, 90, 300)).size == (225, 300)
    with pytest.raises(BadPicture):
        inspect(original, Edit(crop=(0, 0, 50, 50)))


def test_a_picture_with_something_hidden_behind_it_gives_the_picture_alone() -> None:
    polyglot = photo((200, 200)) + b"<script>alert(1)</script>PK\x03\x04"
    assert not any(b"script" in content or b"PK\x03" in content for content in encode(polyglot).values())
    with pytest.raises(BadPicture):
        encode(b"<html>" + photo((200, 200)))
