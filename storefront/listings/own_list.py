"""All that a facility lists or writes, in one list: drafts and products, found by state and words."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

from storefront.extensions import db

PAGE = 25
#: Filters, in the order of a listing's life. `proposal`: on sale, with changes written.
STATES = ("draft", "sent_back", "in_review", "published", "proposal", "unpublished", "archived")
SORTS = {
    "changed": "changed_at DESC, key DESC",
    "title": "lower(title), key",
    "state": "array_position(ARRAY['sent_back','draft','in_review','proposal','published','unpublished','archived'],"
    " state), changed_at DESC, key DESC",
}

ROWS = """
SELECT COALESCE('p' || p.id, 'd' || d.id) AS key, p.id AS product_id, p.slug, p.status, d.id AS draft_id,
       d.state AS draft_state, d.note,
       COALESCE(NULLIF(CASE WHEN :english THEN p.title_en END, ''), p.title, d.content->>'title', '') AS title,
       COALESCE(NULLIF(CASE WHEN :english THEN c.name_en END, ''), c.name, '') AS category,
       GREATEST(p.updated_at, d.changed_at) AS changed_at, who.name AS changed_by, offer.price, offer.variants,
       COALESCE(listed.photo, drafted.photo) AS photo,
       CASE WHEN p.status = 'archived' THEN 'archived'
            WHEN d.state = 'sent_back' THEN 'sent_back'
            WHEN d.state IN ('in_review', 'approved') OR p.status = 'in_review' THEN 'in_review'
            WHEN p.id IS NULL THEN 'draft'
            WHEN p.status = 'draft' THEN 'unpublished'
            WHEN d.id IS NOT NULL THEN 'proposal'
            ELSE 'published' END AS state
  FROM (SELECT * FROM products WHERE facility_id = :facility_id) p
  FULL JOIN (SELECT * FROM listing_drafts WHERE facility_id = :facility_id) d ON d.product_id = p.id
  LEFT JOIN categories c ON c.id::text = COALESCE(p.category_id::text, d.content->>'category')
  LEFT JOIN people who ON who.id = d.changed_by
  LEFT JOIN LATERAL (SELECT min(price) AS price, count(*) AS variants FROM variants v
                      WHERE v.product_id = p.id AND v.is_active) offer ON true
  LEFT JOIN LATERAL (SELECT to_json(x) AS photo FROM photos x WHERE x.product_id = p.id
                      ORDER BY x.position LIMIT 1) listed ON true
  LEFT JOIN LATERAL (SELECT to_json(x) AS photo FROM draft_photos x
                      WHERE x.draft_id = d.id AND x.state = 'ready' AND x.position IS NOT NULL
                      ORDER BY x.position LIMIT 1) drafted ON true"""

#: What a filter lets through: a published product with a proposal is published too.
FITS = """(:state = '' AND state <> 'archived' OR state = :state
        OR :state = 'published' AND status = 'published')"""
WORDS = """(title ILIKE ALL(:patterns) OR EXISTS (SELECT FROM variants v WHERE v.product_id = found.product_id
        AND v.sku ILIKE ALL(:patterns)))"""


@dataclass(frozen=True)
class OwnListing:
    """A draft, a product, or a product with its draft."""

    key: str
    product_id: int | None
    slug: str | None
    status: str | None
    draft_id: int | None
    draft_state: str | None
    #: A curator's word about the whole.
    note: str | None
    title: str
    category: str
    changed_at: datetime.datetime
    changed_by: str | None
    #: The lowest of its variants on sale; None: not listed yet.
    price: int | None
    variants: int
    photo: Any
    #: One of `STATES`.
    state: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> OwnListing:
        photo = SimpleNamespace(**row["photo"]) if row["photo"] else None
        return cls(**{**row, "photo": photo})


@dataclass(frozen=True)
class OwnListings:
    rows: Sequence[OwnListing]
    total: int
    page: int
    counts: Mapping[str, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def own_listings(
    facility_id: int, *, state: str = "", q: str = "", sort: str = "changed", page: int = 1, english: bool = False
) -> OwnListings:
    """One page of a facility's drafts and products; without a state all but the archive."""
    patterns = [
        "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" for word in q.split()[:6]
    ]
    known = {"facility_id": facility_id, "english": english, "state": state, "patterns": patterns}
    where = f"{FITS} AND {WORDS}" if patterns else FITS
    found = f"FROM ({ROWS}) found"
    counts = {
        row.state: row.n
        for row in db.session.execute(text(f"SELECT state, count(*) AS n {found} GROUP BY state"), known)
    }
    total = db.session.execute(text(f"SELECT count(*) {found} WHERE {where}"), known).scalar_one()
    order = SORTS.get(sort, SORTS["changed"])
    rows = db.session.execute(
        text(f"SELECT * {found} WHERE {where} ORDER BY {order} LIMIT {PAGE} OFFSET :skip"),
        {**known, "skip": (page - 1) * PAGE},
    ).mappings()
    return OwnListings([OwnListing.of(dict(row)) for row in rows], total, page, counts)
