-- Months that are closed: nothing can be dated into them, and a hash proves them unchanged.
CREATE TABLE periods (
    month         date PRIMARY KEY CHECK (date_trunc('month', month) = month),
    state         text NOT NULL CHECK (state IN ('closed', 'reopened')),
    closed_at     timestamptz NOT NULL DEFAULT now(),
    closed_by     bigint NOT NULL REFERENCES people,
    -- SHA-256 over the month's postings in order and the hash of the month before
    hash          bytea NOT NULL CHECK (length(hash) = 32),
    previous_hash bytea CHECK (length(previous_hash) = 32),
    entries       bigint NOT NULL,
    reopened_at   timestamptz,
    reopened_by   bigint REFERENCES people,
    reopen_reason text CHECK (length(reopen_reason) >= 10),
    CHECK ((state = 'reopened') = (reopened_at IS NOT NULL AND reopened_by IS NOT NULL AND reopen_reason IS NOT NULL))
);

-- The lock below is shared by everybody who books and taken alone by who closes: an entry either lies in
-- the month's hash or is refused, never between the two.
CREATE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger.close', 0));
    IF EXISTS (SELECT FROM periods WHERE month = date_trunc('month', NEW.effective_date)::date
                  AND state = 'closed') THEN
        RAISE EXCEPTION 'the month of % is closed', NEW.effective_date USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entries_open_period BEFORE INSERT ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_closed_period();

CREATE FUNCTION period_hash(closing date, previous bytea) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(COALESCE(previous, ''::bytea) || convert_to(COALESCE(string_agg(
               concat_ws('|', p.id, e.id, e.source, e.kind, e.effective_date, a.code, p.amount, p.order_line_id),
               E'\n' ORDER BY p.id), ''), 'UTF8'))
      FROM journal_entries e JOIN postings p ON p.entry_id = e.id JOIN accounts a ON a.id = p.account_id
     WHERE e.effective_date >= closing AND e.effective_date < (closing + interval '1 month')::date
$$;
