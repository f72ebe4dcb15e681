"""`/v1`: the calls that this shop makes, answered as Stripe answers them."""

from __future__ import annotations

import copy
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

import stripe.params as known
import stripe.params.checkout as known_checkout
from flask import Blueprint, Response, jsonify, request

from tests.stripe_fake import connect, faults, form, known_params, money, sessions
from tests.stripe_fake.account import Account, Object, Refused
from tests.stripe_fake.faults import Faults
from tests.stripe_fake.idempotency import Keys

#: The deepest that may be asked to be shown whole.
DEEPEST = 4


class Calls:
    """Everything that was asked, for tests to look at; the newest last."""

    def __init__(self) -> None:
        self.seen: deque[Object] = deque(maxlen=500)

    def note(self, params: Object) -> None:
        """Remember a call."""
        self.seen.append(
            {
                "method": request.method,
                "path": request.path,
                "params": params,
                "idempotency_key": request.headers.get("Idempotency-Key"),
                "version": request.headers.get("Stripe-Version"),
                "user_agent": request.headers.get("X-Stripe-Client-User-Agent", ""),
            }
        )


def make(account: Account, planned: Faults, calls: Calls) -> Blueprint:
    """The API of `account`."""
    api = Blueprint("api", __name__, url_prefix="/v1")
    keys = Keys(account)
    handle = _Handler(account, planned, calls, keys)

    def route(rule: str, method: str, types: type, act: Callable[..., Object]) -> None:
        def view(**ids: str) -> Response:
            return handle(types, lambda params: act(params, **ids))

        api.add_url_rule(rule, f"{method} {rule}", view, methods=[method])

    def listing(kind: str, by: Callable[[Object, Object], bool]) -> Any:
        return lambda params: _list(
            account, [thing for thing in account.all(kind) if by(thing, params)], params
        )

    def one(kind: str) -> Any:
        return lambda params, thing_id: account.get(thing_id, kind)

    def act_on(kind: str, act: Callable[[Account, Object], Object]) -> Any:
        return lambda params, thing_id: act(account, account.get(thing_id, kind))

    session, checkout = "checkout.session", known_checkout
    route(
        "/checkout/sessions",
        "POST",
        checkout.SessionCreateParams,
        lambda given: sessions.create(account, given),
    )
    route(
        "/checkout/sessions",
        "GET",
        checkout.SessionListParams,
        listing(session, _has("payment_intent", "status")),
    )
    route("/checkout/sessions/<thing_id>", "GET", checkout.SessionRetrieveParams, one(session))
    route(
        "/checkout/sessions/<thing_id>/expire",
        "POST",
        checkout.SessionExpireParams,
        act_on(session, sessions.expire),
    )
    route("/payment_intents/<thing_id>", "GET", known.PaymentIntentRetrieveParams, one("payment_intent"))
    route("/refunds", "POST", known.RefundCreateParams, lambda given: money.refund(account, given))
    route("/refunds", "GET", known.RefundListParams, listing("refund", _has("payment_intent", "charge")))
    route("/refunds/<thing_id>", "GET", known.RefundRetrieveParams, one("refund"))
    route("/events", "GET", known.EventListParams, listing("event", _of_types))
    route("/payouts", "GET", known.PayoutListParams, listing("payout", _has("status")))
    route("/payouts/<thing_id>", "GET", known.PayoutRetrieveParams, one("payout"))
    route("/transfers", "POST", known.TransferCreateParams, lambda given: connect.transfer(account, given))
    route("/transfers", "GET", known.TransferListParams, listing("transfer", _has("destination", "transfer_group")))
    route(
        "/transfers/<thing_id>/reversals",
        "POST",
        known.TransferReversalCreateParams,
        lambda given, thing_id: connect.reverse(account, account.get(thing_id, "transfer"), given),
    )
    route(
        "/transfers/<thing_id>/reversals",
        "GET",
        known.TransferReversalListParams,
        lambda given, thing_id: _list(
            account, [one for one in account.all("transfer_reversal") if one["transfer"] == thing_id], given
        ),
    )
    lines = listing("balance_transaction", lambda line, given: given.get("payout") in (None, line["_payout"]))
    route("/balance_transactions", "GET", known.BalanceTransactionListParams, lines)
    return api


def _has(*names: str) -> Callable[[Object, Object], bool]:
    return lambda thing, params: all(thing[name] == params[name] for name in names if name in params)


def _of_types(event: Object, params: Object) -> bool:
    return event["type"] in params.get("types", [event["type"]])


class _Handler:
    """What holds for every call: the key, the parameters, idempotency, faults, what is shown whole."""

    def __init__(self, account: Account, planned: Faults, calls: Calls, keys: Keys) -> None:
        self.account, self.planned, self.calls, self.keys = account, planned, calls, keys

    def __call__(self, types: type, act: Callable[[Object], Object]) -> Response:
        fault = self.planned.next(request)
        try:
            faults.before(fault, request)
            status, body, is_replay = self._answer(types, act)
        except Refused as refused:
            status, body, is_replay = refused.status, refused.body, False
        if fault is not None and fault.kind == "drop_after":
            faults.hang_up(request)
        response = jsonify(body)
        response.status_code = status
        response.headers["Request-Id"] = "req_" + secrets.token_hex(7)
        response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", "")
        if is_replay:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _answer(self, types: type, act: Callable[[Object], Object]) -> tuple[int, Object, bool]:
        if request.headers.get("Authorization") != f"Bearer {self.account.secret_key}":
            given = request.headers.get("Authorization", "")[-4:]
            raise Refused(f"Invalid API Key provided: sk_test_****{given}", status=401)
        source = request.form if request.method == "POST" else request.args
        params = form.decode(source.items(multi=True))
        with self.account.lock:
            self.calls.note(params)
            checked = known_params.check(params, types)
            sessions.run_out(self.account)
            expand = checked.pop("expand", [])
            key = request.headers.get("Idempotency-Key") if request.method == "POST" else None

            def show() -> Object:
                return shown(self.account, act(checked), expand)

            return self.keys.once(key, request.path, params, show)


def shown(account: Account, thing: Object, expand: list[str]) -> Object:
    """An object as it is answered: without the fake's own notes, and with what was asked for shown whole."""
    answer = _public(copy.deepcopy(thing))
    for path in expand:
        names = path.split(".")
        if len(names) > DEEPEST:
            raise Refused(f"You cannot expand more than {DEEPEST} levels of a property", param="expand")
        _expand(account, answer, names)
    return answer


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _public(part) for name, part in value.items() if not name.startswith("_")}
    return [_public(part) for part in value] if isinstance(value, list) else value


def _expand(account: Account, thing: Any, names: list[str]) -> None:
    if isinstance(thing, list):
        for part in thing:
            _expand(account, part, names)
        return
    if not isinstance(thing, dict) or not names:
        return
    first, *rest = names
    if first not in thing:
        raise Refused(f"This property cannot be expanded ({first}).", param="expand")
    value = thing[first]
    if isinstance(value, str):
        found = account.objects.get(value)
        if found is None:
            return
        value = thing[first] = _public(copy.deepcopy(found))
    _expand(account, value, rest)


def _list(account: Account, things: list[Object], params: Object) -> Object:
    things = [thing for thing in things if _within(thing["created"], params.get("created"))]
    after = params.get("starting_after")
    if after is not None:
        places = [place for place, thing in enumerate(things) if thing["id"] == after]
        if not places:
            raise Refused(f"No such object: '{after}'", code="resource_missing", param="starting_after")
        things = things[places[0] + 1 :]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refused("Limit must be between 1 and 100", param="limit")
    return {"object": "list", "url": request.path, "has_more": len(things) > limit, "data": things[:limit]}


def _within(moment: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return moment == wanted
    checks: dict[str, Callable[[int], bool]] = {
        "gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__,
    }  # fmt: skip
    return all(checks[name](value) for name, value in wanted.items())
