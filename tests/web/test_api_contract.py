"""Schemathesis tries every operation of the API with what the document allows, and with what it does not.

`CONTRACT_EXAMPLES=500` tries longer; the test alone is short, because everything else waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from sqlalchemy.orm import Session

from storefront import days
from storefront.blueprints.api.specification import document
from tests.factories import make_paid_order
from tests.selling import check_out, new_cart, open_shop
from tests.tokens import bearer, make_token

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "5"))
#: The shop of the test that runs: operations are read from the document before there is one.
OPEN: dict[str, Any] = {}


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    answer: Iterable[bytes] = OPEN["app"](environ, start_response)
    return answer


schema = schemathesis.openapi.from_dict(document("Karya Binaan"))
schema.app = wsgi


@pytest.fixture
def real(app: Flask, db_session: Session) -> dict[str, Any]:
    """A shop with something behind every path: its parameters."""
    OPEN["app"] = app
    shop = open_shop()
    make_paid_order((shop.chair, 1), (shop.honey, 1))
    db_session.commit()
    client = app.test_client()
    cart = new_cart(client, ("PKL-KURSI", 1))
    order = check_out(client, new_cart(client, ("PKL-KURSI", 1))).json["order"]
    OPEN["token"] = make_token()
    return {
        "carts": {"token": cart, "sku": "PKL-KURSI"},
        "orders": {"number": order["number"]},
        "statements": {"facility": "PKL", "period": f"{days.today():%Y-%m}"},
        "order_token": order["token"],
    }


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_breaks_the_contract(case: Case, real: dict[str, Any]) -> None:
    # Compressed bodies are nothing that Schemathesis undoes without a server.
    headers = {"Accept-Encoding": "identity"}
    if case.operation.definition.raw.get("security"):
        headers |= bearer(OPEN["token"])
    # What no schema says may be refused too: days the wrong way round, a province that there is not.
    unsaid = [positive_data_acceptance]
    if case.operation.path == "/products":
        # As on its page: a number that makes no sense is the first one (test_odd_questions_get_an_answer).
        unsaid.append(negative_data_rejection)
    case.call_and_validate(headers=headers, excluded_checks=unsaid)
    kind = case.operation.path.split("/")[1]
    if kind in real and case.path_parameters:
        # The same with something there: carts that hold goods, an order that is to be paid.
        case.path_parameters = {**case.path_parameters, **real[kind]}
        if kind == "orders" and "token" in (case.query or {}):
            case.query = {**case.query, "token": real["order_token"]}
        case.call_and_validate(headers=headers, excluded_checks=[*unsaid, negative_data_rejection])
