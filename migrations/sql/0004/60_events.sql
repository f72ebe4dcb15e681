-- An event of a provider that cannot be handled: what it waits for, when it is tried again, and who looked at it.
ALTER TABLE payment_events
    ADD COLUMN waits_for        text,                       -- such as payment:<id>: it will be known later
    ADD COLUMN next_try_at      timestamptz,                -- null: nobody tries again by itself
    ADD COLUMN needs_person     boolean NOT NULL DEFAULT false,
    ADD COLUMN set_aside_by     bigint REFERENCES people,
    ADD COLUMN set_aside_at     timestamptz,
    ADD COLUMN set_aside_reason text CHECK (length(set_aside_reason) BETWEEN 10 AND 1000),
    ADD CHECK (num_nonnulls(set_aside_by, set_aside_at, set_aside_reason) IN (0, 3)),
    ADD CHECK (set_aside_at IS NULL OR (handled_at IS NOT NULL AND NOT needs_person));
CREATE INDEX payment_events_for_a_person ON payment_events (received_at) WHERE needs_person;
CREATE INDEX payment_events_waits_for ON payment_events (waits_for) WHERE handled_at IS NULL AND waits_for IS NOT NULL;

-- What a provider said stays as it came; only what we make of it changes.
CREATE FUNCTION keep_payment_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ours text[] := ARRAY['handled_at', 'result', 'attempts', 'last_error', 'waits_for', 'next_try_at', 'needs_person',
                         'set_aside_by', 'set_aside_at', 'set_aside_reason'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - ours IS DISTINCT FROM to_jsonb(OLD) - ours THEN
        RAISE EXCEPTION 'payment event % stays as it came', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_events_keep BEFORE UPDATE OR DELETE ON payment_events
    FOR EACH ROW EXECUTE FUNCTION keep_payment_event();
