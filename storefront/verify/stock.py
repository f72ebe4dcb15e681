"""Pieces: every level is what moved, every held piece waits for a living order."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "level_equals_movements",
        3,
        "What is on hand anywhere is the sum of what came and went.",
        """SELECT variant_id, location_id, COALESCE(on_hand, 0) AS on_hand, COALESCE(moved, 0) AS moved
             FROM (SELECT variant_id, location_id, on_hand::bigint FROM stock_levels) levels
             FULL JOIN (SELECT variant_id, location_id, sum(quantity)::bigint AS moved FROM stock_movements
                         GROUP BY variant_id, location_id) movements
            USING (variant_id, location_id)
            WHERE COALESCE(on_hand, 0) <> COALESCE(moved, 0)""",
    ),
    Invariant(
        "reserved_equals_held",
        3,
        "What a level counts as reserved is what is held for orders.",
        """SELECT variant_id, location_id, COALESCE(reserved, 0) AS reserved, COALESCE(held, 0) AS held
             FROM (SELECT variant_id, location_id, reserved::bigint FROM stock_levels) levels
             FULL JOIN (SELECT variant_id, location_id, sum(quantity)::bigint AS held FROM reservations
                         WHERE state = 'held' GROUP BY variant_id, location_id) reservations
            USING (variant_id, location_id)
            WHERE COALESCE(reserved, 0) <> COALESCE(held, 0)""",
    ),
    Invariant(
        "reserved_within_on_hand",
        3,
        "0 ≤ reserved ≤ on hand.",
        """SELECT variant_id, location_id, on_hand, reserved FROM stock_levels
            WHERE reserved < 0 OR reserved > on_hand""",
    ),
    Invariant(
        "reservations_follow_their_order",
        3,
        "Pieces are held for orders that await payment, sold with paid ones, and released by ended ones.",
        """SELECT r.order_line_id, r.state AS reservation, o.id AS order_id, o.state AS "order"
             FROM reservations r
             LEFT JOIN order_lines l ON l.id = r.order_line_id
             LEFT JOIN orders o ON o.id = l.order_id
            WHERE r.state IS DISTINCT FROM CASE o.state WHEN 'awaiting_payment' THEN 'held'
                                                       WHEN 'paid' THEN 'sold' ELSE 'released' END""",
    ),
    Invariant(
        "lines_have_their_pieces",
        3,
        "Each line that takes pieces from stock reserves exactly those pieces; one made to order none.",
        """SELECT l.id AS order_line_id, l.variant_id, l.location_id, l.quantity, r.quantity AS reserved
             FROM order_lines l
             LEFT JOIN reservations r ON r.order_line_id = l.id
            WHERE (l.location_id, l.variant_id, l.quantity) IS DISTINCT FROM (r.location_id, r.variant_id, r.quantity)
              AND (l.location_id IS NOT NULL OR r.order_line_id IS NOT NULL)""",
    ),
    Invariant(
        "sold_pieces_moved_once",
        3,
        "Each sold reservation is one movement out of its place, and no other movement is a sale.",
        """SELECT r.order_line_id, r.quantity AS sold, m.id AS movement_id, m.quantity AS moved, m.source
             FROM (SELECT * FROM reservations WHERE state = 'sold') r
             FULL JOIN (SELECT * FROM stock_movements WHERE reason = 'sold') m
               ON m.source = 'order_line:' || r.order_line_id || ':sold'
            WHERE (r.variant_id, r.location_id, -r.quantity)
                  IS DISTINCT FROM (m.variant_id, m.location_id, m.quantity)""",
    ),
    Invariant(
        "changes_are_noted",
        3,
        "Of each product that is listed it is known when it last changed, so that no feed leaves it out.",
        """SELECT l.product_id FROM listings l LEFT JOIN catalogue_changes c ON c.product_id = l.product_id
            WHERE c.product_id IS NULL""",
    ),
)
