-- The bank's own account of our money: files as they were uploaded, and each line of them once.

-- How a bank writes its CSV, kept for each account: which column holds what (storefront/bank/shape.py).
CREATE TABLE bank_file_shapes (
    bank_account_id bigint PRIMARY KEY REFERENCES bank_accounts,
    shape           jsonb NOT NULL,
    changed_by      bigint NOT NULL REFERENCES people,
    changed_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE bank_files (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_account_id bigint NOT NULL REFERENCES bank_accounts,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    format          text NOT NULL CHECK (format IN ('csv', 'mt940')),
    content_hash    bytea NOT NULL CHECK (length(content_hash) = 32),
    content_key     text NOT NULL,                          -- in the private store; gone once discarded
    state           text NOT NULL DEFAULT 'read' CHECK (state IN ('read', 'taken', 'discarded')),
    shape           jsonb,                                  -- a CSV's, as it was taken in
    uploaded_by     bigint NOT NULL REFERENCES people,
    uploaded_at     timestamptz NOT NULL DEFAULT now(),
    taken_by        bigint REFERENCES people,
    taken_at        timestamptz,
    discarded_by    bigint REFERENCES people,
    discarded_at    timestamptz,
    -- what was read when it was taken in; balances in hundredths, as banks write them
    first_day       date,
    last_day        date,
    lines           integer,
    lines_added     integer,
    opening         bigint,
    closing         bigint,
    CHECK ((state = 'taken') = (taken_at IS NOT NULL AND taken_by IS NOT NULL AND lines IS NOT NULL
                                AND lines_added IS NOT NULL)),
    CHECK ((state = 'discarded') = (discarded_at IS NOT NULL AND discarded_by IS NOT NULL)),
    CHECK (lines_added BETWEEN 0 AND lines)
);
-- The same file twice is one file, whoever uploads it and at whatever moment.
CREATE UNIQUE INDEX bank_files_once ON bank_files (bank_account_id, content_hash) WHERE state <> 'discarded';

CREATE FUNCTION keep_bank_file() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- who uploaded what stays; a file that was taken in or discarded stays so
    steps text[] := ARRAY['state', 'shape', 'taken_by', 'taken_at', 'discarded_by', 'discarded_at', 'first_day',
                          'last_day', 'lines', 'lines_added', 'opening', 'closing'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'read' OR to_jsonb(NEW) - steps IS DISTINCT FROM to_jsonb(OLD) - steps THEN
        RAISE EXCEPTION 'bank file % stays as it was %', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_files_keep BEFORE UPDATE OR DELETE ON bank_files
    FOR EACH ROW EXECUTE FUNCTION keep_bank_file();

-- Each line of a bank's statement, once, whatever files it stood in.
CREATE TABLE bank_lines (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_account_id  bigint NOT NULL REFERENCES bank_accounts,
    file_id          bigint NOT NULL REFERENCES bank_files,
    line_number      integer NOT NULL,                      -- in that file
    booked_on        date NOT NULL,
    amount           bigint NOT NULL,                       -- whole rupiah; in > 0, out < 0
    hundredths       smallint NOT NULL DEFAULT 0 CHECK (hundredths BETWEEN -99 AND 99),
    description      text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
    bank_reference   text NOT NULL DEFAULT '' CHECK (length(bank_reference) <= 100),
    -- SHA-256 of account day, amount, words and how many such lines stood before it in its file
    fingerprint      bytea NOT NULL CHECK (length(fingerprint) = 32),
    state            text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'announced', 'matched', 'set_aside')),
    match_id         bigint,                                -- references bank_matches, added there
    set_aside_reason text CHECK (length(set_aside_reason) BETWEEN 5 AND 500),
    set_aside_by     bigint REFERENCES people,
    set_aside_at     timestamptz,
    UNIQUE (bank_account_id, fingerprint),
    CHECK (amount <> 0 OR hundredths <> 0),
    CHECK (amount = 0 OR hundredths = 0 OR sign(amount) = sign(hundredths)),
    CHECK ((state = 'matched') = (match_id IS NOT NULL)),
    CHECK ((state = 'set_aside') = (set_aside_reason IS NOT NULL AND set_aside_by IS NOT NULL
                                    AND set_aside_at IS NOT NULL))
);
CREATE INDEX bank_lines_day ON bank_lines (bank_account_id, booked_on, id);
CREATE INDEX bank_lines_open ON bank_lines (booked_on, id) WHERE state = 'open';
CREATE INDEX bank_lines_file ON bank_lines (file_id);

CREATE TABLE bank_line_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO bank_line_transitions VALUES
    ('open', 'announced'), ('open', 'matched'), ('open', 'set_aside'), ('announced', 'matched'),
    ('matched', 'open'), ('set_aside', 'open');
CREATE TRIGGER bank_lines_transition BEFORE UPDATE OF state ON bank_lines
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('bank_line_transitions');

-- A bank's line and what the books say of the account: a match is lines and postings with the same sum. One
-- line may be many settlements that the bank sent together, or two lines one payment.
CREATE TABLE bank_matches (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_account_id bigint NOT NULL REFERENCES bank_accounts,
    matched_by      bigint REFERENCES people,               -- null: by itself
    matched_at      timestamptz NOT NULL DEFAULT now(),
    is_fixed        boolean NOT NULL DEFAULT false          -- the entry was booked because of the line
);
ALTER TABLE bank_lines ADD FOREIGN KEY (match_id) REFERENCES bank_matches;
CREATE INDEX bank_lines_match ON bank_lines (match_id) WHERE match_id IS NOT NULL;
CREATE TABLE bank_match_postings (
    posting_id bigint PRIMARY KEY REFERENCES postings,      -- a posting belongs to one match
    match_id   bigint NOT NULL REFERENCES bank_matches
);
CREATE INDEX bank_match_postings_match ON bank_match_postings (match_id);

CREATE FUNCTION check_bank_match() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
    match  bank_matches;
    lines  bigint;
    booked bigint;
    fault  boolean;
BEGIN
    IF TG_TABLE_NAME = 'bank_matches' THEN
        touched := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        touched := OLD.match_id;
    ELSE
        touched := COALESCE(NEW.match_id, (to_jsonb(OLD) ->> 'match_id')::bigint);
    END IF;
    SELECT * INTO match FROM bank_matches WHERE id = touched;
    IF NOT FOUND THEN
        RETURN NULL;                                        -- taken apart again
    END IF;
    SELECT sum(amount), bool_or(bank_account_id <> match.bank_account_id OR hundredths <> 0) INTO lines, fault
      FROM bank_lines WHERE match_id = match.id;
    SELECT sum(p.amount), COALESCE(bool_or(a.bank_account_id IS DISTINCT FROM match.bank_account_id), false) OR fault
      INTO booked, fault
      FROM bank_match_postings m JOIN postings p ON p.id = m.posting_id JOIN accounts a ON a.id = p.account_id
     WHERE m.match_id = match.id;
    IF lines IS NULL OR booked IS NULL OR lines <> booked OR fault THEN
        RAISE EXCEPTION 'bank match %: the bank says %, the books %', match.id, lines, booked
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bank_matches_even AFTER INSERT OR UPDATE ON bank_matches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_bank_match();
CREATE CONSTRAINT TRIGGER bank_match_postings_even AFTER INSERT OR UPDATE OR DELETE ON bank_match_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_bank_match();
CREATE CONSTRAINT TRIGGER bank_lines_even AFTER UPDATE OF match_id ON bank_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.match_id IS DISTINCT FROM NEW.match_id)
    EXECUTE FUNCTION check_bank_match();

-- What was booked because of a line is undone in the books, never by taking its match apart.
CREATE FUNCTION keep_fixed_bank_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.is_fixed THEN
        RAISE EXCEPTION 'bank match % was booked: a counter-entry undoes it', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER bank_matches_keep BEFORE DELETE ON bank_matches
    FOR EACH ROW EXECUTE FUNCTION keep_fixed_bank_match();
