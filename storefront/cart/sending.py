"""A signed link by which a cart is brought to another device: it says which cart, for a day, and nothing about anybody.

Whoever opens it may put the same goods into a cart of their own; the cart that it names stays whose it is, and cannot
be changed or ordered by it.
"""

from __future__ import annotations

import datetime
import hashlib

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from storefront.cart.models import Cart
from storefront.errors import NotFound
from storefront.extensions import db

#: A link is for now, not for keeping.
VALID = datetime.timedelta(hours=24)


def link_token(cart_id: int) -> str:
    """What the link to a cart carries; valid from now on for a day."""
    return _serializer().dumps(cart_id)


def cart_of(token: str) -> Cart:
    """The open cart that a link names. Raises NotFound alike for a forged link, one that has ended, an ordered cart."""
    try:
        cart_id = _serializer().loads(token, max_age=int(VALID.total_seconds()))
    except BadData as error:
        raise NotFound() from error
    cart = db.session.scalar(select(Cart).where(Cart.id == cart_id, Cart.order_id.is_(None)))
    if cart is None:
        raise NotFound()
    return cart


def _serializer() -> URLSafeTimedSerializer:
    secret = str(current_app.config["SECRET_KEY"])
    how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(secret, salt="storefront cart link", signer_kwargs=how)
