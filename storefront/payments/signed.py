"""What a signed message must be made of before anything of it is stored."""

from __future__ import annotations

import json
import re
from typing import Any

from storefront.payments.gateway import BadSignature
from storefront.payments.said import SignedEvent

#: Providers' ids and types are plain words; whatever else claims to be one is not stored.
PLAIN = re.compile(r"[\x21-\x7e]{1,200}")


def json_object(body: bytes) -> dict[str, Any]:
    """The object that `body` holds. Raises BadSignature for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadSignature("not JSON") from None
    if not isinstance(found, dict):
        raise BadSignature("no event")
    return found


def event_of(body: bytes) -> SignedEvent:
    """Id and type of the event that `body` holds. Raises BadSignature when it holds none."""
    event = json_object(body)
    parts = event.get("id"), event.get("type")
    if not all(isinstance(part, str) and PLAIN.fullmatch(part) for part in parts):
        raise BadSignature("no event")
    return SignedEvent(str(parts[0]), str(parts[1]))
