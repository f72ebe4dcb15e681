"""*Beli lagi*: what an order held is put into the cart as it is on sale today, and what is not is said line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storefront.cart import lines
from storefront.catalogue.models import Variant
from storefront.errors import Invalid, ListingUnavailable, OutOfStock, UnknownSku
from storefront.extensions import db
from storefront.orders.models import OrderLine


@dataclass(frozen=True)
class Again:
    """What became of one line of the earlier order."""

    sku: str
    title: str
    wanted: int
    #: Pieces of it that lie in the cart now.
    put: int
    #: `ok`, `fewer` (all that is left), `sold_out`, `gone` (not on sale any more) or `full` (the cart is).
    outcome: str
    #: Rupiah of one piece, then and today (None: not on sale).
    price_then: int
    price_now: int | None

    @property
    def is_dearer(self) -> bool:
        return self.price_now is not None and self.price_now != self.price_then


def put_again(
    cart_id: int, order_id: int, *, english: bool = False, own: Mapping[int, int] = lines.NOTHING
) -> list[Again]:
    """Put the pieces of an earlier order into a cart at today's prices, as far as they are there.

    What lies in the cart already is raised to the order's number and never added to it, so pressing twice is
    pressing once. `own` as in `lines.add`. Never commits. Raises CartClosed.
    """
    found = db.session.scalars(
        select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    ).all()
    wanted: dict[str, int] = {}
    for line in found:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    first = {line.sku: line for line in reversed(found)}
    return [_one(cart_id, first[sku], quantity, english, own) for sku, quantity in wanted.items()]


def missing(result: Sequence[Again]) -> list[Again]:
    """The lines of which something could not be put into the cart, or costs another price now."""
    return [line for line in result if line.outcome != "ok" or line.is_dearer]


def _one(cart_id: int, line: OrderLine, wanted: int, english: bool, own: Mapping[int, int]) -> Again:
    outcome, put, price = "ok", wanted, None
    try:
        variant = lines.on_sale(line.sku)
    except (UnknownSku, ListingUnavailable):
        outcome, put = "gone", 0
    else:
        price = variant.price
        outcome, put = _put(cart_id, variant, wanted, own)
    title = (line.title_en if english else "") or line.title
    part = (line.variant_title_en if english else "") or line.variant_title
    return Again(line.sku, f"{title} · {part}" if part else title, wanted, put, outcome, line.unit_price, price)


def _put(cart_id: int, variant: Variant, wanted: int, own: Mapping[int, int]) -> tuple[str, int]:
    there = lines.pieces_there(cart_id, variant)
    if there >= wanted:
        return "ok", there
    try:
        lines.add(cart_id, variant.sku, wanted - there, own=own)
    except OutOfStock as refusal:
        available = int(refusal.extra["lines"][0]["available"])
        if available <= 0:
            return "sold_out", 0
        if available > there:
            lines.add(cart_id, variant.sku, available - there, own=own)
        return "fewer", max(available, there)
    except Invalid:
        return "full", there
    return "ok", wanted
