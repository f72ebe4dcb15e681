"""Letters that belong to no order: rendered from templates/mail/<kind>.txt in the reader's language."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template
from flask_babel import force_locale

from storefront.mail.transport import Letter


def letter(kind: str, key: str, to: str, locale: str, **known: Any) -> Letter:
    """The letter `kind`; its template's first line is the subject. `key` is the business key, for its Message-ID."""
    with force_locale(locale):
        rendered = render_template(f"mail/{kind}.txt", **known)
    subject, _, text = rendered.partition("\n")
    return Letter(key, to, subject.strip(), text.lstrip("\n"))


def address_of(path: str, locale: str = "id") -> str:
    """The whole address of a page of ours, for letters, which know no request."""
    base: str = current_app.extensions["settings"].base_url
    return base + ("/en" if locale == "en" else "") + path
