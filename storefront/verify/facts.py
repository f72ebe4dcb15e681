"""One job and one message for each fact that needs one; nothing waits for ever."""

from __future__ import annotations

from storefront.verify.invariant import GRACE, Invariant

#: Jobs that will still run.
LIVING = "j.status IN ('todo', 'doing')"

INVARIANTS = (
    Invariant(
        "events_handled",
        7,
        "Each event of a provider is handled in time.",
        f"""SELECT id AS event_row_id, gateway, event_id, type, received_at, attempts, last_error
              FROM payment_events WHERE handled_at IS NULL AND received_at < now() - {GRACE}""",  # noqa: S608
    ),
    Invariant(
        "events_have_a_job",
        8,
        "Each stored event is handled, or a job for it will run, or a person was shown it.",
        f"""SELECT e.id AS event_row_id, e.gateway, e.event_id, e.received_at FROM payment_events e
             WHERE e.handled_at IS NULL AND NOT (e.needs_person AND e.next_try_at IS NULL) AND NOT EXISTS (
                   SELECT FROM procrastinate_jobs j WHERE j.task_name = 'orders.handle_payment_event' AND {LIVING}
                      AND j.args ->> 'event_row_id' = e.id::text)""",  # noqa: S608
    ),
    Invariant(
        "messages_have_a_job",
        8,
        "Each message owed was sent, or a job for it will run.",
        f"""SELECT m.id AS message_id, m.key, m.created_at FROM messages m
             WHERE m.sent_at IS NULL AND NOT EXISTS (
                   SELECT FROM procrastinate_jobs j WHERE j.task_name = 'orders.send_message' AND {LIVING}
                      AND j.args ->> 'message_id' = m.id::text)""",  # noqa: S608
    ),
    Invariant(
        "refunds_have_a_job",
        8,
        "Each refund was sent to the provider, or a job for it will run.",
        f"""SELECT r.id AS refund_id, r.payment_id, r.requested_at FROM refunds r
             WHERE r.state = 'requested' AND NOT EXISTS (
                   SELECT FROM procrastinate_jobs j WHERE j.task_name = 'orders.send_refund' AND {LIVING}
                      AND j.args ->> 'refund_id' = r.id::text)""",  # noqa: S608
    ),
    Invariant(
        "jobs_have_their_fact",
        8,
        "No job waits for something that never was.",
        f"""SELECT j.id AS job_id, j.task_name, j.args FROM procrastinate_jobs j
             WHERE {LIVING} AND CASE j.task_name
                   WHEN 'orders.handle_payment_event' THEN NOT EXISTS (
                        SELECT FROM payment_events e WHERE e.id = (j.args ->> 'event_row_id')::bigint)
                   WHEN 'orders.send_message' THEN NOT EXISTS (
                        SELECT FROM messages m WHERE m.id = (j.args ->> 'message_id')::bigint)
                   WHEN 'orders.send_refund' THEN NOT EXISTS (
                        SELECT FROM refunds r WHERE r.id = (j.args ->> 'refund_id')::bigint)
                   WHEN 'bank.return_by_bank' THEN NOT EXISTS (
                        SELECT FROM refunds r WHERE r.id = (j.args ->> 'refund_id')::bigint)
                   WHEN 'sandbox.deliver_event' THEN NOT EXISTS (
                        SELECT FROM sandbox_events e WHERE e.id = j.args ->> 'event_id')
                   ELSE false END""",  # noqa: S608
    ),
    Invariant(
        "messages_sent",
        7,
        "Each message owed goes out in time.",
        f"""SELECT id AS message_id, key, kind, order_id, created_at, attempts, last_error
              FROM messages WHERE sent_at IS NULL AND created_at < now() - {GRACE}""",  # noqa: S608
    ),
    Invariant(
        "payment_told_once",
        8,
        "A paid order owes its buyer one message that says so; an unpaid one none, nor one of a stand or marketplace.",
        """SELECT o.id AS order_id, o.number, o.state, count(m.id) AS messages
             FROM orders o LEFT JOIN messages m ON m.order_id = o.id AND m.kind = 'order_paid'
            GROUP BY o.id
           HAVING count(m.id) <>
                  CASE WHEN o.state = 'paid' AND o.channel NOT IN ('counter', 'marketplace') THEN 1 ELSE 0 END""",
    ),
    Invariant(
        "provider_events_delivered",
        7,
        "The sandbox provider's events arrive in time.",
        f"""SELECT id AS event_id, payment_id, type, created_at, deliveries FROM sandbox_events
             WHERE delivered_at IS NULL AND created_at < now() - {GRACE}""",  # noqa: S608
    ),
    Invariant(
        "provider_events_kept",
        5,
        "Each event that the sandbox provider delivered lies in our inbox, once.",
        """SELECT s.id AS event_id, s.payment_id, s.delivered_at, count(e.id) AS kept
             FROM sandbox_events s
             LEFT JOIN payment_events e ON e.gateway = 'sandbox' AND e.event_id = s.id
            WHERE s.delivered_at IS NOT NULL GROUP BY s.id HAVING count(e.id) <> 1""",
    ),
)
