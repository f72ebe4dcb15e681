CREATE INDEX CONCURRENTLY postings_day ON postings (account_id, effective_date) INCLUDE (amount, entry_id);
CREATE INDEX CONCURRENTLY audit_events_action ON audit_events (action, id);
CREATE INDEX CONCURRENTLY audit_events_at ON audit_events (at);
