"""What Stripe is told when a payment page is opened: a Checkout Session's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storefront.payments.said import Item, ParcelOfGoods, PaymentRequest
from storefront.payments.stripe_money import CURRENCY, to_stripe

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

#: Stripe's limits.
MOST_LINES = 100
LONGEST_NAME = 250
LONGEST_METADATA = 500
SHIPPING = {"id": "Ongkos kirim", "en": "Shipping"}


def session_params(request: PaymentRequest, *, is_grouped: bool = False) -> SessionCreateParams:
    """The page for a payment. The same request gives the same parameters, as its idempotency key demands.

    Grouped, the money may be transferred to facilities, and carries the order's number as their transfers do.

    Which methods it offers is the dashboard's to say, so none is named here. The price is in rupiah for
    everybody: Stripe's own conversion for foreign cards is switched off.
    """
    about = metadata(request)
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": request.id,
        "line_items": _lines(request),
        "success_url": request.return_url,
        "cancel_url": request.return_url,
        "expires_at": int(request.expires_at.timestamp()),
        "locale": "en" if request.locale == "en" else "id",
        "metadata": about,
        "payment_intent_data": {"description": request.order_number, "metadata": about},
        "adaptive_pricing": {"enabled": False},
        "submit_type": "pay",
    }
    if is_grouped:
        params["payment_intent_data"]["transfer_group"] = request.order_number
    if request.email:
        params["customer_email"] = request.email
    return params


def metadata(request: PaymentRequest) -> dict[str, str]:
    """Our names for it, for the provider's lists and events: payment, order, and the facilities that sell."""
    codes = ""
    for code in request.facility_codes:
        longer = f"{codes},{code}" if codes else code
        if len(longer) > LONGEST_METADATA:
            break
        codes = longer
    about = {"payment": request.id, "order": request.order_number}
    return about | ({"facilities": codes} if codes else {})


def _lines(request: PaymentRequest) -> list[Any]:
    parcels = request.parcels
    if sum(parcel.amount for parcel in parcels) != request.amount:
        # An instalment: what the order consists of is more than what is paid now.
        return [_line(Item(request.order_number, 1, request.amount))]
    lines = [line for parcel in parcels for line in _parcel(parcel, request.locale)]
    if len(lines) > MOST_LINES:
        lines = [_line(Item(parcel.facility_name, 1, parcel.amount)) for parcel in parcels]
    return lines if len(lines) <= MOST_LINES else [_line(Item(request.order_number, 1, request.amount))]


def _parcel(parcel: ParcelOfGoods, locale: str) -> list[Any]:
    lines = [_line(item, parcel.facility_name) for item in parcel.items]
    if parcel.shipping:
        lines.append(
            _line(Item(SHIPPING.get(locale, SHIPPING["id"]), 1, parcel.shipping), parcel.facility_name)
        )
    return lines


def _line(item: Item, facility: str = "") -> dict[str, Any]:
    product = {"name": item.title[:LONGEST_NAME]}
    if facility:
        product["description"] = facility[:LONGEST_NAME]
    price = {"currency": CURRENCY, "unit_amount": to_stripe(item.unit_amount), "product_data": product}
    return {"quantity": item.quantity, "price_data": price}
