"""Pieces to send to a fair's stand: sold out there, while the store still has some."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import text

from storefront.display import format_day
from storefront.extensions import db
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action

#: Days before a fair opens from which its stand should be full.
BEFORE = 14
EMPTY = text(
    """
    SELECT x.name, x.starts_on, x.ends_on, count(*) AS works
      FROM exhibitions x
      JOIN stock_locations l ON l.exhibition_id = x.id
      JOIN stock_levels s ON s.location_id = l.id
      JOIN variants v ON v.id = s.variant_id AND v.is_active
      JOIN products p ON p.id = v.product_id AND p.facility_id = :facility
      JOIN stock_locations o ON o.facility_id = :facility
      JOIN stock_levels h ON h.location_id = o.id AND h.variant_id = v.id
     WHERE x.ends_on >= :day AND x.starts_on <= CAST(:day AS date) + CAST(:before AS integer)
       AND s.on_hand - s.reserved <= 0 AND h.on_hand - h.reserved > 0
     GROUP BY x.id, x.name, x.starts_on, x.ends_on ORDER BY x.starts_on, x.id"""
)


@source(Action.EXHIBITIONS_BRING)
def stands(asked: Asked) -> Iterable[Waits]:
    """Fairs that run or soon open, with what is missing at the stand."""
    values = {"facility": asked.facility_id, "day": asked.day, "before": BEFORE}
    for row in db.session.execute(EMPTY, values):
        label = ngettext(
            "karya perlu dikirim ke %(fair)s", "karya perlu dikirim ke %(fair)s", row.works, fair=row.name
        )
        note = _("habis di stan, masih ada di UPT; pameran sampai %(day)s", day=format_day(row.ends_on))
        page = "products?status=published"
        yield Waits(
            "exhibition",
            Urgency.OPEN,
            row.works,
            label,
            note,
            _("Lihat stok"),
            page,
            "store",
            on=row.starts_on,
        )
