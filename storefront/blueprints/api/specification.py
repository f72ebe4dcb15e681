"""`/api/v1/openapi.json`: what the API takes and gives, in OpenAPI 3.1. A test holds it to the real answers."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import current_app, jsonify
from flask.typing import ResponseReturnValue

from storefront import errors
from storefront.blueprints.api import LARGEST_BODY, bp
from storefront.blueprints.api.bearer import InsufficientScope, InvalidToken, TokenNeeded
from storefront.blueprints.api.body import BadJson, NotJson
from storefront.blueprints.api.examples import EXAMPLES
from storefront.blueprints.api.office_schemas import OFFICE_EXAMPLES, OFFICE_SCHEMAS, PERIOD
from storefront.blueprints.api.schemas import SCHEMAS, Schema, moment, ref, text, whole
from storefront.books.span import BadSpan
from storefront.cart.payable import NotPayable
from storefront.errors import DomainError
from storefront.exports.moment import StillWriting
from storefront.exports.sales import BadRange, UnknownFacility
from storefront.exports.sales_pages import MOST, USUAL, BadCursor
from storefront.integrations.tokens import Scope
from storefront.people.attempts import TooManyTries

#: What any call by a token may be told.
TOKEN_ERRORS: tuple[type[DomainError], ...] = (
    *(TokenNeeded, InvalidToken, InsufficientScope, TooManyTries, errors.TooManyRequests),
)
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "kb_…",
    "description": "A read token, made by an administrator at /admin/tokens. Scopes: "
    + ", ".join(f"`{scope}`" for scope in Scope)
    + ".",
}
#: What any call with a body may be told.
BODY_ERRORS: tuple[type[DomainError], ...] = (BadJson, NotJson, errors.Invalid)


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The document; it changes only with a new version of the shop."""
    response = jsonify(document(current_app.extensions["settings"].shop_name))
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


@cache
def document(shop_name: str) -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{shop_name} API",
            "version": "1",
            "description": "Amounts are whole rupiah, times RFC 3339 in UTC. Errors are application/problem+json "
            f"with a stable `code`. No cookies are read. Bodies are JSON of at most {LARGEST_BODY // 1024} kB.",
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {**_catalogue(), **_carts(), **_orders(), **_office()},
        "webhooks": _webhooks(),
        "components": {
            "schemas": {**SCHEMAS, **OFFICE_SCHEMAS},
            "securitySchemes": {"token": BEARER},
        },
    }


def _catalogue() -> dict[str, Any]:
    query = [
        _query("q", text("Words; typing errors are forgiven")),
        _query("category", text("Slug of a category; one that has gone into another answers 301")),
        _query("facility", text("Code or slug of a facility")),
        _query("page", whole(minimum=1)),
    ]
    return {
        "/products": {
            "get": _call("List products on sale", "listProducts", query, {200: ("ProductPage", "One page")}),
        },
        "/openapi.json": {
            "get": {
                "summary": "This document",
                "operationId": "openapi",
                "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {}}}},
            }
        },
    }


def _carts() -> dict[str, Any]:
    cart, sku = _path("token", "The cart's id"), _path("sku", "The line's SKU")
    stock = (
        errors.NotFound, errors.UnknownSku, errors.OutOfStock, errors.ListingUnavailable, errors.CartClosed
    )  # fmt: skip
    place = [
        _query("province", text(minLength=1), required=True),
        *(_query(name, text()) for name in ("city", "district", "postal_code")),
    ]
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "schema": text("Yours; the same key gives the same answer", minLength=1, maxLength=255),
    }
    return {
        "/carts": {"post": _call("Open a cart", "createCart", [], {201: ("Cart", "An empty cart")})},
        "/carts/{token}": {
            "get": _call("See a cart", "showCart", [cart], {200: ("Cart", "As it is now")}, (errors.NotFound,)),
        },
        "/carts/{token}/lines": {
            "post": _call(
                "Add pieces; the same SKU adds up", "addLine", [cart], {201: ("Cart", "The cart")}, stock, "NewLine"
            ),
        },
        "/carts/{token}/lines/{sku}": {
            "put": _call(
                "Have another number of pieces", "setLine", [cart, sku], {200: ("Cart", "The cart")}, stock, "Quantity"
            ),
            "delete": _call(
                "Take a line out", "removeLine", [cart, sku], {200: ("Cart", "The cart")},
                (errors.NotFound, errors.UnknownSku, errors.CartClosed),
            ),
        },
        "/carts/{token}/shipping": {
            "get": _call(
                "Ask what shipping costs", "showShipping", [cart, *place],
                {200: ("ShippingOptions", "What may be chosen for each parcel")}, (errors.NotFound, errors.Invalid),
            ),
        },
        "/carts/{token}/checkout": {
            "post": _call(
                "Order the cart, once", "checkout", [cart, key], {201: ("PlacedOrder", "The order and its payment")},
                (
                    errors.IdempotencyKeyRequired, errors.NotFound, errors.CartClosed, errors.OutOfStock,
                    errors.PriceChanged, errors.ListingUnavailable, errors.NotDeliveredThere,
                    errors.IdempotencyMismatch, errors.TooManyUnpaid, NotPayable,
                ),
                "Checkout",
            ),
        },
    }


def _orders() -> dict[str, Any]:
    order = [_path("number", "The order's number"), _query("token", text("The order's token"), required=True)]
    secret = (errors.NotFound, TooManyTries)
    return {
        "/orders/{number}": {
            "get": _call("See an order", "showOrder", order, {200: ("Order", "As it is now")}, secret),
        },
        "/orders/{number}/payments": {
            "post": _call(
                "Have a new payment for what is unpaid", "payOrder", order, {201: ("NewPayment", "The payment")},
                (*secret, errors.OrderClosed, NotPayable), "PaymentWish", body_required=False,
            ),
        },
    }


def _office() -> dict[str, Any]:
    days = [
        _query(name, text(f"{which} day of `paid_at`, Asia/Jakarta", format="date"), required=True)
        for name, which in (("from", "First"), ("to", "Last"))
    ]
    more = [
        _query("facility", text("Code of one facility")),
        _query("booked_after", moment("Only what was booked after it: the `as_of` of the time before")),
        _query("after", text("`next` of the page before; the other parameters stay the same")),
        _query("limit", whole(f"Rows on a page; {USUAL} unless told", minimum=1, maximum=MOST)),
    ]
    period = {**_path("period", "The month"), "schema": PERIOD}
    return {
        "/sales": {
            "get": _read(
                "Read sales, page by page", "listSales", Scope.SALES, [*days, *more], "SalesPage",
                (errors.Invalid, BadRange, BadCursor, UnknownFacility, StillWriting),
            ),
        },
        "/statements/{facility}/{period}": {
            "get": _read(
                "Read a facility's statement of a month", "showStatement", Scope.STATEMENTS,
                [_path("facility", "Code of the facility"), period], "Statement", (errors.NotFound, BadSpan),
            ),
        },
        "/facilities": {
            "get": _read("List the facilities within reach", "listFacilities", Scope.FACILITIES, [], "FacilityList"),
        },
    }  # fmt: skip


def _read(
    summary: str,
    operation: str,
    scope: Scope,
    parameters: list[Schema],
    schema: str,
    refusals: tuple[type[DomainError], ...] = (),
) -> dict[str, Any]:
    """An operation that a token opens and an ETag shortens."""
    known = {
        "name": "If-None-Match", "in": "header", "required": False,
        "schema": text("The ETag of an answer that you have: 304 while it would be the same"),
    }  # fmt: skip
    answers = {200: (schema, f"Needs `{scope}`")}
    call = _call(summary, operation, [*parameters, known], answers, (*refusals, *TOKEN_ERRORS))
    headers = {"ETag": {"description": "For If-None-Match", "schema": text()}}
    call["responses"]["200"]["headers"] = headers
    call["responses"]["304"] = {"description": "You have it already", "headers": headers}
    for status in ("401", "403"):
        call["responses"][status]["headers"] = {"WWW-Authenticate": {"description": "RFC 6750", "schema": text()}}
    call["security"] = [{"token": [scope.value]}]
    return call


def _webhooks() -> dict[str, Any]:
    """What is sent to endpoints made at /admin/webhooks; docs/api.md says how to check the signature."""
    header = {
        "name": "Webhook-Signature",
        "in": "header",
        "required": True,
        "schema": text('`t=<unix>,v1=<hex hmac-sha256 of "<t>.<body>">`; while a secret is replaced, two of `v1`'),
    }
    return {
        kind: {
            "post": {
                "summary": summary,
                "operationId": schema[0].lower() + schema[1:],
                "parameters": [header],
                "requestBody": {"required": True, "content": {"application/json": _content(schema)}},
                "responses": {"2XX": {"description": "Taken; anything else is sent again for a day"}},
            }
        }
        for kind, schema, summary in (
            ("order.paid", "OrderPaid", "An order is paid"),
            ("parcel.shipped", "ParcelShipped", "A parcel is handed over to its courier"),
            ("period.closed", "PeriodClosed", "A month is closed"),
        )
    }


def _call(
    summary: str,
    operation: str,
    parameters: list[Schema],
    answers: dict[int, tuple[str, str]],
    refusals: tuple[type[DomainError], ...] = (),
    body: str | None = None,
    *,
    body_required: bool = True,
) -> dict[str, Any]:
    """One operation: `answers` is status → (schema, description), `refusals` the errors it may raise."""
    responses = {
        str(status): {"description": description, "content": {"application/json": _content(schema)}}
        for status, (schema, description) in answers.items()
    }
    responses |= _refusals((*refusals, *(BODY_ERRORS if body else ()), errors.Unavailable))
    call: dict[str, Any] = {"summary": summary, "operationId": operation, "responses": responses}
    if parameters:
        call["parameters"] = parameters
    if body:
        call["requestBody"] = {"required": body_required, "content": {"application/json": _content(body)}}
    return call


def _content(schema: str) -> dict[str, Any]:
    examples = {**EXAMPLES, **OFFICE_EXAMPLES}
    example = {"example": examples[schema]} if schema in examples else {}
    return {"schema": ref(schema), **example}


def _refusals(refusals: tuple[type[DomainError], ...]) -> dict[str, Any]:
    """The error answers, by status; several codes may share one."""
    by_status: dict[int, list[str]] = {}
    for refusal in refusals:
        codes = by_status.setdefault(refusal.status, [])
        if refusal.code not in codes:
            codes.append(refusal.code)
    return {
        str(status): {
            "description": " · ".join(codes),
            "content": {
                "application/problem+json": {
                    "schema": {
                        "allOf": [ref("Error"), {"type": "object", "properties": {"code": {"enum": codes}}}]
                    },
                    "example": {**EXAMPLES["Error"], "status": status, "code": codes[0]},
                }
            },
        }
        for status, codes in sorted(by_status.items())
    }


def _query(name: str, schema: Schema, *, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _path(name: str, description: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}
