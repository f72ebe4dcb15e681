-- Refunds by line and quantity, shipping and goodwill; their shares go back in proportion.

-- From this many rupiah of one order on, a second person approves (storefront/books/refunds.py asks the same).
CREATE FUNCTION refund_limit() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 500000::bigint';

ALTER TABLE refunds DROP CONSTRAINT refunds_reason_check, DROP CONSTRAINT refunds_state_check;
ALTER TABLE refunds
    ADD CONSTRAINT refunds_reason_check CHECK (reason IN
        ('paid_too_late', 'paid_twice', 'cannot_fulfil', 'returned', 'damaged', 'lost', 'goodwill')),
    ADD CONSTRAINT refunds_state_check CHECK (state IN
        ('proposed', 'rejected', 'requested', 'pending', 'succeeded', 'failed')),
    ADD COLUMN note         text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    ADD COLUMN proposed_by  bigint REFERENCES people,       -- null: by itself (late or second payments)
    ADD COLUMN approved_by  bigint REFERENCES people,       -- a second person, above the limit
    ADD COLUMN approved_at  timestamptz,
    ADD COLUMN attempt      integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    ADD COLUMN failure      text,
    ADD COLUMN request_key  text UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),  -- of the form that was sent
    ADD COLUMN request_hash bytea CHECK (length(request_hash) = 32),                     -- SHA-256 of what it asked for
    ADD CONSTRAINT refunds_request CHECK ((request_key IS NULL) = (request_hash IS NULL)),
    ADD CONSTRAINT refunds_four_eyes CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    ADD CONSTRAINT refunds_approved CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    ADD CONSTRAINT refunds_second_person CHECK (approved_by IS NOT NULL OR proposed_by IS NULL
        OR amount < refund_limit() OR state IN ('proposed', 'rejected')),
    ADD CONSTRAINT refunds_automatic CHECK ((reason IN ('paid_too_late', 'paid_twice')) = (proposed_by IS NULL));
ALTER TABLE refunds DROP CONSTRAINT refunds_check;          -- finished_at: also a rejected one is finished
ALTER TABLE refunds ADD CONSTRAINT refunds_finished
    CHECK ((state IN ('succeeded', 'failed', 'rejected')) = (finished_at IS NOT NULL));

CREATE TABLE refund_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO refund_transitions VALUES
    ('proposed', 'requested'), ('proposed', 'rejected'), ('requested', 'pending'), ('requested', 'succeeded'),
    ('requested', 'failed'), ('pending', 'succeeded'), ('pending', 'failed'), ('failed', 'requested');
-- What waits for a person heads the list.
CREATE INDEX refunds_waiting ON refunds ((state IN ('proposed', 'failed')), id);
CREATE TRIGGER refunds_transition BEFORE UPDATE OF state ON refunds
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('refund_transitions');

-- A refund stays as it was asked for. One that waited for a second person is sent with that person's name, which
-- stays as well.
CREATE FUNCTION keep_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'reference', 'finished_at', 'approved_by', 'approved_at', 'attempt', 'failure'];
BEGIN
    IF to_jsonb(NEW) - steps IS DISTINCT FROM to_jsonb(OLD) - steps
       OR (NEW.approved_by IS DISTINCT FROM OLD.approved_by AND (OLD.state, NEW.state) <> ('proposed', 'requested')) THEN
        RAISE EXCEPTION 'refund %: what was asked for and agreed on stays', OLD.id
            USING ERRCODE = 'restrict_violation';
    ELSIF (OLD.state, NEW.state) = ('proposed', 'requested') AND NEW.approved_by IS NULL THEN
        RAISE EXCEPTION 'refund % waits for a second person', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refunds_keep BEFORE UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION keep_refund();

CREATE TABLE refund_lines (
    refund_id     bigint NOT NULL REFERENCES refunds,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    quantity      integer NOT NULL CHECK (quantity >= 0),   -- 0: goodwill, nothing comes back
    amount        bigint NOT NULL CHECK (amount > 0),
    -- what becomes of the pieces: on the shelf again, written off, or they never left
    pieces        text NOT NULL CHECK (pieces IN ('none', 'restock', 'write_off')),
    PRIMARY KEY (refund_id, order_line_id),
    CHECK (quantity > 0 OR pieces = 'none')
);
CREATE INDEX refund_lines_line ON refund_lines (order_line_id);

CREATE TABLE refund_parcels (
    refund_id bigint NOT NULL REFERENCES refunds,
    parcel_id bigint NOT NULL REFERENCES parcels,
    amount    bigint NOT NULL CHECK (amount > 0),           -- shipping given back
    PRIMARY KEY (refund_id, parcel_id)
);
CREATE INDEX refund_parcels_parcel ON refund_parcels (parcel_id);

-- What a refund takes back from each fund, written when it succeeds.
CREATE TABLE refund_shares (
    refund_id     bigint NOT NULL REFERENCES refunds,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    position      smallint NOT NULL,                        -- of the line's share
    fund_id       bigint NOT NULL REFERENCES funds,
    amount        bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (refund_id, order_line_id, position),
    FOREIGN KEY (order_line_id, position) REFERENCES order_line_shares
);
CREATE INDEX refund_shares_line ON refund_shares (order_line_id, position);

-- A refund is the sum of its parts; no line, parcel or payment gives back more than it took, what lost disputes took
-- included. Refunds of one order are written one after the other: the order's row is locked first, here too.
CREATE FUNCTION check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refund refunds;
    parts  bigint;
    fault  text;
BEGIN
    SELECT * INTO refund FROM refunds WHERE id = COALESCE(
        (to_jsonb(NEW) ->> 'refund_id')::bigint, (to_jsonb(NEW) ->> 'id')::bigint);
    PERFORM FROM orders WHERE id = refund.order_id FOR NO KEY UPDATE;
    IF refund.proposed_by IS NOT NULL THEN
        SELECT COALESCE((SELECT sum(amount) FROM refund_lines WHERE refund_id = refund.id), 0)
             + COALESCE((SELECT sum(amount) FROM refund_parcels WHERE refund_id = refund.id), 0) INTO parts;
        IF parts <> refund.amount THEN
            RAISE EXCEPTION 'refund % is of %, its parts sum to %', refund.id, refund.amount, parts
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF (SELECT sum(amount) FROM refunds WHERE order_id = refund.order_id AND proposed_by IS NOT NULL
           AND approved_by IS NULL AND state NOT IN ('proposed', 'rejected')) >= refund_limit() THEN
        RAISE EXCEPTION 'refund %: what one person decided of the order reaches the limit', refund.id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT 'payment ' || p.id INTO fault FROM payments p WHERE p.id = refund.payment_id
       AND (SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id
             AND r.state NOT IN ('rejected', 'failed')) > p.amount;
    IF fault IS NULL THEN
        SELECT 'order line ' || l.id INTO fault
          FROM order_lines l
          JOIN refund_lines x ON x.order_line_id = l.id
          JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
         WHERE l.order_id = refund.order_id
         GROUP BY l.id, l.net_amount, l.quantity
        HAVING sum(x.quantity) > l.quantity OR sum(x.amount) + COALESCE((
               SELECT sum(d.amount) FROM dispute_shares d WHERE d.order_line_id = l.id), 0) > l.net_amount LIMIT 1;
    END IF;
    IF fault IS NULL THEN
        SELECT 'parcel ' || p.id INTO fault
          FROM parcels p
          JOIN refund_parcels x ON x.parcel_id = p.id
          JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
         WHERE p.order_id = refund.order_id
         GROUP BY p.id, p.shipping_amount HAVING sum(x.amount) + COALESCE((
               SELECT sum(d.amount) FROM dispute_parcels d WHERE d.parcel_id = p.id), 0) > p.shipping_amount LIMIT 1;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'refund % gives back more than % took', refund.id, fault USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refunds_whole AFTER INSERT OR UPDATE OF state ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_refund();
CREATE CONSTRAINT TRIGGER refund_lines_whole AFTER INSERT ON refund_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_refund();
CREATE CONSTRAINT TRIGGER refund_parcels_whole AFTER INSERT ON refund_parcels
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_refund();
CREATE TRIGGER refund_lines_append_only BEFORE UPDATE OR DELETE ON refund_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_parcels_append_only BEFORE UPDATE OR DELETE ON refund_parcels
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_shares_append_only BEFORE UPDATE OR DELETE ON refund_shares
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
