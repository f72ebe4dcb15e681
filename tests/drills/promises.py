"""What must hold after every drill: `flask verify`, and that nothing is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from storefront.snapshot import snapshot
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check

#: Things that are still on their way. After the faults have stopped and time has passed, none may be left.
UNFINISHED = {
    "orders await payment": "SELECT count(*) FROM orders WHERE state = 'awaiting_payment'",
    "pieces are held": "SELECT count(*) FROM stock_levels WHERE reserved <> 0",
    "payments are open": "SELECT count(*) FROM payments WHERE state IN ('created', 'pending')",
    "events wait": "SELECT count(*) FROM payment_events WHERE handled_at IS NULL",
    "provider's events are not delivered": "SELECT count(*) FROM sandbox_events WHERE delivered_at IS NULL",
    "letters are not sent": "SELECT count(*) FROM messages WHERE sent_at IS NULL",
    "refunds are not through": "SELECT count(*) FROM refunds WHERE state <> 'succeeded'",
    # By the provider's own books alone: who paid has goods coming, or all the money back.
    "shoppers paid and got nothing": """
        SELECT count(*) FROM sandbox_payments s
          LEFT JOIN payments p ON p.id = s.id
          LEFT JOIN orders o ON o.id = p.order_id
         WHERE s.state = 'succeeded' AND NOT COALESCE(p.counts AND o.state = 'paid', false)
           AND COALESCE((SELECT sum(amount) FROM sandbox_refunds r WHERE r.payment_id = s.id), 0) <> s.amount""",
    "shoppers have goods and money": """
        SELECT count(*) FROM sandbox_payments s JOIN payments p ON p.id = s.id
         WHERE p.counts AND EXISTS (SELECT FROM sandbox_refunds r WHERE r.payment_id = s.id)""",
}


def broken(engine: Any) -> list[str]:
    """Every promise of `flask verify` that does not hold, with its first rows; empty when all is well."""
    with snapshot(engine) as connection:
        findings = check(connection, INVARIANTS, shown=3)
    return [f"{f.invariant.name}: {f.count} rows, as {f.rows}" for f in findings if not f.holds]


def unfinished(
    connection: psycopg.Connection[Any], queries: Mapping[str, str] = UNFINISHED
) -> dict[str, int]:
    """What is still on its way, with how many of each; empty when all has come to an end."""
    found = {}
    for what, query in queries.items():
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        if row and row[0]:
            found[what] = row[0]
    return found
