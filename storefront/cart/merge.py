"""What happens to carts when their owner signs in."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.cart import carts
from storefront.cart.lines import MOST_LINES, MOST_PIECES
from storefront.cart.models import Cart, CartLine
from storefront.extensions import db


def merge_into(person_id: int, token: str | None) -> None:
    """Give the guest's open cart `token` to the person, with what lay in their other open carts.

    Of what lies in several the larger number is kept, so that signing in twice changes nothing. A cart
    that is ordered, unknown or somebody else's is left alone. Never commits.
    """
    guest = carts.current(token, person_id) if token else None
    if guest is None:
        return
    query = select(Cart.id).where(Cart.person_id == person_id, Cart.order_id.is_(None), Cart.id != guest.id)
    others = list(db.session.scalars(query))
    # One order for all that lock several carts, so that two sign-ins cannot wait for each other.
    locked = {cart_id: carts.lock(cart_id) for cart_id in sorted([guest.id, *others])}
    if locked[guest.id].order_id is not None or locked[guest.id].person_id not in (None, person_id):
        return
    others = [cart_id for cart_id in others if locked[cart_id].order_id is None]
    if others:
        _move_lines(others, guest.id)
        db.session.execute(delete(CartLine).where(CartLine.cart_id.in_(others)))
        db.session.execute(delete(Cart).where(Cart.id.in_(others)))
    locked[guest.id].person_id = person_id
    carts.touch(guest.id)


def _move_lines(sources: list[int], target: int) -> None:
    there = select(func.count()).select_from(CartLine).where(CartLine.cart_id == target).scalar_subquery()
    room = db.session.scalar(select(MOST_LINES - there)) or 0
    already = select(CartLine.variant_id).where(CartLine.cart_id == target)
    lines = db.session.execute(
        select(
            CartLine.variant_id,
            func.max(CartLine.quantity),
            func.max(CartLine.unit_price_shown),
            CartLine.variant_id.in_(already),
        )
        .where(CartLine.cart_id.in_(sources))
        .group_by(CartLine.variant_id)
        .order_by(func.max(CartLine.added_at).desc())
    ).all()
    for variant_id, quantity, price, is_there in lines:
        if not is_there:
            if room <= 0:
                continue
            room -= 1
        statement = insert(CartLine).values(
            cart_id=target, variant_id=variant_id, quantity=min(quantity, MOST_PIECES), unit_price_shown=price
        )
        larger = func.greatest(CartLine.quantity, statement.excluded.quantity)
        keys = [CartLine.cart_id, CartLine.variant_id]
        db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_={"quantity": larger}))
