"""What is public was let through and has its papers; what is recalled is gone from the shelf, and its buyers know."""

from __future__ import annotations

from storefront.verify.invariant import GRACE, Invariant

INVARIANTS = (
    Invariant(
        "categories_whole",
        7,
        "The tree of categories has two levels and no circle; an archived one holds no product and nothing below it.",
        "SELECT category_id, fault FROM category_faults()",
    ),
    Invariant(
        "listed_with_papers",
        7,
        "No product is listed without the papers that its category asks for.",
        f"""SELECT l.product_id, product_lacks(p.id, accounting_date(now()), true) AS lacks
              FROM listings l JOIN products p ON p.id = l.product_id
             WHERE p.category_id IN (SELECT category_id FROM category_needs
                                      WHERE need IN ('registration', 'halal', 'cosmetic', 'svlk'))
               AND COALESCE(p.sells_unpapered_until < accounting_date(now() - {GRACE}), true)
               AND product_lacks(p.id, accounting_date(now() - {GRACE}), true) <> '{{}}'""",  # noqa: S608
    ),
    Invariant(
        "listings_reviewed_by_another",
        9,
        "Nobody decided on a listing that they asked for.",
        """SELECT 'draft' AS kind, id, decided_by AS person_id FROM listing_drafts WHERE decided_by = submitted_by
           UNION ALL
           SELECT 'decision', id, decided_by FROM listing_decisions WHERE decided_by = submitted_by
           UNION ALL
           SELECT 'batch', id, decided_by FROM batches WHERE decided_by = asked_by""",
    ),
    Invariant(
        "scheduled_listings_published",
        7,
        "What was let through for a day is public then, or was sent back.",
        f"""SELECT id AS draft_id, publish_at FROM listing_drafts
             WHERE state = 'approved' AND COALESCE(publish_at < now() - {GRACE}, true)""",  # noqa: S608
    ),
    Invariant(
        "batches_within_what_was_made",
        3,
        "No more of a batch is packed, gone and put aside than was made.",
        """SELECT bp.batch_id, bp.variant_id, bp.made, x.packed FROM batch_pieces bp
            CROSS JOIN LATERAL (SELECT COALESCE(sum(b.pieces), 0) AS packed FROM parcel_batches b
                                  JOIN order_lines l ON l.id = b.order_line_id
                                 WHERE b.batch_id = bp.batch_id AND l.variant_id = bp.variant_id) x
            WHERE bp.gone + bp.withdrawn + x.packed > bp.made""",
    ),
    Invariant(
        "held_batches_off_the_shelf",
        7,
        "Of a batch that is held or recalled nothing is left; what was taken off the shelf agrees with its movements.",
        f"""SELECT b.id AS batch_id, bp.variant_id, bp.withdrawn, bp.taken FROM batches b
              JOIN batch_pieces bp ON bp.batch_id = b.id
             CROSS JOIN LATERAL (SELECT COALESCE(sum(pb.pieces), 0) AS packed FROM parcel_batches pb
                                   JOIN order_lines l ON l.id = pb.order_line_id
                                  WHERE pb.batch_id = b.id AND l.variant_id = bp.variant_id) x
             CROSS JOIN LATERAL (SELECT COALESCE(-sum(m.quantity), 0) AS moved FROM stock_movements m
                                  WHERE m.variant_id = bp.variant_id
                                    AND m.source LIKE 'recall:' || b.id || ':' || bp.variant_id || ':%') y
             WHERE y.moved <> bp.taken
                OR (b.state <> 'on_sale' AND b.asked_at < now() - {GRACE}
                    AND (bp.made - bp.gone - bp.withdrawn - x.packed > 0
                         OR (bp.withdrawn > bp.taken AND EXISTS (
                             SELECT FROM stock_levels s JOIN stock_locations o ON o.id = s.location_id
                               JOIN products p ON p.id = b.product_id AND p.facility_id = o.facility_id
                              WHERE s.variant_id = bp.variant_id AND s.on_hand > s.reserved))))""",  # noqa: S608
    ),
    Invariant(
        "buyers_of_recalled_batches_told",
        7,
        "Every order that a recalled batch went out in is owed its letter, and nothing of it left after it was held.",
        f"""SELECT b.id AS batch_id, p.order_id FROM batches b
              JOIN parcel_batches x ON x.batch_id = b.id
              JOIN parcels p ON p.id = x.parcel_id AND p.state IN ('shipped', 'ready', 'received', 'returned')
             WHERE b.state = 'recalled' AND b.decided_at < now() - {GRACE}
               AND (p.shipped_at > b.asked_at
                    OR NOT EXISTS (SELECT FROM messages m
                                    WHERE m.key = 'batch:' || b.id || ':order:' || p.order_id))""",  # noqa: S608
    ),
)
