"""Money that leaves a gateway otherwise than by a refund, corrections, and who agreed to what."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "fees_booked_once",
        5,
        "Each fee that a provider kept is one journal entry that credits its gateway by it.",
        """SELECT p.id AS payment_id, p.fee, e.id AS entry_id, c.credited
             FROM payments p
             FULL JOIN (SELECT * FROM journal_entries WHERE kind = 'fee' AND source NOT LIKE 'provider_line:%') e
               ON e.source = 'payment:' || p.id || ':fee'
             LEFT JOIN LATERAL (
                  SELECT -sum(x.amount) AS credited FROM postings x JOIN accounts a ON a.id = x.account_id
                   WHERE x.entry_id = e.id AND a.code = 'clearing:' || p.gateway) c ON true
            WHERE (COALESCE(p.fee, 0) > 0 OR e.id IS NOT NULL) AND c.credited IS DISTINCT FROM p.fee""",
    ),
    Invariant(
        "payouts_booked_once",
        5,
        "Each payout is one journal entry from its gateway to its bank account.",
        """SELECT o.id AS payout_id, o.amount, e.id AS entry_id, c.debited
             FROM payouts o
             FULL JOIN (SELECT * FROM journal_entries WHERE kind = 'payout') e
               ON e.source = 'payout:' || o.id || ':received'
             LEFT JOIN LATERAL (
                  SELECT sum(x.amount) AS debited FROM postings x JOIN accounts a ON a.id = x.account_id
                   WHERE x.entry_id = e.id AND a.code = 'bank:' || o.bank_account_id) c ON true
            WHERE c.debited IS DISTINCT FROM o.amount OR e.effective_date IS DISTINCT FROM o.arrived_on""",
    ),
    Invariant(
        "disputes_booked",
        5,
        "Each dispute is an entry when it is opened and one when it is closed, and nothing stays disputed after.",
        """SELECT d.id AS dispute_id, d.state, d.amount, b.entries, b.held FROM disputes d
             JOIN payments p ON p.id = d.payment_id
            CROSS JOIN LATERAL (
                  SELECT count(DISTINCT e.id) AS entries,
                         COALESCE(sum(x.amount) FILTER (WHERE a.code = 'disputed:' || p.gateway), 0) AS held
                    FROM journal_entries e JOIN postings x ON x.entry_id = e.id JOIN accounts a ON a.id = x.account_id
                   WHERE e.kind = 'dispute'
                     AND e.source IN ('dispute:' || d.id || ':opened', 'dispute:' || d.id || ':' || d.state)) b
            WHERE b.entries <> CASE d.state WHEN 'open' THEN 1 ELSE 2 END
               OR b.held <> CASE d.state WHEN 'open' THEN d.amount ELSE 0 END""",
    ),
    Invariant(
        "disputes_take_what_is_left",
        6,
        "What refunds and lost disputes took of a share is never more than the share.",
        """SELECT s.order_line_id, s.position, s.amount, r.amount AS refunded, d.amount AS disputed
             FROM order_line_shares s
             JOIN (SELECT order_line_id, position, sum(amount) AS amount FROM dispute_shares GROUP BY 1, 2) d
            USING (order_line_id, position)
             LEFT JOIN LATERAL (SELECT COALESCE(sum(x.amount), 0) AS amount FROM refund_shares x
                                 WHERE (x.order_line_id, x.position) = (s.order_line_id, s.position)) r ON true
            WHERE r.amount + d.amount > s.amount""",
    ),
    Invariant(
        "disputes_debit_the_shares",
        6,
        "The books take each lost dispute from the funds exactly as its shares say, from its own facility.",
        """SELECT dispute_id, order_line_id, facility_id, fund_id, s.amount AS shares, b.amount AS booked
             FROM (SELECT s.dispute_id, s.order_line_id, l.facility_id, s.fund_id, sum(s.amount) AS amount
                     FROM dispute_shares s JOIN order_lines l ON l.id = s.order_line_id GROUP BY 1, 2, 3, 4) s
             FULL JOIN (
                   SELECT substring(e.source FROM '^dispute:([0-9]+):lost$')::bigint AS dispute_id, p.order_line_id,
                          a.facility_id, a.fund_id, sum(p.amount) AS amount
                     FROM journal_entries e JOIN postings p ON p.entry_id = e.id AND p.order_line_id IS NOT NULL
                     JOIN accounts a ON a.id = p.account_id
                    WHERE e.kind = 'dispute' GROUP BY 1, 2, 3, 4) b
            USING (dispute_id, order_line_id, facility_id, fund_id)
            WHERE s.amount IS DISTINCT FROM b.amount""",
    ),
    Invariant(
        "corrections_booked_as_proposed",
        9,
        "Each correction that two people agreed on is one journal entry with the legs that were proposed.",
        """SELECT c.id AS correction_id, c.state, e.id AS entry_id
             FROM corrections c
             FULL JOIN (SELECT * FROM journal_entries WHERE kind = 'correction') e ON e.source = 'correction:' || c.id
            WHERE (c.state = 'booked') IS DISTINCT FROM (e.id IS NOT NULL)
               OR (e.id IS NOT NULL AND (
                   (SELECT jsonb_object_agg(account, amount) FROM (
                      SELECT leg ->> 'account' AS account, sum((leg ->> 'amount')::bigint) AS amount
                        FROM jsonb_array_elements(c.legs) leg GROUP BY 1) proposed)
                   IS DISTINCT FROM
                   (SELECT jsonb_object_agg(account, amount) FROM (
                      SELECT a.code AS account, sum(x.amount) AS amount
                        FROM postings x JOIN accounts a ON a.id = x.account_id
                       WHERE x.entry_id = e.id GROUP BY 1) booked)))""",
    ),
    Invariant(
        "rules_decided_by_two",
        9,
        "Nobody approved a rule's end, a bearer of fees, a limit of refunds or a correction that they proposed.",
        """SELECT 'split_rule_end' AS kind, id, proposed_by AS person_id FROM split_rule_ends
            WHERE approved_by = proposed_by
           UNION ALL SELECT 'fee_bearer', id, proposed_by FROM fee_bearers WHERE approved_by = proposed_by
           UNION ALL SELECT 'refund_limit', id, proposed_by FROM refund_limits WHERE approved_by = proposed_by
           UNION ALL SELECT 'correction', id, proposed_by FROM corrections WHERE approved_by = proposed_by""",
    ),
)
