"""A cart becomes an order, once, whatever is sent twice or dies halfway.

All of it is one transaction that the caller commits. The cart's row is locked first, so calls for one cart
come one after the other; the key's row is written last, so a refused try leaves nothing behind. After the
commit the caller starts the payment (`orders.payment.start_payment`): no provider is called in here.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.cart import carts, delivery, own_holds, replace, unpaid, ways
from storefront.cart.models import Cart
from storefront.cart.own_holds import OwnHold
from storefront.cart.problems import Problem
from storefront.cart.request import CheckoutRequest
from storefront.cart.view import CartView, load
from storefront.errors import (
    CartClosed,
    IdempotencyMismatch,
    Invalid,
    ListingUnavailable,
    OutOfStock,
    PriceChanged,
)
from storefront.extensions import db
from storefront.orders.models import IdempotencyKey, Order, OrderState
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.place import Address, Contact, Notes, ParcelShipping, PricedLine, place
from storefront.payments.models import Payment
from storefront.shipping import stands
from storefront.shipping.quote import Option

LONGEST_KEY = 255


@dataclass(frozen=True)
class CheckoutResult:
    """The order of a cart and its first payment; `is_replay` when a key was answered before."""

    order: Order
    payment: Payment
    is_replay: bool


def check_out(
    cart_id: int,
    request: CheckoutRequest,
    key: str,
    *,
    locale: str,
    person_id: int | None = None,
    network: bytes | None = None,
    limit_unpaid: bool = True,
    replaces: Sequence[OwnHold] = (),
) -> CheckoutResult:
    """Order what lies in the cart, under the idempotency key `key`. Never commits.

    The same key with the same request gives the same order and payment, however often and at whatever
    moment. `network` is a keyed hash of the caller's network; `limit_unpaid` is off for load tests only.
    `replaces`: the shopper's own unpaid orders that this one takes the place of (see `replace`), their payment pages
    closed already.

    Raises `IdempotencyMismatch`, `CartClosed`, `Invalid`, `ListingUnavailable`, `PriceChanged`,
    `NotDeliveredThere`, `OutOfStock`, `NotPayable`, `TooManyUnpaid`, `NotReplaced`. After any of them the
    caller rolls back.
    """
    if not 1 <= len(key) <= LONGEST_KEY:
        raise Invalid({"Idempotency-Key": _("Kunci ini terlalu panjang: paling banyak 255 huruf.")})
    cart = carts.lock(cart_id)
    scope, digest = f"cart:{cart.id}", request.digest()
    earlier = db.session.get(IdempotencyKey, (scope, key), populate_existing=True)
    if earlier is not None:
        return _replay(earlier, digest)
    if cart.order_id is not None:
        raise CartClosed()
    replaced = replace.lock([hold.order_id for hold in replaces]) if replaces else []
    view = load(cart.id, holds=own_holds.holds_of(replaced))
    _refuse_problems(view, request)
    stands.hold(request.shipping.values())
    options = delivery.choose(
        view, delivery.quotes(view, request.address), request.shipping, has_address=request.address is not None
    )
    _refuse_other_total(view, request, options)
    total = view.items_total + sum(option.amount for option in options.values())
    gateway_name = ways.chosen(request.payment_method, total)
    if limit_unpaid:
        unpaid.refuse_too_many(
            request.email, request.phone, network, besides=[old.id for old in replaced]
        )
    order = _place(
        view,
        request,
        options,
        locale=locale,
        person_id=person_id,
        network=network,
        gateway_name=gateway_name,
        replacing=replaced,
    )
    _close(cart, order)
    db.session.add(IdempotencyKey(scope=scope, key=key, request_hash=digest, order_id=order.id))
    payment = open_payment(order, gateway_name)
    db.session.flush()
    return CheckoutResult(order, payment, is_replay=False)


def payment_page(result: CheckoutResult) -> Payment:
    """The payment of a committed checkout with the provider's page, its `url` None while there is none.

    Asks the provider outside any transaction. An order that was closed meanwhile gets no new page.
    """
    if result.order.state != OrderState.AWAITING_PAYMENT:
        return result.payment
    return start_payment(result.payment.id)


def _replay(earlier: IdempotencyKey, digest: bytes) -> CheckoutResult:
    if not hmac.compare_digest(earlier.request_hash, digest):
        raise IdempotencyMismatch()
    order = db.session.get_one(Order, earlier.order_id)
    first = select(Payment).where(Payment.order_id == order.id).order_by(Payment.created_at, Payment.id).limit(1)
    return CheckoutResult(order, db.session.execute(first).scalar_one(), is_replay=True)


def _refuse_problems(view: CartView, request: CheckoutRequest) -> None:
    """Raise the first kind of problem that stands in the way, with all lines it concerns."""
    if view.is_empty:
        raise Invalid({"cart": _("Keranjang masih kosong. Masukkan karya dahulu.")})
    problems = view.problems
    withdrawn = _with_code(problems, "listing_unavailable")
    if withdrawn:
        raise ListingUnavailable(withdrawn)
    moved = _with_code(problems, "price_changed")
    if moved and request.expected_total is None:
        raise PriceChanged(lines=moved, items_total=view.items_total)
    short = _with_code(problems, "out_of_stock")
    if short:
        raise OutOfStock(short)


def _with_code(problems: Iterable[Problem], code: str) -> list[dict[str, Any]]:
    return [problem.members() for problem in problems if problem.code == code]


def _refuse_other_total(view: CartView, request: CheckoutRequest, options: Mapping[int, Option]) -> None:
    """Raise `PriceChanged` with both totals when the shopper saw another one than they would now pay."""
    shipping_total = sum(option.amount for option in options.values())
    total = view.items_total + shipping_total
    seen = {total} if request.saw_shipping else {total, view.items_total}
    if request.expected_total is None or request.expected_total in seen:
        return
    raise PriceChanged(
        expected_total=request.expected_total,
        total=total,
        items_total=view.items_total,
        shipping_total=shipping_total,
        lines=_with_code(view.problems, "price_changed"),
    )


def _place(
    view: CartView,
    request: CheckoutRequest,
    options: Mapping[int, Option],
    *,
    locale: str,
    person_id: int | None,
    network: bytes | None,
    gateway_name: str,
    replacing: Sequence[Order],
) -> Order:
    lines = [
        PricedLine(variant_id=line.variant_id, quantity=line.quantity, unit_price=line.unit_price)
        for line in view.lines
    ]
    shipping = {
        facility_id: ParcelShipping(
            method_id=option.method_id,
            is_pickup=option.is_pickup,
            amount=option.amount,
            days_min=option.days_min,
            days_max=option.days_max,
            waived=option.waived,
            exhibition_id=option.stand.exhibition_id if option.stand else None,
        )
        for facility_id, option in options.items()
    }
    delivered = request.address is not None and not all(option.is_pickup for option in options.values())
    return place(
        lines,
        contact=Contact(name=request.name, email=request.email, phone=request.phone, network=network),
        address=_kept_address(request) if delivered else None,
        notes=Notes(request.gift_note, request.note),
        shipping=shipping,
        person_id=person_id,
        locale=locale,
        gateway_name=gateway_name,
        replacing=replacing,
    )


def _kept_address(request: CheckoutRequest) -> Address | None:
    """The address as it is kept. Nobody's address is kept when every parcel is collected."""
    given = request.address
    if given is None:
        return None
    return Address(
        line1=given.line1,
        district=given.district,
        city=given.city,
        province=given.province,
        postal_code=given.postal_code,
    )


def _close(cart: Cart, order: Order) -> None:
    cart.order_id = order.id
    # The order has an address of its own.
    cart.place = cart.news = None
    carts.touch(cart.id)
