"""Orders that are collected at a fair's stand: each parcel for one stand, its pieces from the store alone."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "collected_at_one_stand",
        3,
        "A parcel names a fair exactly when its method brings it to a stand; while it may be collected there, its "
        "facility takes part and the fair has a hall.",
        """SELECT p.id AS parcel_id, p.state, p.exhibition_id, p.facility_id, m.kind
             FROM parcels p JOIN shipping_methods m ON m.id = p.method_id
             LEFT JOIN exhibitions x ON x.id = p.exhibition_id
             LEFT JOIN exhibition_facilities f ON (f.exhibition_id, f.facility_id) = (p.exhibition_id, p.facility_id)
            WHERE (m.kind = 'stand') <> (p.exhibition_id IS NOT NULL)
               OR (p.exhibition_id IS NOT NULL AND p.state IN ('waiting', 'to_pack', 'packed', 'ready')
                   AND (f.facility_id IS NULL OR x.kind <> 'hall'))""",
    ),
    Invariant(
        "collected_from_the_store",
        3,
        "What is collected at a stand was ordered in the shop, and its pieces came out of their facility's store: they "
        "are never the stand's stock too.",
        """SELECT p.id AS parcel_id, l.id AS order_line_id, l.location_id, o.channel
             FROM parcels p JOIN orders o ON o.id = p.order_id
             JOIN parcel_lines i ON i.parcel_id = p.id JOIN order_lines l ON l.id = i.order_line_id
             LEFT JOIN stock_locations s ON s.id = l.location_id
            WHERE p.exhibition_id IS NOT NULL
              AND (o.channel <> 'online'
                   OR (l.location_id IS NOT NULL AND s.facility_id IS DISTINCT FROM p.facility_id))""",
    ),
)
