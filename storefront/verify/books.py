"""The books: balanced, complete, and the same as the facts they tell of."""

from __future__ import annotations

from storefront.verify.invariant import GRACE, Invariant

#: What each account of a facility is for: the fund's code, `shipping` for the one without a fund.
CREDITS = """
    SELECT e.order_id, a.facility_id, COALESCE(f.code, 'shipping') AS fund, p.order_line_id, -p.amount AS amount
      FROM postings p
      JOIN journal_entries e ON e.id = p.entry_id AND e.kind = 'sale'
      JOIN accounts a ON a.id = p.account_id AND a.facility_id IS NOT NULL
      LEFT JOIN funds f ON f.id = a.fund_id
"""

INVARIANTS = (
    Invariant(
        "entries_balanced",
        1,
        "In every journal entry debits equal credits.",
        "SELECT entry_id, sum(amount)::bigint AS difference FROM postings GROUP BY entry_id HAVING sum(amount) <> 0",
    ),
    Invariant(
        "entries_have_postings",
        1,
        "No journal entry is empty.",
        """SELECT e.id AS entry_id, e.source FROM journal_entries e
            WHERE NOT EXISTS (SELECT FROM postings p WHERE p.entry_id = e.id)""",
    ),
    Invariant(
        "entries_name_their_fact",
        5,
        "Every journal entry tells of something that happened, with that thing's name and kind.",
        """SELECT e.id AS entry_id, e.source, e.kind
             FROM journal_entries e
             LEFT JOIN payments p ON e.source IN ('payment:' || p.id || ':captured', 'payment:' || p.id || ':held')
                                 AND p.state IN ('succeeded', 'held') AND p.order_id = e.order_id
             LEFT JOIN refunds r ON e.kind = 'refund' AND r.order_id = e.order_id
                                AND r.id = substring(e.source FROM
                                    '^refund:([0-9]+):(?:succeeded|taken_back)(?::[0-9]+)?$')::bigint
                                AND (r.state = 'succeeded' OR EXISTS (
                                    SELECT FROM refund_returns x WHERE x.refund_id = r.id))
            WHERE CASE e.kind
                    WHEN 'sale'         THEN e.source NOT LIKE 'payment:%:captured' OR NOT COALESCE(p.counts, false)
                    WHEN 'customer_deposit' THEN e.source NOT LIKE 'payment:%:captured' OR NOT COALESCE(p.counts, false)
                    WHEN 'deposit_released' THEN NOT EXISTS (
                         SELECT FROM payments d JOIN refunds b ON b.payment_id = d.id AND b.reason = 'order_ended'
                          WHERE e.source = concat('payment', chr(58), d.id, chr(58), 'released')
                            AND d.counts AND d.order_id = e.order_id)
                    WHEN 'payment_held' THEN e.source NOT LIKE 'payment:%:held' OR COALESCE(p.counts, true)
                    WHEN 'refund'       THEN r.id IS NULL
                  END""",
    ),
    Invariant(
        "captures_booked_once",
        5,
        "Each payment that counts is one journal entry that debits its gateway by its amount; "
        "each that pays nothing is one that holds the money to give back.",
        """SELECT p.id AS payment_id, p.gateway, p.state, COALESCE(p.taken_amount, p.amount) AS amount, p.counts,
                  count(DISTINCT e.id) AS entries, COALESCE(sum(c.amount), 0)::bigint AS debited
             FROM payments p
             LEFT JOIN journal_entries e
               ON e.source = 'payment:' || p.id || CASE WHEN p.counts THEN ':captured' ELSE ':held' END
             LEFT JOIN (
                  SELECT x.entry_id, a.code, sum(x.amount) AS amount FROM postings x
                    JOIN accounts a ON a.id = x.account_id AND (a.code LIKE 'clearing:%' OR a.code LIKE 'cash:%')
                   GROUP BY x.entry_id, a.code) c
               ON c.entry_id = e.id
                  AND (c.code = 'clearing:' || p.gateway OR (p.gateway = 'cash' AND c.code LIKE 'cash:%'))
            WHERE p.state IN ('succeeded', 'held') AND COALESCE(p.taken_currency, 'IDR') = 'IDR'
            GROUP BY p.id
           HAVING count(DISTINCT e.id) <> 1 OR COALESCE(sum(c.amount), 0) <> COALESCE(p.taken_amount, p.amount)""",
    ),
    Invariant(
        "refunds_booked_once",
        5,
        "Each refund that succeeded is one journal entry that credits its gateway by its amount, or our bank account "
        "when it went back by bank; each time it came back is one that debits the gateway again.",
        """SELECT r.id AS refund_id, r.state, r.amount, back.times AS came_back, b.entries, b.credited, b.by_bank
             FROM refunds r
             JOIN payments p ON p.id = r.payment_id
             LEFT JOIN bank_returns t ON t.refund_id = r.id
            CROSS JOIN LATERAL (SELECT count(*) AS times FROM refund_returns x WHERE x.refund_id = r.id) back
            CROSS JOIN LATERAL (
                  SELECT count(DISTINCT e.id) AS entries, COALESCE(-sum(x.amount), 0)::bigint AS credited,
                         COALESCE(-sum(x.amount) FILTER (WHERE a.bank_account_id = t.bank_account_id), 0)::bigint
                           AS by_bank
                    FROM journal_entries e JOIN postings x ON x.entry_id = e.id JOIN accounts a ON a.id = x.account_id
                   WHERE e.order_id = r.order_id AND e.kind = 'refund' AND split_part(e.source, ':', 2) = r.id::text
                     AND (a.code = 'clearing:' || p.gateway OR a.bank_account_id = t.bank_account_id
                          OR (p.gateway = 'cash' AND a.code LIKE 'cash:%'))) b
            WHERE b.entries <> 2 * back.times + CASE r.state WHEN 'succeeded' THEN 1 ELSE 0 END
               OR b.credited <> CASE r.state WHEN 'succeeded' THEN r.amount ELSE 0 END
               OR b.by_bank <> CASE WHEN r.state = 'succeeded' AND t.id IS NOT NULL THEN r.amount ELSE 0 END""",
    ),
    Invariant(
        "clearing_balance",
        2,
        "What a gateway holds by our books is what was captured through it less what it refunded, disputed "
        "(unless it was won), kept as fees, transferred to facilities and paid out.",
        """SELECT gateway, booked, corrected, captured, refunded, disputed, fees, transferred, paid_out FROM (
               SELECT g.gateway,
                      COALESCE((SELECT sum(x.amount) FROM postings x JOIN accounts a ON a.id = x.account_id
                                 WHERE a.code = 'clearing:' || g.gateway), 0)::bigint AS booked,
                      COALESCE((SELECT sum(x.amount) FROM postings x JOIN accounts a ON a.id = x.account_id
                                  JOIN journal_entries e ON e.id = x.entry_id AND e.kind = 'correction'
                                 WHERE a.code = 'clearing:' || g.gateway), 0)::bigint AS corrected,
                      COALESCE((SELECT sum(COALESCE(p.taken_amount, p.amount)) FROM payments p
                                 WHERE p.gateway = g.gateway AND p.state IN ('succeeded', 'held')
                                   AND COALESCE(p.taken_currency, 'IDR') = 'IDR'), 0)::bigint AS captured,
                      COALESCE((SELECT sum(r.amount) FROM refunds r JOIN payments p ON p.id = r.payment_id
                                 WHERE p.gateway = g.gateway AND r.state = 'succeeded' AND NOT EXISTS (
                                       SELECT FROM bank_returns b WHERE b.refund_id = r.id)), 0)::bigint AS refunded,
                      COALESCE((SELECT sum(d.amount) FROM disputes d JOIN payments p ON p.id = d.payment_id
                                 WHERE p.gateway = g.gateway AND d.state <> 'won'), 0)::bigint AS disputed,
                      COALESCE((SELECT sum(p.fee) FROM payments p WHERE p.gateway = g.gateway), 0)::bigint
                        + COALESCE((SELECT sum(CASE WHEN l.kind = 'fee' THEN -l.amount ELSE 0 END
                                               + CASE WHEN l.kind = 'payment' THEN 0 ELSE l.fee END)
                                      FROM provider_lines l
                                      JOIN journal_entries e ON e.source IN ('provider_line:' || l.id,
                                                                             'provider_line:' || l.id || ':fee')
                                     WHERE l.gateway = g.gateway), 0)::bigint AS fees,
                      COALESCE((SELECT sum(o.amount) FROM payouts o WHERE o.gateway = g.gateway), 0)::bigint
                        AS paid_out,
                      COALESCE((SELECT sum(t.amount - t.reversed) FROM facility_transfers t
                                  JOIN payments p ON p.id = t.payment_id
                                 WHERE p.gateway = g.gateway AND t.state = 'made'), 0)::bigint AS transferred
                 FROM (SELECT gateway FROM payments UNION SELECT gateway FROM accounts WHERE gateway IS NOT NULL) g
                WHERE g.gateway <> 'cash'
           ) sums WHERE booked - corrected <> captured - refunded - disputed - fees - transferred - paid_out""",
    ),
    Invariant(
        "sandbox_agrees",
        2,
        "The sandbox provider's own books have the same payments and refunds as ours, "
        "but for news that is still on its way.",
        f"""SELECT COALESCE(p.id, s.id) AS payment_id, p.state AS ours, s.state AS providers,
                   p.amount AS our_amount, s.amount AS provider_amount,
                   COALESCE(r.amount, 0)::bigint AS our_refunds, COALESCE(b.amount, 0)::bigint AS provider_refunds
              FROM (SELECT * FROM payments WHERE gateway = 'sandbox') p
              FULL JOIN sandbox_payments s ON s.id = COALESCE(p.reference, p.id)
              LEFT JOIN LATERAL (SELECT COALESCE(max(created_at), s.created_at) AS at FROM sandbox_events e
                                  WHERE e.payment_id = s.id) news ON true
              LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM refunds x
                                  WHERE x.payment_id = p.id AND x.state = 'succeeded') r ON true
              LEFT JOIN LATERAL (SELECT sum(amount) FILTER (WHERE x.state = 'succeeded') AS amount,
                                        sum(amount) AS ever FROM sandbox_refunds x
                                  WHERE x.payment_id = s.id) b ON true
             WHERE (p.state IN ('succeeded', 'held')
                    AND (s.state IS DISTINCT FROM 'succeeded' OR s.amount <> COALESCE(p.taken_amount, p.amount)))
                OR (COALESCE(p.state, '') NOT IN ('succeeded', 'held') AND s.state = 'succeeded'
                    AND news.at < now() - {GRACE})
                OR COALESCE(r.amount, 0) > COALESCE(b.ever, 0) OR COALESCE(b.amount, 0) > s.amount
                OR (COALESCE(r.amount, 0) <> COALESCE(b.amount, 0) AND news.at < now() - {GRACE})""",  # noqa: S608
    ),
    Invariant(
        "sales_credit_the_shares",
        6,
        "The books credit each line of a paid order to the funds exactly as it was sold, to its own facility.",
        f"""SELECT order_line_id, facility_id, fund, sold, booked FROM (
                SELECT l.id AS order_line_id, l.facility_id, f.code AS fund, sum(s.amount)::bigint AS sold
                  FROM order_line_shares s
                  JOIN order_lines l ON l.id = s.order_line_id
                  JOIN orders o ON o.id = l.order_id AND o.state = 'paid'
                  JOIN funds f ON f.id = s.fund_id
                 GROUP BY l.id, f.code HAVING sum(s.amount) <> 0) shares
              FULL JOIN (
                SELECT order_line_id, facility_id, fund, sum(amount)::bigint AS booked FROM ({CREDITS}) c
                 WHERE fund <> 'shipping' GROUP BY order_line_id, facility_id, fund) books
             USING (order_line_id, facility_id, fund)
             WHERE sold IS DISTINCT FROM booked""",  # noqa: S608
    ),
    Invariant(
        "sales_credit_the_shipping",
        1,
        "The books credit the shipping of a paid order to the facilities that send its parcels.",
        f"""SELECT order_id, facility_id, charged, booked FROM (
                SELECT p.order_id, p.facility_id, sum(p.shipping_amount)::bigint AS charged
                  FROM parcels p JOIN orders o ON o.id = p.order_id AND o.state = 'paid'
                 GROUP BY p.order_id, p.facility_id HAVING sum(p.shipping_amount) <> 0) parcels
              FULL JOIN (
                SELECT order_id, facility_id, sum(amount)::bigint AS booked FROM ({CREDITS}) c
                 WHERE fund = 'shipping' GROUP BY order_id, facility_id) books
             USING (order_id, facility_id)
             WHERE charged IS DISTINCT FROM booked""",  # noqa: S608
    ),
    Invariant(
        "sales_booked_on_their_day",
        1,
        "A sale is booked on the accounting day on which its order was paid. That is the day of its payment, or "
        "the day on which it became known, after the payment's month was closed: then the entry names the former.",
        """SELECT e.id AS entry_id, e.effective_date, e.happened_on, accounting_date(o.paid_at) AS paid_on,
                  accounting_date(p.succeeded_at) AS payment_on
             FROM journal_entries e JOIN orders o ON o.id = e.order_id
             LEFT JOIN payments p ON 'payment:' || p.id || ':captured' = e.source
            WHERE e.kind = 'sale'
              AND (e.effective_date IS DISTINCT FROM accounting_date(o.paid_at)
                   OR accounting_date(p.succeeded_at) IS DISTINCT FROM COALESCE(e.happened_on, e.effective_date))""",
    ),
    Invariant(
        "money_to_return",
        4,
        "What we hold to give back is what was paid in vain, or is held, and has not gone back yet.",
        """SELECT booked, held, returned, transfers FROM (
               SELECT COALESCE((SELECT -sum(x.amount) FROM postings x JOIN accounts a ON a.id = x.account_id
                                  JOIN journal_entries e ON e.id = x.entry_id AND e.kind <> 'correction'
                                 WHERE a.code = 'customers:to_return'), 0)::bigint AS booked,
                      COALESCE((SELECT sum(COALESCE(taken_amount, amount)) FROM payments
                                 WHERE state IN ('succeeded', 'held') AND NOT counts
                                   AND COALESCE(taken_currency, 'IDR') = 'IDR'), 0)::bigint
                        + COALESCE((SELECT sum(amount) FROM refunds WHERE reason = 'order_ended'), 0)::bigint AS held,
                      COALESCE((SELECT sum(r.amount) FROM refunds r JOIN payments p ON p.id = r.payment_id
                                 WHERE r.state = 'succeeded' AND (NOT p.counts OR r.reason = 'order_ended')), 0)::bigint
                        AS returned,
                      COALESCE((SELECT sum(h.amount - h.returned - CASE WHEN p.state = 'succeeded' THEN h.counted
                                       ELSE 0 END)
                                  FROM held_transfers h LEFT JOIN payments p ON p.id = h.counted_for), 0)::bigint
                        AS transfers
           ) sums WHERE booked <> held - returned + transfers""",
    ),
    Invariant(
        "deposits_wait",
        4,
        "What waits of an order is what was captured of it while it is unpaid: nothing once it is sold, nor once it "
        "ended and gave all back.",
        """SELECT o.id AS order_id, o.state, b.booked, m.captured, m.given_back
             FROM orders o
            CROSS JOIN LATERAL (
                  SELECT COALESCE(-sum(x.amount), 0)::bigint AS booked FROM journal_entries e
                    JOIN postings x ON x.entry_id = e.id JOIN accounts a ON a.id = x.account_id
                   WHERE e.order_id = o.id AND a.code = 'customer_deposits' AND e.kind <> 'correction') b
            CROSS JOIN LATERAL (
                  SELECT COALESCE(sum(p.amount) FILTER (WHERE p.counts), 0)::bigint AS captured,
                         COALESCE(sum((SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id
                                                   AND r.reason = 'order_ended')), 0)::bigint AS given_back
                    FROM payments p WHERE p.order_id = o.id) m
            WHERE b.booked <> CASE o.state WHEN 'paid' THEN 0 ELSE m.captured - m.given_back END""",
    ),
    Invariant(
        "sales_view_equals_ledger",
        6,
        "What reporting.sales says each facility gave to each fund is what the books say.",
        f"""SELECT facility, fund, reported, booked FROM (
                SELECT s.facility_code AS facility, x.fund, sum(x.amount)::bigint AS reported
                  FROM reporting.sales s
                 CROSS JOIN LATERAL (VALUES ('premium', s.premium), ('working_capital', s.working_capital),
                       ('state_revenue', s.state_revenue), ('other', s.other_shares)) x (fund, amount)
                 GROUP BY 1, 2 HAVING sum(x.amount) <> 0) view
              FULL JOIN (
                SELECT f.code AS facility, CASE WHEN c.fund IN ('premium', 'working_capital', 'state_revenue')
                       THEN c.fund ELSE 'other' END AS fund, sum(c.amount)::bigint AS booked
                  FROM ({CREDITS}) c JOIN facilities f ON f.id = c.facility_id
                 WHERE c.fund <> 'shipping' GROUP BY 1, 2) books
             USING (facility, fund)
             WHERE reported IS DISTINCT FROM booked""",  # noqa: S608
    ),
)
