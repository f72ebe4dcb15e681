"""What a facility plans, has sent, and has at a fair's stand: the rows of its page."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.languages import locale
from storefront.pages import Paged

PAGE = 25
#: Most works in the form that sends; what is beyond comes when these are sent.
MOST_TO_SEND = 200
#: What may be shown alone: what is planned, what of it was not sent, what sold out at the stand.
SHOWN = ("planned", "missing", "sold_out")
#: By what the list may be sorted, with its columns.
SORTS = {
    "title": "",
    "missing": "COALESCE(e.planned, 0) - COALESCE(t.pieces, 0) DESC,",
    "stand": "COALESCE(s.on_hand, 0),",
    "store": "COALESCE(h.on_hand - h.reserved, 0),",
}

#: Everything of the facility that may be brought, or is planned, sent or at the stand whatever became of it since.
FROM = """
  FROM variants v
  JOIN products p ON p.id = v.product_id AND p.facility_id = :facility
  JOIN workshops w ON w.id = p.workshop_id
  LEFT JOIN exhibition_pieces e ON e.exhibition_id = :fair AND e.variant_id = v.id
  LEFT JOIN exhibition_sent t ON t.exhibition_id = :fair AND t.facility_id = :facility AND t.variant_id = v.id
  LEFT JOIN stock_locations sl ON sl.exhibition_id = :fair
  LEFT JOIN stock_levels s ON s.location_id = sl.id AND s.variant_id = v.id
  LEFT JOIN stock_locations hl ON hl.facility_id = :facility
  LEFT JOIN stock_levels h ON h.location_id = hl.id AND h.variant_id = v.id
 WHERE (e.planned IS NOT NULL OR t.pieces IS NOT NULL OR s.on_hand > 0
        OR (v.is_active AND NOT v.made_to_order AND p.status <> 'archived'))"""
NARROWED = {
    "planned": "e.planned IS NOT NULL",
    "missing": "e.planned > COALESCE(t.pieces, 0)",
    # Brought, nothing of it is free there any more, and the store has some.
    "sold_out": "t.pieces > 0 AND s.on_hand - s.reserved <= 0 AND h.on_hand - h.reserved > 0",
}
COLUMNS = """
SELECT v.id AS variant_id, v.sku, COALESCE(NULLIF(CASE WHEN :english THEN p.title_en END, ''), p.title) AS title,
       COALESCE(NULLIF(CASE WHEN :english THEN v.title_en END, ''), v.title) AS variant_title,
       w.name AS workshop, p.status, COALESCE(e.planned, 0) AS planned, COALESCE(t.pieces, 0) AS sent,
       COALESCE(s.on_hand, 0) AS at_stand, COALESCE(h.on_hand, 0) AS in_store,
       COALESCE(h.on_hand - h.reserved, 0) AS free, v.made_to_order"""
SUMS = f"""
SELECT COALESCE(sum(e.planned), 0) AS planned, COALESCE(sum(t.pieces), 0) AS sent,
       COALESCE(sum(s.on_hand), 0) AS at_stand,
       count(*) FILTER (WHERE {NARROWED["missing"]}) AS missing,
       count(*) FILTER (WHERE {NARROWED["sold_out"]}) AS sold_out"""
SOLD = text(
    """
    SELECT COALESCE(-sum(m.quantity), 0) FROM stock_movements m
      JOIN stock_locations l ON l.id = m.location_id AND l.exhibition_id = :fair
      JOIN variants v ON v.id = m.variant_id JOIN products p ON p.id = v.product_id AND p.facility_id = :facility
     WHERE m.reason = 'sold'"""
)
SENDINGS = text(
    """
    SELECT s.number, s.sent_at, a.name AS sent_by, s.called_back_at, b.name AS called_back_by,
           sum(l.pieces)::integer AS pieces,
           array_agg(CASE WHEN :english AND p.title_en <> '' THEN p.title_en ELSE p.title END
                     || CASE WHEN v.title <> '' THEN ' · ' || v.title ELSE '' END || ': ' || l.pieces
                     ORDER BY p.title, v.position, v.id) AS contents
      FROM exhibition_sendings s JOIN exhibition_sending_lines l USING (exhibition_id, facility_id, number)
      JOIN variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id
      JOIN people a ON a.id = s.sent_by LEFT JOIN people b ON b.id = s.called_back_by
     WHERE s.exhibition_id = :fair AND s.facility_id = :facility
     GROUP BY s.number, s.sent_at, a.name, s.called_back_at, b.name ORDER BY s.number DESC"""
)


@dataclass(frozen=True)
class Wanted:
    """Which of the rows are wanted; what is empty does not narrow."""

    show: str = ""
    workshop: int | None = None
    q: str = ""


@dataclass(frozen=True)
class Row:
    """A variant, in pieces."""

    variant_id: int
    sku: str
    title: str
    variant_title: str
    workshop: str
    status: str
    planned: int
    #: Ever, without what was called back.
    sent: int
    at_stand: int
    in_store: int
    #: In the store, held for nobody.
    free: int
    made_to_order: bool

    @property
    def missing(self) -> int:
        return max(0, self.planned - self.sent)

    @property
    def can_go(self) -> int:
        """As many as are wanted and there."""
        return max(0, min(self.missing, self.free))


class RowPage(Paged[Row]):
    size = PAGE


@dataclass(frozen=True)
class Sums:
    """All of a facility's pieces at one fair; `missing` and `sold_out` count works."""

    planned: int
    sent: int
    at_stand: int
    missing: int
    sold_out: int
    sold: int


@dataclass(frozen=True)
class Sending:
    """What was sent at one time, with its contents in words."""

    number: int
    sent_at: datetime.datetime
    sent_by: str
    called_back_at: datetime.datetime | None
    called_back_by: str | None
    pieces: int
    contents: Sequence[str]


def rows(exhibition_id: int, facility_id: int, wanted: Wanted, sort: str = "title", page: int = 1) -> RowPage:
    """A page of the facility's variants as `wanted`, by `sort` (one of `SORTS`)."""
    where, values = _narrowed(exhibition_id, facility_id, wanted)
    total = db.session.execute(text(f"SELECT count(*) {FROM} {where}"), values).scalar_one()
    return RowPage(_read(where, values, sort, PAGE, (page - 1) * PAGE), total, page)


def to_send(exhibition_id: int, facility_id: int) -> list[Row]:
    """What is planned and was not sent, by title."""
    where, values = _narrowed(exhibition_id, facility_id, Wanted(show="missing"))
    return _read(where, values, "title", MOST_TO_SEND, 0)


def own(exhibition_id: int, facility_id: int, skus: Sequence[str]) -> dict[str, Row]:
    """Those of the facility's own variants, by SKU; what is not its own is left out."""
    _where, values = _narrowed(exhibition_id, facility_id, Wanted())
    found = _read("AND v.sku = ANY(:skus)", {**values, "skus": list(skus)}, "title", len(skus), 0)
    return {row.sku: row for row in found}


def sums(exhibition_id: int, facility_id: int) -> Sums:
    """All of the facility's pieces there, added up."""
    values = {"fair": exhibition_id, "facility": facility_id}
    found = db.session.execute(text(SUMS + FROM), values).one()
    return Sums(**found._mapping, sold=db.session.execute(SOLD, values).scalar_one())


def sendings(exhibition_id: int, facility_id: int) -> list[Sending]:
    """What was sent when and by whom, the latest first."""
    values = {"fair": exhibition_id, "facility": facility_id, "english": locale() == "en"}
    return [Sending(*row) for row in db.session.execute(SENDINGS, values)]


def _narrowed(exhibition_id: int, facility_id: int, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    where = [NARROWED[wanted.show]] if wanted.show in SHOWN else []
    values: dict[str, Any] = {"fair": exhibition_id, "facility": facility_id, "english": locale() == "en"}
    if wanted.workshop is not None:
        where.append("p.workshop_id = :workshop")
        values["workshop"] = wanted.workshop
    for number, word in enumerate(wanted.q.split()[:6]):
        where.append(
            f"(p.title ILIKE :word{number} OR p.title_en ILIKE :word{number} OR v.sku ILIKE :word{number})"
        )
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values[f"word{number}"] = f"%{escaped}%"
    return "".join(f" AND {one}" for one in where), values


def _read(where: str, values: dict[str, Any], sort: str, limit: int, offset: int) -> list[Row]:
    order = f"ORDER BY {SORTS.get(sort, '')} p.title, p.id, v.position, v.id LIMIT :limit OFFSET :offset"
    found = db.session.execute(
        text(f"{COLUMNS} {FROM} {where} {order}"), {**values, "limit": limit, "offset": offset}
    )
    return [Row(*row) for row in found]
