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
        "postings_count_on_their_entrys_day",
        1,
        "Each posting carries the accounting day of its entry.",
        """SELECT p.id AS posting_id, p.entry_id, p.effective_date, e.effective_date AS entrys
             FROM postings p JOIN journal_entries e ON e.id = p.entry_id
            WHERE p.effective_date <> e.effective_date""",
    ),
)
