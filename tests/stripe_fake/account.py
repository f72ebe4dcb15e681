"""One account at the fake: its objects, its clock, its settings. Everything happens under one lock."""

from __future__ import annotations

import copy
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Object = dict[str, Any]
SHAPES: dict[str, Object] = json.loads((Path(__file__).parent / "shapes.json").read_text())["resources"]
#: Not among the examples: written down from Stripe's reference.
SHAPES["transfer_reversal"] = {
    "object": "transfer_reversal",
    "balance_transaction": None,
    "destination_payment_refund": None,
    "metadata": {},
    "source_refund": None,
}
#: The examples fill what a real object of ours leaves empty.
EMPTY: dict[str, Object] = {
    "checkout.session": {
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "currency_conversion": None,
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_details": None,
        "invoice_creation": {"enabled": False},
        "managed_payments": None,
        "payment_intent": None,
        "payment_method_configuration_details": None,
        "permissions": None,
        "saved_payment_method_options": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "ui_mode": "hosted_page",
        "wallet_options": None,
    },
    "payment_intent": {
        "canceled_at": None,
        "last_payment_error": None,
        "managed_payments": None,
        "next_action": None,
        "payment_method_configuration_details": None,
        "processing": None,
        "shipping": None,
        "transfer_data": None,
    },
    "charge": {
        "balance_transaction": None,
        "payment_method_details": None,
        "receipt_url": None,
        "shipping": None,
        "source": None,
        "transfer_data": None,
    },
    "dispute": {"enhanced_eligibility_types": []},
    "payout": {"trace_id": None, "statement_descriptor": None},
}
PREFIXES = {
    "checkout.session": "cs_test_",
    "payment_intent": "pi_",
    "charge": "ch_",
    "refund": "re_",
    "dispute": "du_",
    "payout": "po_",
    "transfer": "tr_",
    "transfer_reversal": "trr_",
    "balance_transaction": "txn_",
    "event": "evt_",
    "item": "li_",
}


class Refused(Exception):
    """An error as Stripe answers it."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", **more: Any
    ) -> None:
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **more}}
        super().__init__(message)


class Account:
    """The fake's whole state."""

    def __init__(self, secret_key: str, webhook_secrets: list[str], address: str = "") -> None:
        self.secret_key = secret_key
        self.is_live = "_live_" in secret_key
        self.webhook_secrets = webhook_secrets
        self.webhook_url: str | None = None
        #: Its balance is too small for transfers, whatever charge they name.
        self.is_paid_out = False
        #: Where its pages are.
        self.address = address
        self.lock = threading.RLock()
        self.offset = 0
        self.objects: dict[str, Object] = {}
        #: Told of each new event, outside the lock's owner's business.
        self.on_event: Callable[[Object], None] = lambda event: None

    def now(self) -> int:
        """The account's clock, which `control` can put forward."""
        return int(time.time()) + self.offset

    def make(self, kind: str, **values: Any) -> Object:
        """A new object, shaped as Stripe's, and kept."""
        made = copy.deepcopy(SHAPES[kind]) | copy.deepcopy(EMPTY.get(kind, {}))
        made["id"] = PREFIXES[kind] + secrets.token_hex(12)
        made["created"] = self.now()
        if "livemode" in made:
            made["livemode"] = self.is_live
        made |= values
        self.objects[made["id"]] = made
        return made

    def get(self, thing_id: str, kind: str) -> Object:
        """An object by its id. Raises Refused."""
        found = self.objects.get(thing_id)
        if found is None or found["object"] != kind:
            name = kind.split(".")[-1].replace("_", " ")
            raise Refused(
                f"No such {name}: '{thing_id}'",
                status=404,
                code="resource_missing",
                param=kind.split(".")[-1],
            )
        return found

    def all(self, kind: str) -> Iterator[Object]:
        """Every object of a kind, the newest first."""
        found = [thing for thing in self.objects.values() if thing["object"] == kind]
        # By their moments: the clock may have been put back.
        return iter(sorted(found, key=lambda thing: thing["created"])[::-1])

    def say(self, event_type: str, thing: Object) -> Object:
        """Make an event of what has become of an object, as it is now."""
        event = self.make(
            "event",
            type=event_type,
            api_version="2026-10-28.endive",
            data={"object": copy.deepcopy(thing)},
            pending_webhooks=1 if self.webhook_url else 0,
        )
        self.on_event(event)
        return event
