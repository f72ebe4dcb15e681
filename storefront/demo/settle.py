"""Puts the past in the past: moments that the shop's code took from the clock, and work that is long done."""

from __future__ import annotations

from sqlalchemy import text

from storefront.catalogue.search_words import refresh_search_words
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.extensions import db

#: Each statement in its words; all concern rows that this transaction wrote into an empty database. What took
#: its moment from the clock carries the transaction's own, `now()`; what was settled before is left alone.
STATEMENTS = (
    # Pieces were held when the order was placed.
    """UPDATE reservations r SET created_at = o.placed_at
         FROM order_lines l JOIN orders o ON o.id = l.order_id
        WHERE l.id = r.order_line_id AND r.created_at = now()""",
    # A try at paying that failed came half-way between order and payment.
    """UPDATE payment_attempts a
          SET at = CASE WHEN a.outcome = 'failed' THEN p.created_at + (p.succeeded_at - p.created_at) / 2
                        ELSE p.succeeded_at END
         FROM payments p
        WHERE p.id = a.payment_id AND a.action = 'event' AND p.succeeded_at IS NOT NULL AND a.at = now()""",
    # Every message of the past has gone out, seconds after what it tells.
    """UPDATE messages m
          SET created_at = CASE m.kind WHEN 'order_placed' THEN o.placed_at WHEN 'order_paid' THEN o.paid_at
                                       WHEN 'refund_done' THEN (
                  SELECT r.finished_at FROM refunds r WHERE m.key = concat_ws(':', 'refund', r.id, 'succeeded'))
                                       WHEN 'instalment_paid' THEN (
                  SELECT p.succeeded_at FROM payments p
                   WHERE m.key = concat_ws(':', 'payment', p.id, 'instalment_paid'))
                                       ELSE o.closed_at END
         FROM orders o WHERE o.id = m.order_id AND m.parcel_id IS NULL AND m.created_at = now()""",
    """UPDATE messages m SET sent_at = m.created_at + interval '4 seconds', attempts = 1,
              last_error = CASE WHEN c.email IS NULL THEN 'no address' END
         FROM order_contacts c WHERE c.order_id = m.order_id AND m.sent_at IS NULL""",
    # So nothing of it is left for the worker.
    "DELETE FROM procrastinate_jobs",
)


def settle() -> None:
    """What was written so far is long past. May be called again when more was written."""
    db.session.flush()
    for statement in STATEMENTS:
        db.session.execute(text(statement))


def refresh() -> None:
    """Run once, after everything was written and before the commit."""
    refresh_shown_state(None)
    refresh_search_words()
