"""What lies beside a cart: put by for later, or just taken out and to be had back with one press.

A line moves in one statement that takes it from one place and puts it into another, with the cart locked: whoever
presses twice, or on two devices, moves it once.
"""

# The statements are put together from this file's own pieces; what people send are parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, delete, func, or_, select, text

from storefront.cart import carts
from storefront.cart.lines import MOST_LINES, MOST_PIECES, normal_sku, refuse_another_line
from storefront.cart.models import Cart, CartLine, KeptLine
from storefront.catalogue.models import Variant
from storefront.errors import Invalid
from storefront.extensions import db

_FIELDS = "cart_id, variant_id, quantity, unit_price_shown, added_at"
_ADD_UP = f"quantity = least(there.quantity + excluded.quantity, {MOST_PIECES})"
_LATEST = "unit_price_shown = excluded.unit_price_shown, kept_at = now()"
_INSTEAD = f"quantity = excluded.quantity, added_at = excluded.added_at, {_LATEST}"
# What lies there already adds up; in the cart the price that was last seen there counts.
_INTO_CART = f"""INSERT INTO cart_lines AS there ({_FIELDS}) SELECT {_FIELDS} FROM gone
    ON CONFLICT (cart_id, variant_id) DO UPDATE SET {_ADD_UP}"""
_ONTO_SHELF = f"""INSERT INTO kept_lines AS there ({_FIELDS}, shelf) SELECT {_FIELDS}, CAST(:shelf AS text) FROM gone
    ON CONFLICT (cart_id, variant_id, shelf) DO UPDATE SET"""
_WHICH = "cart_id = :cart_id AND variant_id = (SELECT id FROM variants WHERE sku = :sku)"


def save(cart_id: int, sku: Any) -> bool:
    """Put a line of the cart by for later. False when it is not there any more. Raises `CartClosed`, as do all here."""
    return _leave_cart(cart_id, sku, "saved", f"{_ADD_UP}, {_LATEST}")


def take_out(cart_id: int, sku: Any) -> bool:
    """Take a line out of the cart; `undo` brings it back as it was."""
    # The last time counts: taken out twice it comes back once.
    return _leave_cart(cart_id, sku, "removed", _INSTEAD)


def to_cart(cart_id: int, sku: Any) -> bool:
    """Put what was put by back into the cart, at the end. Raises `Invalid` when the cart is full."""
    return _enter_cart(cart_id, sku, "saved", added_at="now()")


def drop(cart_id: int, sku: Any) -> bool:
    """Take a line off those put by; `undo` brings it back."""
    carts.lock_open(cart_id)
    return _moved(
        f"""WITH gone AS (DELETE FROM kept_lines WHERE {_WHICH} AND shelf = 'saved' RETURNING {_FIELDS})
            {_ONTO_SHELF} {_INSTEAD}""",
        cart_id,
        sku,
        shelf="unsaved",
    )


def undo(cart_id: int, sku: Any) -> bool:
    """Put back what was taken out, to where and as it was. Raises `Invalid` when the cart is full."""
    if taken_from(cart_id, sku) != "unsaved":
        return _enter_cart(cart_id, sku, "removed")
    carts.lock_open(cart_id)
    return _moved(
        f"""WITH gone AS (DELETE FROM kept_lines WHERE {_WHICH} AND shelf = 'unsaved' RETURNING {_FIELDS})
            {_ONTO_SHELF} {_ADD_UP}, kept_at = now()""",
        cart_id,
        sku,
        shelf="saved",
    )


def carts_of(cart_id: int | None, token: str | None, person_id: int | None) -> list[int]:
    """The ids of the carts whose shelves are this visitor's: the current one, and those that became orders."""
    whose: list[ColumnElement[bool]] = []
    if token:
        free = or_(Cart.person_id.is_(None), Cart.person_id == person_id)
        whose.append((Cart.token_hash == carts.token_hash(token)) & free)
    if person_id is not None:
        whose.append(Cart.person_id == person_id)
    found: list[int] = [cart_id] if cart_id is not None else []
    if whose:
        has = select(KeptLine.cart_id).where(KeptLine.cart_id == Cart.id, KeptLine.shelf == "saved").exists()
        query = select(Cart.id).where(or_(*whose), has, Cart.id != (cart_id or 0)).order_by(Cart.id)
        found += db.session.scalars(query)
    return found


def begin(token: str | None, person_id: int | None) -> tuple[Cart, str]:
    """A new, empty cart and its token, with what this visitor has put by beside it."""
    before = carts_of(None, token, person_id)
    cart, fresh = carts.create(person_id)
    gather(cart.id, before)
    return cart, fresh


def gather(cart_id: int, others: Collection[int]) -> None:
    """Bring what was put by in `others` onto the shelf of the cart `cart_id`; it adds up. Never commits."""
    others = [other for other in others if other != cart_id]
    if not others:
        return
    db.session.execute(
        text(f"""WITH gone AS (DELETE FROM kept_lines WHERE cart_id = ANY(:others) AND shelf = 'saved' RETURNING *)
            INSERT INTO kept_lines AS there ({_FIELDS}, shelf)
            SELECT :cart_id, variant_id, least(sum(quantity), {MOST_PIECES}),
                   (array_agg(unit_price_shown ORDER BY kept_at DESC))[1], min(added_at), 'saved'
              FROM gone GROUP BY variant_id
            ON CONFLICT (cart_id, variant_id, shelf) DO UPDATE SET {_ADD_UP}"""),
        {"others": others, "cart_id": cart_id},
    )


def taken_from(cart_id: int, sku: Any) -> str | None:
    """The shelf of what was last taken out under this SKU and can be had back; None if there is nothing."""
    query = select(KeptLine.shelf).join(Variant, Variant.id == KeptLine.variant_id)
    query = query.where(KeptLine.cart_id == cart_id, Variant.sku == normal_sku(sku), KeptLine.shelf != "saved")
    shelf: str | None = db.session.scalar(query.order_by(KeptLine.kept_at.desc()).limit(1))
    return shelf


def _leave_cart(cart_id: int, sku: Any, shelf: str, conflict: str) -> bool:
    carts.lock_open(cart_id)
    _refuse_full_shelf(cart_id, shelf)
    return _moved(
        f"WITH gone AS (DELETE FROM cart_lines WHERE {_WHICH} RETURNING {_FIELDS}) {_ONTO_SHELF} {conflict}",
        cart_id,
        sku,
        shelf=shelf,
    )


def _enter_cart(cart_id: int, sku: Any, shelf: str, *, added_at: str = "added_at") -> bool:
    carts.lock_open(cart_id)
    variant = select(Variant.id).where(Variant.sku == normal_sku(sku)).scalar_subquery()
    here = CartLine.cart_id == cart_id
    if db.session.scalar(select(CartLine.quantity).where(here, CartLine.variant_id == variant)) is None:
        refuse_another_line(cart_id)
    fields = _FIELDS.replace("added_at", f"{added_at} AS added_at")
    return _moved(
        f"WITH gone AS (DELETE FROM kept_lines WHERE {_WHICH} AND shelf = :shelf RETURNING {fields}) {_INTO_CART}",
        cart_id,
        sku,
        shelf=shelf,
    )


def _refuse_full_shelf(cart_id: int, shelf: str) -> None:
    on_it = (KeptLine.cart_id == cart_id) & (KeptLine.shelf == shelf)
    count = db.session.scalar(select(func.count()).select_from(KeptLine).where(on_it)) or 0
    if count < MOST_LINES:
        return
    if shelf == "saved":
        raise Invalid({"sku": _("Paling banyak 100 macam karya dapat disimpan untuk nanti.")})
    db.session.execute(delete(KeptLine).where(on_it))


def _moved(statement: str, cart_id: int, sku: Any, *, shelf: str) -> bool:
    moved = db.session.execute(text(statement), {"cart_id": cart_id, "sku": normal_sku(sku), "shelf": shelf})
    carts.touch(cart_id)
    return bool(moved.rowcount)  # type: ignore[attr-defined]
