"""A fair's stand, facility by facility: what was planned, sent, counted, is there, was sold, and went home."""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from storefront.exhibitions.arrive import What
from storefront.exhibitions.models import ExhibitionArrival
from storefront.extensions import db
from storefront.languages import locale
from storefront.pages import Paged

#: Sendings and returns in one page.
PAGE = 20
STANDS = text(
    """
    SELECT f.id, f.code, f.name, f.regional_office,
           COALESCE((SELECT sum(e.planned) FROM exhibition_pieces e
                      WHERE e.exhibition_id = :fair AND e.facility_id = f.id), 0)::integer AS planned,
           COALESCE((SELECT sum(t.pieces) FROM exhibition_sent t
                      WHERE t.exhibition_id = :fair AND t.facility_id = f.id), 0)::integer AS sent,
           COALESCE(o.on_hand, 0)::integer AS at_stand, COALESCE(o.free, 0)::integer AS free,
           COALESCE((SELECT -sum(m.quantity) FROM stock_movements m
                       JOIN variants v ON v.id = m.variant_id
                       JOIN products p ON p.id = v.product_id AND p.facility_id = f.id
                       JOIN stock_locations l ON l.id = m.location_id AND l.exhibition_id = :fair
                      WHERE m.reason IN ('sold', 'returned')), 0)::integer AS sold,
           COALESCE((SELECT sum(l.pieces) FROM exhibition_returns r
                       JOIN exhibition_return_lines l USING (exhibition_id, facility_id, number)
                      WHERE r.exhibition_id = :fair AND r.facility_id = f.id AND r.called_back_at IS NULL), 0)::integer
           AS returned,
           (SELECT count(*) FROM exhibition_sendings s
             WHERE s.exhibition_id = :fair AND s.facility_id = f.id AND s.called_back_at IS NULL
               AND NOT EXISTS (SELECT FROM exhibition_arrivals a
                                WHERE (a.exhibition_id, a.facility_id, a.sending_number)
                                    = (s.exhibition_id, s.facility_id, s.number) AND a.undone_at IS NULL)) AS to_count
      FROM exhibition_facilities x JOIN facilities f ON f.id = x.facility_id
      LEFT JOIN LATERAL (
           SELECT sum(s.on_hand) AS on_hand, sum(s.on_hand - s.reserved) AS free
             FROM stock_levels s JOIN stock_locations l ON l.id = s.location_id AND l.exhibition_id = :fair
             JOIN variants v ON v.id = s.variant_id
             JOIN products p ON p.id = v.product_id AND p.facility_id = f.id) o ON true
     WHERE x.exhibition_id = :fair ORDER BY f.regional_office, f.name, f.id"""
)
MOVED = """
    SELECT x.what, x.facility_id, f.code, f.name AS facility, x.number, x.at, x.by_name, x.called_back_at,
           a.id AS arrival_id, a.counted_at, c.name AS counted_by
      FROM (SELECT 'sending' AS what, s.exhibition_id, s.facility_id, s.number, s.sent_at AS at, p.name AS by_name,
                   s.called_back_at
              FROM exhibition_sendings s JOIN people p ON p.id = s.sent_by
            UNION ALL
            SELECT 'return', r.exhibition_id, r.facility_id, r.number, r.packed_at, p.name, r.called_back_at
              FROM exhibition_returns r JOIN people p ON p.id = r.packed_by) x
      JOIN facilities f ON f.id = x.facility_id
      LEFT JOIN exhibition_arrivals a
        ON a.exhibition_id = x.exhibition_id AND a.facility_id = x.facility_id AND a.undone_at IS NULL
       AND x.number = CASE x.what WHEN 'sending' THEN a.sending_number ELSE a.return_number END
      LEFT JOIN people c ON c.id = a.counted_by
     WHERE x.exhibition_id = :fair AND (CAST(:facility AS bigint) IS NULL OR x.facility_id = :facility)
       AND (:what = '' OR x.what = :what)"""
LINES = text(
    """
    SELECT x.what, x.facility_id, x.number, v.id AS variant_id, v.sku,
           CASE WHEN :english AND p.title_en <> '' THEN p.title_en ELSE p.title END
           || CASE WHEN v.title <> '' THEN ' · ' || v.title ELSE '' END AS title, w.name AS workshop, x.pieces,
           t.arrived, t.reason
      FROM (SELECT 'sending' AS what, l.* FROM exhibition_sending_lines l
            UNION ALL SELECT 'return', l.* FROM exhibition_return_lines l) x
      JOIN variants v ON v.id = x.variant_id JOIN products p ON p.id = v.product_id
      JOIN workshops w ON w.id = p.workshop_id
      LEFT JOIN exhibition_arrivals a
        ON a.exhibition_id = x.exhibition_id AND a.facility_id = x.facility_id AND a.undone_at IS NULL
       AND x.number = CASE x.what WHEN 'sending' THEN a.sending_number ELSE a.return_number END
      LEFT JOIN exhibition_arrival_lines t ON t.arrival_id = a.id AND t.variant_id = v.id
     WHERE x.exhibition_id = :fair AND x.what || ':' || x.facility_id || ':' || x.number = ANY(:keys)
     ORDER BY w.name, p.title, v.position, v.id"""
)
LEFT = text(
    """
    SELECT f.code, v.id AS variant_id, v.sku,
           CASE WHEN :english AND p.title_en <> '' THEN p.title_en ELSE p.title END
           || CASE WHEN v.title <> '' THEN ' · ' || v.title ELSE '' END AS title, w.name AS workshop,
           s.on_hand - s.reserved AS pieces
      FROM stock_levels s JOIN stock_locations l ON l.id = s.location_id AND l.exhibition_id = :fair
      JOIN variants v ON v.id = s.variant_id JOIN products p ON p.id = v.product_id
      JOIN workshops w ON w.id = p.workshop_id JOIN facilities f ON f.id = p.facility_id
     WHERE s.on_hand > s.reserved AND f.id = :facility
     ORDER BY w.name, p.title, v.position, v.id"""
)


@dataclass(frozen=True)
class Stand:
    """One facility's part of a fair, in pieces."""

    id: int
    code: str
    name: str
    office: str
    planned: int
    #: Ever, without what was called back.
    sent: int
    at_stand: int
    #: At the stand and held for nobody.
    free: int
    #: Less what buyers brought back.
    sold: int
    #: Left the stand for the store, without what was called back.
    returned: int
    #: Sendings that nobody has counted.
    to_count: int


@dataclass(frozen=True)
class Line:
    """A variant in a sending or return, or one that is left at the stand."""

    variant_id: int
    sku: str
    title: str
    workshop: str
    pieces: int
    #: None: not counted.
    arrived: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Moved:
    """A sending to the stand or a return from it."""

    what: What
    facility_id: int
    code: str
    facility: str
    number: int
    at: datetime.datetime
    by: str
    called_back_at: datetime.datetime | None
    arrival_id: int | None
    counted_at: datetime.datetime | None
    counted_by: str | None
    lines: Sequence[Line]

    @property
    def waits(self) -> bool:
        """It is on the way, as far as anybody has counted."""
        return self.called_back_at is None and self.arrival_id is None

    @property
    def pieces(self) -> int:
        return sum(line.pieces for line in self.lines)

    @property
    def differs(self) -> bool:
        return any(line.reason for line in self.lines)


class MovedPage(Paged[Moved]):
    size = PAGE


def stands(exhibition_id: int) -> list[Stand]:
    """Every facility that takes part, by regional office and name."""
    return [Stand(*row) for row in db.session.execute(STANDS, {"fair": exhibition_id})]


def moved(exhibition_id: int, *, facility_id: int | None = None, what: What | None = None, page: int = 1) -> MovedPage:
    """Sendings and returns, what waits to be counted first, then the latest."""
    values = {"fair": exhibition_id, "facility": facility_id, "what": what.value if what else ""}
    total = db.session.execute(text(f"SELECT count(*) FROM ({MOVED}) x"), values).scalar_one()
    page = min(page, max(1, -(-total // PAGE)))
    order = "ORDER BY (a.id IS NULL AND x.called_back_at IS NULL) DESC, x.at DESC, f.code, x.number DESC, x.what"
    rows = db.session.execute(
        text(f"{MOVED} {order} LIMIT :limit OFFSET :offset"), {**values, "limit": PAGE, "offset": (page - 1) * PAGE}
    ).all()
    return MovedPage(_with_lines(exhibition_id, rows), total, page)


def one(exhibition_id: int, facility_id: int, what: What, number: int) -> Moved | None:
    """One sending or return; None when there is none."""
    values = {"fair": exhibition_id, "facility": facility_id, "what": what.value, "number": number}
    rows = db.session.execute(text(f"{MOVED} AND x.number = :number"), values).all()
    return next(iter(_with_lines(exhibition_id, rows)), None)


def counted(exhibition_id: int, arrival_id: int) -> What | None:
    """What somebody counted there; None when there is no such count at this fair."""
    found = db.session.get(ExhibitionArrival, arrival_id)
    if found is None or found.exhibition_id != exhibition_id:
        return None
    return What.SENDING if found.sending_number is not None else What.RETURN


def left_at_stand(exhibition_id: int, facility_id: int) -> list[Line]:
    """What of a facility is free at the stand, by workshop and title."""
    values = {"fair": exhibition_id, "facility": facility_id, "english": locale() == "en"}
    rows = db.session.execute(LEFT, values)
    return [Line(row.variant_id, row.sku, row.title, row.workshop, row.pieces) for row in rows]


def _with_lines(exhibition_id: int, rows: Sequence[Row[Any]]) -> list[Moved]:
    keys = [f"{row.what}:{row.facility_id}:{row.number}" for row in rows]
    found: dict[str, list[Line]] = {key: [] for key in keys}
    for line in db.session.execute(LINES, {"fair": exhibition_id, "keys": keys, "english": locale() == "en"}):
        found[f"{line.what}:{line.facility_id}:{line.number}"].append(
            Line(line.variant_id, line.sku, line.title, line.workshop, line.pieces, line.arrived, line.reason or "")
        )
    return [
        Moved(
            What(row.what), row.facility_id, row.code, row.facility, row.number, row.at, row.by_name,
            row.called_back_at, row.arrival_id, row.counted_at, row.counted_by, found[key],
        )
        for key, row in zip(keys, rows, strict=True)
    ]  # fmt: skip
