"""Putting goods into a cart, changing how many, taking them out."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.cart import carts
from storefront.cart.models import CartLine
from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.days import today
from storefront.display import format_date
from storefront.errors import Invalid, ListingUnavailable, OutOfStock, UnknownSku
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.stock import levels

#: Of one SKU in one cart, as the database holds it.
MOST_PIECES = 10_000
#: Different SKUs in one cart: an order of this size can still be packed and read.
MOST_LINES = 100
NOTHING: Mapping[int, int] = MappingProxyType({})


def whole_quantity(value: Any) -> int:
    """`value` as a number of pieces from 1. Raises `Invalid` for anything but a whole number in range."""
    if type(value) is not int or not 1 <= value <= MOST_PIECES:
        raise Invalid({"quantity": _("Jumlah harus bilangan bulat dari 1 sampai 10.000.")})
    return value


def add(cart_id: int, sku: Any, quantity: Any, *, own: Mapping[int, int] = NOTHING) -> None:
    """Put `quantity` pieces of `sku` into the cart; what lies there already adds up.

    `own`: variant id → pieces that the shopper's own unpaid orders hold, which are there for them.

    Raises `Invalid`, `UnknownSku` (also for what is not on sale), `OutOfStock`, `CartClosed`.
    """
    wanted = whole_quantity(quantity)
    variant = on_sale(sku)
    carts.lock_open(cart_id)
    there = pieces_there(cart_id, variant)
    if there + wanted > MOST_PIECES:
        raise Invalid({"quantity": _("Paling banyak 10.000 buah untuk satu pesanan.")})
    if not there:
        refuse_another_line(cart_id)
    _refuse_more_than_there_are(variant, there + wanted, own)
    _put(cart_id, variant, there + wanted)


def set_quantity(
    cart_id: int, sku: Any, quantity: Any, *, own: Mapping[int, int] = NOTHING, keep_price: bool = False
) -> None:
    """Have exactly `quantity` pieces of a `sku` that is in the cart. Raises as `add` does.

    With `keep_price` a price that has changed stays to be accepted (`accept_price`).
    """
    wanted = whole_quantity(quantity)
    variant = on_sale(sku)
    carts.lock_open(cart_id)
    if not pieces_there(cart_id, variant):
        raise UnknownSku()
    _refuse_more_than_there_are(variant, wanted, own)
    _put(cart_id, variant, wanted, keep_price=keep_price)


def accept_price(cart_id: int, sku: Any, price: Any) -> bool:
    """The shopper agrees to pay `price` rupiah for a piece. False when it is another by now, or no line is there.

    Raises `Invalid`, `UnknownSku`, `CartClosed`.
    """
    variant = on_sale(sku)
    carts.lock_open(cart_id)
    if variant.price != price:
        return False
    changed = db.session.execute(
        update(CartLine)
        .where(CartLine.cart_id == cart_id, CartLine.variant_id == variant.id)
        .values(unit_price_shown=variant.price)
        .execution_options(synchronize_session=False)
    )
    carts.touch(cart_id)
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def remove(cart_id: int, sku: Any) -> None:
    """Take `sku` out, on sale or not; nothing happens if it is not there. Raises `CartClosed`."""
    carts.lock_open(cart_id)
    variants = select(Variant.id).where(Variant.sku == normal_sku(sku))
    db.session.execute(delete(CartLine).where(CartLine.cart_id == cart_id, CartLine.variant_id.in_(variants)))
    carts.touch(cart_id)


def on_sale(sku: Any) -> Variant:
    """The variant with this SKU that the public may buy now.

    Raises `UnknownSku`, and `ListingUnavailable` while its facility rests.
    """
    query = (
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .join(Facility, Facility.id == Product.facility_id)
        .where(Variant.sku == normal_sku(sku), Variant.is_active)
        .where(Product.status == ProductStatus.PUBLISHED.value, Facility.status == "active")
        .where(func.product_may_sell(Product.id, today()))
    )
    variant = db.session.scalar(query)
    if variant is None:
        raise UnknownSku()
    until = db.session.scalar(
        select(func.paused_until(Product.facility_id, today(), type_=Date)).where(Product.id == variant.product_id)
    )
    if until is not None:
        raise resting(variant.sku, until)
    return variant


def resting(sku: str, until: datetime.date) -> ListingUnavailable:
    """The refusal of what cannot be ordered because its facility rests."""
    message = _(
        "Lapasnya sedang istirahat sampai %(day)s. Setelah itu karyanya dapat dipesan lagi.", day=format_date(until)
    )
    return ListingUnavailable([{"sku": sku}], message)


def normal_sku(sku: Any) -> str:
    """The SKU as it is kept. Raises `Invalid` for what is no text, `UnknownSku` for what cannot be one."""
    if not isinstance(sku, str) or not sku.strip():
        raise Invalid({"sku": _("Sebutkan kode barang (SKU).")})
    text = sku.strip().upper()
    if len(text) > 40 or not text.isascii() or not text.replace("-", "").isalnum():
        raise UnknownSku()
    return text


def pieces_there(cart_id: int, variant: Variant) -> int:
    """How many pieces of a variant lie in the cart."""
    query = select(CartLine.quantity).where(CartLine.cart_id == cart_id, CartLine.variant_id == variant.id)
    return db.session.scalar(query) or 0


def pieces_for(variant: Variant, own: Mapping[int, int]) -> int:
    """How many pieces this shopper may have, with those that their own unpaid orders hold (`own`, as in `add`)."""
    if variant.made_to_order:
        return MOST_PIECES
    return levels.available([variant.id]).get(variant.id, 0) + own.get(variant.id, 0)


def is_full(cart_id: int) -> bool:
    """Whether the cart holds as many different SKUs as an order may."""
    count = db.session.scalar(select(func.count()).select_from(CartLine).where(CartLine.cart_id == cart_id))
    return (count or 0) >= MOST_LINES


def refuse_another_line(cart_id: int) -> None:
    """Raise `Invalid` when the cart is full."""
    if is_full(cart_id):
        raise Invalid({"sku": _("Keranjang ini penuh: paling banyak 100 macam karya untuk satu pesanan.")})


def _refuse_more_than_there_are(variant: Variant, wanted: int, own: Mapping[int, int]) -> None:
    available = pieces_for(variant, own)
    if wanted > available:
        raise OutOfStock([{"sku": variant.sku, "wanted": wanted, "available": max(available, 0)}])


def _put(cart_id: int, variant: Variant, quantity: int, *, keep_price: bool = False) -> None:
    """Write the line with today's price: this is the price that the shopper is shown now."""
    statement = insert(CartLine).values(
        cart_id=cart_id, variant_id=variant.id, quantity=quantity, unit_price_shown=variant.price
    )
    statement = statement.on_conflict_do_update(
        index_elements=[CartLine.cart_id, CartLine.variant_id],
        set_={"quantity": quantity} if keep_price else {"quantity": quantity, "unit_price_shown": variant.price},
    )
    db.session.execute(statement)
    carts.touch(cart_id)
