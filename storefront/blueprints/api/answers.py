"""What the API says of carts, orders and payments, in the words of CONTRACT.md."""

from __future__ import annotations

import datetime
from typing import Any

from storefront.cart.view import CartView, Line, ParcelGoods
from storefront.facilities.models import Facility
from storefront.orders.models import OrderState, ParcelState
from storefront.orders.parcel_views import ParcelView
from storefront.orders.views import OrderView
from storefront.payments.models import Payment
from storefront.shipping.quote import Option, ParcelQuote


def moment(at: datetime.datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def cart(token: str, view: CartView) -> dict[str, Any]:
    """A cart; `total` is without shipping and without what is not on sale any more."""
    facilities = {parcel.facility.id: parcel.facility for parcel in view.parcels}
    return {
        "id": token,
        "lines": [_cart_line(line, facilities.get(line.facility_id)) for line in (*view.lines, *view.withdrawn)],
        "total": view.items_total,
    }


def _cart_line(line: Line, facility: Facility | None) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "title": line.title,
        "title_en": line.title_en or line.title,
        "variant_title": line.variant_title,
        "facility": {"code": facility.code, "name": facility.name} if facility else None,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "shown_price": line.shown,
        "amount": line.amount,
        "available": line.available,
        "problems": [{**problem.members(), "detail": problem.message} for problem in line.problems],
    }


def parcel_quote(parcel: ParcelGoods, quote: ParcelQuote) -> dict[str, Any]:
    """What may be chosen for one facility's parcel; the first delivery is the default."""
    return {
        "facility": parcel.facility.code,
        "weight_g": quote.weight_g,
        "options": [_option(option) for option in quote.options],
        "not_delivered": list(quote.refused),
        "free_from": quote.free_from,
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "method": option.code,
        "name": option.name,
        "pickup": option.is_pickup,
        "amount": option.amount,
        "days_min": option.days_min,
        "days_max": option.days_max,
        "courier": option.courier or None,
        "waived": option.waived,
    }


def checkout(order: OrderView, token: str) -> dict[str, Any]:
    """The order as it was placed: the same for one key, whatever has become of it since."""
    waiting = ParcelState.WAITING.value
    return {
        "order": {
            "number": order.number,
            "token": token,
            "status": OrderState.AWAITING_PAYMENT.value,
            "total": order.total,
            "items_total": order.items_total,
            "shipping_total": order.shipping_total,
            "expires_at": moment(order.expires_at),
            "parcels": [{**_parcel(parcel), "status": waiting} for parcel in order.parcels],
        }
    }


def order(order: OrderView) -> dict[str, Any]:
    """The order as it is now."""
    return {
        "number": order.number,
        "status": order.status,
        "total": order.total,
        "items_total": order.items_total,
        "shipping_total": order.shipping_total,
        "refunded": order.refunded,
        "placed_at": moment(order.placed_at),
        "expires_at": moment(order.expires_at),
        "paid_at": moment(order.paid_at),
        "parcels": [
            {
                **_parcel(parcel),
                "courier": parcel.courier,
                "tracking": parcel.tracking,
                "shipped_at": moment(parcel.shipped_at),
                "received_at": moment(parcel.received_at),
            }
            for parcel in order.parcels
        ],
    }


def payment(payment: Payment) -> dict[str, Any]:
    """A payment; `url` is null while the provider has no page for it."""
    return {"id": payment.id, "url": payment.url, "expires_at": moment(payment.expires_at)}


def _parcel(parcel: ParcelView) -> dict[str, Any]:
    return {
        "facility": parcel.facility_code,
        "status": parcel.status,
        "shipping": {
            "method": parcel.method_code,
            "amount": parcel.shipping_amount,
            "days_min": parcel.days_min,
            "days_max": parcel.days_max,
        },
        "lines": [
            {
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "amount": line.net_amount,
            }
            for line in parcel.lines
        ],
    }
