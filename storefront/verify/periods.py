"""Closed months, and the days that postings count on."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "closed_periods_keep_their_hash",
        10,
        "A closed month has the hash it was closed with, on top of the month before.",
        """SELECT p.month, encode(p.hash, 'hex') AS closed_with,
                  encode(period_hash(p.month, p.previous_hash), 'hex') AS now, b.month AS month_before
             FROM periods p LEFT JOIN periods b ON b.month = (p.month - interval '1 month')::date
            WHERE p.state = 'closed'
              AND (p.hash <> period_hash(p.month, p.previous_hash)
                   OR p.previous_hash IS DISTINCT FROM b.hash OR b.state = 'reopened')""",
    ),
    Invariant(
        "months_close_in_order",
        10,
        "No month is open before a closed one, once the books have begun.",
        """SELECT m.month FROM (
               SELECT generate_series(least((SELECT date_trunc('month', min(effective_date)) FROM journal_entries),
                                            min(month)), max(month), interval '1 month')::date AS month
                 FROM periods WHERE state = 'closed') m
            WHERE NOT EXISTS (SELECT FROM periods p WHERE p.month = m.month AND p.state = 'closed')""",
    ),
    Invariant(
        "late_news_name_their_closed_month",
        10,
        "What became known after its month was closed counts on the day on which it was written down, and names the "
        "day it happened on; only a provider's news are let in so.",
        """SELECT e.id AS entry_id, e.source, e.kind, e.happened_on, e.effective_date, e.posted_at
             FROM journal_entries e
            WHERE e.happened_on IS NOT NULL
              AND (e.kind NOT IN ('sale', 'payment_held', 'refund', 'fee', 'dispute', 'customer_deposit')
                   OR e.effective_date <> accounting_date(e.posted_at)
                   OR NOT EXISTS (SELECT FROM periods p WHERE p.month >= date_trunc('month', e.happened_on)::date))""",
    ),
    Invariant(
        "news_count_on_their_day",
        5,
        "Money held, given back or disputed is booked on the accounting day that its payment, refund or dispute says.",
        """SELECT e.id AS entry_id, e.source, e.effective_date, e.happened_on, f.said_on
             FROM journal_entries e
             JOIN (SELECT 'payment:' || id || ':held' AS source, accounting_date(succeeded_at) AS said_on,
                          true AS is_own FROM payments WHERE state = 'succeeded' AND NOT counts
                   UNION ALL
                   SELECT 'refund:' || id || ':succeeded', accounting_date(finished_at), false
                     FROM refunds WHERE state = 'succeeded'
                   UNION ALL
                   SELECT 'dispute:' || id || ':opened', accounting_date(opened_at), false FROM disputes
                   UNION ALL
                   SELECT 'dispute:' || id || ':' || state, accounting_date(closed_at), false
                     FROM disputes WHERE state <> 'open') f USING (source)
               -- a payment keeps the day of its money, whatever day it counts on
            WHERE f.said_on <> CASE WHEN f.is_own THEN COALESCE(e.happened_on, e.effective_date)
                                    ELSE e.effective_date END""",
    ),
    Invariant(
        "postings_count_on_their_entrys_day",
        1,
        "Each posting carries the accounting day of its entry.",
        """SELECT p.id AS posting_id, p.entry_id, p.effective_date, e.effective_date AS entrys
             FROM postings p JOIN journal_entries e ON e.id = p.entry_id
            WHERE p.effective_date <> e.effective_date""",
    ),
)
