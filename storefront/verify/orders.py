"""Orders, their sums, their parcels and the money that pays them."""

from __future__ import annotations

from storefront.verify.invariant import GRACE, Invariant

INVARIANTS = (
    Invariant(
        "order_totals",
        6,
        "An order's totals are the sums of its lines and of its parcels' shipping.",
        """SELECT o.id AS order_id, o.items_total, l.net_amount AS lines, o.shipping_total, p.shipping AS parcels
             FROM orders o
             LEFT JOIN (SELECT order_id, sum(net_amount)::bigint AS net_amount FROM order_lines
                         GROUP BY order_id) l ON l.order_id = o.id
             LEFT JOIN (SELECT order_id, sum(shipping_amount)::bigint AS shipping FROM parcels
                         GROUP BY order_id) p ON p.order_id = o.id
            WHERE o.items_total IS DISTINCT FROM l.net_amount OR o.shipping_total <> COALESCE(p.shipping, 0)""",
    ),
    Invariant(
        "instalments_cover_the_order",
        4,
        "An order's instalments add up to its total.",
        """SELECT o.id AS order_id, o.total, COALESCE(sum(i.amount), 0)::bigint AS instalments
             FROM orders o LEFT JOIN instalments i ON i.order_id = o.id
            GROUP BY o.id HAVING o.total <> COALESCE(sum(i.amount), 0)""",
    ),
    Invariant(
        "one_payment_counts",
        4,
        "For each instalment at most one payment counts.",
        """SELECT instalment_id, count(*) AS payments FROM payments WHERE counts
            GROUP BY instalment_id HAVING count(*) > 1""",
    ),
    Invariant(
        "counting_payments_fit",
        4,
        "A payment that counts has succeeded and pays exactly its instalment, of its own order.",
        """SELECT p.id AS payment_id, p.state, p.amount, i.amount AS instalment, p.order_id, i.order_id AS of_order
             FROM payments p JOIN instalments i ON i.id = p.instalment_id
            WHERE p.order_id <> i.order_id
               OR (p.counts AND (p.amount <> i.amount OR p.state <> 'succeeded' OR p.succeeded_at IS NULL))""",
    ),
    Invariant(
        "paid_when_all_instalments_are",
        4,
        "An order is paid when all its instalments are, and not before.",
        """SELECT o.id AS order_id, o.state, count(i.id) AS instalments, count(p.id) AS paid
             FROM orders o
             JOIN instalments i ON i.order_id = o.id
             LEFT JOIN payments p ON p.instalment_id = i.id AND p.counts
            GROUP BY o.id
           HAVING (o.state = 'paid') <> (count(DISTINCT i.id) = count(DISTINCT p.instalment_id))""",
    ),
    Invariant(
        "vain_payments_given_back",
        4,
        "Money that pays nothing, too late or a second time, is given back in full.",
        """SELECT p.id AS payment_id, p.order_id, p.amount, COALESCE(sum(r.amount), 0)::bigint AS refunds
             FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id AND r.state <> 'failed'
            WHERE p.state = 'succeeded' AND NOT p.counts
            GROUP BY p.id HAVING COALESCE(sum(r.amount), 0) <> p.amount""",
    ),
    Invariant(
        "ended_orders_keep_nothing",
        4,
        "An order that ended before its last instalment gives back those that came, unless the payer's bank took them.",
        """SELECT p.id AS payment_id, p.order_id, p.amount FROM payments p
             JOIN orders o ON o.id = p.order_id AND o.state IN ('expired', 'cancelled')
            WHERE p.counts AND NOT EXISTS (SELECT FROM disputes d WHERE d.payment_id = p.id AND d.state <> 'won')
              AND p.amount <> COALESCE((SELECT sum(r.amount) FROM refunds r
                                         WHERE r.payment_id = p.id AND r.reason = 'order_ended'), 0)""",
    ),
    Invariant(
        "refunds_within_payments",
        9,
        "Refunds are never more than what was captured, and of a payment of the same order.",
        """SELECT p.id AS payment_id, p.order_id, p.state, COALESCE(p.taken_amount, p.amount) AS amount,
                  sum(r.amount)::bigint AS refunds
             FROM refunds r JOIN payments p ON p.id = r.payment_id
            WHERE r.state NOT IN ('failed', 'rejected')
            GROUP BY p.id
           HAVING sum(r.amount) > COALESCE(p.taken_amount, p.amount) OR p.state NOT IN ('succeeded', 'held')
               OR bool_or(r.order_id <> p.order_id)""",
    ),
    Invariant(
        "parcels_hold_the_lines",
        3,
        "An order's parcels hold its lines, each piece once, at the facility that made it.",
        """SELECT l.id AS order_line_id, l.quantity, COALESCE(sum(x.quantity), 0)::bigint AS in_parcels
             FROM order_lines l
             LEFT JOIN parcel_lines x ON x.order_line_id = l.id
             LEFT JOIN parcels p ON p.id = x.parcel_id
            GROUP BY l.id
           HAVING l.quantity <> COALESCE(sum(x.quantity), 0)
               OR bool_or(p.order_id <> l.order_id OR p.facility_id <> l.facility_id)""",
    ),
    Invariant(
        "refunds_know_their_pieces",
        9,
        "Each piece that a refund speaks of lies in one parcel, and no parcel is asked for more than it holds.",
        """SELECT x.refund_id, x.order_line_id, x.quantity, COALESCE(sum(y.quantity), 0)::bigint AS in_parcels
             FROM refund_lines x JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
             LEFT JOIN refund_pieces y ON (y.refund_id, y.order_line_id) = (x.refund_id, x.order_line_id)
            GROUP BY x.refund_id, x.order_line_id, x.quantity HAVING x.quantity <> COALESCE(sum(y.quantity), 0)
           UNION ALL
           SELECT NULL, y.order_line_id, max(l.quantity), sum(y.quantity)::bigint
             FROM refund_pieces y JOIN refunds r ON r.id = y.refund_id AND r.state NOT IN ('rejected', 'failed')
             LEFT JOIN parcel_lines l ON (l.parcel_id, l.order_line_id) = (y.parcel_id, y.order_line_id)
            GROUP BY y.parcel_id, y.order_line_id HAVING sum(y.quantity) > COALESCE(max(l.quantity), 0)""",
    ),
    Invariant(
        "pieces_come_back_once",
        3,
        "No more pieces come back than were sold, nor than their parcel held, and a returned parcel is back whole.",
        """SELECT l.id AS order_line_id, l.quantity, pieces_back(l.id) AS back FROM order_lines l
            WHERE EXISTS (SELECT FROM parcel_return_lines x WHERE x.order_line_id = l.id)
              AND pieces_back(l.id) > l.quantity
           UNION ALL
           SELECT x.order_line_id, COALESCE(max(l.quantity), 0), sum(x.restock + x.write_off)::bigint
             FROM parcel_return_lines x JOIN parcel_returns r ON r.id = x.return_id
             LEFT JOIN parcel_lines l ON (l.parcel_id, l.order_line_id) = (r.parcel_id, x.order_line_id)
            GROUP BY r.parcel_id, x.order_line_id
           HAVING sum(x.restock + x.write_off) > COALESCE(max(l.quantity), 0)""",
    ),
    Invariant(
        "returns_moved_the_stock",
        3,
        "What came back of a parcel is a movement of its own, and what was written off another.",
        """SELECT x.return_id, x.order_line_id, x.restock, x.write_off
             FROM parcel_return_lines x JOIN order_lines l ON l.id = x.order_line_id AND l.location_id IS NOT NULL
            WHERE x.restock <> COALESCE((
                  SELECT sum(m.quantity) FROM stock_movements m
                   WHERE m.source LIKE concat_ws(chr(58), 'return', x.return_id, 'line', l.id, '%')), 0)""",
    ),
    Invariant(
        "merged_parcels_are_empty",
        3,
        "A parcel that was put back holds nothing; one that was split off is of the first one's order and facility.",
        """SELECT p.id AS parcel_id, p.split_from, p.merged_at FROM parcels p LEFT JOIN parcels f ON f.id = p.split_from
            WHERE (p.merged_at IS NOT NULL AND EXISTS (SELECT FROM parcel_lines x WHERE x.parcel_id = p.id))
               OR (p.split_from IS NOT NULL
                   AND (f.order_id, f.facility_id) IS DISTINCT FROM (p.order_id, p.facility_id))""",
    ),
    Invariant(
        "labels_are_printed_in_batches",
        9,
        "Each label batch is of parcels of its facility, and what was printed is closed.",
        """SELECT b.id AS batch_id, b.facility_id, b.closed_at FROM label_batches b
            WHERE (b.closed_at IS NULL AND EXISTS (SELECT FROM label_prints x WHERE x.batch_id = b.id))
               OR EXISTS (SELECT FROM label_batch_parcels x JOIN parcels p ON p.id = x.parcel_id
                           WHERE x.batch_id = b.id AND p.facility_id <> b.facility_id)""",
    ),
    Invariant(
        "parcels_follow_their_order",
        7,
        "Parcels wait while their order is unpaid, may be packed once it is paid, and end with an order that ends.",
        """SELECT p.id AS parcel_id, p.state AS parcel, o.id AS order_id, o.state AS "order"
             FROM parcels p JOIN orders o ON o.id = p.order_id
            WHERE CASE o.state WHEN 'awaiting_payment' THEN p.state <> 'waiting'
                               WHEN 'paid' THEN p.state = 'waiting'
                               ELSE p.state <> 'cancelled' END""",
    ),
    Invariant(
        "unpaid_orders_end",
        7,
        "No unpaid order lives on beyond its time.",
        f"""SELECT id AS order_id, number, expires_at FROM orders
             WHERE state = 'awaiting_payment' AND expires_at < now() - {GRACE}""",  # noqa: S608
    ),
    Invariant(
        "open_payments_end",
        7,
        "No payment stays open beyond its time.",
        f"""SELECT id AS payment_id, order_id, state, expires_at FROM payments
             WHERE state IN ('created', 'pending') AND expires_at < now() - {GRACE}""",  # noqa: S608
    ),
    Invariant(
        "called_off_is_given_back",
        9,
        "What goes back because its shopper called it off lies in parcels that were called off, each piece once.",
        """SELECT r.id AS refund_id, x.order_line_id, x.quantity, COALESCE(sum(l.quantity), 0)::bigint AS called_off
             FROM refunds r
             JOIN refund_lines x ON x.refund_id = r.id
             LEFT JOIN (parcel_lines l JOIN parcels p ON p.id = l.parcel_id AND p.state = 'cancelled')
               ON l.order_line_id = x.order_line_id
            WHERE r.reason = 'cancelled'
            GROUP BY r.id, x.order_line_id, x.quantity HAVING x.quantity > COALESCE(sum(l.quantity), 0)""",
    ),
    Invariant(
        "problems_are_answered",
        7,
        "What a facility has not answered by its day is the office's a day later; the shopper is told of each step.",
        """SELECT x.id AS problem_id, x.state, x.answer_by, m.id AS message_id FROM problems x
             LEFT JOIN messages m ON m.key = concat('problem', chr(58), x.id, chr(58),
                                                    CASE x.state WHEN 'open' THEN 'reported' ELSE x.state END)
            WHERE (x.state = 'open' AND x.answer_by < accounting_date(now()) - 1) OR m.id IS NULL""",
    ),
    Invariant(
        "refunds_end",
        7,
        "Each refund that was decided goes through in time; one that the provider refused waits for a person, "
        "unless nobody decided it.",
        f"""SELECT r.id AS refund_id, r.payment_id, r.amount, r.state, r.requested_at FROM refunds r
             WHERE (r.state = 'failed' AND r.proposed_by IS NULL AND r.reason <> 'cancelled')
                OR (r.state IN ('requested', 'pending')
                    AND COALESCE(r.approved_at, r.requested_at) < now() - {GRACE}
                    -- one that was refused and is sent again has a job of now
                    AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.task_name = 'orders.send_refund'
                                       AND j.status IN ('todo', 'doing') AND j.args ->> 'refund_id' = r.id::text))""",  # noqa: S608
    ),
)
