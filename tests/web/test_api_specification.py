"""The OpenAPI document is complete, sound and true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.schema import breaks, resolve
from tests.selling import body, check_out, new_cart, open_shop, pay


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    return answer.json  # type: ignore[no-any-return]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule)).removeprefix("/api/v1"), method.lower())
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(document)} == routes


def test_the_document_is_sound(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {"title", "version"} <= document["info"].keys()
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        assert resolve(reference, document)
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, _method, operation in operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))
        assert all(parameter["required"] for parameter in operation.get("parameters", []) if parameter["in"] == "path")
        for status, answer in operation["responses"].items():
            assert answer["description"]
            if status == "304":
                assert "content" not in answer
                continue
            kind = "application/json" if status < "400" else "application/problem+json"
            assert list(answer["content"]) == [kind]


def test_every_example_agrees_with_its_schema(document: dict[str, Any]) -> None:
    seen = 0
    for _path, _method, operation in operations(document):
        contents = [*operation["responses"].values(), operation.get("requestBody", {"content": {}})]
        for content in (kind for part in contents for kind in part.get("content", {}).values() if "schema" in kind):
            assert "example" in content
            assert list(breaks(content["example"], content["schema"], document)) == []
            seen += 1
    assert seen > 40


def test_real_answers_agree_with_the_document(
    client: FlaskClient, document: dict[str, Any], db_session: Session
) -> None:
    open_shop()

    def agrees(path: str, method: str, answer: Any) -> Any:
        described = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
        assert list(breaks(answer.json, described[answer.mimetype]["schema"], document)) == [], answer.text
        return answer.json

    agrees("/products", "get", client.get("/api/v1/products?q=batik"))
    cart = agrees("/carts", "post", client.post("/api/v1/carts"))["id"]
    lines, line = f"/api/v1/carts/{cart}/lines", {"sku": "PKL-BATIK", "quantity": 2}
    agrees("/carts/{token}/lines", "post", client.post(lines, json=line))
    agrees("/carts/{token}/lines", "post", client.post(lines, json={**line, "quantity": 4}))
    agrees("/carts/{token}/lines", "post", client.post(lines, json={**line, "sku": "NOPE"}))
    agrees("/carts/{token}/lines", "post", client.post(lines, json={**line, "quantity": 0}))
    agrees("/carts/{token}/lines", "post", client.post(lines, data=b"{", content_type="application/json"))
    agrees("/carts/{token}/lines", "post", client.post(lines, data=b"x"))
    agrees("/carts/{token}/lines/{sku}", "put", client.put(f"{lines}/PKL-BATIK", json={"quantity": 1}))
    agrees("/carts/{token}/lines/{sku}", "delete", client.delete(f"{lines}/NML-MADU"))
    db_session.execute(text("UPDATE variants SET price = 120000 WHERE sku = 'PKL-BATIK'"))
    db_session.commit()
    agrees("/carts/{token}", "get", client.get(f"/api/v1/carts/{cart}"))
    agrees("/carts/{token}", "get", client.get("/api/v1/carts/nope"))
    shipping = f"/api/v1/carts/{cart}/shipping"
    agrees("/carts/{token}/shipping", "get", client.get(f"{shipping}?province=Bali&city=Badung"))
    agrees("/carts/{token}/shipping", "get", client.get(shipping))

    path = "/carts/{token}/checkout"
    agrees(path, "post", check_out(client, cart))
    agrees(path, "post", client.post(f"/api/v1/carts/{cart}/checkout", json=body()))
    placed = agrees(path, "post", check_out(client, cart, expected_total=120_000))
    agrees(path, "post", check_out(client, cart, expected_total=1))
    agrees(path, "post", check_out(client, cart, key="other"))
    agrees(path, "post", check_out(client, new_cart(client, ("PKL-TEMPE", 1))))

    order = f"/api/v1/orders/{placed['order']['number']}"
    token = {"token": placed["order"]["token"]}
    agrees("/orders/{number}", "get", client.get(order, query_string=token))
    agrees("/orders/{number}", "get", client.get(order))
    agrees("/orders/{number}/payments", "post", client.post(f"{order}/payments", query_string=token))
    pay(placed["payment"]["id"])
    agrees("/orders/{number}", "get", client.get(order, query_string=token))
    agrees("/orders/{number}/payments", "post", client.post(f"{order}/payments", query_string=token))
