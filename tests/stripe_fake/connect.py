"""Connected accounts at the fake: transfers of a charge to them, and reversals, each with its balance transaction."""

from __future__ import annotations

import secrets

from tests.stripe_fake.account import Account, Object, Refused
from tests.stripe_fake.money import book


class AnsweredNo(Refused):
    """A refusal that came after the work had begun: Stripe keeps it under the idempotency key."""


def open_account(account: Account, *, can_receive: bool = True) -> Object:
    """Somebody else's account, connected to this one; `balance` is what it holds, in hundredths."""
    made = {
        "id": "acct_" + secrets.token_hex(8),
        "object": "account",
        "balance": 0,
        "can_receive": can_receive,
    }
    account.objects[made["id"]] = made | {"created": account.now()}
    return account.objects[made["id"]]


def empty(account: Account, connected: Object) -> Object:
    """It has paid out all that it held."""
    connected["balance"] = 0
    return connected


def transfer(account: Account, params: Object) -> Object:
    """Pass a part of a charge on. Raises Refused."""
    to = account.objects.get(params["destination"])
    if to is None or to["object"] != "account":
        raise Refused(
            f"No such destination: '{params['destination']}'", code="resource_missing", param="destination"
        )
    if "source_transaction" not in params:
        raise Refused("The fake transfers from charges alone", param="source_transaction")
    of = account.get(params["source_transaction"], "charge")
    amount = params.get("amount", 0)
    _check(account, params, of, to, amount)
    group = of["transfer_group"] = params.get("transfer_group") or of["transfer_group"]
    made = account.make(
        "transfer",
        amount=amount,
        amount_reversed=0,
        currency="idr",
        description=params.get("description"),
        destination=to["id"],
        destination_payment="py_" + secrets.token_hex(12),
        metadata=params.get("metadata") or {},
        reversed=False,
        source_transaction=of["id"],
        transfer_group=group,
    )
    made["balance_transaction"] = book(account, "transfer", "transfer", -amount, made, [])["id"]
    to["balance"] += amount
    account.say("transfer.created", made)
    return made


def _check(account: Account, params: Object, of: Object, to: Object, amount: int) -> None:
    if params["currency"] != of["currency"]:
        raise Refused("The currency of source_transaction's balance transaction must be the transfer's")
    if account.is_paid_out:
        raise AnsweredNo("You have insufficient funds in your Stripe account.", code="balance_insufficient")
    if not to["can_receive"]:
        raise AnsweredNo(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers",
            code="insufficient_capabilities_for_transfer",
        )
    group = params.get("transfer_group")
    if group and of["transfer_group"] not in (None, group):
        raise Refused("The transfer_group must be that of the source_transaction", param="transfer_group")
    gone = sum(t["amount"] for t in account.all("transfer") if t["source_transaction"] == of["id"])
    # Reversed or not: Stripe counts every transfer of a charge. What was refunded of it is the fake's own strictness.
    if not 0 < amount <= of["amount"] - of["amount_refunded"] - gone:
        raise AnsweredNo(
            f"Transfers using this transaction as a source must not exceed the source amount of {of['amount']}."
            f" (There is already a transfer using this source, amounting to {gone}.)",
            param="amount",
        )


def reverse(account: Account, of: Object, params: Object) -> Object:
    """Take a part of a transfer back. Raises Refused."""
    amount = params.get("amount", of["amount"] - of["amount_reversed"])
    if not 0 < amount <= of["amount"] - of["amount_reversed"]:
        raise Refused("Transfer reversal amount is greater than the unreversed amount", param="amount")
    to = account.get(of["destination"], "account")
    if to["balance"] < amount:
        raise AnsweredNo(
            "The connected account does not have enough available balance to reverse the transfer",
            code="balance_insufficient",
        )
    made = account.make(
        "transfer_reversal",
        amount=amount,
        currency="idr",
        metadata=params.get("metadata") or {},
        transfer=of["id"],
    )
    made["balance_transaction"] = book(account, "transfer_reversal", "transfer_refund", amount, made, [])[
        "id"
    ]
    of["amount_reversed"] += amount
    of["reversed"] = of["amount_reversed"] == of["amount"]
    to["balance"] -= amount
    account.say("transfer.reversed", of)
    return made
