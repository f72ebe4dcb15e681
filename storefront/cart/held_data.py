"""A signed-in person's cart. A guest's is found by its cookie alone, and nobody knows whose it is."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update

from storefront.cart.models import Cart, CartLine, KeptLine
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
    covers = frozenset({"carts.person_id", "carts.place"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        person = person_of(who)
        if person is None:
            return []
        own = Cart.person_id == person.id
        places = db.session.scalars(select(Cart.place).where(own, Cart.place.is_not(None)))
        found: list[dict[str, Any]] = [{"place": place} for place in places]
        for source, more, where in (
            (CartLine, {}, own & Cart.order_id.is_(None)),
            (KeptLine, {"saved_for_later": True}, own & (KeptLine.shelf == "saved")),
        ):
            rows = db.session.execute(
                select(Variant.sku, source.quantity, source.added_at)
                .join(Cart, Cart.id == source.cart_id)
                .join(Variant, Variant.id == source.variant_id)
                .where(where)
                .order_by(source.added_at)
            )
            found += [
                {"sku": row.sku, "quantity": row.quantity, "added_at": row.added_at.isoformat(), **more} for row in rows
            ]
        return found

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        if person is None:
            return 0
        own = select(Cart.id).where(Cart.person_id == person.id)
        db.session.execute(delete(KeptLine).where(KeptLine.cart_id.in_(own)))
        gone = db.session.execute(delete(Cart).where(Cart.person_id == person.id, Cart.order_id.is_(None)))
        db.session.execute(update(Cart).where(Cart.person_id == person.id).values(person_id=None))
        return int(getattr(gone, "rowcount", 0))
