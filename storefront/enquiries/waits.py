"""Questions that wait for the facility's answer."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.display import format_day
from storefront.enquiries.inbox import open_since
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action


@source(Action.ENQUIRIES_READ)
def questions(asked: Asked) -> Iterable[Waits]:
    """How many wait, and since when the first does."""
    count, since = open_since(asked.facility_id)
    if not count or since is None:
        return
    day = asked.day_of(since)
    label = ngettext("pertanyaan menunggu jawaban", "pertanyaan menunggu jawaban", count)
    note = _("yang pertama sejak %(day)s", day=format_day(day))
    page, on = "questions?state=open", day
    yield Waits("question", Urgency.SOON, count, label, note, _("Jawab"), page, "help", on=on)
