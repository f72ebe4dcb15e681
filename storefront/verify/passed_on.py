"""What was given back to buyers, and what was passed on to facilities, the treasury and makers."""

from __future__ import annotations

from storefront.verify.invariant import Invariant


def booked_once(kind: str, table: str, done: str, day: str, sign: str) -> str:
    """SQL: rows of `table` in a state of `done` without exactly their one entry, and entries without a row.

    `sign` turns the entry's posting on the bank account into the row's amount.
    """
    state = {"settlement": "paid", "deposit": "paid", "budget_return": "booked"}[kind]
    # Settlements by transfer have an entry for each (`verify.transferred`).
    table, by_transfer = (
        (f"{table} x WHERE x.connected_account_id IS NULL AND", " AND source NOT LIKE 'settlement:%:transfer:%'")
        if kind == "settlement"
        else (f"{table} WHERE", "")
    )
    return f"""SELECT t.id AS {kind}_id, t.state, t.amount, e.id AS entry_id, e.effective_date, b.moved
                 FROM (SELECT * FROM {table} state IN {done}) t
                 FULL JOIN (SELECT * FROM journal_entries WHERE kind = '{kind}'{by_transfer}) e
                   ON e.source = '{kind}:' || t.id || ':{state}'
                 LEFT JOIN LATERAL (
                      SELECT {sign}sum(x.amount) AS moved FROM postings x JOIN accounts a ON a.id = x.account_id
                       WHERE x.entry_id = e.id AND a.bank_account_id IS NOT NULL) b ON true
                WHERE b.moved IS DISTINCT FROM t.amount OR e.effective_date IS DISTINCT FROM t.{day}"""  # noqa: S608


INVARIANTS = (
    Invariant(
        "refunds_are_their_parts",
        6,
        "A refund that a person decided is the sum of its lines and shipping.",
        """SELECT r.id AS refund_id, r.amount, l.amount AS lines, s.amount AS shipping
             FROM refunds r
            CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM refund_lines WHERE refund_id = r.id) l
            CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM refund_parcels WHERE refund_id = r.id) s
            WHERE r.reason NOT IN ('paid_too_late', 'paid_twice', 'amount_differs', 'order_ended')
              AND r.amount <> l.amount + s.amount""",
    ),
    Invariant(
        "refunds_within_lines",
        9,
        "Refunds of a line are never more than its net amount and pieces; of a parcel, than its shipping.",
        """SELECT 'order_line' AS kind, l.id, l.net_amount AS amount, sum(x.amount)::bigint AS refunded,
                  sum(x.quantity) AS pieces
             FROM order_lines l JOIN refund_lines x ON x.order_line_id = l.id
             JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
            GROUP BY l.id HAVING sum(x.amount) > l.net_amount OR sum(x.quantity) > l.quantity
                              OR bool_or(r.order_id <> l.order_id)
           UNION ALL
           SELECT 'parcel', p.id, p.shipping_amount, sum(x.amount)::bigint, NULL
             FROM parcels p JOIN refund_parcels x ON x.parcel_id = p.id
             JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
            GROUP BY p.id HAVING sum(x.amount) > p.shipping_amount OR bool_or(r.order_id <> p.order_id)""",
    ),
    Invariant(
        "refund_shares_within_shares",
        6,
        "What refunds took back of a share is never more than the share, and all of it when all is given back.",
        """SELECT s.order_line_id, s.position, s.amount AS share, COALESCE(t.amount, 0) AS taken,
                  l.net_amount, COALESCE(x.amount, 0) AS refunded
             FROM order_line_shares s
             JOIN order_lines l ON l.id = s.order_line_id
             JOIN (SELECT x.order_line_id, sum(x.amount) AS amount
                     FROM refund_lines x JOIN refunds r ON r.id = x.refund_id AND r.state = 'succeeded'
                    GROUP BY x.order_line_id) x ON x.order_line_id = l.id
             LEFT JOIN (SELECT order_line_id, position, sum(amount) AS amount FROM refund_shares GROUP BY 1, 2) t
               ON (t.order_line_id, t.position) = (s.order_line_id, s.position)
            WHERE COALESCE(t.amount, 0) > s.amount
               OR (x.amount = l.net_amount AND COALESCE(t.amount, 0) <> s.amount)""",
    ),
    Invariant(
        "refund_shares_sum_to_the_refund",
        6,
        "The shares that a refund took back of a line add up to what of the line was given back.",
        """SELECT refund_id, order_line_id, l.amount AS given_back, s.amount AS shares
             FROM (SELECT x.* FROM refund_lines x JOIN refunds r ON r.id = x.refund_id AND r.state = 'succeeded') l
             FULL JOIN (SELECT refund_id, order_line_id, sum(amount) AS amount FROM refund_shares
                         GROUP BY 1, 2 HAVING sum(amount) <> 0) s
            USING (refund_id, order_line_id)
            WHERE l.amount IS DISTINCT FROM s.amount""",
    ),
    Invariant(
        "refunds_debit_the_shares",
        6,
        "The books take each refund from the funds exactly as its shares say, from its own facility.",
        """SELECT refund_id, order_line_id, facility_id, fund_id, s.amount AS shares, b.amount AS booked
             FROM (SELECT s.refund_id, s.order_line_id, l.facility_id, s.fund_id, sum(s.amount) AS amount
                     FROM refund_shares s JOIN order_lines l ON l.id = s.order_line_id GROUP BY 1, 2, 3, 4) s
             FULL JOIN (
                   SELECT substring(e.source FROM '^refund:([0-9]+):')::bigint AS refund_id, p.order_line_id,
                          a.facility_id, a.fund_id, sum(p.amount) AS amount
                     FROM journal_entries e JOIN postings p ON p.entry_id = e.id AND p.order_line_id IS NOT NULL
                     JOIN accounts a ON a.id = p.account_id
                    WHERE e.kind = 'refund' GROUP BY 1, 2, 3, 4) b
            USING (refund_id, order_line_id, facility_id, fund_id)
            WHERE s.amount IS DISTINCT FROM b.amount""",
    ),
    Invariant(
        "owed_never_below_zero",
        9,
        "No fund of a facility is owed less than nothing, and nothing comes back that was not too much: "
        "settlements and deposits are never more than was owed.",
        """SELECT a.code AS account, sum(p.amount)::bigint AS balance
             FROM accounts a JOIN postings p ON p.account_id = a.id
            WHERE a.facility_id IS NOT NULL
            GROUP BY a.id HAVING CASE a.kind WHEN 'liability' THEN sum(p.amount) > 0 ELSE sum(p.amount) < 0 END""",
    ),
    Invariant(
        "settlements_booked_once",
        5,
        "Each settlement that was paid is one journal entry from the bank, on the day it was paid.",
        booked_once("settlement", "settlements", "('paid', 'reversed')", "paid_on", "-"),
    ),
    Invariant(
        "deposits_booked_once",
        5,
        "Each deposit that was paid is one journal entry from the bank, on the day it was paid.",
        booked_once("deposit", "deposits", "('paid', 'reversed')", "paid_on", "-"),
    ),
    Invariant(
        "budget_returns_booked_once",
        5,
        "Each budget that returned is one journal entry into the bank, on the day it returned.",
        booked_once("budget_return", "budget_returns", "('booked')", "returned_on", ""),
    ),
    Invariant(
        "reversals_turn_around",
        5,
        "Each settlement or deposit that was reversed has one entry that turns its payment around: "
        "at the bank, and for what is owed and must come back together.",
        """SELECT t.kind, t.id, e.id AS entry_id
             FROM (SELECT 'settlement' AS kind, id FROM settlements WHERE state = 'reversed'
                   UNION ALL SELECT 'deposit', id FROM deposits WHERE state = 'reversed') t
             FULL JOIN (SELECT * FROM journal_entries WHERE kind = 'reversal') e
               ON e.source = t.kind || ':' || t.id || ':reversed'
            WHERE t.id IS NULL OR e.id IS NULL OR EXISTS (
                  SELECT FROM postings p JOIN journal_entries x ON x.id = p.entry_id
                    JOIN accounts a ON a.id = p.account_id
                   WHERE x.id = e.id OR x.source = t.kind || ':' || t.id || ':paid'
                   GROUP BY a.facility_id, a.fund_id, a.bank_account_id HAVING sum(p.amount) <> 0)""",
    ),
    Invariant(
        "deposits_are_their_lines",
        9,
        "A deposit is the sum of the state's postings that it carries, each carried by one living deposit at most.",
        """SELECT 'deposit' AS kind, d.id, d.amount, COALESCE(sum(l.amount), 0)::bigint AS lines
             FROM deposits d LEFT JOIN deposit_lines l ON l.deposit_id = d.id
            GROUP BY d.id HAVING d.amount <> COALESCE(sum(l.amount), 0)
           UNION ALL
           SELECT 'posting', l.posting_id, -p.amount, sum(l.amount)::bigint
             FROM deposit_lines l JOIN postings p ON p.id = l.posting_id
            WHERE l.is_living GROUP BY l.posting_id, p.amount HAVING sum(l.amount) <> -p.amount""",
    ),
    Invariant(
        "distributions_within_paid",
        9,
        "A facility passes on no more premium than was paid to it.",
        """SELECT d.facility_id, d.amount AS passed_on, COALESCE(s.amount, 0) AS paid
             FROM (SELECT facility_id, sum(amount) AS amount FROM premium_distributions
                    WHERE state <> 'rejected' GROUP BY facility_id) d
             LEFT JOIN (SELECT s.facility_id, sum(s.amount) AS amount FROM settlements s
                          JOIN funds f ON f.id = s.fund_id AND f.code = 'premium'
                         WHERE s.state = 'paid' GROUP BY s.facility_id) s USING (facility_id)
            WHERE d.amount > COALESCE(s.amount, 0)""",
    ),
    Invariant(
        "money_decided_by_two",
        9,
        "Nobody approved a refund, settlement, deposit, account, distribution or returned budget of their own.",
        """SELECT 'refund' AS kind, id, proposed_by AS person_id FROM refunds WHERE approved_by = proposed_by
           UNION ALL SELECT 'settlement', id, proposed_by FROM settlements WHERE approved_by = proposed_by
           UNION ALL SELECT 'deposit', id, proposed_by FROM deposits WHERE approved_by = proposed_by
           UNION ALL SELECT 'bank_account', id, proposed_by FROM bank_accounts WHERE approved_by = proposed_by
           UNION ALL SELECT 'distribution', id, entered_by FROM premium_distributions WHERE approved_by = entered_by
           UNION ALL SELECT 'budget_return', id, proposed_by FROM budget_returns WHERE approved_by = proposed_by""",
    ),
)
