"""The official client of Stripe's API, as this shop uses it, and what its errors mean to us."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe
import structlog

from storefront.payments.connect import BalanceShort
from storefront.payments.gateway import GatewayUnavailable, ProviderRefused

log = structlog.get_logger("storefront.payments")

#: What our modules were written against. Webhook endpoints are made with the same version.
API_VERSION = "2026-10-28.endive"
#: Seconds; the library's own default is 80.
TIMEOUT = 10
RETRIES = 2
#: Stripe's words for refunds that will never work, in ours; for others its own word is passed on.
REFUSALS = {
    "charge_already_refunded": "already_refunded",
    "charge_disputed": "disputed",
    "refund_disputed_payment": "disputed",
    "charge_not_refundable": "cannot_refund",
    "payment_method_not_refundable": "cannot_refund",
}
#: What is refused now may work later.
FOR_NOW = frozenset({"lock_timeout", "rate_limit"})
#: The same, because the balance that would be debited is too small.
SHORT = frozenset({"balance_insufficient", "insufficient_funds"})


class SameKeyOtherBody(Exception):
    """An idempotency key was used before, for something that looked otherwise."""


class NotAccepted(ProviderRefused):
    """Stripe does not accept a parameter; `param` names it."""

    def __init__(self, code: str, param: str | None, text: str) -> None:
        self.param = param
        super().__init__(code, text)


def make_client(secret_key: str, api_base: str | None) -> stripe.StripeClient:
    """A client for one account. Nothing about this machine is sent along or written to its disk."""
    stripe.enable_telemetry = False
    # Its lines at INFO hold Stripe's sentences, and those may hold a shopper's address or a part of a key.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    addresses: Any = {"api": api_base} if api_base else {}
    session = _without_proxy() if api_base and _is_here(api_base) else None
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        max_network_retries=RETRIES,
        base_addresses=addresses,
        http_client=stripe.RequestsClient(timeout=TIMEOUT, session=session),
    )


def _is_here(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _without_proxy() -> requests.Session:
    """For a server on this machine, which no proxy can reach."""
    session = requests.Session()
    session.trust_env = False
    return session


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn the library's errors into ours; `what` is for the log.

    Their texts may hold a key or a shopper's address, so only codes and the request's id are kept. Raises
    GatewayUnavailable (BalanceShort is one), LookupError, ProviderRefused, SameKeyOtherBody.
    """
    try:
        yield
    except stripe.IdempotencyError:
        raise SameKeyOtherBody(what) from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # A wrong or revoked key: the shop sells on, its payments wait, somebody must look.
        log.error("stripe_refuses_the_key", what=what, error=_describe(error))
        raise GatewayUnavailable(_describe(error)) from None
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise _refusal(error) from None
    except stripe.StripeError as error:
        raise GatewayUnavailable(_describe(error)) from None


def _refusal(error: stripe.InvalidRequestError | stripe.CardError) -> Exception:
    described = _describe(error)
    code = error.code or "invalid_request"
    if error.http_status == 404 or code == "resource_missing":
        return LookupError(described)
    if code in SHORT:
        return BalanceShort(described)
    if code in FOR_NOW:
        return GatewayUnavailable(described)
    return NotAccepted(REFUSALS.get(code, code), error.param, described)


def _describe(error: stripe.StripeError) -> str:
    parts = {
        "code": error.code,
        "param": getattr(error, "param", None),
        "status": error.http_status,
        "request": error.request_id,
    }
    said = " ".join(f"{name}={value}" for name, value in parts.items() if value)
    return f"{type(error).__name__} {said}".rstrip()
