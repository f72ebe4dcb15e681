"""Money at the fake: charges with fees, refunds, disputes, payouts, and a balance transaction for each movement."""

from __future__ import annotations

from tests.stripe_fake.account import Account, Object, Refused

#: Per 10,000 and hundredths of a rupiah: what is kept of a payment, before 11 % tax on it.
FEES = {"card": (290, 200_000), "qris": (70, 0), "gopay": (200, 0), "id_bank_transfer": (0, 400_000)}
TAX = 1100
DISPUTE_FEE = 15_000_000
WITHOUT_REFUNDS = ("qris", "id_bank_transfer")
#: Their refunds take some days.
SLOW_REFUNDS = ("gopay",)
REFUND_OPEN = ("pending", "requires_action")


def _part(amount: int, of_ten_thousand: int) -> int:
    return (amount * of_ten_thousand + 5_000) // 10_000


def book(
    account: Account, category: str, kind: str, amount: int, source: Object, fees: list[Object]
) -> Object:
    """A balance transaction."""
    fee = sum(part["amount"] for part in fees)
    return account.make(
        "balance_transaction",
        amount=amount,
        available_on=account.now() + 2 * 24 * 60 * 60,
        currency="idr",
        description=source.get("description"),
        fee=fee,
        fee_details=fees,
        net=amount - fee,
        reporting_category=category,
        source=source["id"],
        status="pending",
        type=kind,
        _payout=None,
    )


def _fee(amount: int, name: str, kind: str = "stripe_fee") -> Object:
    return {"amount": amount, "application": None, "currency": "idr", "description": name, "type": kind}


def charge(account: Account, intent: Object, method: str) -> Object:
    """Money is captured."""
    percent, fixed = FEES[method]
    kept = _part(intent["amount"], percent) + fixed
    made = account.make(
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"],
        amount_refunded=0,
        captured=True,
        currency="idr",
        description=intent["description"],
        metadata=dict(intent["metadata"]),
        payment_intent=intent["id"],
        payment_method=None,
        payment_method_details={"type": method, method: {}},
        transfer_group=intent["transfer_group"],
    )
    kind = "charge" if method == "card" else "payment"
    fees = [_fee(kept, "Stripe processing fees"), _fee(_part(kept, TAX), "PPN", "tax")]
    made["balance_transaction"] = book(account, "charge", kind, made["amount"], made, fees)["id"]
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": made["id"]}
    return made


def fail(intent: Object) -> None:
    """Money that was on its way does not come."""
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "type": "invalid_request_error",
        "code": "payment_intent_payment_attempt_failed",
    }


def refund(account: Account, params: Object) -> Object:
    """Give money back. Raises Refused."""
    intent = account.get(params.get("payment_intent", ""), "payment_intent")
    if intent["status"] != "succeeded":
        raise Refused(
            "This PaymentIntent does not have a successful charge to refund.", param="payment_intent"
        )
    of = account.get(intent["latest_charge"], "charge")
    method = of["payment_method_details"]["type"]
    left = of["amount"] - of["amount_refunded"]
    amount = params.get("amount", left)
    if method in WITHOUT_REFUNDS:
        raise Refused(f"Payments by {method} cannot be refunded", code="charge_not_refundable")
    if any(
        dispute["charge"] == of["id"] and dispute["status"] != "won" for dispute in account.all("dispute")
    ):
        raise Refused(f"Charge {of['id']} has been charged back", code="charge_disputed")
    if left == 0:
        raise Refused(f"Charge {of['id']} has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise Refused(f"Refund amount is greater than unrefunded amount on charge ({left})", param="amount")
    made = account.make(
        "refund",
        amount=amount,
        charge=of["id"],
        currency="idr",
        destination_details={"type": method, method: {}},
        failure_reason=None,
        metadata=params.get("metadata") or {},
        payment_intent=intent["id"],
        reason=params.get("reason"),
        status="pending" if method in SLOW_REFUNDS else "succeeded",
    )
    made["balance_transaction"] = book(account, "refund", "refund", -amount, made, [])["id"]
    of["amount_refunded"] += amount
    of["refunded"] = of["amount_refunded"] == of["amount"]
    account.say("refund.created", made)
    if made["status"] == "succeeded":
        account.say("charge.refunded", of)
    return made


def finish_refund(account: Account, made: Object) -> Object:
    """A slow refund arrives."""
    if made["status"] not in REFUND_OPEN:
        raise Refused("This refund is not under way")
    made["status"] = "succeeded"
    account.say("refund.updated", made)
    account.say("charge.refunded", account.get(made["charge"], "charge"))
    return made


def fail_refund(account: Account, made: Object, why: str) -> Object:
    """A refund comes back, at once or long after it succeeded."""
    if made["status"] == "failed":
        raise Refused("This refund has failed before")
    made |= {"status": "failed", "failure_reason": why}
    line = book(account, "refund_failure", "refund_failure", made["amount"], made, [])
    made["failure_balance_transaction"] = line["id"]
    of = account.get(made["charge"], "charge")
    of["amount_refunded"] -= made["amount"]
    of["refunded"] = False
    account.say("refund.failed", made)
    return made


def dispute(account: Account, intent: Object, amount: int | None, *, inquiry: bool = False) -> Object:
    """The payer's bank takes a payment back for now; an inquiry only asks."""
    of = account.get(intent["latest_charge"], "charge")
    made = account.make(
        "dispute",
        amount=amount or of["amount"],
        charge=of["id"],
        currency="idr",
        payment_intent=intent["id"],
        reason="product_not_received",
        status="warning_needs_response" if inquiry else "needs_response",
        payment_method_details={"type": "card", "card": {"brand": "visa", "case_type": "chargeback"}},
    )
    if not inquiry:
        _withdraw(account, made, of)
    account.say("charge.dispute.created", made)
    if not inquiry:
        account.say("charge.dispute.funds_withdrawn", made)
    return made


def _withdraw(account: Account, made: Object, of: Object) -> None:
    of["disputed"] = True
    line = book(account, "dispute", "adjustment", -made["amount"], made, [_fee(DISPUTE_FEE, "Dispute fee")])
    made["balance_transactions"] = [line]


def escalate(account: Account, made: Object) -> Object:
    """An inquiry becomes a dispute."""
    made["status"] = "needs_response"
    _withdraw(account, made, account.get(made["charge"], "charge"))
    account.say("charge.dispute.updated", made)
    account.say("charge.dispute.funds_withdrawn", made)
    return made


def close_dispute(account: Account, made: Object, outcome: str) -> Object:
    """The bank has decided: `won`, `lost`, or `warning_closed` for an inquiry."""
    made["status"] = outcome
    if outcome == "won":
        line = book(account, "dispute_reversal", "adjustment", made["amount"], made, [])
        made["balance_transactions"] = [*made["balance_transactions"], line]
        account.say("charge.dispute.funds_reinstated", made)
    account.say("charge.dispute.closed", made)
    return made


def pay_out(account: Account, *, days: int = 2, explained: bool = True) -> Object:
    """Send all that lies there to the bank. Raises Refused when there is nothing."""
    lying = [line for line in account.all("balance_transaction") if line["_payout"] is None]
    amount = sum(line["net"] for line in lying)
    if amount <= 0:
        raise Refused("You have insufficient funds in your Stripe account.", code="balance_insufficient")
    day = 24 * 60 * 60
    made = account.make(
        "payout",
        amount=amount,
        arrival_date=(account.now() + days * day) // day * day,
        currency="idr",
        reconciliation_status="in_progress",
        status="in_transit",
    )
    line = book(account, "payout", "payout", -amount, made, [])
    made["balance_transaction"] = line["id"]
    for part in [*lying, line]:
        part["_payout"] = made["id"]
        part["status"] = "available"
    account.say("payout.created", made)
    if explained:
        explain(account, made)
    return made


def explain(account: Account, made: Object) -> Object:
    """Stripe has linked all that a payout consists of."""
    made["reconciliation_status"] = "completed"
    account.say("payout.reconciliation_completed", made)
    return made


def arrive(account: Account, made: Object) -> Object:
    """The bank has a payout."""
    made |= {"status": "paid", "trace_id": {"status": "supported", "value": "FT" + made["id"][-10:].upper()}}
    account.say("payout.paid", made)
    return made


def fail_payout(account: Account, made: Object, why: str = "account_closed") -> Object:
    """The bank sends a payout back; its money lies there again."""
    made |= {"status": "failed", "failure_code": why}
    line = book(account, "payout_reversal", "payout_failure", made["amount"], made, [])
    made["failure_balance_transaction"] = line["id"]
    account.say("payout.failed", made)
    return made
