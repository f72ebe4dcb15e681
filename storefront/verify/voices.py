"""What the public reads: let through by the rule or by a curator, and counted once."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "shown_was_let_through",
        9,
        "What is shown of questions, answers, reviews, replies, pictures, thanks and profiles passed or was approved.",
        """SELECT s.kind, s.subject_id, i.state FROM (
                SELECT CASE author WHEN 'asker' THEN 'question' ELSE 'answer' END AS kind, id AS subject_id
                  FROM enquiry_messages WHERE is_shown
                UNION ALL SELECT 'review', id FROM reviews WHERE is_shown
                UNION ALL SELECT 'reply', id FROM review_replies WHERE is_shown
                UNION ALL SELECT 'photo', id FROM review_photos WHERE is_shown
                UNION ALL SELECT 'thank_you', id FROM thank_yous WHERE is_shown
                UNION ALL SELECT 'profile', id FROM profile_texts WHERE is_shown AND written_by IS NOT NULL) s
             LEFT JOIN moderation_items i ON (i.kind, i.subject_id) = (s.kind, s.subject_id)
            WHERE i.state IS NULL OR i.state NOT IN ('passed', 'approved')""",
    ),
    Invariant(
        "ratings_are_their_reviews",
        9,
        "A product's rating is the sum of its public reviews.",
        """SELECT product_id, r.stars, r.reviews, s.stars AS given, s.number AS written
             FROM (SELECT * FROM product_ratings WHERE reviews > 0) r
             FULL JOIN (SELECT product_id, sum(stars)::bigint AS stars, count(*) AS number FROM reviews
                         WHERE is_shown GROUP BY product_id) s
            USING (product_id)
            WHERE (r.stars, r.reviews) IS DISTINCT FROM (s.stars, s.number)""",
    ),
    Invariant(
        "reviewed_was_received",
        9,
        "Each review is of something that a parcel brought.",
        """SELECT r.id AS review_id, r.order_line_id FROM reviews r
            WHERE NOT EXISTS (SELECT FROM parcel_lines l JOIN parcels p ON p.id = l.parcel_id
                               WHERE l.order_line_id = r.order_line_id AND p.received_at IS NOT NULL)""",
    ),
)
