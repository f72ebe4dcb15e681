"""`/_control`: what a test does that no shop can: shoppers, banks, time, faults, and a look at what was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from tests.stripe_fake import connect, hooks, money, sessions
from tests.stripe_fake.account import Account, Object, Refused
from tests.stripe_fake.api import Calls, shown
from tests.stripe_fake.faults import Faults
from tests.stripe_fake.hooks import Deliverer


def make(account: Account, planned: Faults, calls: Calls, deliverer: Deliverer) -> Blueprint:
    """The controls of a fake. Each takes and answers JSON."""
    control = Blueprint("control", __name__, url_prefix="/_control")

    def get(thing_id: str) -> Object:
        return account.objects[thing_id]

    def on(path: str, act: Callable[[Object], Any]) -> None:
        def view() -> ResponseReturnValue:
            with account.lock:
                try:
                    answer = act(request.get_json(silent=True) or {})
                except Refused as refused:
                    return refused.body, refused.status
            return jsonify(shown(account, answer, []) if isinstance(answer, dict) else answer)

        control.add_url_rule(path, path, view, methods=["POST"])

    on("/pay", lambda body: sessions.pay(account, get(body["session"]), body.get("method", "card")))
    on("/settle", lambda body: sessions.settle(account, get(body["session"]), body["outcome"]))
    on("/refunds/finish", lambda body: money.finish_refund(account, get(body["refund"])))
    on(
        "/refunds/fail",
        lambda body: money.fail_refund(account, get(body["refund"]), body.get("why", "unknown")),
    )
    on(
        "/disputes/open",
        lambda body: money.dispute(
            account, get(body["intent"]), body.get("amount"), inquiry=body.get("inquiry", False)
        ),
    )
    on("/disputes/escalate", lambda body: money.escalate(account, get(body["dispute"])))
    on("/disputes/close", lambda body: money.close_dispute(account, get(body["dispute"]), body["outcome"]))
    on("/payouts/send", lambda body: money.pay_out(account, explained=body.get("explained", True)))
    on("/payouts/explain", lambda body: money.explain(account, get(body["payout"])))
    on("/payouts/arrive", lambda body: money.arrive(account, get(body["payout"])))
    on("/payouts/fail", lambda body: money.fail_payout(account, get(body["payout"])))
    on("/accounts/open", lambda body: connect.open_account(account, can_receive=body.get("can_receive", True)))
    on("/accounts/empty", lambda body: connect.empty(account, get(body["account"])))
    on("/accounts/allow", lambda body: get(body["account"]).update(can_receive=True))
    on("/balance", lambda body: setattr(account, "is_paid_out", body["is_paid_out"]))
    on("/transfers/make", lambda body: connect.transfer(account, body))
    on("/forget", lambda body: account.objects.clear())
    on("/faults", lambda body: planned.plan(body["faults"]))
    on("/clock", lambda body: _put_forward(account, body["seconds"]))
    on("/delivery", lambda body: _deliver(account, deliverer, body))
    on("/redeliver", lambda body: [deliverer.take(event) for event in _events(account, body)])
    on("/events", lambda body: [_as_posted(account, event) for event in _events(account, body)])
    on("/sign", lambda body: hooks.signed(account, body["body"].encode("latin-1"), at=body.get("at")))
    on("/object", lambda body: get(body["id"]))
    on("/objects", lambda body: [shown(account, thing, []) for thing in account.all(body["kind"])])
    on("/deliveries", lambda body: deliverer.account_for())
    on("/calls/forget", lambda body: calls.seen.clear())
    on("/calls", lambda body: list(calls.seen))
    return control


def _put_forward(account: Account, seconds: int) -> int:
    account.offset += seconds
    sessions.run_out(account)
    return account.now()


def _deliver(account: Account, deliverer: Deliverer, body: Object) -> None:
    """Where events go, and how: `{"url", "manner", "late", "seed"}`."""
    account.webhook_url = body.get("url", account.webhook_url)
    deliverer.manner = body.get("manner", deliverer.manner)
    deliverer.late = body.get("late", deliverer.late)
    if "seed" in body:
        deliverer.rng.seed(body["seed"])


def _events(account: Account, body: Object) -> list[Object]:
    """Events, oldest first: all, those of a `type`, or those that the shop has not taken (`waiting`)."""
    found = [event for event in account.all("event") if body.get("type") in (None, event["type"])]
    if body.get("waiting"):
        found = [event for event in found if event["pending_webhooks"]]
    return found[::-1]


def _as_posted(account: Account, event: Object) -> Object:
    body = hooks.body_of(shown(account, event, []))
    return {
        "id": event["id"],
        "type": event["type"],
        "body": body.decode(),
        "headers": hooks.signed(account, body),
    }
