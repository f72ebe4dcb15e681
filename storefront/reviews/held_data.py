"""Reviews: shown to whoever wrote them, and forgotten but for the stars."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from storefront.orders.held_data import order_ids
from storefront.people import personal_data
from storefront.people.personal_data import Subject, Waits
from storefront.reviews import erase


@personal_data.holder
class Reviews:
    """Words, pictures and the city; public stars keep counting."""

    name = "reviews"
    title = _l("Ulasan Anda")
    covers = frozenset({"reviews.city"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        return erase.kept_of(order_ids(who))

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        return erase.forget(set(order_ids(who)) - held)
