"""Training records that wait for the facility: sent back by the office, or over and without results."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import text

from storefront.display import format_day
from storefront.extensions import db
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action

WAITING = text(
    """SELECT count(*) FILTER (WHERE state = 'rejected') AS sent_back,
              count(*) FILTER (WHERE state = 'recorded') AS without_results,
              min(ended_on) FILTER (WHERE state = 'recorded') AS since
         FROM training_programmes
        WHERE facility_id = :facility
          AND (state = 'rejected'
               OR (state = 'recorded' AND (passed IS NULL OR certified IS NULL) AND ended_on < :day))"""
)


@source(Action.TRAINING_WRITE)
def records(asked: Asked) -> Iterable[Waits]:
    """How many the office sent back, and how many are over and lack their results."""
    row = db.session.execute(WAITING, {"facility": asked.facility_id, "day": asked.day}).one()
    if row.sent_back:
        label = ngettext(
            "catatan pelatihan dikembalikan kantor pusat", "catatan pelatihan dikembalikan kantor pusat", row.sent_back
        )
        note = _("Perbaiki sesuai alasannya, lalu kirim lagi.")
        page = "training?state=rejected"
        yield Waits("training_back", Urgency.SOON, row.sent_back, label, note, _("Perbaiki"), page, "clock")
    if row.without_results:
        label = ngettext("pelatihan selesai tanpa hasil", "pelatihan selesai tanpa hasil", row.without_results)
        note = _("yang pertama selesai %(day)s", day=format_day(row.since))
        page = "training?state=recorded&sort=ended"
        count, button = row.without_results, _("Tulis hasilnya")
        yield Waits("training_results", Urgency.OPEN, count, label, note, button, page, "clock", on=row.since)
