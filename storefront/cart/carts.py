"""Carts: found by a random token, of which only the hash is kept.

A guest's cart belongs to whoever holds its token. A person who signs in takes their guest's cart along
(see `merge`); from then on it is theirs, on every device, and no longer shown to a guest with the cookie.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets

from sqlalchemy import ColumnElement, Delete, delete, or_, select, update
from sqlalchemy.sql import func

from storefront.cart.models import Cart, CartKeeping, KeptLine
from storefront.days import today
from storefront.errors import CartClosed, NotFound
from storefront.extensions import db
from storefront.orders.models import Order, OrderState

#: What was taken out can be had back for so long.
UNDONE = datetime.timedelta(days=1)
#: 192 random bits, 32 letters.
TOKEN_BYTES = 24


def token_hash(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def create(person_id: int | None = None) -> tuple[Cart, str]:
    """A new, empty cart and its token, which is shown this once."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    cart = Cart(token_hash=token_hash(token), person_id=person_id)
    db.session.add(cart)
    db.session.flush()
    return cart, token


def by_token(token: str) -> Cart:
    """The cart with this token, open or ordered. Raises `NotFound`."""
    cart = db.session.scalar(select(Cart).where(Cart.token_hash == token_hash(token)))
    if cart is None:
        raise NotFound()
    return cart


def current(token: str | None, person_id: int | None) -> Cart | None:
    """The open cart of this visitor: the token's, else the newest of the person who is signed in."""
    found = _first(token, person_id, Cart.order_id.is_(None))
    if found is None and person_id is not None:
        query = select(Cart).where(Cart.person_id == person_id, Cart.order_id.is_(None))
        found = db.session.scalar(query.order_by(Cart.updated_at.desc(), Cart.id.desc()).limit(1))
    return found


def of_visitor(cart_id: int, token: str | None, person_id: int | None) -> Cart | None:
    """The cart `cart_id`, open or ordered, if it is this visitor's; for a form that was sent twice."""
    found = _first(token, person_id, Cart.id == cart_id)
    if found is None and person_id is not None:
        found = db.session.scalar(select(Cart).where(Cart.id == cart_id, Cart.person_id == person_id))
    return found


def waiting_order(token: str | None, person_id: int | None) -> str | None:
    """The number of the order that this visitor's cart has become, while it waits to be paid."""
    found = _first(token, person_id, Cart.order_id.is_not(None))
    if found is None:
        return None
    order = select(Order.number).where(Order.id == found.order_id, Order.state == OrderState.AWAITING_PAYMENT.value)
    return db.session.scalar(order.where(Order.expires_at > func.now()))


def _first(token: str | None, person_id: int | None, condition: ColumnElement[bool]) -> Cart | None:
    if not token:
        return None
    whose = or_(Cart.person_id.is_(None), Cart.person_id == person_id)
    return db.session.scalar(select(Cart).where(Cart.token_hash == token_hash(token), whose, condition))


def lock(cart_id: int) -> Cart:
    """The cart, locked until the transaction ends, as it is now. Raises `NotFound`."""
    query = select(Cart).where(Cart.id == cart_id).with_for_update()
    cart = db.session.scalar(query.execution_options(populate_existing=True))
    if cart is None:
        raise NotFound()
    return cart


def lock_open(cart_id: int) -> Cart:
    """`lock`, for a cart that is about to change. Raises `CartClosed` when it has been ordered."""
    cart = lock(cart_id)
    if cart.order_id is not None:
        raise CartClosed()
    return cart


def kept_for() -> datetime.timedelta:
    """How long a cart is kept after its last change, by the setting in force today; its cookie lives as long.

    Raises LookupError when nothing is in force: the migration wrote the first.
    """
    query = select(CartKeeping.days).where(CartKeeping.valid_from <= today())
    days = db.session.scalar(query.order_by(CartKeeping.valid_from.desc()).limit(1))
    if days is None:
        raise LookupError("no setting for keeping carts is in force")
    return datetime.timedelta(days=days)


def forget_old() -> int:
    """Delete carts that nobody has touched for as long as their cookie lives; returns how many.

    An ordered cart stays, its key still has to give the same answer; what was put by beside it goes. What was taken
    out and not asked back goes after a day.
    """
    is_old = Cart.updated_at < func.now() - kept_for()
    old = select(Cart.id).where(is_old)
    _delete(delete(KeptLine).where(KeptLine.cart_id.in_(old)))
    _delete(delete(KeptLine).where(KeptLine.shelf != "saved", KeptLine.kept_at < func.now() - UNDONE))
    # A cart that is being changed at this moment is not old: its row is looked at again once it is free.
    return _delete(delete(Cart).where(Cart.order_id.is_(None), is_old))


def _delete(statement: Delete) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(getattr(result, "rowcount", 0))


def touch(cart_id: int) -> None:
    """Note that the cart was used, so that it is kept."""
    db.session.execute(update(Cart).where(Cart.id == cart_id).values(updated_at=func.now()))
