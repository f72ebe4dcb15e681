-- Parcels: some pieces later, pieces that a refund speaks of, what came back, and who printed which address labels.

-- A parcel that was split off from another goes its own way; its shipping was paid with the first. Put back together,
-- it stays as an empty one that nobody sees any more.
ALTER TABLE parcels
    ADD COLUMN split_from bigint REFERENCES parcels,
    ADD COLUMN merged_at  timestamptz,
    ADD COLUMN split_key  text UNIQUE CHECK (split_key ~ '^[A-Za-z0-9_-]{16,64}$'),  -- of the form that split it off
    ADD CONSTRAINT parcels_split CHECK (split_from IS NULL
        OR (split_from < id AND shipping_amount = 0 AND shipping_waived = 0)),
    ADD CONSTRAINT parcels_merged CHECK (merged_at IS NULL OR (split_from IS NOT NULL AND state = 'cancelled'));
CREATE INDEX parcels_split_from ON parcels (split_from) WHERE split_from IS NOT NULL;
CREATE INDEX parcels_promised ON parcels (facility_id, ready_by) WHERE state IN ('to_pack', 'packed');

-- What is packed stays in its parcel: pieces change their parcel while both are still to pack.
CREATE FUNCTION keep_parcel_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM parcels WHERE id = OLD.parcel_id AND state = 'to_pack' FOR NO KEY UPDATE;
    IF NOT FOUND OR (TG_OP = 'UPDATE' AND (NEW.parcel_id, NEW.order_line_id)
                                          IS DISTINCT FROM (OLD.parcel_id, OLD.order_line_id)) THEN
        RAISE EXCEPTION 'parcel %: what it holds stays in it', OLD.parcel_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER parcel_lines_keep BEFORE UPDATE OR DELETE ON parcel_lines
    FOR EACH ROW EXECUTE FUNCTION keep_parcel_line();

-- Which pieces of which parcel a refund speaks of: those of the parcel that is named, else of what has not left yet.
ALTER TABLE refund_lines ADD COLUMN parcel_id bigint REFERENCES parcels;
CREATE TABLE refund_pieces (
    refund_id     bigint NOT NULL,
    order_line_id bigint NOT NULL,
    parcel_id     bigint NOT NULL REFERENCES parcels,
    quantity      integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (refund_id, order_line_id, parcel_id),
    FOREIGN KEY (refund_id, order_line_id) REFERENCES refund_lines
);
CREATE INDEX refund_pieces_parcel ON refund_pieces (parcel_id, order_line_id);

-- Until now a line lay whole in one parcel.
INSERT INTO refund_pieces
SELECT x.refund_id, x.order_line_id, l.parcel_id, x.quantity
  FROM refund_lines x JOIN parcel_lines l ON l.order_line_id = x.order_line_id WHERE x.quantity > 0;

CREATE FUNCTION allot_refund_line(part refund_lines) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    rest   integer := part.quantity;
    refund refunds;
    found  record;
BEGIN
    SELECT * INTO refund FROM refunds WHERE id = part.refund_id;
    PERFORM FROM orders WHERE id = refund.order_id FOR NO KEY UPDATE;
    DELETE FROM refund_pieces WHERE refund_id = part.refund_id AND order_line_id = part.order_line_id;
    FOR found IN
        SELECT l.parcel_id, l.quantity - COALESCE((
               SELECT sum(x.quantity) FROM refund_pieces x JOIN refunds r ON r.id = x.refund_id
                WHERE x.parcel_id = l.parcel_id AND x.order_line_id = l.order_line_id
                  AND r.state NOT IN ('rejected', 'failed')), 0) AS free
          FROM parcel_lines l JOIN parcels p ON p.id = l.parcel_id
         WHERE l.order_line_id = part.order_line_id
         ORDER BY l.parcel_id = part.parcel_id DESC NULLS LAST, (p.state = 'cancelled') <> (refund.reason = 'cancelled'),
                  p.state NOT IN ('to_pack', 'packed'), p.position DESC
    LOOP
        EXIT WHEN rest = 0;
        CONTINUE WHEN found.free <= 0;
        INSERT INTO refund_pieces VALUES (part.refund_id, part.order_line_id, found.parcel_id, least(rest, found.free));
        rest := rest - least(rest, found.free);
    END LOOP;                       -- more than there is: check_refund_bounds refuses the refund
END $$;
CREATE FUNCTION allot_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'refund_lines' THEN
        PERFORM allot_refund_line(NEW);
    ELSE                            -- sent again: others may have spoken of its pieces meanwhile
        PERFORM allot_refund_line(x) FROM refund_lines x WHERE x.refund_id = NEW.id AND x.quantity > 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_lines_allot AFTER INSERT ON refund_lines
    FOR EACH ROW WHEN (NEW.quantity > 0) EXECUTE FUNCTION allot_refund();
CREATE TRIGGER refunds_allot AFTER UPDATE OF state ON refunds
    FOR EACH ROW WHEN (OLD.state = 'failed' AND NEW.state <> 'failed') EXECUTE FUNCTION allot_refund();

-- The pieces of all parcels of a line add up to the line, in parcels of its order and facility; and no parcel is asked
-- for more pieces than it holds.
CREATE FUNCTION check_parcel_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line bigint := COALESCE(NEW.order_line_id, OLD.order_line_id);
BEGIN
    IF EXISTS (SELECT FROM order_lines l WHERE l.id = line AND (
            l.quantity IS DISTINCT FROM (SELECT sum(x.quantity) FROM parcel_lines x WHERE x.order_line_id = l.id)
            OR EXISTS (SELECT FROM parcel_lines x JOIN parcels p ON p.id = x.parcel_id WHERE x.order_line_id = l.id
                          AND (p.order_id, p.facility_id) <> (l.order_id, l.facility_id)))) THEN
        RAISE EXCEPTION 'order line %: its parcels do not hold its pieces', line USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM refund_pieces x JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
                WHERE x.order_line_id = line GROUP BY x.parcel_id
               HAVING sum(x.quantity) > COALESCE((SELECT l.quantity FROM parcel_lines l
                                                   WHERE l.parcel_id = x.parcel_id AND l.order_line_id = line), 0)) THEN
        RAISE EXCEPTION 'order line %: a refund speaks of more pieces than its parcel holds', line
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER parcel_lines_whole AFTER INSERT OR UPDATE OR DELETE ON parcel_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_parcel_line();
CREATE CONSTRAINT TRIGGER refund_pieces_within AFTER INSERT OR UPDATE ON refund_pieces
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_parcel_line();

-- What came back of a parcel: on the shelf again or written off, piece by piece, written down once.
CREATE TABLE parcel_returns (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parcel_id   bigint NOT NULL REFERENCES parcels,
    returned_at timestamptz NOT NULL DEFAULT now(),
    noted_by    bigint NOT NULL REFERENCES people,
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    request_key text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$')
);
CREATE INDEX parcel_returns_parcel ON parcel_returns (parcel_id);
CREATE TABLE parcel_return_lines (
    return_id     bigint NOT NULL REFERENCES parcel_returns,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    restock       integer NOT NULL CHECK (restock >= 0),
    write_off     integer NOT NULL CHECK (write_off >= 0),
    PRIMARY KEY (return_id, order_line_id),
    CHECK (restock + write_off > 0)
);
CREATE INDEX parcel_return_lines_line ON parcel_return_lines (order_line_id);

-- What lay ready and nobody collected goes back to the shelf; it is asked for its money to go back too.
INSERT INTO parcel_transitions VALUES ('ready', 'returned');
ALTER TABLE refunds DROP CONSTRAINT refunds_reason_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_reason_check CHECK (reason IN
    ('paid_too_late', 'paid_twice', 'amount_differs', 'cancelled', 'cannot_fulfil', 'not_collected', 'returned', 'damaged',
     'lost', 'goodwill'));
CREATE INDEX parcels_lying_ready ON parcels (shipped_at) WHERE state = 'ready';

-- No piece comes back twice: what returns wrote down, and what refunds put back by themselves, stay within the parcel
-- and the line.
CREATE FUNCTION pieces_back(line bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT COALESCE((SELECT sum(x.restock + x.write_off) FROM parcel_return_lines x WHERE x.order_line_id = line), 0)
         + COALESCE((SELECT sum(x.quantity) FROM refund_lines x JOIN refunds r ON r.id = x.refund_id
                      WHERE x.order_line_id = line AND r.state <> 'rejected'
                        AND (x.pieces <> 'none' OR r.reason = 'cancelled')), 0)
$$;
CREATE FUNCTION check_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE l.id = NEW.order_line_id FOR NO KEY UPDATE OF o;
    IF pieces_back(NEW.order_line_id) > (SELECT quantity FROM order_lines WHERE id = NEW.order_line_id) THEN
        RAISE EXCEPTION 'order line %: more pieces come back than were sold', NEW.order_line_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM parcel_return_lines x JOIN parcel_returns r ON r.id = x.return_id
                WHERE x.order_line_id = NEW.order_line_id GROUP BY r.parcel_id
               HAVING sum(x.restock + x.write_off) > COALESCE((SELECT l.quantity FROM parcel_lines l
                       WHERE l.parcel_id = r.parcel_id AND l.order_line_id = NEW.order_line_id), 0)) THEN
        RAISE EXCEPTION 'order line %: more pieces come back than their parcel held', NEW.order_line_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER parcel_return_lines_within AFTER INSERT ON parcel_return_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_return();
CREATE CONSTRAINT TRIGGER refund_lines_back AFTER INSERT ON refund_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.pieces <> 'none') EXECUTE FUNCTION check_return();
CREATE TRIGGER parcel_returns_append_only BEFORE UPDATE OR DELETE ON parcel_returns
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER parcel_return_lines_append_only BEFORE UPDATE OR DELETE ON parcel_return_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Address labels are printed one batch at a time, and each print is kept: which parcels, who, when, and why once more.
CREATE TABLE label_batches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    size        text NOT NULL CHECK (size IN ('a6', '80', '58')),
    made_by     bigint NOT NULL REFERENCES people,
    made_at     timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,                                -- printed, or given up
    request_key text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$')
);
CREATE UNIQUE INDEX label_batches_one_open ON label_batches (facility_id) WHERE closed_at IS NULL;
CREATE INDEX label_batches_facility ON label_batches (facility_id, id);
CREATE TABLE label_batch_parcels (
    batch_id  bigint NOT NULL REFERENCES label_batches,
    parcel_id bigint NOT NULL REFERENCES parcels,
    PRIMARY KEY (batch_id, parcel_id)
);
CREATE INDEX label_batch_parcels_parcel ON label_batch_parcels (parcel_id);
CREATE TABLE label_prints (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id    bigint NOT NULL REFERENCES label_batches,
    printed_by  bigint NOT NULL REFERENCES people,
    printed_at  timestamptz NOT NULL DEFAULT now(),
    reason      text CHECK (reason IN ('jammed', 'damaged', 'lost', 'other')),  -- null: the first time
    request_key text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$')
);
CREATE INDEX label_prints_batch ON label_prints (batch_id, id);
CREATE UNIQUE INDEX label_prints_first ON label_prints (batch_id) WHERE reason IS NULL;
CREATE TRIGGER label_batch_parcels_append_only BEFORE UPDATE OR DELETE ON label_batch_parcels
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER label_prints_append_only BEFORE UPDATE OR DELETE ON label_prints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
