"""QR codes: with error correction M, which a folded label survives, and never Micro QR, which few phones read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from segno import QRCode


def qr_code(text: str) -> QRCode:
    """The code that says `text`."""
    import segno  # a megabyte that few requests need

    return segno.make(text, error="m", micro=False)


def as_file(text: str, **how: Any) -> str:
    """The code as an SVG file's text; `how` as segno's `save` (border in modules, scale in pixels, dark, light, …)."""
    drawn = io.BytesIO()
    qr_code(text).save(drawn, kind="svg", **how)
    return drawn.getvalue().decode()


def in_page(text: str, **how: Any) -> Markup:
    """The code as a drawing that stands in a page; `how` as segno's `svg_inline`."""
    return Markup(qr_code(text).svg_inline(**how))  # noqa: S704 - lines alone: the text itself is not in it
