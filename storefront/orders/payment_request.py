"""What a provider is told of an order: what is paid, parcel by parcel, and where the browser comes back to."""

from __future__ import annotations

from flask import current_app

from storefront.extensions import db
from storefront.orders.models import Order, OrderContact, OrderLine
from storefront.orders.tokens import order_token
from storefront.payments.gateway import Item, ParcelOfGoods, PaymentRequest
from storefront.payments.models import Payment


def payment_request(payment: Payment) -> PaymentRequest:
    """The request for a payment's page; the same at whatever moment it is made."""
    order = db.session.get_one(Order, payment.order_id)
    contact = db.session.get(OrderContact, order.id)
    return PaymentRequest(
        id=payment.id,
        amount=payment.amount,
        description=order.number,
        return_url=f"{order_link(order)}&waited=0",
        locale=order.locale,
        expires_at=payment.expires_at,
        email=contact.email if contact else None,
        parcels=_parcels(order),
    )


def _parcels(order: Order) -> tuple[ParcelOfGoods, ...]:
    """As ordered: a parcel that is split later is still one here."""
    by_facility: dict[int, list[OrderLine]] = {}
    for line in order.lines:
        by_facility.setdefault(line.facility_id, []).append(line)
    shipping: dict[int, int] = {}
    for parcel in order.parcels:
        shipping[parcel.facility_id] = shipping.get(parcel.facility_id, 0) + parcel.shipping_amount
    return tuple(
        ParcelOfGoods(
            facility_code=lines[0].facility_code,
            facility_name=lines[0].facility_name,
            items=tuple(Item(_title(line, order.locale), line.quantity, line.unit_price) for line in lines),
            shipping=shipping.get(facility_id, 0),
        )
        for facility_id, lines in by_facility.items()
    )


def _title(line: OrderLine, locale: str) -> str:
    english = locale == "en"
    title = line.title_en if english else line.title
    variant = line.variant_title_en if english else line.variant_title
    return f"{title}, {variant}" if variant else title


def order_link(order: Order) -> str:
    """The address of the order's page with its token, absolute, in the order's language."""
    settings = current_app.extensions["settings"]
    prefix = "/en" if order.locale == "en" else ""
    # Built by hand: in a job there is no request, and in one its language is not the order's.
    return f"{settings.base_url.rstrip('/')}{prefix}/orders/{order.number}?token={order_token(order)}"
