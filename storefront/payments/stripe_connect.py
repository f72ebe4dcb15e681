"""Stripe Connect: transfers of a charge to connected accounts, and their reversals.

https://docs.stripe.com/connect/separate-charges-and-transfers. A transfer names its charge (`source_transaction`), so
that it needs no balance of ours, and its order (`transfer_group`). Idempotency keys are forgotten after a day, so each
carries our key in its metadata and is looked up by it first.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from config import Settings
from storefront.payments.connect import Moved, TransferRequest
from storefront.payments.gateway import ProviderRefused
from storefront.payments.stripe_client import SameKeyOtherBody, asking, make_client
from storefront.payments.stripe_money import CURRENCY, to_stripe
from storefront.payments.stripe_sessions import Sessions

PAGE = 100


class StripeConnect:
    """See `storefront.payments.connect.Connect`."""

    def __init__(self, settings: Settings) -> None:
        assert settings.stripe_secret_key
        client = make_client(settings.stripe_secret_key, settings.stripe_api_base)
        self._sessions = Sessions(client)
        self._transfers = client.v1.transfers

    def transfer(self, request: TransferRequest) -> Moved:
        charge = self._charge(request.capture_reference)
        # Money that has a group keeps it; a transfer of another one would be refused.
        group = str(charge.get("transfer_group") or request.group)
        found = self._by_key(request.key, group, str(charge["id"]))
        if found is None:
            found = self._create(request, group, str(charge["id"]))
        if found["destination"] != request.account or found["amount"] != to_stripe(request.amount):
            raise ProviderRefused("same_key", f"{found['id']} is another transfer by our key")
        return _moved(found)

    def _charge(self, capture_reference: str) -> dict[str, Any]:
        charge = self._sessions.intent(capture_reference).get("latest_charge")
        if not isinstance(charge, dict):
            raise LookupError(capture_reference)
        return charge

    def _by_key(self, key: str, group: str, charge_id: str) -> dict[str, Any] | None:
        """Ours is a number, which another shop on the same account may have too: the charge tells them apart."""
        with asking("transfers"):
            page = self._transfers.list({"transfer_group": group, "limit": PAGE})
            ours = (t for t in _dicts(page.auto_paging_iter()) if t.get("source_transaction") == charge_id)
            return _with_key(ours, key)

    def _create(self, request: TransferRequest, group: str, charge_id: str) -> dict[str, Any]:
        about = {"key": request.key, **request.about}
        try:
            with asking("transfer"):
                return self._transfers.create(
                    {
                        "amount": to_stripe(request.amount),
                        "currency": CURRENCY,
                        "destination": request.account,
                        "source_transaction": charge_id,
                        "transfer_group": group,
                        "metadata": about,
                    },
                    {"idempotency_key": f"{charge_id}:{request.key}:{request.attempt}"},
                ).to_dict()
        except SameKeyOtherBody as error:
            raise ProviderRefused("same_key", str(error)) from None
        except LookupError as error:
            # The charge was there a moment ago, so it is the account that Stripe does not know.
            raise ProviderRefused("no_such_account", str(error)) from None

    def reverse(self, transfer_reference: str, amount: int, key: str, attempt: int) -> Moved:
        with asking("reversals"):
            page = self._transfers.reversals.list(transfer_reference, {"limit": PAGE})
            found = _with_key(_dicts(page.auto_paging_iter()), key)
        if found is not None:
            return _moved(found)
        try:
            with asking("reversal"):
                made = self._transfers.reversals.create(
                    transfer_reference,
                    {"amount": to_stripe(amount), "metadata": {"key": key}},
                    {"idempotency_key": f"{transfer_reference}:{key}:{attempt}"},
                )
        except SameKeyOtherBody as error:
            raise ProviderRefused("same_key", str(error)) from None
        return _moved(made.to_dict())


def _dicts(things: Iterable[Any]) -> Iterable[dict[str, Any]]:
    return (thing.to_dict() for thing in things)


def _with_key(things: Iterable[dict[str, Any]], key: str) -> dict[str, Any] | None:
    return next((thing for thing in things if (thing.get("metadata") or {}).get("key") == key), None)


def _moved(thing: dict[str, Any]) -> Moved:
    return Moved(str(thing["id"]), datetime.datetime.fromtimestamp(int(thing["created"]), datetime.UTC))
