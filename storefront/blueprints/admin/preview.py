"""A preview speaks the language of those who will read the page, not the curator's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g
from flask_babel import force_locale

from storefront.languages import LOCALES, locale


def language_asked(written: str) -> str:
    """The language that was asked for, else the curator's own."""
    return written if written in LOCALES else locale()


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Within, pages are written in `language`."""
    g.spoken = language
    try:
        with force_locale(language):
            yield
    finally:
        g.pop("spoken", None)
