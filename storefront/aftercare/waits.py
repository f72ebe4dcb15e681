"""What shoppers report of their parcels, and want their money back for."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.aftercare import lists
from storefront.display import format_day
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action


@source(Action.REFUNDS_READ)
def problems(asked: Asked) -> Iterable[Waits]:
    """Reports that wait for an answer; the office decides those that are late."""
    found = lists.waiting([asked.facility_id])
    if not found.open or found.next is None:
        return
    label = ngettext("laporan pembeli menunggu jawaban", "laporan pembeli menunggu jawaban", found.open)
    note = _("jawab paling lambat %(date)s", date=format_day(found.next))
    urgency = Urgency.TODAY if found.next <= asked.day else Urgency.SOON
    yield Waits("problem", urgency, found.open, label, note, _("Jawab"), "problems", "flag", on=found.next)
