"""Owe somebody a message: written down and queued in the transaction of the fact it tells."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.extensions import db, defer
from storefront.mail.models import Message


def owe(kind: str, order_id: int, *, parcel_id: int | None = None, key: str | None = None) -> bool:
    """Queue one message about an order or a parcel; False when it is owed already.

    `kind` names the template in templates/mail/. `key` is the business key, by default one message of a
    kind for each order or parcel.
    """
    key = key or (f"parcel:{parcel_id}:{kind}" if parcel_id else f"order:{order_id}:{kind}")
    return _owe({"key": key, "kind": kind, "order_id": order_id, "parcel_id": parcel_id})


def owe_about(kind: str, subject_kind: str, subject_id: int, *, key: str | None = None) -> bool:
    """Queue one message about a thing that belongs to no order; False when it is owed already.

    A room's `letters.py` writes the letters about things of `subject_kind`.
    """
    key = key or f"{subject_kind}:{subject_id}:{kind}"
    return _owe({"key": key, "kind": kind, "subject_kind": subject_kind, "subject_id": subject_id})


def _owe(values: dict[str, Any]) -> bool:
    message_id = db.session.execute(
        upsert(Message).values(values).on_conflict_do_nothing(index_elements=["key"]).returning(Message.id)
    ).scalar()
    if message_id is None:
        return False
    defer("orders.send_message", message_id=message_id)
    return True
