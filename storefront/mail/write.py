"""Letters that belong to no order: rendered from templates/mail/<kind>.txt in the reader's language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import current_app, render_template
from flask_babel import force_locale

from storefront.mail.html import blocks
from storefront.mail.transport import Letter


def letter(kind: str, key: str, to: str, locale: str, **known: Any) -> Letter:
    """The letter `kind`; its template's first line is the subject. `key` is the business key, for its Message-ID.

    `unsubscribe` among what is known: the whole address that ends letters of this kind.
    """
    with force_locale(locale):
        rendered = render_template(f"mail/{kind}.txt", **known)
    subject, _, text = rendered.partition("\n")
    return Letter(key, to, subject.strip(), text.lstrip("\n"), unsubscribe=known.get("unsubscribe"))


def linked_letter(
    kind: str, key: str, to: str, locale: str, path: str, button: object, **known: Any
) -> Letter:
    """The same around one link, as text and as HTML with a button; its template reads the whole address as `link`.

    `button` may be a lazy text: it is said in the reader's language.
    """
    link = address_of(path, locale)
    plain = letter(kind, key, to, locale, link=link, **known)
    with force_locale(locale):
        html = render_template(
            "mail/_any.html",
            subject=plain.subject,
            paragraphs=blocks(plain.text, link),
            button_words=button,
            locale_of=locale,
        )
    return replace(plain, html=html)


def address_of(path: str, locale: str = "id") -> str:
    """The whole address of a page of ours, for letters, which know no request."""
    base: str = current_app.extensions["settings"].base_url.rstrip("/")
    return base + ("/en" if locale == "en" else "") + path
