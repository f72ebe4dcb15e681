-- What to look at every minute, one line each: name | figure | alarm above.
--   runuser -u postgres -- psql -X -At -d storefront -f watch.sql
-- Seconds that the oldest job which is due has waited: the worker is down, or too slow.
SELECT 'job_waiting_seconds', COALESCE(extract(epoch FROM now() - min(GREATEST(due.at, j.scheduled_at)))::int, 0), 120
  FROM procrastinate_jobs j
  JOIN LATERAL (SELECT max(e.at) AS at FROM procrastinate_events e
                 WHERE e.job_id = j.id AND e.type IN ('deferred', 'deferred_for_retry', 'retried', 'scheduled')) due ON true
 WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
UNION ALL
-- Jobs that were given up within a day: each wants a person. `SELECT * FROM procrastinate_jobs WHERE status = 'failed'`
SELECT 'jobs_failed_today', count(DISTINCT j.id)::int, 0
  FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'failed'
 WHERE j.status = 'failed' AND e.at > now() - interval '1 day'
UNION ALL
-- A provider's event that is kept and not handled: money may have arrived that no order knows.
SELECT 'event_unhandled_seconds', COALESCE(extract(epoch FROM now() - min(received_at))::int, 0), 300
  FROM payment_events WHERE handled_at IS NULL AND waits_for IS NULL AND NOT needs_person
UNION ALL
-- Events that nobody tries again before finance has looked at them.
SELECT 'events_for_a_person', count(*)::int, 0 FROM payment_events WHERE needs_person
UNION ALL
-- Letters that are owed: the mail server is away.
SELECT 'letter_unsent_seconds', COALESCE(extract(epoch FROM now() - min(created_at))::int, 0), 1800
  FROM messages WHERE sent_at IS NULL
UNION ALL
-- A transaction that has been open for long holds up exports and migrations.
SELECT 'transaction_seconds', COALESCE(extract(epoch FROM now() - min(xact_start))::int, 0), 900
  FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
UNION ALL
SELECT 'connections_used_percent',
       (100 * count(*) / current_setting('max_connections')::int)::int, 80
  FROM pg_stat_activity WHERE backend_type = 'client backend';
