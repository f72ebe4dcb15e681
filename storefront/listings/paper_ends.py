"""Papers that end soon: each facility hears of it once for each paper and end."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import text

from storefront.days import today
from storefront.extensions import db
from storefront.listings import news

#: Days before its end on which a paper is spoken of.
SOON = 30
ENDING = text(
    """
    SELECT x.product_id, x.kind, x.valid_until, p.title, p.facility_id, f.code,
           EXISTS (SELECT FROM category_needs n WHERE n.category_id = p.category_id
                      AND x.kind = ANY (CASE n.need WHEN 'registration' THEN '{pirt,bpom}'
                                                    WHEN 'halal' THEN '{halal,not_halal}'
                                                    ELSE ARRAY[n.need] END::text[])) AS is_needed
      FROM product_papers x
      JOIN products p ON p.id = x.product_id AND p.status = 'published'
      JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
     WHERE x.valid_until BETWEEN :today AND :soon
     ORDER BY x.valid_until, x.id"""
)

OF_FACILITY = text(
    """
    SELECT x.product_id, p.title, p.slug, p.status, x.kind, x.number, x.issued_by, x.valid_until, x.document_key,
           p.status = 'published' AND NOT product_may_sell(p.id, :today) AS is_hidden
      FROM product_papers x JOIN products p ON p.id = x.product_id
     WHERE p.facility_id = :facility AND p.status <> 'archived' AND x.kind <> 'not_halal'
     ORDER BY x.valid_until NULLS LAST, p.title, x.kind"""
)


@dataclass(frozen=True)
class PaperRow:
    """A paper in a facility's list."""

    product_id: int
    title: str
    slug: str
    status: str
    kind: str
    number: str
    issued_by: str
    valid_until: datetime.date | None
    document_key: str | None
    #: Its product is public, and not shown: a paper or its workshop's declaration is not in force.
    is_hidden: bool

    @property
    def days_left(self) -> int | None:
        """Until its last day; negative: it has ended. None: it does not end."""
        return (self.valid_until - today()).days if self.valid_until else None


def queue_reminders() -> int:
    """Owe the letters for papers that end within 30 days; returns how many were new. Never commits."""
    day = today()
    told = 0
    for row in db.session.execute(ENDING, {"today": day, "soon": day + datetime.timedelta(days=SOON)}).mappings():
        about = {
            "title": row["title"],
            "paper": row["kind"],
            "ends_on": row["valid_until"].isoformat(),
            "is_needed": row["is_needed"],
            "path": f"/seller/{row['code']}/papers",
        }
        key = f"paper:{row['product_id']}:{row['kind']}:{row['valid_until']}"
        told += news.tell("paper_ends", row["facility_id"], key, about)
    return told


def of_facility(facility_id: int) -> list[PaperRow]:
    """Every paper of the facility's products that are or were public, the earliest end first."""
    rows = db.session.execute(OF_FACILITY, {"facility": facility_id, "today": today()}).mappings()
    return [PaperRow(**row) for row in rows]
