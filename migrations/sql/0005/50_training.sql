-- Training: programmes by facility and workshop, counted and never named. What the office checked stands; a count that
-- turns out wrong is withdrawn and recorded anew, so that a figure of a day stays the figure of that day.
CREATE TABLE training_programmes (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id       bigint NOT NULL REFERENCES facilities,
    workshop_id       bigint NOT NULL,
    kind              text NOT NULL
                        CHECK (kind IN ('vocational_training', 'apprenticeship', 'competence_certification')),
    skill             text NOT NULL CHECK (length(skill) BETWEEN 3 AND 80),
    skill_en          text NOT NULL DEFAULT '' CHECK (length(skill_en) <= 80),
    partner           text NOT NULL DEFAULT '' CHECK (length(partner) <= 120),      -- the body that teaches or certifies
    started_on        date NOT NULL,
    ended_on          date NOT NULL,                -- its last day, planned while it runs
    hours             integer NOT NULL CHECK (hours BETWEEN 1 AND 5000),
    participants      integer NOT NULL CHECK (participants BETWEEN 1 AND 10000),
    women             integer NOT NULL CHECK (women BETWEEN 0 AND participants),
    passed            integer CHECK (passed BETWEEN 0 AND participants),            -- null: not known yet
    certified         integer CHECK (certified BETWEEN 0 AND passed),
    scheme            text NOT NULL DEFAULT '' CHECK (length(scheme) <= 120),       -- of the certificates
    batch             text NOT NULL DEFAULT '' CHECK (batch ~ '^([A-Z0-9][A-Z0-9./-]{2,29})?$'),
    state             text NOT NULL DEFAULT 'recorded'
                        CHECK (state IN ('recorded', 'checked', 'rejected', 'withdrawn')),
    recorded_by       bigint NOT NULL REFERENCES people,
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    checked_by        bigint REFERENCES people,
    checked_at        timestamptz,
    rejected_by       bigint REFERENCES people,
    rejected_at       timestamptz,
    withdrawn_by      bigint REFERENCES people,
    withdrawn_at      timestamptz,
    withdrawal_reason text CHECK (length(withdrawal_reason) >= 10),
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id),
    CHECK (ended_on >= started_on),
    CHECK (started_on >= '1990-01-01'),
    CHECK (certified IS NULL OR passed IS NOT NULL),
    -- certificates name what they certify and the batch that proves them
    CHECK (COALESCE(certified, 0) = 0 OR (length(scheme) >= 3 AND batch <> '')),
    -- counts alone: no field holds what could be a number of a person
    CHECK (skill !~ '[0-9]{5}' AND skill_en !~ '[0-9]{5}' AND partner !~ '[0-9]{5}' AND scheme !~ '[0-9]{7}'
           AND batch !~ '[0-9]{9}'),
    CHECK (checked_by IS NULL OR checked_by <> recorded_by),
    CHECK ((checked_by IS NULL) = (checked_at IS NULL)),
    CHECK ((state = 'rejected') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL)),
    CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL AND withdrawn_by IS NOT NULL
                                    AND withdrawal_reason IS NOT NULL)),
    -- what is checked is over and known
    CHECK ((state IN ('checked', 'withdrawn')) = (checked_at IS NOT NULL)),
    CHECK (checked_at IS NULL OR (passed IS NOT NULL AND certified IS NOT NULL
                                  AND ended_on <= (checked_at AT TIME ZONE 'Asia/Jakarta')::date))
);
CREATE INDEX training_programmes_facility ON training_programmes (facility_id, state);
-- A batch of certificates is counted once.
CREATE UNIQUE INDEX training_programmes_batch ON training_programmes (scheme, batch)
    WHERE batch <> '' AND state IN ('recorded', 'checked');

-- Recorded, then checked or rejected; checked, then at most withdrawn. Nothing of it is changed once it is decided on.
CREATE FUNCTION keep_training_programme() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'recorded' THEN
            RAISE EXCEPTION 'training programme %: it begins as recorded', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    changes := CASE
        WHEN OLD.state = 'recorded' AND NEW.state = 'checked'  THEN ARRAY['state', 'checked_by', 'checked_at']
        WHEN OLD.state = 'recorded' AND NEW.state = 'rejected' THEN ARRAY['state', 'rejected_by', 'rejected_at']
        WHEN OLD.state = 'checked' AND NEW.state = 'withdrawn'
            THEN ARRAY['state', 'withdrawn_by', 'withdrawn_at', 'withdrawal_reason']
        WHEN OLD.state = 'recorded' AND NEW.state = 'recorded'
            THEN ARRAY['kind', 'skill', 'skill_en', 'partner', 'started_on', 'ended_on', 'hours', 'participants',
                       'women', 'passed', 'certified', 'scheme', 'batch', 'workshop_id', 'recorded_by', 'recorded_at']
        END;
    IF TG_OP = 'DELETE' OR changes IS NULL OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'training programme % stays as it was decided on', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER training_programmes_keep BEFORE INSERT OR UPDATE OR DELETE ON training_programmes
    FOR EACH ROW EXECUTE FUNCTION keep_training_programme();

-- What became of them, counted some time later: the last one of a programme holds, the earlier ones stay.
CREATE TABLE training_outcomes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_id bigint NOT NULL REFERENCES training_programmes,
    counted_on   date NOT NULL,
    own_business integer NOT NULL CHECK (own_business >= 0),
    employed     integer NOT NULL CHECK (employed >= 0),
    recorded_by  bigint NOT NULL REFERENCES people,
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    checked_by   bigint NOT NULL REFERENCES people,
    checked_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (checked_by <> recorded_by),
    CHECK (counted_on <= (checked_at AT TIME ZONE 'Asia/Jakarta')::date)
);
CREATE INDEX training_outcomes_programme ON training_outcomes (programme_id, checked_at);
CREATE FUNCTION check_training_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM training_programmes t
                    WHERE t.id = NEW.programme_id AND t.state IN ('checked', 'withdrawn')
                      AND NEW.own_business + NEW.employed <= t.participants AND NEW.counted_on >= t.ended_on) THEN
        RAISE EXCEPTION 'outcome of training programme %: more people than took part, or not after it',
            NEW.programme_id USING ERRCODE = 'check_violation', CONSTRAINT = 'training_outcomes_within';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER training_outcomes_within AFTER INSERT ON training_outcomes
    FOR EACH ROW EXECUTE FUNCTION check_training_outcome();
CREATE TRIGGER training_outcomes_append_only BEFORE UPDATE OR DELETE ON training_outcomes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What the programme set out to reach, by year.
CREATE TABLE training_targets (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year          integer NOT NULL CHECK (year BETWEEN 1990 AND 2100),
    measure       text NOT NULL CHECK (measure IN ('new_entrepreneurs', 'participants', 'certified')),
    people        integer NOT NULL CHECK (people > 0),
    is_cumulative boolean NOT NULL DEFAULT false,   -- up to the end of the year, not within it
    source        text NOT NULL DEFAULT '' CHECK (length(source) <= 200),
    UNIQUE (year, measure)
);

-- Pages show all of these, and what was passed on to makers.
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON training_programmes
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON training_outcomes
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON training_targets
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER UPDATE OF state ON premium_distributions
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

CREATE VIEW reporting.training AS
SELECT f.code AS facility_code, w.name AS workshop, t.kind, t.skill, t.started_on, t.ended_on, t.participants, t.women,
       t.passed, t.certified
  FROM training_programmes t
  JOIN facilities f ON f.id = t.facility_id
  JOIN workshops w ON w.id = t.workshop_id
 WHERE t.state = 'checked';

-- The formulas beside public figures name what kind of entry a posting belongs to.
CREATE OR REPLACE VIEW reporting.ledger_postings AS
SELECT p.id AS posting_id, p.entry_id, e.posted_at, e.effective_date, e.source, a.code AS account_code,
       f.code AS facility_code, o.number AS order_number, p.amount,
       e.happened_on,                                       -- where its own month was closed before it was known
       e.kind
  FROM postings p
  JOIN journal_entries e ON e.id = p.entry_id
  JOIN accounts a ON a.id = p.account_id
  LEFT JOIN facilities f ON f.id = a.facility_id
  LEFT JOIN orders o ON o.id = e.order_id;
