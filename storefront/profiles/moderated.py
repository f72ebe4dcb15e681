"""A facility's texts in the curators' queue."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.moderation.kinds import Kind, Said, Shown, register
from storefront.profiles.models import ProfileText
from storefront.profiles.write import KIND, show_newest


def shown(ids: Iterable[int]) -> dict[int, Shown]:
    """Texts beside what the public reads until they are let through."""
    rows = db.session.execute(
        select(ProfileText, Facility, Workshop)
        .join(Facility, Facility.id == ProfileText.facility_id)
        .outerjoin(Workshop, Workshop.id == ProfileText.workshop_id)
        .where(ProfileText.id.in_(set(ids)))
    )
    found = {}
    for row, facility, workshop in rows:
        now = workshop or facility
        before = (now.about, now.about_en, facility.contact if workshop is None else now.name)
        found[row.id] = Shown(
            "\n\n".join(filter(None, (row.name, row.about, row.about_en, row.contact))),
            product_title=workshop.name if workshop else facility.name,
            city=facility.city,
            around=(Said("facility", "\n\n".join(filter(None, before))),)
            if not row.is_shown and any(before)
            else (),
        )
    return found


def apply(text_id: int, is_public: bool) -> None:
    """Show it, or the newest that was let through before it."""
    row = db.session.get_one(ProfileText, text_id)
    db.session.get_one(Facility, row.facility_id, with_for_update={"key_share": True})
    row = db.session.get_one(ProfileText, text_id, with_for_update=True, populate_existing=True)
    row.is_shown = is_public and row.replaced_at is None
    db.session.flush()
    show_newest(row.facility_id, row.workshop_id)


register(Kind(KIND, shown, apply))
