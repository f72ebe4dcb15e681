"""What is kept of people who are told things: their devices, what they chose, and their views of lists."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from storefront.extensions import db
from storefront.notices.models import NoticeChoice, NoticeDelivery, PushDevice, SavedView
from storefront.people import personal_data
from storefront.people.held_data import person_of
from storefront.people.personal_data import Subject, Waits
from storefront.people.policy import is_staff


@personal_data.holder
class Notices:
    """Devices, choices and views of somebody who worked for a facility."""

    name = "notices"
    title = _l("Pemberitahuan dan tampilan tersimpan")
    covers = frozenset(
        {f"push_devices.{name}" for name in ("endpoint", "p256dh", "auth", "user_agent")}
        | {"saved_views.name", "notice_choices.by_email"}
    )

    def export(self, who: Subject) -> list[dict[str, Any]]:
        person = person_of(who)
        if person is None:
            return []
        devices = select(PushDevice).where(PushDevice.person_id == person.id).order_by(PushDevice.id)
        views = select(SavedView).where(SavedView.person_id == person.id).order_by(SavedView.id)
        chosen = select(NoticeChoice).where(NoticeChoice.person_id == person.id)
        return [
            *(
                {"device": row.user_agent, "endpoint": row.endpoint, "since": row.created_at.isoformat()}
                for row in db.session.scalars(devices)
            ),
            *({"view": row.name, "list": row.list, "query": row.query} for row in db.session.scalars(views)),
            *(
                {"told_of": row.kind, "by_email": row.by_email, "by_push": row.by_push}
                for row in db.session.scalars(chosen.order_by(NoticeChoice.facility_id, NoticeChoice.kind))
            ),
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        if person is None or is_staff(person) or person.is_demo:  # as their account itself
            return 0
        gone = 0
        for table in (NoticeDelivery, PushDevice, NoticeChoice, SavedView):
            result = db.session.execute(delete(table).where(table.person_id == person.id))
            gone += int(getattr(result, "rowcount", 0))
        return gone
