-- Months that are closed: nothing can be dated into them, and a hash proves them unchanged.
CREATE TABLE periods (
    month         date PRIMARY KEY CHECK (date_trunc('month', month) = month),
    state         text NOT NULL CHECK (state IN ('closed', 'reopened')),
    closed_at     timestamptz NOT NULL DEFAULT now(),
    closed_by     bigint NOT NULL REFERENCES people,
    -- SHA-256 over the hash of the month before and the month's content
    hash          bytea NOT NULL CHECK (length(hash) = 32),
    previous_hash bytea CHECK (length(previous_hash) = 32),
    entries       bigint NOT NULL,
    reopened_at   timestamptz,
    reopened_by   bigint REFERENCES people,
    reopen_reason text CHECK (length(reopen_reason) >= 10),
    CHECK ((state = 'reopened') = (reopened_at IS NOT NULL AND reopened_by IS NOT NULL AND reopen_reason IS NOT NULL))
);

-- What comes from outside, such as a provider's news, is true even when its month was closed before anybody knew of it.
-- It counts on the day on which it was written down, and says when it happened. What a person dates is refused.
ALTER TABLE journal_entries
    ADD COLUMN happened_on date,
    ADD CONSTRAINT journal_entries_late CHECK (happened_on IS NULL OR (
        kind IN ('sale', 'payment_held', 'refund', 'fee', 'dispute')
        AND happened_on < date_trunc('month', effective_date::timestamp)
        AND effective_date = accounting_date(posted_at)));

-- The lock below is shared by everybody who books and taken alone by who closes: an entry either lies in
-- the month's hash or is refused, never between the two.
CREATE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger.close', 0));
    -- A month before a closed one is closed with it: what that one opened with stays.
    IF EXISTS (SELECT FROM periods WHERE month >= date_trunc('month', NEW.effective_date)::date
                  AND state = 'closed') THEN
        RAISE EXCEPTION 'the month of % is closed', NEW.effective_date USING ERRCODE = 'object_not_in_prerequisite_state';
    ELSIF NEW.happened_on IS NOT NULL AND NOT EXISTS (
            SELECT FROM periods WHERE month >= date_trunc('month', NEW.happened_on)::date AND state = 'closed') THEN
        RAISE EXCEPTION 'the month of % is open: what happened then counts then', NEW.happened_on
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entries_open_period BEFORE INSERT ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_closed_period();

-- Premium passed on makes no entry, but stands on the statement of its month: that stays as well.
CREATE FUNCTION refuse_closed_distribution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger.close', 0));
    IF EXISTS (SELECT FROM periods WHERE month >= date_trunc('month', NEW.distributed_on)::date
                  AND state = 'closed') THEN
        RAISE EXCEPTION 'the month of % is closed', NEW.distributed_on
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER premium_distributions_open_period BEFORE INSERT ON premium_distributions
    FOR EACH ROW EXECUTE FUNCTION refuse_closed_distribution();
CREATE TRIGGER premium_distributions_decided_in_time BEFORE UPDATE OF state ON premium_distributions
    FOR EACH ROW WHEN ('approved' IN (OLD.state, NEW.state) AND OLD.state <> NEW.state)
    EXECUTE FUNCTION refuse_closed_distribution();

-- What is booked in a month, as one hash: of its days' hashes, so that memory holds one day at a time.
CREATE FUNCTION period_content(closing date) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(COALESCE(string_agg(day || ' ' || encode(hash, 'hex'), E'\n' ORDER BY day), ''), 'UTF8'))
      FROM (SELECT e.effective_date AS day, sha256(convert_to(string_agg(
                       concat_ws('|', p.id, e.id, e.source, e.kind, e.effective_date, a.code, p.amount, p.order_line_id,
                                 'happened ' || e.happened_on),
                       E'\n' ORDER BY p.id), 'UTF8')) AS hash
              FROM journal_entries e JOIN postings p ON p.entry_id = e.id JOIN accounts a ON a.id = p.account_id
             WHERE e.effective_date >= closing AND e.effective_date < (closing + interval '1 month')::date
             GROUP BY e.effective_date) days
$$;
CREATE FUNCTION period_hash(closing date, previous bytea) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(COALESCE(previous, ''::bytea) || period_content(closing))
$$;

-- Each closed month stands on the one before; only the last one can be opened again. Its hash is reckoned here and
-- stays while it is closed; opening it again changes nothing of how it was closed.
CREATE FUNCTION check_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before   date := (NEW.month - interval '1 month')::date;
    opening  text[] := ARRAY['state', 'reopened_at', 'reopened_by', 'reopen_reason'];
    base     bytea;
    expected bytea;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state = NEW.state OR NEW.month <> OLD.month OR (NEW.state = 'reopened'
            AND to_jsonb(NEW) - opening IS DISTINCT FROM to_jsonb(OLD) - opening)) THEN
        RAISE EXCEPTION 'the month % stays as it was closed', OLD.month USING ERRCODE = 'restrict_violation';
    ELSIF TG_OP = 'INSERT' AND NEW.state <> 'closed' THEN
        RAISE EXCEPTION 'the month % was not closed', NEW.month USING ERRCODE = 'check_violation';
    END IF;
    SELECT hash INTO base FROM periods WHERE month = before AND state = 'closed';
    IF NEW.state = 'reopened' AND EXISTS (SELECT FROM periods WHERE month > NEW.month AND state = 'closed') THEN
        RAISE EXCEPTION 'a month after % is closed', NEW.month USING ERRCODE = 'check_violation';
    ELSIF NEW.state = 'closed' AND base IS NULL AND (
            EXISTS (SELECT FROM periods WHERE month < NEW.month)
            OR EXISTS (SELECT FROM journal_entries WHERE effective_date < NEW.month)) THEN
        RAISE EXCEPTION 'the month before % is not closed', NEW.month USING ERRCODE = 'check_violation';
    ELSIF NEW.state = 'closed' AND NEW.previous_hash IS DISTINCT FROM base THEN
        RAISE EXCEPTION 'the hash of % does not continue the month before', NEW.month USING ERRCODE = 'check_violation';
    ELSIF NEW.state = 'closed' AND accounting_date(now()) < NEW.month + interval '1 month' THEN
        RAISE EXCEPTION 'the month % is not over', NEW.month USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'closed' THEN
        expected := period_hash(NEW.month, base);
        IF NEW.hash IS NOT NULL AND NEW.hash <> expected THEN
            RAISE EXCEPTION 'the hash of % is not what the month holds', NEW.month USING ERRCODE = 'check_violation';
        END IF;
        NEW.hash := expected;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER periods_chain BEFORE INSERT OR UPDATE ON periods
    FOR EACH ROW EXECUTE FUNCTION check_period();

-- Every invariant, checked before a month is closed; what was found holds for what the month held then.
CREATE TABLE period_checks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    month       date NOT NULL CHECK (date_trunc('month', month) = month),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    asked_by    bigint REFERENCES people,
    finished_at timestamptz,
    content     bytea CHECK (length(content) = 32),
    broken      jsonb,                              -- [{name, promise, count}]; empty: all hold
    CHECK (num_nonnulls(finished_at, content, broken) IN (0, 3))
);
CREATE INDEX period_checks_month ON period_checks (month, id);
