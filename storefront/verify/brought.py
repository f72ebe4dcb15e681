"""Pieces that facilities bring to exhibitions: each is in one place, and none was sent beyond the plan."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "sent_pieces_moved_once",
        3,
        "What was sent to a stand left its facility's store and lies there by two movements, both undone or none.",
        """SELECT l.exhibition_id, l.facility_id, l.number, l.variant_id, l.pieces, m.id AS movement_id, m.source
             FROM (SELECT l.*, s.called_back_at, w.way, w.sign, w.location_id,
                          'sending:' || l.exhibition_id || ':' || l.facility_id || ':' || l.number || ':'
                          || l.variant_id || ':' || w.way AS source
                     FROM exhibition_sending_lines l
                     JOIN exhibition_sendings s USING (exhibition_id, facility_id, number)
                    CROSS JOIN LATERAL (
                          SELECT 'out' AS way, -1 AS sign, o.id AS location_id FROM stock_locations o
                           WHERE o.facility_id = l.facility_id
                          UNION ALL
                          SELECT 'in', 1, o.id FROM stock_locations o WHERE o.exhibition_id = l.exhibition_id) w) l
             FULL JOIN (SELECT * FROM stock_movements WHERE source LIKE 'sending:%') m ON m.source = l.source
             LEFT JOIN stock_movements b ON b.undoes = m.id
            WHERE (m.variant_id, m.location_id, m.quantity, m.reason)
                  IS DISTINCT FROM (l.variant_id, l.location_id, l.sign * l.pieces, 'transfer')
               OR (b.id IS NULL) <> (l.called_back_at IS NULL)
           UNION ALL
           SELECT l.exhibition_id, l.facility_id, l.number, l.variant_id, l.pieces, NULL, 'no stand'
             FROM exhibition_sending_lines l
            WHERE NOT EXISTS (SELECT FROM stock_locations o WHERE o.exhibition_id = l.exhibition_id)""",
    ),
    Invariant(
        "sent_within_plan",
        3,
        "No facility sent more pieces of a work to an exhibition than it planned, and only pieces of its own.",
        """SELECT t.exhibition_id, t.facility_id, t.variant_id, e.planned, t.pieces AS sent
             FROM exhibition_sent t
             LEFT JOIN exhibition_pieces e USING (exhibition_id, facility_id, variant_id)
            WHERE t.pieces > COALESCE(e.planned, 0)
           UNION ALL
           SELECT e.exhibition_id, e.facility_id, e.variant_id, e.planned, NULL
             FROM exhibition_pieces e JOIN variants v ON v.id = e.variant_id JOIN products p ON p.id = v.product_id
            WHERE p.facility_id <> e.facility_id""",
    ),
)
