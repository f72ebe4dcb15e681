-- Payments as a file for the bank. How it is written is proposed by one person and approved by another: it decides
-- where money goes.
CREATE TABLE payment_file_shapes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shape       jsonb NOT NULL,                             -- bank.payment_shape.Shape
    proposed_by bigint NOT NULL REFERENCES people,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    approved_by bigint REFERENCES people,
    approved_at timestamptz,
    rejected_by bigint REFERENCES people,
    rejected_at timestamptz,
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CHECK (approved_at IS NULL OR rejected_at IS NULL),
    CONSTRAINT payment_file_shapes_two_people CHECK (approved_by <> proposed_by)
);
CREATE UNIQUE INDEX payment_file_shapes_open ON payment_file_shapes ((true))
    WHERE approved_at IS NULL AND rejected_at IS NULL;
CREATE TRIGGER payment_file_shapes_keep BEFORE UPDATE OR DELETE ON payment_file_shapes
    FOR EACH ROW EXECUTE FUNCTION keep_proposal();

-- A file that was made once. Its bytes are not kept, since shoppers' accounts would live on in them: they are written
-- again from what stays, and must have this hash.
CREATE TABLE payment_files (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shape_id        bigint NOT NULL REFERENCES payment_file_shapes,
    bank_account_id bigint NOT NULL REFERENCES bank_accounts,           -- ours, that is paid from
    pay_on          date NOT NULL,
    payments        integer NOT NULL CHECK (payments > 0),
    amount          bigint NOT NULL CHECK (amount > 0),
    content_hash    bytea NOT NULL CHECK (length(content_hash) = 32),   -- SHA-256
    state           text NOT NULL DEFAULT 'made' CHECK (state IN ('made', 'taken', 'discarded')),
    made_by         bigint NOT NULL REFERENCES people,
    made_at         timestamptz NOT NULL DEFAULT now(),
    taken_by        bigint REFERENCES people,               -- who brought it to the bank
    taken_at        timestamptz,
    discarded_by    bigint REFERENCES people,
    discarded_at    timestamptz,
    discard_reason  text CHECK (length(discard_reason) >= 10),
    CHECK ((taken_by IS NULL) = (taken_at IS NULL)),
    CHECK (state <> 'taken' OR taken_at IS NOT NULL),
    CHECK (state <> 'made' OR taken_at IS NULL),
    CHECK ((state = 'discarded') = (discarded_by IS NOT NULL AND discarded_at IS NOT NULL AND discard_reason IS NOT NULL))
);
CREATE INDEX payment_files_shape ON payment_files (shape_id);
CREATE INDEX payment_files_bank_account ON payment_files (bank_account_id);

CREATE TABLE payment_file_lines (
    file_id       bigint NOT NULL REFERENCES payment_files,
    position      integer NOT NULL CHECK (position > 0),
    settlement_id bigint REFERENCES settlements,
    return_id     bigint REFERENCES bank_returns,
    amount        bigint NOT NULL CHECK (amount > 0),
    is_living     boolean NOT NULL DEFAULT true,            -- until its file is discarded
    PRIMARY KEY (file_id, position),
    CONSTRAINT payment_file_lines_one CHECK (num_nonnulls(settlement_id, return_id) = 1)
);
-- Nobody is paid by two files.
CREATE UNIQUE INDEX payment_file_lines_settlement ON payment_file_lines (settlement_id) WHERE is_living;
CREATE UNIQUE INDEX payment_file_lines_return ON payment_file_lines (return_id) WHERE is_living;

CREATE FUNCTION payment_file_line_of_the_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.settlement_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM settlements WHERE id = NEW.settlement_id AND state = 'approved'
               AND bank_account_id IS NOT NULL AND amount = NEW.amount)
       OR NEW.return_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM bank_returns WHERE id = NEW.return_id AND state = 'approved' AND amount = NEW.amount) THEN
        RAISE EXCEPTION 'payment file %: only what two people agreed on is paid', NEW.file_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_file_lines_agreed BEFORE INSERT ON payment_file_lines
    FOR EACH ROW EXECUTE FUNCTION payment_file_line_of_the_agreed();

CREATE FUNCTION keep_payment_file_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.is_living OR to_jsonb(NEW) - 'is_living' IS DISTINCT FROM to_jsonb(OLD) - 'is_living'
       OR NOT EXISTS (SELECT FROM payment_files WHERE id = OLD.file_id AND state = 'discarded') THEN
        RAISE EXCEPTION 'payment file %: its lines stay', OLD.file_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_file_lines_keep BEFORE UPDATE OR DELETE ON payment_file_lines
    FOR EACH ROW EXECUTE FUNCTION keep_payment_file_line();

CREATE FUNCTION keep_payment_file() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['state', 'taken_by', 'taken_at', 'discarded_by', 'discarded_at', 'discard_reason'];
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.state, NEW.state) NOT IN
            (('made', 'taken'), ('made', 'discarded'), ('taken', 'discarded'))
       OR (OLD.taken_at IS NOT NULL AND OLD.taken_at IS DISTINCT FROM NEW.taken_at)
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'payment file %: what was made stays', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_files_keep BEFORE UPDATE OR DELETE ON payment_files
    FOR EACH ROW EXECUTE FUNCTION keep_payment_file();

-- What was in a discarded file may be paid by another.
CREATE FUNCTION free_payment_file_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment_file_lines SET is_living = false WHERE file_id = NEW.id AND is_living;
    RETURN NULL;
END $$;
CREATE TRIGGER payment_files_free AFTER UPDATE OF state ON payment_files
    FOR EACH ROW WHEN (NEW.state = 'discarded') EXECUTE FUNCTION free_payment_file_lines();

CREATE FUNCTION payment_file_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_file bigint := CASE TG_TABLE_NAME WHEN 'payment_files' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'file_id')::bigint END;
BEGIN
    IF EXISTS (SELECT FROM payment_files f
                WHERE f.id = of_file AND NOT EXISTS (
                      SELECT FROM payment_file_lines l WHERE l.file_id = f.id
                      HAVING count(*) = f.payments AND sum(l.amount) = f.amount)) THEN
        RAISE EXCEPTION 'payment file %: its sums are not those of its lines', of_file USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_files_whole AFTER INSERT ON payment_files DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payment_file_is_whole();
CREATE CONSTRAINT TRIGGER payment_file_lines_whole AFTER INSERT ON payment_file_lines DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payment_file_is_whole();

-- What a file at the bank will pay is not decided against behind its back. (Shoppers' accounts are deleted in time all
-- the same; a file that lacks one cannot be written again.)
CREATE FUNCTION keep_what_a_file_pays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payment_file_lines WHERE settlement_id = OLD.id AND is_living) THEN
        RAISE EXCEPTION 'settlement %: a payment file pays it', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlements_in_a_file BEFORE UPDATE OF state ON settlements
    FOR EACH ROW WHEN (OLD.state = 'approved' AND NEW.state = 'rejected') EXECUTE FUNCTION keep_what_a_file_pays();
