"""Addresses and wishes of an account: shown to their owner and deleted when they wish. Orders keep their own copies."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.extensions import db
from storefront.people import personal_data
from storefront.people.held_data import person_of
from storefront.people.personal_data import Subject, Waits
from storefront.shoppers import addresses, wishes
from storefront.shoppers.models import Wish


@personal_data.holder
class SavedAddresses:
    """Where things are sent."""

    name = "saved_addresses"
    title = _l("Alamat tersimpan")
    covers = frozenset(f"saved_addresses.{column}" for column in (*addresses.FIELDS, "person_id"))

    def export(self, who: Subject) -> list[dict[str, Any]]:
        person = person_of(who)
        saved = addresses.addresses_of(person.id) if person else ()
        return [{name: getattr(one, name) for name in (*addresses.FIELDS, "is_preferred")} for one in saved]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        return addresses.forget(person.id) if person else 0


@personal_data.holder
class Wishes:
    """What they would like to have."""

    name = "wishes"
    title = _l("Daftar keinginan")
    covers = frozenset({"wishes.person_id"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        person = person_of(who)
        if person is None:
            return []
        rows = db.session.execute(
            select(Product.slug, Wish.price_saved, Wish.saved_at)
            .join(Product, Product.id == Wish.product_id)
            .where(Wish.person_id == person.id)
            .order_by(Wish.saved_at, Wish.product_id)
        )
        return [
            {"product": row.slug, "price": row.price_saved, "saved_at": row.saved_at.isoformat()} for row in rows
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        return wishes.forget(person.id) if person else 0
