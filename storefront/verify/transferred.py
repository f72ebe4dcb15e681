"""Working capital that went to facilities by the provider's transfers: booked once, within it, and taken back."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "transfers_booked_once",
        5,
        "Each transfer to a facility that was made is one journal entry from its gateway, as is each part of one that "
        "came back, the other way round.",
        """SELECT t.kind, t.id, t.moves, e.id AS entry_id, e.source, b.moved
             FROM (SELECT 'transfer' AS kind, x.id, -x.amount AS moves, p.gateway,
                          'settlement:' || x.settlement_id || ':transfer:' || x.id AS source
                     FROM facility_transfers x JOIN payments p ON p.id = x.payment_id WHERE x.state = 'made'
                   UNION ALL
                   SELECT 'reversal', r.id, r.amount, p.gateway,
                          'settlement:' || x.settlement_id || ':transfer:' || x.id || ':reversed:' || r.id
                     FROM transfer_reversals r JOIN facility_transfers x ON x.id = r.transfer_id
                     JOIN payments p ON p.id = x.payment_id WHERE r.state = 'made') t
             FULL JOIN (SELECT * FROM journal_entries WHERE kind = 'settlement'
                           AND source LIKE 'settlement:%:transfer:%') e ON e.source = t.source
             LEFT JOIN LATERAL (
                  SELECT sum(x.amount) AS moved FROM postings x JOIN accounts a ON a.id = x.account_id
                   WHERE x.entry_id = e.id AND a.code = 'clearing:' || t.gateway) b ON true
            WHERE b.moved IS DISTINCT FROM t.moves""",
    ),
    Invariant(
        "transfers_are_their_settlement",
        9,
        "A settlement by transfers is the sum of those that two people agreed on; once it is paid, none is under way, "
        "and what was transferred is what was made.",
        """SELECT s.id AS settlement_id, s.state, s.amount, s.transferred, t.planned, t.made, t.waiting
             FROM settlements s
            CROSS JOIN LATERAL (
                  SELECT COALESCE(sum(amount), 0) AS planned,
                         COALESCE(sum(amount) FILTER (WHERE state = 'made'), 0) AS made,
                         count(*) FILTER (WHERE state IN ('planned', 'failed')) AS waiting
                    FROM facility_transfers WHERE settlement_id = s.id) t
            WHERE CASE WHEN s.connected_account_id IS NULL OR s.approved_at IS NULL THEN t.planned <> 0
                       ELSE t.planned <> s.amount OR (s.state <> 'approved' AND t.waiting > 0)
                            OR t.made <> COALESCE(s.transferred, CASE s.state WHEN 'approved' THEN t.made ELSE 0 END)
                  END""",
    ),
    Invariant(
        "transfers_within_capital",
        9,
        "No facility has more of a payment by transfer than its working capital of it; what was taken back of the "
        "one comes back of the other.",
        """SELECT t.payment_id, t.facility_id, t.there, working_capital_of(t.payment_id, t.facility_id) AS capital
             FROM (SELECT x.payment_id, s.facility_id, sum(x.amount - COALESCE(r.amount, 0)) AS there
                     FROM facility_transfers x
                     JOIN settlements s ON s.id = x.settlement_id
                     LEFT JOIN (SELECT transfer_id, sum(amount) AS amount FROM transfer_reversals
                                 WHERE state <> 'dropped' GROUP BY transfer_id) r ON r.transfer_id = x.id
                    WHERE x.state IN ('planned', 'made') GROUP BY 1, 2) t
            WHERE t.there > GREATEST(0, working_capital_of(t.payment_id, t.facility_id))""",
    ),
    Invariant(
        "reversals_add_up",
        6,
        "What came back of a transfer is the sum of its reversals that were made, and never more than went.",
        """SELECT t.id AS transfer_id, t.amount, t.reversed, r.made, r.planned
             FROM facility_transfers t
            CROSS JOIN LATERAL (
                  SELECT COALESCE(sum(amount) FILTER (WHERE state = 'made'), 0) AS made,
                         COALESCE(sum(amount) FILTER (WHERE state <> 'dropped'), 0) AS planned
                    FROM transfer_reversals WHERE transfer_id = t.id) r
            WHERE t.reversed <> r.made OR r.planned > t.amount""",
    ),
    Invariant(
        "connected_accounts_decided_by_two",
        9,
        "Nobody registered a facility's account at the provider, or its end, that they had proposed.",
        """SELECT id AS connected_account_id, proposed_by AS person_id FROM connected_accounts
            WHERE approved_by = proposed_by OR end_approved_by = end_proposed_by""",
    ),
)
