"""Sales at stands: each once in one session, the cash of each till as the books say, and nothing given back by one."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "counter_sales_once",
        5,
        "Each order of a stand is one sale in a till's session of its own fair, and no other order is.",
        """SELECT o.id AS order_id, o.number, o.channel, c.session_id FROM orders o
             FULL JOIN counter_sales c ON c.order_id = o.id
            WHERE (o.channel = 'counter') IS DISTINCT FROM (c.order_id IS NOT NULL)
               OR c.exhibition_id <> o.exhibition_id
               OR (c.payment = 'cash' AND (c.tendered < o.total) AND NOT EXISTS (
                   SELECT FROM counter_conflicts x WHERE x.order_id = o.id))
               OR (c.payment = 'cash' AND o.state <> 'paid')""",
    ),
    Invariant(
        "till_cash",
        2,
        "What lies in a till by the books is what its sessions sold in cash, less what they gave back and what was "
        "banked, with the differences that finance booked.",
        """SELECT t.id AS till_id, t.account, COALESCE(b.booked, 0) AS booked, COALESCE(b.corrected, 0) AS corrected,
                  COALESCE(x.left_in_till, 0) AS expected
             FROM tills t
             LEFT JOIN LATERAL (
                  SELECT sum(p.amount)::bigint AS booked,
                         sum(p.amount) FILTER (WHERE e.kind = 'correction')::bigint AS corrected
                    FROM accounts a JOIN postings p ON p.account_id = a.id JOIN journal_entries e ON e.id = p.entry_id
                   WHERE a.code = t.account) b ON true
             LEFT JOIN LATERAL (
                  SELECT sum(v.left_in_till)::bigint AS left_in_till FROM till_sessions s
                    JOIN till_session_sums v ON v.session_id = s.id WHERE s.till_id = t.id) x ON true
            WHERE COALESCE(b.booked, 0) - COALESCE(b.corrected, 0) <> COALESCE(x.left_in_till, 0)""",
    ),
    Invariant(
        "late_sales_are_late",
        7,
        "A sale that came after its session was closed is on that session's late list, and no other is.",
        """SELECT c.order_id, c.session_id, c.is_late, c.received_at, s.closed_at FROM counter_sales c
             JOIN till_sessions s ON s.id = c.session_id
            WHERE (c.is_late AND s.closed_at IS NULL)
               OR (NOT c.is_late AND c.received_at > s.closed_at + interval '1 minute')""",
    ),
    Invariant(
        "voids_by_two",
        9,
        "Whoever gave money back at a stand had the yes of somebody else, and cash left that very till.",
        """SELECT v.refund_id, v.asked_by, v.agreed_by, r.state, r.amount, b.credited FROM counter_voids v
             JOIN refunds r ON r.id = v.refund_id
             JOIN till_sessions s ON s.id = v.session_id JOIN tills t ON t.id = s.till_id
            CROSS JOIN LATERAL (
                  SELECT COALESCE(-sum(p.amount), 0)::bigint AS credited FROM journal_entries e
                    JOIN postings p ON p.entry_id = e.id JOIN accounts a ON a.id = p.account_id AND a.code = t.account
                   WHERE e.source = 'refund:' || r.id || ':succeeded') b
            WHERE v.asked_by = v.agreed_by
               OR (r.proposed_by, r.approved_by) IS DISTINCT FROM (v.asked_by, v.agreed_by)
               OR (v.is_cash AND (r.state <> 'succeeded' OR b.credited <> r.amount))""",
    ),
    Invariant(
        "conflicts_decided_once",
        5,
        "A sale that did not fit waits, or was decided by somebody: sold once under its own key, or given back.",
        """SELECT x.id AS conflict_id, x.settled, x.order_id, c.order_id AS sale FROM counter_conflicts x
             LEFT JOIN counter_sales c ON (c.exhibition_id, c.key) = (x.exhibition_id, x.key)
            WHERE x.order_id IS DISTINCT FROM c.order_id""",
    ),
    Invariant(
        "till_settlements_booked_once",
        5,
        "Each settlement of a till is one journal entry that takes what was banked from it, less its difference.",
        """SELECT x.id AS settlement_id, x.banked, x.difference, e.id AS entry_id, b.credited
             FROM till_settlements x
             FULL JOIN (SELECT * FROM journal_entries WHERE kind = 'cash_banked') e
               ON e.source = 'cash:' || x.id || ':banked'
             LEFT JOIN till_sessions s ON s.id = x.session_id LEFT JOIN tills t ON t.id = s.till_id
             LEFT JOIN LATERAL (
                  SELECT COALESCE(-sum(p.amount), 0)::bigint AS credited FROM postings p
                    JOIN accounts a ON a.id = p.account_id AND a.code = t.account WHERE p.entry_id = e.id) b ON true
            WHERE x.id IS NULL OR e.id IS NULL OR b.credited <> x.banked - x.difference
               OR e.effective_date <> x.on_day""",
    ),
)
