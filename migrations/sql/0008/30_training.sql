-- A record of training may be sent back with a reason, written again, and taken back before anybody checked it.
ALTER TABLE training_programmes
    -- null beside a rejection: of the time before reasons were kept
    ADD COLUMN rejection_reason text CHECK (length(rejection_reason) BETWEEN 10 AND 500
                                            AND rejection_reason !~ '[0-9]{9}'),
    ADD CHECK (rejection_reason IS NULL OR state = 'rejected');
DO $$
DECLARE
    found text;
BEGIN
    SELECT conname INTO STRICT found FROM pg_constraint
     WHERE conrelid = 'training_programmes'::regclass AND contype = 'c'
       AND pg_get_constraintdef(oid) LIKE '%= (checked_at IS NOT NULL)%';
    EXECUTE format('ALTER TABLE training_programmes DROP CONSTRAINT %I', found);
END $$;
ALTER TABLE training_programmes
    -- what is checked is over and known; withdrawn is what was checked, or what nobody had checked yet
    ADD CHECK (CASE state WHEN 'checked' THEN checked_at IS NOT NULL
                          WHEN 'withdrawn' THEN true
                          ELSE checked_at IS NULL END);
CREATE INDEX training_programmes_ended ON training_programmes (ended_on DESC, id DESC);

CREATE OR REPLACE FUNCTION keep_training_programme() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written text[] := ARRAY['kind', 'skill', 'skill_en', 'partner', 'started_on', 'ended_on', 'hours', 'participants',
                            'women', 'passed', 'certified', 'scheme', 'batch', 'workshop_id', 'recorded_by',
                            'recorded_at'];
    sent_back text[] := ARRAY['state', 'rejected_by', 'rejected_at', 'rejection_reason'];
    withdrawn text[] := ARRAY['state', 'withdrawn_by', 'withdrawn_at', 'withdrawal_reason'];
    changes text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'recorded' THEN
            RAISE EXCEPTION 'training programme %: it begins as recorded', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    changes := CASE
        WHEN OLD.state = 'recorded' AND NEW.state = 'checked'   THEN ARRAY['state', 'checked_by', 'checked_at']
        WHEN OLD.state = 'recorded' AND NEW.state = 'rejected'  THEN sent_back
        WHEN OLD.state = 'recorded' AND NEW.state = 'recorded'  THEN written
        WHEN OLD.state = 'rejected' AND NEW.state = 'recorded'  THEN written || sent_back
        WHEN OLD.state = 'rejected' AND NEW.state = 'withdrawn' THEN withdrawn || sent_back
        WHEN OLD.state IN ('recorded', 'checked') AND NEW.state = 'withdrawn' THEN withdrawn
        END;
    IF TG_OP = 'DELETE' OR changes IS NULL OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'training programme % stays as it was decided on', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- What a facility counted later, until the office has read it: then it is an outcome, or goes back with a reason.
CREATE TABLE training_followups (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_id bigint NOT NULL REFERENCES training_programmes,
    counted_on   date NOT NULL,
    own_business integer NOT NULL CHECK (own_business >= 0),
    employed     integer NOT NULL CHECK (employed >= 0),
    state        text NOT NULL DEFAULT 'recorded' CHECK (state IN ('recorded', 'checked', 'rejected', 'withdrawn')),
    recorded_by  bigint NOT NULL REFERENCES people,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    decided_by   bigint REFERENCES people,
    decided_at   timestamptz,
    reason       text CHECK (length(reason) BETWEEN 10 AND 500 AND reason !~ '[0-9]{9}'),
    outcome_id   bigint UNIQUE REFERENCES training_outcomes,
    CHECK ((state = 'recorded') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((state = 'checked') = (outcome_id IS NOT NULL)),
    CHECK ((state = 'rejected') = (reason IS NOT NULL)),
    CHECK (state <> 'checked' OR decided_by <> recorded_by)
);
CREATE INDEX training_followups_programme ON training_followups (programme_id);
-- One count of a programme waits at a time.
CREATE UNIQUE INDEX training_followups_waiting ON training_followups (programme_id) WHERE state = 'recorded';
CREATE FUNCTION keep_training_followup() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['state', 'decided_by', 'decided_at', 'reason', 'outcome_id'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'recorded'
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'later count % of training stays as it was decided on', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER training_followups_keep BEFORE UPDATE OR DELETE ON training_followups
    FOR EACH ROW EXECUTE FUNCTION keep_training_followup();

-- A file of programmes: looked at row by row, then stored as it was promised, or thrown away. Cells that read like a
-- person are never kept.
CREATE TABLE training_imports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    form_key    text NOT NULL UNIQUE CHECK (form_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    file_name   text NOT NULL CHECK (length(file_name) <= 200),
    format      text NOT NULL CHECK (format IN ('xlsx', 'ods', 'csv')),
    rows        jsonb NOT NULL CHECK (jsonb_typeof(rows) = 'array' AND length(rows::text) <= 2000000),
    remarks     jsonb NOT NULL DEFAULT '[]',        -- what the reader said of single rows
    state       text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'stored', 'discarded')),
    uploaded_by bigint NOT NULL REFERENCES people,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    ended_by    bigint REFERENCES people,
    ended_at    timestamptz,
    outcomes    jsonb,                              -- row by row: the programme that it became, or its faults
    stored      integer CHECK (stored >= 0),
    faults      integer CHECK (faults >= 0),
    CHECK ((state = 'ready') = (ended_at IS NULL)),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK (num_nonnulls(outcomes, stored, faults) = CASE state WHEN 'stored' THEN 3 ELSE 0 END),
    -- every row was stored or says why not
    CHECK (stored + faults = jsonb_array_length(rows) AND stored + faults = jsonb_array_length(outcomes))
);
CREATE INDEX training_imports_facility ON training_imports (facility_id, id DESC);
CREATE FUNCTION keep_training_import() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['state', 'ended_by', 'ended_at', 'outcomes', 'stored', 'faults'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'ready' OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'import % of training is kept as it is', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER training_imports_keep BEFORE UPDATE OR DELETE ON training_imports
    FOR EACH ROW EXECUTE FUNCTION keep_training_import();
