"""A form that asks for a refund carries a key: sent twice, it makes one refund."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.errors import DomainError
from storefront.extensions import db
from storefront.payments.models import Refund


class RequestUsed(DomainError):
    """The key has asked for another refund before."""

    code, status = "request_used", 409

    def __init__(self, refund_id: int) -> None:
        super().__init__(
            _(
                "Formulir ini sudah terkirim dan menjadi pengembalian %(number)d. "
                "Buka lagi halaman pesanan bila masih ada yang harus dikembalikan.",
                number=refund_id,
            )
        )


@dataclass(frozen=True)
class Request:
    """A form's key and the SHA-256 of what it asks for; both None for whoever has no form."""

    key: str | None = None
    hash: bytes | None = None

    @staticmethod
    def of(key: str | None, asked: Any) -> Request:
        """The request with `key` for `asked`, which is made of plain values and dataclasses."""
        if key is None:
            return Request()
        written = json.dumps(asked, default=dataclasses.asdict, sort_keys=True)
        return Request(key, hashlib.sha256(written.encode()).digest())


def sent_before(request: Request, order_id: int) -> Refund | None:
    """The refund that this very request has made before, if any. Raises RequestUsed for another one.

    The order must be locked, so that of two requests at once the second sees what the first has made.
    """
    if request.key is None:
        return None
    made: Refund | None = db.session.scalar(select(Refund).where(Refund.request_key == request.key))
    if made is None:
        return None
    if made.order_id != order_id or made.request_hash != request.hash:
        raise RequestUsed(made.id)
    return made
