"""Web push: a line on the screen of somebody's device, encrypted for that device alone (RFC 8291), signed by our
VAPID key (RFC 8292) and handed to the push service of the browser's maker.

The package `webpush` is imported where a message is sent, in the worker; the web needs the public key alone.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import ssl
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import current_app

from storefront.mail.transport import Device, Letter, MailNotTaken, Unreachable

TIMEOUT = 20
#: How long a push service keeps a message for a device that is off, in seconds.
KEPT = 24 * 3600
#: The push services of the browsers' makers. Nothing else is called: an address comes from a browser, and the worker
#: must not be made to call into its own network.
SERVICES = (
    "fcm.googleapis.com", "updates.push.services.mozilla.com", ".push.services.mozilla.com", ".push.apple.com",
    ".notify.windows.com",
)  # fmt: skip
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Longest title and line, in letters: what is encrypted must fit into 4 kB.
LONGEST = 200


def is_service(endpoint: str) -> bool:
    """Whether `endpoint` belongs to a known push service; in a demo also one on this machine, for tries."""
    try:
        parts = urlsplit(endpoint)
        host = (parts.hostname or "").lower()
        is_plain = parts.port in (None, 443) and parts.username is None
    except ValueError:
        return False
    if parts.scheme == "https" and is_plain:
        return any(host == name or (name.startswith(".") and host.endswith(name)) for name in SERVICES)
    return parts.scheme == "http" and host in LOOPBACK and bool(current_app.extensions["settings"].demo)


def public_key() -> str | None:
    """Our public key, as browsers want it to subscribe; None: push is not offered."""
    key: str | None = current_app.extensions["settings"].vapid_private_key
    return _keys(key)[2] if key else None


@cache
def _keys(private: str) -> tuple[bytes, bytes, str]:
    """The private and the public key in PEM, and the public one as browsers want it."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    number = int.from_bytes(base64.urlsafe_b64decode(private + "="), "big")
    key = ec.derive_private_key(number, ec.SECP256R1())
    public = key.public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        base64.urlsafe_b64encode(point).rstrip(b"=").decode(),
    )


def push(device: Device, letter: Letter) -> None:
    """Show the letter's subject and text on a device.

    Raises Unreachable when the browser takes nothing any more, MailNotTaken when it must be tried again.
    """
    settings = current_app.extensions["settings"]
    if not settings.vapid_private_key or not is_service(device.endpoint):
        raise Unreachable("push is off, or goes to no known service")
    shown = {
        "title": letter.subject[:LONGEST],
        "body": letter.text[:LONGEST],
        "page": letter.page,
        "tag": letter.key,
    }
    host = urlsplit(settings.base_url).hostname or "localhost"
    sealed = _seal(settings.vapid_private_key, device, shown, f"noreply@{host}")
    status = _post(urlsplit(device.endpoint), sealed.encrypted, {**sealed.headers, "urgency": "normal"})
    if status in (403, 404, 410):  # subscribed no more, or to another key
        raise Unreachable(f"the push service answered {status}")
    if not 200 <= status < 300:
        raise MailNotTaken(f"the push service answered {status}")


def _seal(private: str, device: Device, shown: dict[str, str], subscriber: str) -> Any:
    from webpush import WebPush
    from webpush.types import WebPushKeys, WebPushSubscription

    secret, public, _ = _keys(private)
    sealer = WebPush(secret, io.BytesIO(public), subscriber=subscriber, ttl=KEPT)
    keys = WebPushKeys(auth=device.auth, p256dh=device.p256dh)
    try:
        subscription = WebPushSubscription(endpoint=device.endpoint, keys=keys)
        return sealer.get(json.dumps(shown, ensure_ascii=False), subscription)
    except ValueError as error:  # keys that no browser made
        raise Unreachable("the device's keys are none") from error


def _post(address: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    """Send once, to that very address: a redirect is not followed."""
    secure = {"context": ssl.create_default_context()} if address.scheme == "https" else {}
    kind: Any = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname, address.port, timeout=TIMEOUT, **secure)
    try:
        connection.request("POST", f"{address.path}?{address.query}".rstrip("?"), body, headers)
        return int(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        raise MailNotTaken(type(error).__name__) from error
    finally:
        connection.close()
