"""A push service on loopback, and a browser that subscribed with it and opens what it is sent (RFC 8291, RFC 8292)."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PushService:
    """Takes messages and answers with `status`; knows one browser's keys."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}/push/abc"
        self.status = 201
        #: Headers and bodies, in the order in which they came.
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.secret = bytes(range(16))

    @property
    def subscription(self) -> dict[str, str]:
        """What the browser gives to the shop."""
        return {"endpoint": self.endpoint, "p256dh": unpadded(self.point), "auth": unpadded(self.secret)}

    def opened(self, body: bytes) -> dict[str, Any]:
        """A message as the browser reads it."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))

        def derived(size: int, salt: bytes, secret: bytes, info: bytes) -> bytes:
            return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)

        secret = derived(32, self.secret, shared, b"WebPush: info\0" + self.point + sender)
        key = derived(16, salt, secret, b"Content-Encoding: aes128gcm\0")
        nonce = derived(12, salt, secret, b"Content-Encoding: nonce\0")
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        found: dict[str, Any] = json.loads(plain.rstrip(b"\0")[:-1])
        return found


def signed_by(headers: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Whose VAPID key signed a message, and what it claims. Raises jwt.InvalidTokenError."""
    parts = dict(part.split("=", 1) for part in headers["authorization"].removeprefix("vapid ").split(", "))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), padded(parts["k"]))
    claims = jwt.decode(parts["t"], key, algorithms=["ES256"], options={"verify_aud": False})
    return parts["k"], claims


@contextmanager
def push_service() -> Iterator[PushService]:
    """A service that runs while the block does."""
    services: list[PushService] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            services[0].taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(services[0].status)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    services.append(PushService(server.server_port))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield services[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
