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
    Invariant(
        "returned_pieces_moved_once",
        3,
        "What left a stand for its store is one movement off the stand, undone with the return; a count brings it in.",
        """SELECT l.exhibition_id, l.facility_id, l.number, l.variant_id, l.pieces, m.id AS movement_id, m.source
             FROM (SELECT l.*, r.called_back_at, o.id AS location_id,
                          'return:' || l.exhibition_id || ':' || l.facility_id || ':' || l.number || ':'
                          || l.variant_id || ':out' AS source
                     FROM exhibition_return_lines l JOIN exhibition_returns r USING (exhibition_id, facility_id, number)
                     LEFT JOIN stock_locations o ON o.exhibition_id = l.exhibition_id) l
             FULL JOIN (SELECT * FROM stock_movements WHERE source LIKE 'return:%:out') m ON m.source = l.source
             LEFT JOIN stock_movements b ON b.undoes = m.id
            WHERE (m.variant_id, m.location_id, m.quantity, m.reason)
                  IS DISTINCT FROM (l.variant_id, l.location_id, -l.pieces, 'transfer')
               OR (b.id IS NULL) <> (l.called_back_at IS NULL)""",
    ),
    Invariant(
        "arrived_pieces_moved_once",
        3,
        "What was counted on arrival stands in movements: a return's pieces in its store, and each difference; an "
        "undone count has undone them all, and nothing that was called back was counted.",
        """SELECT w.arrival_id, w.variant_id, w.step, w.quantity, m.id AS movement_id, m.quantity AS moved
             FROM (SELECT l.arrival_id, l.variant_id, a.undone_at, s.step, s.quantity, o.id AS location_id,
                          'arrival:' || a.id || ':' || l.variant_id || ':' || s.step AS source
                     FROM exhibition_arrival_lines l JOIN exhibition_arrivals a ON a.id = l.arrival_id
                     JOIN stock_locations o ON CASE WHEN a.return_number IS NULL THEN o.exhibition_id = a.exhibition_id
                                                    ELSE o.facility_id = a.facility_id END
                    CROSS JOIN LATERAL (VALUES ('in', CASE WHEN a.return_number IS NOT NULL THEN l.pieces ELSE 0 END),
                                               ('difference', l.arrived - l.pieces)) s (step, quantity)
                    WHERE s.quantity <> 0) w
             FULL JOIN (SELECT * FROM stock_movements WHERE source LIKE 'arrival:%') m ON m.source = w.source
             LEFT JOIN stock_movements b ON b.undoes = m.id
            WHERE (m.variant_id, m.location_id, m.quantity) IS DISTINCT FROM (w.variant_id, w.location_id, w.quantity)
               OR (b.id IS NULL) <> (w.undone_at IS NULL)
           UNION ALL
           SELECT a.id, t.variant_id, 'counted', t.pieces, NULL, NULL
             FROM exhibition_arrivals a
             LEFT JOIN exhibition_sendings s
               ON (s.exhibition_id, s.facility_id, s.number) = (a.exhibition_id, a.facility_id, a.sending_number)
             LEFT JOIN exhibition_returns r
               ON (r.exhibition_id, r.facility_id, r.number) = (a.exhibition_id, a.facility_id, a.return_number)
             JOIN exhibition_arrival_lines t ON t.arrival_id = a.id
            WHERE a.undone_at IS NULL AND COALESCE(s.called_back_at, r.called_back_at) IS NOT NULL""",
    ),
)
