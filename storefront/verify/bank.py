"""The bank's lines beside the books, shoppers' transfers, and money that goes back by bank."""

from __future__ import annotations

from storefront.verify.invariant import GRACE, Invariant

INVARIANTS = (
    Invariant(
        "transfers_reach_the_bank",
        2,
        "Each bank transfer that was counted left its clearing account for a bank account at once: one payout of "
        "the same amount.",
        """SELECT p.id AS payment_id, p.amount, o.id AS payout_id, o.amount AS passed_on
             FROM (SELECT * FROM payments WHERE gateway = 'transfer' AND state = 'succeeded') p
             FULL JOIN (SELECT * FROM payouts WHERE gateway = 'transfer') o ON o.reference = p.reference
            WHERE p.amount IS DISTINCT FROM o.amount""",
    ),
    Invariant(
        "transfer_clearing_explains_itself",
        2,
        "On no day does anything stay on the clearing account of bank transfers.",
        """SELECT e.effective_date, sum(p.amount)::bigint AS left_over
             FROM postings p
             JOIN accounts a ON a.id = p.account_id AND a.code = 'clearing:transfer'
             JOIN journal_entries e ON e.id = p.entry_id AND e.kind <> 'correction'
            GROUP BY e.effective_date HAVING sum(p.amount) <> 0""",
    ),
    Invariant(
        "transfers_have_their_line",
        5,
        "Each bank transfer that was counted or held is a line of the bank.",
        """SELECT e.source, p.id AS posting_id FROM journal_entries e
             JOIN postings p ON p.entry_id = e.id
             JOIN accounts a ON a.id = p.account_id AND a.bank_account_id IS NOT NULL
             LEFT JOIN payouts o ON e.source = 'payout:' || o.id || ':received' AND o.gateway = 'transfer'
            WHERE (o.id IS NOT NULL OR e.kind IN ('transfer_held', 'transfer_counted'))
              AND NOT EXISTS (SELECT FROM bank_match_postings m JOIN bank_matches b ON b.id = m.match_id AND b.is_fixed
                               WHERE m.posting_id = p.id)""",
    ),
    Invariant(
        "bank_matches_even",
        9,
        "The lines of a match and its postings on the bank account are the same sum, to the rupiah.",
        """SELECT m.id AS match_id, l.amount AS bank, p.amount AS books
             FROM bank_matches m
             LEFT JOIN LATERAL (SELECT sum(amount) AS amount, sum(abs(hundredths)) AS rest FROM bank_lines
                                 WHERE match_id = m.id AND bank_account_id = m.bank_account_id) l ON true
             LEFT JOIN LATERAL (SELECT sum(x.amount) AS amount FROM bank_match_postings y
                                  JOIN postings x ON x.id = y.posting_id
                                  JOIN accounts a ON a.id = x.account_id AND a.bank_account_id = m.bank_account_id
                                 WHERE y.match_id = m.id) p ON true
            WHERE l.amount IS NULL OR l.amount IS DISTINCT FROM p.amount OR l.rest <> 0""",
    ),
    Invariant(
        "announced_lines_are_counted",
        7,
        "A line that was announced as a payment's money is tied to the books in time.",
        f"""SELECT l.id AS line_id, l.payment_id, t.succeeded_at FROM bank_lines l
              LEFT JOIN transfers t ON t.id = l.payment_id
             WHERE l.state = 'announced'
               AND (t.id IS NULL OR t.state <> 'succeeded' OR t.succeeded_at < now() - {GRACE})""",  # noqa: S608
    ),
    Invariant(
        "held_transfers_booked",
        5,
        "Each held transfer is one entry into the bank when it is held, and one out of it for what was counted.",
        """SELECT h.id AS held_id, h.amount, h.counted, held.amount AS held, counted.amount AS released
             FROM held_transfers h
             LEFT JOIN payments p ON p.id = h.counted_for
             LEFT JOIN LATERAL (SELECT sum(x.amount) AS amount FROM journal_entries e
                                  JOIN postings x ON x.entry_id = e.id
                                  JOIN accounts a ON a.id = x.account_id AND a.bank_account_id IS NOT NULL
                                 WHERE e.source = 'held_transfer:' || h.id || ':held') held ON true
             LEFT JOIN LATERAL (SELECT -sum(x.amount) AS amount FROM journal_entries e
                                  JOIN postings x ON x.entry_id = e.id
                                  JOIN accounts a ON a.id = x.account_id AND a.bank_account_id IS NOT NULL
                                 WHERE e.source = 'held_transfer:' || h.id || ':counted') counted ON true
            WHERE held.amount IS DISTINCT FROM h.amount
               OR COALESCE(counted.amount, 0) <> CASE WHEN p.state = 'succeeded' THEN h.counted ELSE 0 END""",
    ),
    Invariant(
        "bank_returns_booked",
        5,
        "Each return that was paid is one entry out of its bank account, on the day it was paid.",
        """SELECT r.id AS return_id, r.amount, r.state, b.amount AS booked, b.effective_date
             FROM bank_returns r
             LEFT JOIN LATERAL (SELECT -sum(x.amount) AS amount, min(e.effective_date) AS effective_date
                                  FROM journal_entries e
                                  JOIN postings x ON x.entry_id = e.id
                                  JOIN accounts a ON a.id = x.account_id AND a.code = 'bank:' || r.bank_account_id
                                 WHERE CASE WHEN r.refund_id IS NULL THEN e.source = 'bank_return:' || r.id || ':paid'
                                            ELSE e.order_id = r.order_id
                                             AND e.source LIKE 'refund:' || r.refund_id || ':succeeded%' END) b ON true
            WHERE CASE r.state WHEN 'paid' THEN b.amount IS DISTINCT FROM r.amount
                                               OR b.effective_date IS DISTINCT FROM r.paid_on
                               ELSE b.amount IS NOT NULL END""",
    ),
    Invariant(
        "returns_follow_their_cause",
        4,
        "A refund goes back by bank exactly as long as its return is not paid; of a held transfer no more goes back "
        "than is left of it.",
        """SELECT r.id AS return_id, r.state, f.state AS refund, h.returned
             FROM bank_returns r
             LEFT JOIN refunds f ON f.id = r.refund_id
             LEFT JOIN held_transfers h ON h.id = r.held_id
            WHERE (f.id IS NOT NULL AND (f.amount <> r.amount
                                         OR f.state <> CASE r.state WHEN 'paid' THEN 'succeeded' ELSE 'by_bank' END))
               OR (h.id IS NOT NULL AND (h.returned <> CASE r.state WHEN 'paid' THEN r.amount ELSE 0 END
                                         OR h.counted + r.amount > h.amount))
           UNION ALL
           SELECT NULL, f.state, 'refund ' || f.id, NULL FROM refunds f
            WHERE f.state = 'by_bank' AND NOT EXISTS (SELECT FROM bank_returns r WHERE r.refund_id = f.id)""",
    ),
    Invariant(
        "returns_decided_by_two",
        9,
        "Nothing goes back by bank before two people agreed to it.",
        """SELECT 'batch' AS kind, b.id, b.proposed_by AS person_id FROM return_batches b
            WHERE b.approved_by = b.proposed_by
           UNION ALL
           SELECT 'return', r.id, b.proposed_by FROM bank_returns r LEFT JOIN return_batches b ON b.id = r.batch_id
            WHERE r.state IN ('approved', 'paid') AND b.state IS DISTINCT FROM 'approved'""",
    ),
    Invariant(
        "shoppers_accounts_are_deleted",
        7,
        "No shopper's account is kept once it is paid, or for more than 30 days.",
        """SELECT a.return_id, r.state, a.given_at FROM return_accounts a JOIN bank_returns r ON r.id = a.return_id
            WHERE r.state = 'paid' OR a.given_at < now() - interval '30 days 3 hours'""",
    ),
    Invariant(
        "payment_files_pay_once",
        9,
        "A file for the bank pays exactly its lines, by a form that two people agreed on; nobody is in two living "
        "files; what is paid by one was agreed on, with the same amount.",
        """SELECT 'file' AS kind, f.id, f.amount, l.amount AS found FROM payment_files f
             JOIN payment_file_shapes h ON h.id = f.shape_id
             LEFT JOIN LATERAL (SELECT count(*) AS number, sum(amount)::bigint AS amount FROM payment_file_lines
                                 WHERE file_id = f.id) l ON true
            WHERE (f.payments, f.amount) IS DISTINCT FROM (l.number, l.amount) OR h.approved_at IS NULL
               OR h.approved_at > f.made_at
           UNION ALL
           SELECT 'line', l.file_id, l.amount, s.amount FROM payment_file_lines l
             JOIN settlements s ON s.id = l.settlement_id
            WHERE s.amount <> l.amount OR (l.is_living AND s.state NOT IN ('approved', 'paid', 'reversed'))
           UNION ALL
           SELECT 'line', l.file_id, l.amount, r.amount FROM payment_file_lines l
             JOIN bank_returns r ON r.id = l.return_id
            WHERE r.amount <> l.amount
           UNION ALL
           SELECT 'twice', max(file_id), sum(amount)::bigint, count(*) FROM payment_file_lines WHERE is_living
            GROUP BY settlement_id, return_id HAVING count(*) > 1
           UNION ALL
           SELECT 'discarded', l.file_id, l.amount, NULL FROM payment_file_lines l
             JOIN payment_files f ON f.id = l.file_id
            WHERE l.is_living = (f.state = 'discarded')""",
    ),
)
