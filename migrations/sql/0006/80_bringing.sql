-- Which facilities take part in an exhibition, what they mean to bring, and what went to its stand.
CREATE TABLE exhibition_facilities (
    exhibition_id bigint NOT NULL REFERENCES exhibitions,
    facility_id   bigint NOT NULL REFERENCES facilities,
    added_at      timestamptz NOT NULL DEFAULT now(),
    added_by      bigint REFERENCES people,
    PRIMARY KEY (exhibition_id, facility_id)
);
CREATE INDEX exhibition_facilities_facility ON exhibition_facilities (facility_id);
-- Whose pieces lie or have lain at a stand already takes part.
INSERT INTO exhibition_facilities (exhibition_id, facility_id)
SELECT DISTINCT l.exhibition_id, p.facility_id
  FROM stock_levels s JOIN stock_locations l ON l.id = s.location_id AND l.exhibition_id IS NOT NULL
  JOIN variants v ON v.id = s.variant_id JOIN products p ON p.id = v.product_id;

-- The plan: so many pieces over the whole fair. A variant that is not brought has no row.
CREATE TABLE exhibition_pieces (
    exhibition_id bigint NOT NULL,
    facility_id   bigint NOT NULL,
    variant_id    bigint NOT NULL REFERENCES variants,
    planned       integer NOT NULL CHECK (planned BETWEEN 1 AND 10000),
    PRIMARY KEY (exhibition_id, variant_id),
    FOREIGN KEY (exhibition_id, facility_id) REFERENCES exhibition_facilities
);
CREATE INDEX exhibition_pieces_facility ON exhibition_pieces (facility_id, exhibition_id);

-- What was sent to the stand at one time: from then on it lies there. Each piece of it is two movements.
CREATE TABLE exhibition_sendings (
    exhibition_id  bigint NOT NULL,
    facility_id    bigint NOT NULL,
    number         integer NOT NULL CHECK (number > 0),     -- of this facility, at this fair
    request_key    text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    sent_by        bigint NOT NULL REFERENCES people,
    sent_at        timestamptz NOT NULL DEFAULT now(),
    called_back_by bigint REFERENCES people,                -- it was a mistake: all of it is in the store again
    called_back_at timestamptz,
    PRIMARY KEY (exhibition_id, facility_id, number),
    FOREIGN KEY (exhibition_id, facility_id) REFERENCES exhibition_facilities,
    CHECK ((called_back_at IS NULL) = (called_back_by IS NULL))
);

CREATE TABLE exhibition_sending_lines (
    exhibition_id bigint NOT NULL,
    facility_id   bigint NOT NULL,
    number        integer NOT NULL,
    variant_id    bigint NOT NULL REFERENCES variants,
    pieces        integer NOT NULL CHECK (pieces BETWEEN 1 AND 10000),
    PRIMARY KEY (exhibition_id, facility_id, number, variant_id),
    FOREIGN KEY (exhibition_id, facility_id, number) REFERENCES exhibition_sendings
);
CREATE INDEX exhibition_sending_lines_variant ON exhibition_sending_lines (variant_id);

CREATE FUNCTION bring_own_pieces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM variants v JOIN products p ON p.id = v.product_id
                    WHERE v.id = NEW.variant_id AND p.facility_id = NEW.facility_id) THEN
        RAISE EXCEPTION 'variant % is not of facility %', NEW.variant_id, NEW.facility_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exhibition_pieces_own BEFORE INSERT OR UPDATE ON exhibition_pieces
    FOR EACH ROW EXECUTE FUNCTION bring_own_pieces();
CREATE TRIGGER exhibition_sending_lines_own BEFORE INSERT ON exhibition_sending_lines
    FOR EACH ROW EXECUTE FUNCTION bring_own_pieces();
CREATE TRIGGER exhibition_sending_lines_append_only BEFORE UPDATE OR DELETE ON exhibition_sending_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION keep_exhibition_sending() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes constant text[] := ARRAY['called_back_by', 'called_back_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.called_back_at IS NOT NULL
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'sending % stays as it is', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exhibition_sendings_keep BEFORE UPDATE OR DELETE ON exhibition_sendings
    FOR EACH ROW EXECUTE FUNCTION keep_exhibition_sending();

-- How many pieces of a variant were ever sent to a fair, without what was called back.
CREATE VIEW exhibition_sent AS
SELECT s.exhibition_id, s.facility_id, l.variant_id, sum(l.pieces)::integer AS pieces
  FROM exhibition_sendings s JOIN exhibition_sending_lines l USING (exhibition_id, facility_id, number)
 WHERE s.called_back_at IS NULL
 GROUP BY s.exhibition_id, s.facility_id, l.variant_id;
