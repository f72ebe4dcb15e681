"""A signed-in person's cart. A guest's is found by its cookie alone, and nobody knows whose it is."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update

from storefront.cart.models import Cart, CartLine
from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.people import personal_data
from storefront.people.held_data import person_of
from storefront.people.personal_data import Subject, Waits


@personal_data.holder
class Carts:
    """Open carts of an account."""

    name = "carts"
    title = _l("Keranjang")
    covers = frozenset({"carts.person_id"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        person = person_of(who)
        if person is None:
            return []
        rows = db.session.execute(
            select(Variant.sku, CartLine.quantity, CartLine.added_at)
            .join(Cart, Cart.id == CartLine.cart_id)
            .join(Variant, Variant.id == CartLine.variant_id)
            .where(Cart.person_id == person.id, Cart.order_id.is_(None))
            .order_by(CartLine.added_at)
        )
        return [{"sku": row.sku, "quantity": row.quantity, "added_at": row.added_at.isoformat()} for row in rows]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        if person is None:
            return 0
        gone = db.session.execute(delete(Cart).where(Cart.person_id == person.id, Cart.order_id.is_(None)))
        db.session.execute(update(Cart).where(Cart.person_id == person.id).values(person_id=None))
        return int(getattr(gone, "rowcount", 0))
