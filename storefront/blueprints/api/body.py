"""Reading what programs send: strictly JSON, never a surprise inside."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import request
from flask_babel import lazy_gettext as _

from storefront.errors import DomainError, Invalid

DEEPEST = 16


class BadJson(DomainError):
    """The body cannot be read at all."""

    code, status = "bad_json", 400
    message = _("Isi permintaan bukan JSON yang benar.")


class NotJson(DomainError):
    code, status = "unsupported_media_type", 415
    message = _("Kirim JSON, dengan header Content-Type: application/json.")


def read_object(*, may_be_missing: bool = False) -> dict[str, Any]:
    """The JSON object in the body.

    Raises `NotJson` (415), `BadJson` (400), and `Invalid` (422) when the body is no object or holds text
    that no database can keep. With `may_be_missing` an empty body is an empty object.
    """
    raw = request.get_data()
    if not raw.strip() and may_be_missing:
        return {}
    if not request.is_json:
        raise NotJson()
    try:
        data = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadJson() from error
    if not isinstance(data, dict):
        raise Invalid(message=_("Kirim satu objek JSON."))
    _check(data)
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _check(data: dict[str, Any]) -> None:
    """Refuse deep nesting, NUL bytes and halves of characters, wherever they hide."""
    waiting: list[tuple[Any, str, int]] = [(data, "", 0)]
    while waiting:
        value, path, depth = waiting.pop()
        if depth > DEEPEST:
            raise Invalid({path[:100]: _("Terlalu dalam bersarang.")})
        if isinstance(value, dict):
            for key, item in value.items():
                _check_text(key, path)
                waiting.append((item, f"{path}.{key}" if path else key, depth + 1))
        elif isinstance(value, list):
            waiting += [(item, path, depth + 1) for item in value]
        elif isinstance(value, str):
            _check_text(value, path)


def _check_text(text: str, path: str) -> None:
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Invalid({path[:100] or "body": _("Ada huruf yang tidak dapat dibaca. Ketik ulang isian ini.")})
