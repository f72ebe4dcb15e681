"""Stock-takes: what was settled is what was counted, and moved once; what was taken back was there."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "settled_rows_moved_once",
        3,
        "Each settled row of a stock-take moved its difference in one movement, and no other says that it is of one.",
        """SELECT r.stock_take_id, r.position, r.difference, m.id AS movement_id, m.quantity AS moved, m.source
             FROM (SELECT r.stock_take_id, r.position, r.variant_id, t.location_id, r.counted - r.expected AS difference
                     FROM stock_take_rows r JOIN stock_takes t ON t.id = r.stock_take_id
                    WHERE r.settled_at IS NOT NULL AND r.counted <> r.expected) r
             FULL JOIN (SELECT * FROM stock_movements WHERE source LIKE 'stock\\_take:%') m
               ON m.source = 'stock_take:' || r.stock_take_id || ':' || r.position
            WHERE (r.variant_id, r.location_id, r.difference, 'counted')
                  IS DISTINCT FROM (m.variant_id, m.location_id, m.quantity, m.reason)""",
    ),
    Invariant(
        "settled_rows_have_their_count",
        3,
        "A settled row was reckoned with a count of that row, with the numbers that were written down then.",
        """SELECT r.stock_take_id, r.position, r.counted, r.expected, c.id AS count_id
             FROM stock_take_rows r
             LEFT JOIN stock_counts c ON c.id = r.count_id
                   AND (c.stock_take_id, c.position) = (r.stock_take_id, r.position)
            WHERE r.settled_at IS NOT NULL
              AND (c.counted, c.expected) IS DISTINCT FROM (r.counted, r.expected)""",
    ),
    Invariant(
        "undone_movements_were_there",
        3,
        "What takes a movement back moves the same pieces the other way, once, and is not taken back itself.",
        """SELECT m.id AS movement_id, m.undoes, m.quantity, o.quantity AS undone
             FROM stock_movements m LEFT JOIN stock_movements o ON o.id = m.undoes
            WHERE m.undoes IS NOT NULL
              AND ((o.variant_id, o.location_id, o.quantity, o.reason)
                   IS DISTINCT FROM (m.variant_id, m.location_id, -m.quantity, m.reason) OR o.undoes IS NOT NULL)
            UNION ALL
           SELECT max(id), undoes, sum(quantity)::integer, NULL FROM stock_movements
            WHERE undoes IS NOT NULL GROUP BY undoes HAVING count(*) > 1""",
    ),
)
