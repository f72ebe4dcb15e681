"""Checkout Sessions: opened, paid on the page, completed though unpaid, closed, run out of time."""

from __future__ import annotations

import re
from typing import Any

from tests.stripe_fake.account import Account, Object, Refused
from tests.stripe_fake.money import charge, fail

MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)
#: Seconds.
SHORTEST, LONGEST = 30 * 60, 24 * 60 * 60
#: Hundredths of a rupiah: 50 US cents at the fake's rate.
LEAST = 850_000
LARGEST = 999_999_999_999
#: The ways to pay that the fake's dashboard has switched on.
METHODS = ("card", "qris", "gopay", "id_bank_transfer")
#: The money comes later than the shopper's part is done.
DELAYED = ("id_bank_transfer",)


def create(account: Account, params: Object) -> Object:
    """Open a payment page. Raises Refused."""
    if params.get("mode") != "payment":
        raise Refused("The fake knows mode=payment only", param="mode")
    for name in ("line_items", "success_url"):
        if not params.get(name):
            raise Refused(f"Missing required param: {name}.", code="parameter_missing", param=name)
    _check_urls(params)
    _check_times(account, params)
    mail = params.get("customer_email")
    if mail is not None and not (MAIL.fullmatch(mail) and mail.isascii()):
        raise Refused(f"Invalid email address: {mail}", code="email_invalid", param="customer_email")
    items = [_item(account, number, line) for number, line in enumerate(params["line_items"])]
    total = sum(item["amount_total"] for item in items)
    if len(items) > 100:
        raise Refused("There is a maximum of 100 line items", param="line_items")
    if total < LEAST:
        raise Refused(
            "The Checkout Session's total amount must convert to at least 50 cents.", code="amount_too_small"
        )
    if total > LARGEST:
        raise Refused("Amount must be no more than Rp9,999,999,999.99", code="amount_too_large")
    session = account.make(
        "checkout.session",
        amount_subtotal=total,
        amount_total=total,
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency="idr",
        customer_email=mail,
        expires_at=params.get("expires_at", account.now() + LONGEST),
        locale=params.get("locale"),
        metadata=params.get("metadata", {}),
        payment_method_types=list(METHODS),
        success_url=params["success_url"],
        status="open",
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    )
    session["url"] = f"{account.address}/c/pay/{session['id']}"
    # The fake's own notes: not part of what Stripe shows.
    session["_items"], session["_intent"] = items, params.get("payment_intent_data", {})
    return session


def _check_urls(params: Object) -> None:
    for name in ("success_url", "cancel_url"):
        if name in params and not re.match(r"https?://[^/\s]+", params[name]):
            raise Refused("Not a valid URL", code="url_invalid", param=name)


def _check_times(account: Account, params: Object) -> None:
    ends = params.get("expires_at")
    if ends is not None and not SHORTEST <= ends - account.now() <= LONGEST:
        raise Refused(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session"
            " creation.",
            param="expires_at",
        )


def _item(account: Account, number: int, line: Object) -> Object:
    price = line.get("price_data") or {}
    name = (price.get("product_data") or {}).get("name", "")
    where = f"line_items[{number}]"
    if not 1 <= len(name) <= 250:
        raise Refused("Invalid name", param=f"{where}[price_data][product_data][name]")
    if price.get("currency") != "idr" or price.get("unit_amount", 0) < 1:
        raise Refused("The fake counts rupiah only", param=f"{where}[price_data]")
    quantity = line.get("quantity", 0)
    if quantity < 1:
        raise Refused("Invalid positive integer", param=f"{where}[quantity]")
    amount = price["unit_amount"] * quantity
    made = account.make("item", amount_subtotal=amount, amount_total=amount, currency="idr", description=name)
    made["quantity"] = quantity
    made["price"] |= {"unit_amount": price["unit_amount"], "currency": "idr", "recurring": None}
    return made


def expire(account: Account, session: Object) -> Object:
    """Close a page. Raises Refused when it is not open."""
    if session["status"] != "open":
        raise Refused(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a'
            f" status of {session['status']}."
        )
    session["status"], session["url"] = "expired", None
    account.say("checkout.session.expired", session)
    return session


def run_out(account: Account) -> None:
    """Close every page whose time is over."""
    for session in list(account.all("checkout.session")):
        if session["status"] == "open" and session["expires_at"] <= account.now():
            expire(account, session)


def pay(account: Account, session: Object, method: str) -> Object:
    """A shopper pays on the page. Raises Refused."""
    if session["status"] != "open":
        raise Refused("This page is closed")
    if method not in METHODS:
        raise Refused(f"Unknown payment method {method}")
    intent = _intent(account, session, method)
    session |= {"status": "complete", "url": None, "payment_intent": intent["id"]}
    session["customer_details"] = {"email": session["customer_email"], "name": None, "phone": None}
    if method in DELAYED:
        intent["status"] = "processing"
    else:
        charge(account, intent, method)
        session["payment_status"] = "paid"
    account.say("checkout.session.completed", session)
    return session


def decline(account: Account, session: Object) -> None:
    """A card is declined: the page stays open, and no event is sent to our endpoint."""
    if session["status"] != "open":
        raise Refused("This page is closed")


def settle(account: Account, session: Object, outcome: str) -> Object:
    """The money of a delayed method arrives, or it does not."""
    if session["status"] != "complete" or session["payment_status"] == "paid":
        raise Refused("Nothing is on its way")
    intent = account.get(session["payment_intent"], "payment_intent")
    if outcome == "succeeded":
        charge(account, intent, session["_method"])
        session["payment_status"] = "paid"
        account.say("checkout.session.async_payment_succeeded", session)
    else:
        fail(intent)
        account.say("checkout.session.async_payment_failed", session)
    return session


def _intent(account: Account, session: Object, method: str) -> Object:
    session["_method"] = method
    data: dict[str, Any] = session["_intent"]
    return account.make(
        "payment_intent",
        amount=session["amount_total"],
        currency="idr",
        description=data.get("description"),
        metadata=dict(data.get("metadata", {})),
        payment_method_types=[method],
        status="requires_action",
        transfer_group=data.get("transfer_group"),
    )
