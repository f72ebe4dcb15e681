"""Pieces to send to a fair: planned and not yet sent, or sold out at its stand while the store still has some."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import text

from storefront.display import format_day
from storefront.exhibitions.brought import NARROWED
from storefront.extensions import db
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action

#: Days before a fair opens from which its stand should be full.
BEFORE = 14
WORKS = text(
    f"""
    SELECT x.slug, x.name, x.starts_on, x.ends_on, n.missing, n.sold_out, n.works
      FROM exhibitions x JOIN exhibition_facilities f ON f.exhibition_id = x.id AND f.facility_id = :facility
     CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE {NARROWED["missing"]}) AS missing,
               count(*) FILTER (WHERE {NARROWED["sold_out"]}) AS sold_out,
               count(*) FILTER (WHERE ({NARROWED["missing"]}) OR ({NARROWED["sold_out"]})) AS works
          FROM exhibition_pieces e
          LEFT JOIN exhibition_sent t USING (exhibition_id, facility_id, variant_id)
          LEFT JOIN stock_locations sl ON sl.exhibition_id = e.exhibition_id
          LEFT JOIN stock_levels s ON s.location_id = sl.id AND s.variant_id = e.variant_id
          LEFT JOIN stock_locations hl ON hl.facility_id = e.facility_id
          LEFT JOIN stock_levels h ON h.location_id = hl.id AND h.variant_id = e.variant_id
         WHERE e.exhibition_id = x.id AND e.facility_id = :facility) n
     WHERE x.ends_on >= :day AND x.starts_on <= CAST(:day AS date) + CAST(:before AS integer) AND n.works > 0
     ORDER BY x.starts_on, x.id"""  # noqa: S608 - pieces of our own, no word of anybody's
)


@source(Action.EXHIBITIONS_BRING)
def stands(asked: Asked) -> Iterable[Waits]:
    """Fairs that run or soon open, with the works of which pieces are still to be sent."""
    values = {"facility": asked.facility_id, "day": asked.day, "before": BEFORE}
    for row in db.session.execute(WORKS, values):
        label = ngettext(
            "karya perlu dikirim ke %(fair)s", "karya perlu dikirim ke %(fair)s", row.works, fair=row.name
        )
        parts = []
        if row.missing:
            parts.append(_("%(count)d dari rencana belum dikirim", count=row.missing))
        if row.sold_out:
            parts.append(_("%(count)d habis di stan, masih ada di UPT", count=row.sold_out))
        if row.starts_on > asked.day:
            parts.append(_("pameran mulai %(day)s", day=format_day(row.starts_on)))
        else:
            parts.append(_("pameran sampai %(day)s", day=format_day(row.ends_on)))
        yield Waits(
            "exhibition",
            Urgency.OPEN,
            row.works,
            label,
            "; ".join(parts),
            _("Kirim ke stan"),
            f"exhibitions/{row.slug}",
            "store",
            on=row.starts_on,
        )


ON_THE_WAY = text(
    """
    SELECT x.slug, x.name, count(*) AS returns, min(r.packed_at)::date AS first_day
      FROM exhibition_returns r JOIN exhibitions x ON x.id = r.exhibition_id
     WHERE r.facility_id = :facility AND r.called_back_at IS NULL
       AND NOT EXISTS (SELECT FROM exhibition_arrivals a
                        WHERE (a.exhibition_id, a.facility_id, a.return_number)
                            = (r.exhibition_id, r.facility_id, r.number) AND a.undone_at IS NULL)
     GROUP BY x.id ORDER BY first_day, x.id"""
)


@source(Action.EXHIBITIONS_BRING)
def returns(asked: Asked) -> Iterable[Waits]:
    """Pieces that left a fair's stand and that nobody has counted in the store."""
    for row in db.session.execute(ON_THE_WAY, {"facility": asked.facility_id}):
        yield Waits(
            "exhibition_return",
            Urgency.OPEN,
            row.returns,
            ngettext(
                "kiriman pulang dari %(fair)s", "kiriman pulang dari %(fair)s", row.returns, fair=row.name
            ),
            _("hitung saat tiba; sebelum itu isinya tidak dijual di mana pun"),
            _("Hitung yang pulang"),
            f"exhibitions/{row.slug}#pulang",
            "boxes",
            on=row.first_day,
        )
