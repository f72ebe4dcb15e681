"""Questions that shoppers asked: shown to them, and forgotten as their words allow."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from storefront.enquiries import erase
from storefront.orders.held_data import order_ids
from storefront.people import personal_data
from storefront.people.held_data import person_of
from storefront.people.personal_data import Subject, Waits


@personal_data.holder
class Questions:
    """Threads with an office. A public question stays, said by nobody."""

    name = "questions"
    title = _l("Pertanyaan Anda")
    covers = frozenset({"enquiry_contacts.email", "enquiries.city"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        return erase.kept_of(order_ids(who), who.email, _person_id(who))

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        return erase.forget(set(order_ids(who)) - held, who.email, _person_id(who))


def _person_id(who: Subject) -> int | None:
    person = person_of(who)
    return person.id if person else None
