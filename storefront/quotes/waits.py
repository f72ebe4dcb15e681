"""Quotes that wait for somebody in the facility: wished for, and about to end."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import text

from storefront.display import format_day
from storefront.extensions import db
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action

#: A quote that ends within so many days is told of.
SOON = datetime.timedelta(days=3)
#: Wishes without any quote whose first message may be read.
WISHED = text(
    """SELECT count(*), min(e.created_at) FROM enquiries e
        WHERE e.facility_id = :facility AND e.kind = 'large_order'
          AND NOT EXISTS (SELECT FROM quotes q WHERE q.enquiry_id = e.id AND q.state <> 'draft')
          AND EXISTS (SELECT FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.author = 'asker' AND m.is_shown)
          AND NOT EXISTS (SELECT FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.author = 'facility')"""
)
ENDING = text(
    """SELECT count(*), min(valid_until) FROM quotes
        WHERE facility_id = :facility AND state = 'sent'
          AND valid_until BETWEEN accounting_date(now()) AND accounting_date(now()) + 3"""
)


@source(Action.ENQUIRIES_READ)
def quotes(asked: Asked) -> Iterable[Waits]:
    """How many large orders wait for a quote, and how many quotes end within days."""
    count, since = db.session.execute(WISHED, {"facility": asked.facility_id}).one()
    if count:
        day = asked.day_of(since)
        label = ngettext("permintaan menunggu penawaran", "permintaan menunggu penawaran", count)
        note = _("yang pertama sejak %(day)s", day=format_day(day))
        page = "questions?state=open"
        yield Waits("quote_wanted", Urgency.SOON, count, label, note, _("Tawarkan"), page, "help", on=day)
    count, last = db.session.execute(ENDING, {"facility": asked.facility_id}).one()
    if count:
        label = ngettext("penawaran segera berakhir", "penawaran segera berakhir", count)
        note = _("yang pertama %(day)s", day=format_day(last))
        yield Waits("quote_ends", Urgency.SOON, count, label, note, _("Lihat"), "quotes?state=sent", "clock", on=last)
