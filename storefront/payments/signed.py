"""What a signed message must be made of before anything of it is stored."""

from __future__ import annotations

import hmac
import json
import re
import time
from typing import Any

from storefront.payments.gateway import BadSignature
from storefront.payments.said import SignedEvent
from storefront.stamped import stamp as stamp_by
from storefront.stamped import stamp_hex

#: Seconds by which a message's time may differ from ours, either way.
TOLERANCE = 300
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


def stamp(secret: bytes, body: bytes) -> str:
    """`t=<unix>,v1=<hex>`: the signature of a message that is sent now."""
    return stamp_by(body, secret)


def check_stamp(secret: bytes, header: str, body: bytes) -> None:
    """Return only if the header is such a signature of this body, made just now. Raises BadSignature."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    moment, signature = parts.get("t", ""), parts.get("v1", "")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12 and signature.isascii() and signature):
        raise BadSignature("no signature")
    is_ours = hmac.compare_digest(stamp_hex(secret, moment, body), signature)
    if not is_ours or abs(time.time() - int(moment)) > TOLERANCE:
        raise BadSignature("wrong or old")
