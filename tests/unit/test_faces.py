"""What may be a face is marked; goods are not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from storefront.demo import files
from storefront.media import faces
from storefront.media.pictures import Edit

pytest.importorskip("cv2")


def drawn_face(size: int = 600) -> bytes:
    """Somebody who never lived, drawn."""
    image = Image.new("RGB", (600, 600), (200, 205, 210))
    pen = ImageDraw.Draw(image)
    for box, colour in (
        ((170, 90, 430, 510), (205, 165, 140)), ((160, 60, 440, 230), (60, 45, 40)),
        ((180, 130, 420, 330), (205, 165, 140)), ((205, 250, 275, 285), (120, 85, 70)),
        ((325, 250, 395, 285), (120, 85, 70)), ((215, 255, 265, 283), (245, 240, 235)),
        ((335, 255, 385, 283), (245, 240, 235)), ((230, 256, 252, 282), (30, 20, 20)),
        ((350, 256, 372, 282), (30, 20, 20)), ((250, 395, 350, 430), (150, 80, 80)),
    ):  # fmt: skip
        pen.ellipse(box, fill=colour)
    pen.rectangle((200, 222, 280, 236), fill=(70, 50, 45))
    pen.rectangle((320, 222, 400, 236), fill=(70, 50, 45))
    pen.polygon([(300, 270), (275, 350), (325, 350)], fill=(180, 135, 112))
    pen.rectangle((255, 410, 345, 414), fill=(90, 40, 40))
    image = image.filter(ImageFilter.GaussianBlur(4)).resize((size, size))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def test_a_face_is_found_where_it_is_seen_and_not_where_it_is_cut_away() -> None:
    assert faces.count(drawn_face()) == 1
    assert faces.count(drawn_face(), Edit(crop=(0, 820, 1000, 1000))) == 0


@pytest.mark.parametrize("name", ["basket", "chair", "bread", "couch", "door", "gift", "handbag", "kimono"])
def test_goods_are_no_faces(name: str) -> None:
    picture: Path = files.PICTURES / f"{name}.webp"
    assert faces.count(picture.read_bytes()) == 0


def test_without_the_extra_nobody_has_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "_cascades", lambda: None)
    assert faces.count(drawn_face()) is None
