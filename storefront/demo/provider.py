"""The provider's news about money after the sale, written down as they were posted, kept and handled."""

from __future__ import annotations

import datetime
import json
import random
from typing import Any

from storefront.demo.bulk import insert_rows
from storefront.extensions import db
from storefront.payments.models import Payment, PaymentEvent, SandboxEvent

DELAY = datetime.timedelta(seconds=1)


def say(payment_id: str, kind: str, at: datetime.datetime, rng: random.Random, **more: Any) -> None:
    """An event about a payment, such as `refund.failed`; the books were told of it by a job of their own.

    `more` is what the event says beside the payment: `refund` or `dispute`.
    """
    amount = db.session.get_one(Payment, payment_id).amount
    event_id = "evt_" + rng.randbytes(16).hex()
    body = json.dumps({"id": event_id, "type": kind, "payment": {"id": payment_id, "amount": amount}, **more})
    insert_rows(
        SandboxEvent,
        [{"id": event_id, "payment_id": payment_id, "type": kind, "body": body,
          "created_at": at, "delivered_at": at + DELAY, "deliveries": 1}],
    )  # fmt: skip
    insert_rows(
        PaymentEvent,
        [{"gateway": "sandbox", "event_id": event_id, "type": kind, "body": body.encode(),
          "received_at": at, "handled_at": at + DELAY, "result": "handed_on", "attempts": 1}],
    )  # fmt: skip
