"""Does a photo show a face? OpenCV's cascades, from the optional extra `faces`: they mark, a person decides."""

from __future__ import annotations

from functools import cache
from typing import Any

from storefront.media import pictures
from storefront.media.pictures import UNTOUCHED, Edit

#: Longest side looked at, in pixels: a face as small as a twentieth of it is found.
SIDE = 900
SMALLEST = 45
CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_profileface.xml")
#: How many windows must agree, by cascade: turned wood and bowls look like a profile to fewer.
AGREE = (8, 12)


def count(original: bytes, edit: Edit = UNTOUCHED) -> int | None:
    """How many faces may be seen on a photo as `edit` shows it; None when nothing here can look.

    For the worker: about a tenth of a second. Raises BadPicture.
    """
    if (found := _cascades()) is None:
        return None
    import numpy

    image = pictures.edited(original, SIDE, edit)
    image.thumbnail((SIDE, SIDE))
    if image.mode == "RGBA":
        ground = pictures.Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    grey = numpy.asarray(image.convert("L"))
    seen = [_seen(cascade, grey, agree) for cascade, agree in zip(found, AGREE, strict=True)]
    # A profile cascade knows one side only.
    seen.append(_seen(found[1], numpy.ascontiguousarray(grey[:, ::-1]), AGREE[1]))
    return max(seen)


def _seen(cascade: Any, grey: Any, agree: int) -> int:
    return len(cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=agree, minSize=(SMALLEST, SMALLEST)))


@cache
def _cascades() -> list[Any] | None:
    try:
        import cv2
        from cv2.data import haarcascades
    except ImportError:
        return None
    return [cv2.CascadeClassifier(haarcascades + name) for name in CASCADES]
