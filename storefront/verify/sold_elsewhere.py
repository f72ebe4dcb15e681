"""Orders that were booked from a marketplace's file."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "marketplace_orders_once",
        4,
        "An order of a marketplace has one number there, under which its one payment stands; no other order has one.",
        """SELECT o.id AS order_id, o.channel, m.number, p.gateway, p.reference
             FROM orders o
             LEFT JOIN marketplace_orders m ON m.order_id = o.id
             LEFT JOIN marketplaces x ON x.id = m.marketplace_id
             LEFT JOIN payments p ON p.order_id = o.id AND p.counts
            WHERE (o.channel = 'marketplace' OR m.order_id IS NOT NULL)
              AND (o.channel, 'market_' || x.code, m.number)
                  IS DISTINCT FROM ('marketplace', p.gateway, p.reference)""",
    ),
)
