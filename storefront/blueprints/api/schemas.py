"""The shapes of the API's answers and bodies, for the OpenAPI document. JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from storefront.orders.models import ParcelState

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to the schema called `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def rupiah(description: str, **more: Any) -> Schema:
    """An amount of money."""
    return {"type": "integer", "minimum": 0, "description": f"{description}, whole rupiah", **more}


def whole(description: str = "", **more: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", **({"description": description} if description else {}), **more}


def moment(description: str) -> Schema:
    """A moment; RFC 3339, UTC."""
    return {"type": "string", "format": "date-time", "description": description}


def maybe(schema: Schema) -> Schema:
    """`schema`, or null."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema) -> Schema:
    """A list of `items`."""
    return {"type": "array", "items": items}


def record(properties: dict[str, Schema], optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object that has all of `properties` but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **more}


ORDER_STATUS = [
    "awaiting_payment", "expired", "cancelled", "refunded", "completed", "shipped", "partly_shipped",
    "partly_refunded", "paid",
]  # fmt: skip
SKU = text("Names one variant", examples=["PKL-BATIK-01"])

PARCEL_LINE = record(
    {
        "sku": SKU,
        "title": text(),
        "quantity": whole(minimum=1),
        "unit_price": rupiah("One piece, as sold"),
        "amount": rupiah("All pieces of the line in this parcel"),
    }
)
PARCEL = {
    "facility": text("Code of the facility that sends it"),
    "status": text("Where it is; a parcel to be collected is `ready` instead of `shipped`", enum=list(ParcelState)),
    "shipping": record(
        {
            "method": text("Code of the shipping method"),
            "amount": rupiah("Shipping"),
            "days_min": whole("Days on the road, at least", minimum=0),
            "days_max": whole("Days on the road, at most", minimum=0),
        }
    ),
    "lines": array(PARCEL_LINE),
}
TOTALS = {
    "total": rupiah("Goods and shipping"),
    "items_total": rupiah("Goods"),
    "shipping_total": rupiah("Shipping of all parcels"),
}

SCHEMAS: dict[str, Schema] = {
    "Facility": record({"code": text(), "name": text()}),
    "Variant": record(
        {
            "sku": SKU,
            "title": text("Empty for a product's only variant"),
            "title_en": text(),
            "price": rupiah("One piece"),
            "available": maybe(whole("Pieces that can be ordered now; null when made to order", minimum=0)),
            "made_to_order": {"type": "boolean"},
            "lead_time_days": maybe(whole("Days until it is made; null when it is in stock", minimum=1)),
            "weight_g": whole("Grams", minimum=1),
        }
    ),
    "Product": record(
        {
            "slug": text("Its page is /products/<slug>"),
            "title": text(),
            "title_en": text(),
            "facility": ref("Facility"),
            "delivery_scope": text("How far it is sent", enum=["pickup", "same_city", "province", "nationwide"]),
            "paused_until": maybe(text("Its facility rests until this day: it cannot be ordered", format="date")),
            "variants": array(ref("Variant")),
        }
    ),
    "ProductPage": record(
        {
            "items": array(ref("Product")),
            "total": whole("Products that answer the question", minimum=0),
            "page": whole(minimum=1),
            "pages": whole(minimum=1),
        }
    ),
    "NewLine": record({"sku": SKU, "quantity": whole("Pieces to add", minimum=1, maximum=10_000)}),
    "Quantity": record({"quantity": whole("Pieces to have", minimum=1, maximum=10_000)}),
    "Problem": record(
        {
            "code": text(enum=["price_changed", "out_of_stock", "listing_unavailable", "not_delivered_there"]),
            "sku": SKU,
            "detail": text("For people"),
        },
        description="What is wrong with a line; further members belong to its code.",
    ),
    "CartLine": record(
        {
            "sku": SKU,
            "title": text(),
            "title_en": text(),
            "variant_title": text(),
            "facility": maybe(ref("Facility")),
            "quantity": whole(minimum=1, maximum=10_000),
            "unit_price": rupiah("One piece, now"),
            "shown_price": rupiah("One piece, when the line was added"),
            "amount": rupiah("All pieces, now"),
            "available": maybe(whole("Pieces that can be ordered now; null when made to order")),
            "problems": array(ref("Problem")),
        }
    ),
    "Cart": record(
        {
            "id": text("A secret: who knows it may order"),
            "lines": array(ref("CartLine")),
            "total": rupiah("Goods on sale, without shipping"),
        }
    ),
    "ShippingOptions": record(
        {
            "parcels": array(
                record(
                    {
                        "facility": text(),
                        "weight_g": whole("Grams", minimum=1),
                        "options": array(
                            record(
                                {
                                    "method": text("Send it as `shipping.<facility>`"),
                                    "name": text(),
                                    "pickup": {"type": "boolean"},
                                    "amount": rupiah("Shipping"),
                                    "days_min": whole(minimum=0),
                                    "days_max": whole(minimum=0),
                                    "courier": maybe(text("Who carries it, where the facility says so")),
                                    "waived": rupiah("What the facility bears, so that nothing is charged; else 0"),
                                }
                            )
                        ),
                        "not_delivered": array(text("SKUs that do not go there; then only collecting is offered")),
                        "free_from": maybe(rupiah("Goods of the facility from which its cheapest delivery is free")),
                    }
                )
            )
        }
    ),
    "Address": record(
        {
            "line1": text("Street and number", maxLength=200),
            "district": text("Kecamatan", maxLength=80),
            "city": text(
                "Kota or kabupaten; an unknown or ambiguous one is accepted at the province's rate", maxLength=80
            ),
            "province": text(maxLength=60),
            "postal_code": text(pattern="^[1-9][0-9]{4}$"),
        }
    ),
    "Checkout": record(
        {
            "name": text(maxLength=120),
            "email": maybe(text("E-mail or phone at least", maxLength=254)),
            "phone": maybe(text("An Indonesian number")),
            "address": maybe(ref("Address")),
            "shipping": {
                "type": "object",
                "description": "Facility code → method code. Default: the cheapest delivery; pickup only when chosen. "
                "Without an address every facility needs `pickup`.",
                "additionalProperties": text(),
            },
            "expected_total": maybe(
                rupiah("What the buyer saw: the order's total, or the cart's without shipping; refused when neither")
            ),
            "gift_note": maybe(text("Printed on a card that lies in the parcel", maxLength=300)),
            "note": maybe(text("For whoever sends and carries it", maxLength=300)),
            "payment_method": maybe(
                text("`sandbox`, `stripe` or `transfer`; default: the first that is offered and takes the total")
            ),
        },
        optional=(
            "email",
            "phone",
            "address",
            "shipping",
            "expected_total",
            "payment_method",
            "gift_note",
            "note",
        ),
    ),
    "PaymentWish": record(
        {"payment_method": maybe(text("As in a checkout"))},
        optional=("payment_method",),
    ),
    "Payment": record(
        {
            "id": text(minLength=22),
            "url": maybe(text("The provider's payment page; null while the provider is down", format="uri")),
            "expires_at": moment("The pieces are held until then"),
        }
    ),
    "NewPayment": record(
        {
            "id": text(minLength=22),
            "url": maybe(text(format="uri")),
            "expires_at": moment("The pieces are held until then"),
            "payment": ref("Payment"),
        },
        description="The payment, and the same again under `payment` as in the answer to a checkout.",
    ),
    "PlacedOrder": record(
        {
            "order": record(
                {
                    "number": text(),
                    "token": text("Opens the order; keep it secret", minLength=22),
                    "status": text(const="awaiting_payment"),
                    **TOTALS,
                    "expires_at": moment("The pieces are held until then"),
                    "parcels": array(record(PARCEL)),
                }
            ),
            "payment": ref("Payment"),
        },
        description="The order as it was placed. The same Idempotency-Key gives the same answer for ever.",
    ),
    "Order": record(
        {
            "number": text(),
            "status": text(enum=ORDER_STATUS),
            **TOTALS,
            "refunded": rupiah("Given back so far"),
            "placed_at": moment("When it was placed"),
            "expires_at": moment("Until when it can be paid"),
            "paid_at": maybe(moment("When it was paid")),
            "parcels": array(
                record(
                    {
                        **PARCEL,
                        "courier": maybe(text()),
                        "tracking": maybe(text("The courier's number")),
                        "shipped_at": maybe(moment("When it was handed over, or ready to be collected")),
                        "received_at": maybe(moment("When it arrived")),
                    }
                )
            ),
        }
    ),
    "Error": record(
        {
            "type": text(),
            "title": text(),
            "status": whole(),
            "code": text("Stable; for programs"),
            "detail": text("For people"),
            "request_id": text("Name it when you ask for help"),
            "errors": {"type": "object", "additionalProperties": text(), "description": "Field → what is wrong"},
            "lines": array({"type": "object"}),
        },
        optional=("errors", "lines"),
        description="RFC 9457. Further members belong to the code.",
    ),
}
