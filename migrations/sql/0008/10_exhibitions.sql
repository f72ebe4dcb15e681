-- What a fair is, what its pieces cost there, who arrives with what at its stand, and what comes home again.
ALTER TABLE exhibitions
    -- a hall with one stand, or a campaign at each facility's own gate
    ADD COLUMN kind     text NOT NULL DEFAULT 'hall' CHECK (kind IN ('hall', 'campaign')),
    ADD COLUMN theme    text NOT NULL DEFAULT '' CHECK (length(theme) <= 200),
    ADD COLUMN hours    text NOT NULL DEFAULT '' CHECK (length(hours) <= 200),     -- as people read them
    ADD COLUMN theme_en text NOT NULL DEFAULT '' CHECK (length(theme_en) <= 200),
    ADD COLUMN hours_en text NOT NULL DEFAULT '' CHECK (length(hours_en) <= 200),
    ADD COLUMN about    text NOT NULL DEFAULT '' CHECK (length(about) <= 4000),
    ADD COLUMN about_en text NOT NULL DEFAULT '' CHECK (length(about_en) <= 4000),
    -- a stored picture: key, widths, width, height, and what is to be seen on it
    ADD COLUMN picture  jsonb CHECK (picture ?& ARRAY['key', 'widths', 'width', 'height', 'tint', 'alt', 'alt_en']),
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
-- The one campaign that is history everywhere where the demo was loaded.
UPDATE exhibitions SET kind = 'campaign' WHERE slug = 'one-day-one-prison-product-2023';

-- A price at the stand for some days of the fair, the closing day's for one. Otherwise a piece costs what it costs.
CREATE TABLE exhibition_prices (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exhibition_id bigint NOT NULL REFERENCES exhibitions,
    variant_id    bigint NOT NULL REFERENCES variants,
    price         bigint NOT NULL CHECK (price > 0),
    from_day      date NOT NULL,
    to_day        date NOT NULL,
    set_by        bigint NOT NULL REFERENCES people,
    set_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (to_day >= from_day),
    EXCLUDE USING gist (exhibition_id WITH =, variant_id WITH =, daterange(from_day, to_day, '[]') WITH &&)
);
CREATE INDEX exhibition_prices_variant ON exhibition_prices (variant_id);
-- Public pages show who takes part and what it costs.
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON exhibition_prices
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR DELETE ON exhibition_facilities
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON exhibition_pieces
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- What left a stand for its facility's store at one time: from then on it lies at the stand no more.
CREATE TABLE exhibition_returns (
    exhibition_id  bigint NOT NULL,
    facility_id    bigint NOT NULL,
    number         integer NOT NULL CHECK (number > 0),     -- of this facility, at this fair
    request_key    text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    packed_by      bigint NOT NULL REFERENCES people,
    packed_at      timestamptz NOT NULL DEFAULT now(),
    called_back_by bigint REFERENCES people,                -- it was a mistake: all of it is at the stand again
    called_back_at timestamptz,
    PRIMARY KEY (exhibition_id, facility_id, number),
    FOREIGN KEY (exhibition_id, facility_id) REFERENCES exhibition_facilities,
    CHECK ((called_back_at IS NULL) = (called_back_by IS NULL))
);
CREATE TABLE exhibition_return_lines (
    exhibition_id bigint NOT NULL,
    facility_id   bigint NOT NULL,
    number        integer NOT NULL,
    variant_id    bigint NOT NULL REFERENCES variants,
    pieces        integer NOT NULL CHECK (pieces BETWEEN 1 AND 10000),
    PRIMARY KEY (exhibition_id, facility_id, number, variant_id),
    FOREIGN KEY (exhibition_id, facility_id, number) REFERENCES exhibition_returns
);
CREATE INDEX exhibition_return_lines_variant ON exhibition_return_lines (variant_id);
CREATE TRIGGER exhibition_returns_keep BEFORE UPDATE OR DELETE ON exhibition_returns
    FOR EACH ROW EXECUTE FUNCTION keep_exhibition_sending();
CREATE TRIGGER exhibition_return_lines_own BEFORE INSERT ON exhibition_return_lines
    FOR EACH ROW EXECUTE FUNCTION bring_own_pieces();
CREATE TRIGGER exhibition_return_lines_append_only BEFORE UPDATE OR DELETE ON exhibition_return_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Somebody counted what arrived: of a sending at the stand, or of a return in the store. Counted wrongly, it is undone.
CREATE TABLE exhibition_arrivals (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exhibition_id  bigint NOT NULL,
    facility_id    bigint NOT NULL,
    sending_number integer,
    return_number  integer,
    counted_by     bigint NOT NULL REFERENCES people,
    counted_at     timestamptz NOT NULL DEFAULT now(),
    undone_by      bigint REFERENCES people,
    undone_at      timestamptz,
    CHECK (num_nonnulls(sending_number, return_number) = 1),
    CHECK ((undone_at IS NULL) = (undone_by IS NULL)),
    FOREIGN KEY (exhibition_id, facility_id, sending_number) REFERENCES exhibition_sendings,
    FOREIGN KEY (exhibition_id, facility_id, return_number) REFERENCES exhibition_returns
);
CREATE UNIQUE INDEX exhibition_arrivals_sending ON exhibition_arrivals (exhibition_id, facility_id, sending_number)
    WHERE undone_at IS NULL AND sending_number IS NOT NULL;
CREATE UNIQUE INDEX exhibition_arrivals_return ON exhibition_arrivals (exhibition_id, facility_id, return_number)
    WHERE undone_at IS NULL AND return_number IS NOT NULL;
CREATE TABLE exhibition_arrival_lines (
    arrival_id bigint NOT NULL REFERENCES exhibition_arrivals,
    variant_id bigint NOT NULL REFERENCES variants,
    pieces     integer NOT NULL CHECK (pieces BETWEEN 1 AND 10000),                -- that were on the way
    arrived    integer NOT NULL CHECK (arrived BETWEEN 0 AND 10000),
    reason     text NOT NULL DEFAULT '' CHECK (reason IN ('', 'missing', 'damaged', 'extra')),
    PRIMARY KEY (arrival_id, variant_id),
    CHECK (CASE WHEN arrived = pieces THEN reason = ''
                WHEN arrived > pieces THEN reason = 'extra' ELSE reason IN ('missing', 'damaged') END)
);
CREATE INDEX exhibition_arrival_lines_variant ON exhibition_arrival_lines (variant_id);
CREATE TRIGGER exhibition_arrival_lines_append_only BEFORE UPDATE OR DELETE ON exhibition_arrival_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION keep_exhibition_arrival() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes constant text[] := ARRAY['undone_by', 'undone_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.undone_at IS NOT NULL
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'arrival % stays as it is', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exhibition_arrivals_keep BEFORE UPDATE OR DELETE ON exhibition_arrivals
    FOR EACH ROW EXECUTE FUNCTION keep_exhibition_arrival();

-- A cashier is proposed by one administrator and named by another, for one fair.
ALTER TABLE role_proposals ADD COLUMN exhibition_id bigint REFERENCES exhibitions;
DO $$
DECLARE
    old text;
BEGIN
    SELECT conname INTO STRICT old FROM pg_constraint
     WHERE conrelid = 'role_proposals'::regclass AND contype = 'c'
       AND pg_get_constraintdef(oid) LIKE '%coordinator%' AND pg_get_constraintdef(oid) LIKE '%curator%';
    EXECUTE format('ALTER TABLE role_proposals DROP CONSTRAINT %I', old);
END $$;
ALTER TABLE role_proposals ADD CONSTRAINT role_proposals_place
    CHECK (CASE WHEN role IN ('coordinator', 'head') THEN facility_id IS NOT NULL AND exhibition_id IS NULL
                WHEN role IN ('finance', 'auditor') THEN exhibition_id IS NULL
                WHEN role IN ('curator', 'administrator') THEN facility_id IS NULL AND exhibition_id IS NULL
                WHEN role = 'cashier' THEN facility_id IS NULL AND exhibition_id IS NOT NULL
                ELSE false END);
DROP INDEX role_proposals_open;
CREATE UNIQUE INDEX role_proposals_open
    ON role_proposals (person_id, role, COALESCE(facility_id, 0), COALESCE(exhibition_id, 0))
    WHERE approved_at IS NULL AND rejected_at IS NULL;
CREATE INDEX role_proposals_exhibition ON role_proposals (exhibition_id) WHERE exhibition_id IS NOT NULL;

-- A facility is told when other pieces arrived at a stand than it sent.
ALTER TABLE notices DROP CONSTRAINT notices_kind_check,
    ADD CONSTRAINT notices_kind_check CHECK (kind IN ('parcel', 'question', 'sent_back', 'problem', 'stand', 'digest'));
ALTER TABLE notice_choices DROP CONSTRAINT notice_choices_kind_check,
    ADD CONSTRAINT notice_choices_kind_check
    CHECK (kind IN ('parcel', 'question', 'sent_back', 'problem', 'stand', 'digest'));
