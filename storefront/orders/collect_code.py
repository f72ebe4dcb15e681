"""An order's number as a QR code, for those who collect at a fair's stand: on its page and in its letters.

The number alone: whoever sees the code on a phone's screen can find nothing with it but what lies at the stand.
"""

from __future__ import annotations

from itertools import groupby

from markupsafe import Markup

from storefront.qr_code import in_page, qr_code


def picture(number: str) -> Markup:
    """The code as a drawing that stands in a page."""
    return in_page(number, scale=6, border=2, light="#fff", svgclass=None, lineclass=None)


def rows(number: str) -> list[list[tuple[bool, int]]]:
    """Each row of the code as runs of dark or light squares: letters show no drawings, but they do show tables."""
    return [
        [(bool(dark), len(list(run))) for dark, run in groupby(row)] for row in qr_code(number).matrix_iter(border=2)
    ]
