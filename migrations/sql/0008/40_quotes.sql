-- Quotes: what a facility offers to who asked for much or for something made to measure; accepted, they become orders
-- that are paid in parts. What was captured of a part waits in `customer_deposits` until the last one is there.

ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_kind_check;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_kind_check CHECK (kind IN (
    'sale', 'payment_held', 'refund', 'fee', 'payout', 'dispute', 'settlement', 'deposit', 'offset',
    'budget_return', 'cash_banked', 'correction', 'reversal', 'transfer_held', 'transfer_counted',
    'transfer_returned', 'customer_deposit', 'deposit_released'));
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_late;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_late CHECK (happened_on IS NULL OR (
    kind IN ('sale', 'payment_held', 'refund', 'fee', 'dispute', 'customer_deposit')
    AND happened_on < date_trunc('month', effective_date::timestamp)
    AND effective_date = accounting_date(posted_at)));

-- A first instalment whose order ended before the last one came goes back by itself, and whole.
ALTER TABLE refunds DROP CONSTRAINT refunds_reason_check, DROP CONSTRAINT refunds_automatic;
ALTER TABLE refunds
    ADD CONSTRAINT refunds_reason_check CHECK (reason IN
        ('paid_too_late', 'paid_twice', 'amount_differs', 'order_ended', 'cancelled', 'cannot_fulfil', 'not_collected',
         'returned', 'damaged', 'lost', 'goodwill')),
    ADD CONSTRAINT refunds_automatic CHECK ((reason IN ('paid_too_late', 'paid_twice', 'order_ended', 'cancelled'))
                                            = (proposed_by IS NULL));
DROP INDEX refunds_automatic_once;
CREATE UNIQUE INDEX refunds_automatic_once ON refunds (payment_id)
    WHERE reason IN ('paid_too_late', 'paid_twice', 'order_ended');
CREATE OR REPLACE FUNCTION check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refund refunds;
    parts  bigint;
BEGIN
    SELECT * INTO refund FROM refunds WHERE id = COALESCE(
        (to_jsonb(NEW) ->> 'refund_id')::bigint, (to_jsonb(NEW) ->> 'id')::bigint);
    PERFORM FROM orders WHERE id = refund.order_id FOR NO KEY UPDATE;
    IF refund.reason = 'order_ended' AND (SELECT state FROM orders WHERE id = refund.order_id)
                                         NOT IN ('expired', 'cancelled') THEN
        RAISE EXCEPTION 'refund %: its order has not ended', refund.id USING ERRCODE = 'check_violation';
    END IF;
    IF refund.reason NOT IN ('paid_too_late', 'paid_twice', 'amount_differs', 'order_ended') THEN
        SELECT COALESCE((SELECT sum(amount) FROM refund_lines WHERE refund_id = refund.id), 0)
             + COALESCE((SELECT sum(amount) FROM refund_parcels WHERE refund_id = refund.id), 0) INTO parts;
        IF parts <> refund.amount THEN
            RAISE EXCEPTION 'refund % is of %, its parts sum to %', refund.id, refund.amount, parts
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF refund.reason = 'cancelled' AND (
        EXISTS (SELECT FROM refund_parcels x JOIN parcels p ON p.id = x.parcel_id
                 WHERE x.refund_id = refund.id AND p.state <> 'cancelled')
        OR EXISTS (SELECT FROM refund_lines x WHERE x.refund_id = refund.id AND x.quantity > COALESCE((
                       SELECT sum(l.quantity) FROM parcel_lines l JOIN parcels p ON p.id = l.parcel_id
                        WHERE l.order_line_id = x.order_line_id AND p.state = 'cancelled'), 0))) THEN
        RAISE EXCEPTION 'refund %: what was not called off is not given back by itself', refund.id
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM check_refund_bounds(refund);
    RETURN NULL;
END $$;

CREATE TABLE quotes (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id     bigint NOT NULL REFERENCES facilities,
    enquiry_id      bigint NOT NULL REFERENCES enquiries,
    former_id       bigint UNIQUE REFERENCES quotes,    -- the one of the same enquiry that came before it
    number          text UNIQUE CHECK (number ~ '^[A-Z0-9]+-[0-9]{4}-[0-9]+$'),    -- PKL-2026-12, given when it is sent
    state           text NOT NULL DEFAULT 'draft'
                      CHECK (state IN ('draft', 'sent', 'accepted', 'declined', 'expired', 'revised')),
    deposit_bp      integer NOT NULL DEFAULT 5000 CHECK (deposit_bp BETWEEN 1 AND 10000),    -- first instalment
    first_days      integer NOT NULL DEFAULT 7 CHECK (first_days BETWEEN 1 AND 60),  -- after acceptance
    rest_days       integer NOT NULL DEFAULT 30 CHECK (rest_days BETWEEN 1 AND 365), -- after the first one's last day
    method_id       bigint NOT NULL REFERENCES shipping_methods,
    shipping_amount bigint NOT NULL DEFAULT 0 CHECK (shipping_amount BETWEEN 0 AND 1000000000),
    valid_until     date NOT NULL,
    notes           text NOT NULL DEFAULT '' CHECK (length(notes) <= 2000),
    token_version   smallint NOT NULL DEFAULT 1,
    written_by      bigint NOT NULL REFERENCES people,
    written_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    ended_at        timestamptz,                        -- accepted, declined, expired or revised
    CHECK ((state = 'draft') = (number IS NULL)),
    CHECK ((state = 'draft') = (sent_at IS NULL)),
    CHECK ((state IN ('draft', 'sent')) = (ended_at IS NULL))
);
CREATE INDEX quotes_facility ON quotes (facility_id, id DESC);
CREATE INDEX quotes_enquiry ON quotes (enquiry_id, id);
CREATE INDEX quotes_method ON quotes (method_id);
CREATE INDEX quotes_ending ON quotes (valid_until) WHERE state = 'sent';
-- Of one enquiry one quote is being written, and one stands, at most.
CREATE UNIQUE INDEX quotes_one_draft ON quotes (enquiry_id) WHERE state = 'draft';
CREATE UNIQUE INDEX quotes_one_sent ON quotes (enquiry_id) WHERE state = 'sent';

-- A listed work, or (variant_id null) something made to measure, in words.
CREATE TABLE quote_lines (
    quote_id       bigint NOT NULL REFERENCES quotes,
    position       integer NOT NULL CHECK (position >= 1),
    variant_id     bigint REFERENCES variants,
    title          text NOT NULL CHECK (length(title) BETWEEN 3 AND 140),
    workshop_id    bigint NOT NULL REFERENCES workshops,
    category_id    bigint REFERENCES categories,        -- of what is made to measure
    material_cost  bigint CHECK (material_cost BETWEEN 0 AND 1000000000),   -- of one piece; null: as the variant says
    weight_g       integer CHECK (weight_g BETWEEN 1 AND 1000000),          -- of one piece made to measure
    quantity       integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    unit_price     bigint NOT NULL CHECK (unit_price BETWEEN 1 AND 1000000000),
    lead_time_days integer CHECK (lead_time_days BETWEEN 1 AND 365),        -- null: taken from the store
    PRIMARY KEY (quote_id, position),
    CHECK (variant_id IS NOT NULL OR num_nonnulls(category_id, material_cost, weight_g, lead_time_days) = 4),
    CHECK (variant_id IS NULL OR num_nonnulls(category_id, material_cost, weight_g) = 0)
);
CREATE INDEX quote_lines_variant ON quote_lines (variant_id);
CREATE INDEX quote_lines_workshop ON quote_lines (workshop_id);
CREATE INDEX quote_lines_category ON quote_lines (category_id);

-- Who accepted it, and the one order that came of it. Name and position are erased apart.
CREATE TABLE quote_acceptances (
    quote_id    bigint PRIMARY KEY REFERENCES quotes,
    order_id    bigint NOT NULL UNIQUE REFERENCES orders,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    name        text CHECK (length(name) BETWEEN 2 AND 120),
    position    text CHECK (length(position) BETWEEN 2 AND 120),
    institution text CHECK (length(institution) <= 160),
    erased_at   timestamptz,
    CHECK (erased_at IS NULL OR num_nonnulls(name, position, institution) = 0),
    CHECK (erased_at IS NOT NULL OR num_nonnulls(name, position) = 2)
);

CREATE TABLE quote_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO quote_transitions VALUES
    ('draft', 'sent'), ('sent', 'accepted'), ('sent', 'declined'), ('sent', 'expired'), ('sent', 'revised');
CREATE TRIGGER quotes_transition BEFORE UPDATE OF state ON quotes
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('quote_transitions');

-- Each step of a quote, written by the database alone.
CREATE TABLE quote_steps (
    quote_id bigint NOT NULL REFERENCES quotes,
    state    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (quote_id, state)
);
CREATE FUNCTION note_quote_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO quote_steps (quote_id, state, at) VALUES (NEW.id, NEW.state,
        COALESCE(CASE NEW.state WHEN 'draft' THEN NEW.written_at WHEN 'sent' THEN NEW.sent_at ELSE NEW.ended_at END, now()));
    RETURN NULL;
END $$;
CREATE TRIGGER quotes_step AFTER INSERT OR UPDATE OF state ON quotes
    FOR EACH ROW EXECUTE FUNCTION note_quote_step();
CREATE TRIGGER quote_steps_append_only BEFORE UPDATE OR DELETE ON quote_steps
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What was sent stays as it was read.
CREATE FUNCTION keep_quote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.facility_id <> NEW.facility_id OR OLD.enquiry_id <> NEW.enquiry_id OR OLD.state <> 'draft' AND
       (to_jsonb(OLD) - ARRAY['state', 'ended_at', 'token_version']) IS DISTINCT FROM
       (to_jsonb(NEW) - ARRAY['state', 'ended_at', 'token_version']) THEN
        RAISE EXCEPTION 'quote % was sent: it stays as it was read', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quotes_keep BEFORE UPDATE ON quotes FOR EACH ROW EXECUTE FUNCTION keep_quote();
CREATE FUNCTION keep_quote_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM quotes WHERE id = COALESCE(NEW.quote_id, OLD.quote_id)) <> 'draft' THEN
        RAISE EXCEPTION 'quote % was sent: its lines stay', COALESCE(NEW.quote_id, OLD.quote_id)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER quote_lines_keep BEFORE INSERT OR UPDATE OR DELETE ON quote_lines
    FOR EACH ROW EXECUTE FUNCTION keep_quote_line();

-- Papers with a number, counted for each facility, kind and year, without a gap: the next one alone can be given.
CREATE TABLE quote_papers (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id   bigint NOT NULL REFERENCES facilities,
    kind          text NOT NULL CHECK (kind IN
                    ('quote', 'order_letter', 'invoice', 'receipt', 'delivery_note', 'handover')),
    year          smallint NOT NULL,
    number        integer NOT NULL CHECK (number >= 1),
    quote_id      bigint NOT NULL REFERENCES quotes,
    instalment_id bigint REFERENCES instalments,        -- of an invoice and a receipt
    parcel_id     bigint REFERENCES parcels,            -- of a delivery note and a handover
    issued_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (facility_id, kind, year, number),
    CONSTRAINT quote_papers_once UNIQUE NULLS NOT DISTINCT (quote_id, kind, instalment_id, parcel_id),
    CHECK ((kind IN ('invoice', 'receipt')) = (instalment_id IS NOT NULL)),
    CHECK ((kind IN ('delivery_note', 'handover')) = (parcel_id IS NOT NULL))
);
CREATE INDEX quote_papers_instalment ON quote_papers (instalment_id) WHERE instalment_id IS NOT NULL;
CREATE INDEX quote_papers_parcel ON quote_papers (parcel_id) WHERE parcel_id IS NOT NULL;
CREATE FUNCTION next_paper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(':', 'quote_papers', NEW.facility_id, NEW.kind, NEW.year), 0));
    NEW.number := 1 + COALESCE((SELECT max(number) FROM quote_papers p WHERE p.facility_id = NEW.facility_id
                                   AND p.kind = NEW.kind AND p.year = NEW.year), 0);
    RETURN NEW;
END $$;
CREATE TRIGGER quote_papers_next BEFORE INSERT ON quote_papers FOR EACH ROW EXECUTE FUNCTION next_paper();
CREATE TRIGGER quote_papers_append_only BEFORE UPDATE OR DELETE ON quote_papers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What became of a quote is told to its facility.
ALTER TABLE notices DROP CONSTRAINT notices_kind_check;
ALTER TABLE notices ADD CONSTRAINT notices_kind_check
    CHECK (kind IN ('parcel', 'question', 'quote', 'sent_back', 'problem', 'stand', 'digest'));
ALTER TABLE notice_choices DROP CONSTRAINT notice_choices_kind_check;
ALTER TABLE notice_choices ADD CONSTRAINT notice_choices_kind_check
    CHECK (kind IN ('parcel', 'question', 'quote', 'sent_back', 'problem', 'stand', 'digest'));

-- Drawings and lists that come with a wish for a large order: checked, private, gone with who asked.
CREATE TABLE enquiry_files (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enquiry_id bigint NOT NULL REFERENCES enquiries,
    key        text NOT NULL UNIQUE,                    -- in the private store
    size       integer NOT NULL CHECK (size > 0)        -- bytes
);
CREATE INDEX enquiry_files_enquiry ON enquiry_files (enquiry_id);
