"""Who may sell, and what is kept of people who only wait for something."""

from __future__ import annotations

from storefront.verify.invariant import GRACE, Invariant

INVARIANTS = (
    Invariant(
        "listed_workshops_declared",
        7,
        "No product is listed whose workshop may not sell.",
        f"""SELECT l.product_id, p.workshop_id FROM listings l JOIN products p ON p.id = l.product_id
             WHERE NOT workshop_may_sell(p.workshop_id, accounting_date(now()))
               AND NOT workshop_may_sell(p.workshop_id, accounting_date(now() - {GRACE}))""",  # noqa: S608
    ),
    Invariant(
        "resting_listings_say_so",
        7,
        "A listing says that its facility rests exactly while it does.",
        f"""SELECT product_id, paused_until FROM listings
             WHERE paused_until IS DISTINCT FROM paused_until(facility_id, accounting_date(now()))
               AND paused_until IS DISTINCT FROM
                   paused_until(facility_id, accounting_date(now() - {GRACE}))""",  # noqa: S608
    ),
    Invariant(
        "unanswered_alerts_forgotten",
        7,
        "An address that never gave its word is forgotten after a week.",
        """SELECT id AS alert_id, variant_id, created_at FROM stock_alerts
            WHERE confirmed_at IS NULL AND created_at < now() - interval '8 days'""",
    ),
)
