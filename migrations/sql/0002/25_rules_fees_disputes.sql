-- How rules and bearers of fees come about, what a dispute takes back, and where acts of staff came from.

-- A split rule is proposed whole, in one transaction, and then decided; nothing of it changes in between.
ALTER TABLE split_rules
    ADD COLUMN document_key     text,                       -- the decree, in the private part of the media store
    ADD COLUMN rejected_by      bigint REFERENCES people,   -- or withdrawn by who proposed it
    ADD COLUMN rejected_at      timestamptz,
    ADD COLUMN rejection_reason text NOT NULL DEFAULT '' CHECK (length(rejection_reason) <= 1000),
    ADD CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    ADD CHECK (approved_at IS NULL OR rejected_at IS NULL);

CREATE OR REPLACE FUNCTION keep_approved_split_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['approved_by', 'approved_at', 'rejected_by', 'rejected_at', 'rejection_reason', 'valid_to'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.approved_at IS NOT NULL THEN
            RAISE EXCEPTION 'split rule % is approved and stays', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    ELSIF OLD.approved_at IS NOT NULL AND to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to' THEN
        RAISE EXCEPTION 'split rule % is approved: only its end may be set', OLD.id
            USING ERRCODE = 'restrict_violation';
    ELSIF OLD.valid_to < COALESCE(NEW.valid_to, 'infinity') THEN
        RAISE EXCEPTION 'split rule % has ended', OLD.id USING ERRCODE = 'restrict_violation';
    ELSIF OLD.rejected_at IS NOT NULL OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes
          OR (OLD.approved_at IS NULL AND NEW.valid_to IS DISTINCT FROM OLD.valid_to) THEN
        RAISE EXCEPTION 'split rule % was proposed as it is: a new one follows', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION keep_approved_split_rule_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN rule := NEW.split_rule_id; ELSE rule := OLD.split_rule_id; END IF;
    -- Only the transaction that wrote the rule writes its shares: who approves approves what was proposed.
    IF EXISTS (SELECT FROM split_rules r WHERE r.id = rule AND r.written_by <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'split rule % was proposed as it is: its shares stay', rule
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;

-- A rule that ends without a successor (the wider one then holds): proposed by one, approved by another.
CREATE TABLE split_rule_ends (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    split_rule_id bigint NOT NULL REFERENCES split_rules,
    last_day      date NOT NULL,
    reason        text NOT NULL CHECK (length(reason) BETWEEN 10 AND 1000),
    proposed_by   bigint NOT NULL REFERENCES people,
    proposed_at   timestamptz NOT NULL DEFAULT now(),
    approved_by   bigint REFERENCES people,
    approved_at   timestamptz,
    rejected_by   bigint REFERENCES people,
    rejected_at   timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CHECK (approved_at IS NULL OR rejected_at IS NULL)
);
CREATE UNIQUE INDEX split_rule_ends_open ON split_rule_ends (split_rule_id)
    WHERE approved_at IS NULL AND rejected_at IS NULL;

-- An approved rule ends by such an end, or on the day before the rule of its scope that follows. Seen at commit,
-- since it ends before the one that follows counts.
CREATE FUNCTION check_split_rule_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM split_rules r
                    WHERE r.id = NEW.id
                      AND (EXISTS (SELECT FROM split_rule_ends e WHERE e.split_rule_id = r.id
                                      AND e.approved_at IS NOT NULL AND e.last_day = r.valid_to)
                           OR EXISTS (SELECT FROM split_rules n
                                       WHERE n.approved_at IS NOT NULL AND n.valid_from = r.valid_to + 1
                                         AND (n.exhibition_id, n.facility_id, n.workshop_id, n.commodity_group_id)
                                             IS NOT DISTINCT FROM
                                             (r.exhibition_id, r.facility_id, r.workshop_id, r.commodity_group_id)))) THEN
        RAISE EXCEPTION 'split rule % ends without a second person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER split_rules_end AFTER UPDATE OF valid_to ON split_rules
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.approved_at IS NOT NULL AND OLD.valid_to IS DISTINCT FROM NEW.valid_to)
    EXECUTE FUNCTION check_split_rule_end();

-- Pages that show where the money goes are made anew when a rule is approved or ended.
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON split_rules
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- Who bears the provider's fees, likewise: one bearer from each day on.
ALTER TABLE fee_bearers
    DROP CONSTRAINT fee_bearers_valid_from_key,
    ADD COLUMN proposed_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN approved_at timestamptz,
    ADD COLUMN rejected_by bigint REFERENCES people,
    ADD COLUMN rejected_at timestamptz;
UPDATE fee_bearers SET approved_at = '2016-01-01 00:00+07', proposed_at = '2016-01-01 00:00+07';
ALTER TABLE fee_bearers
    -- only the first, which the shop is shipped with, was proposed by nobody
    ADD CHECK (proposed_by IS NOT NULL OR (fund_id IS NULL AND approved_at IS NOT NULL AND approved_by IS NULL)),
    ADD CHECK (proposed_by IS NULL OR (approved_by IS NULL) = (approved_at IS NULL)),
    ADD CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    ADD CHECK (approved_at IS NULL OR rejected_at IS NULL);
CREATE UNIQUE INDEX fee_bearers_one_from_a_day ON fee_bearers (valid_from) WHERE approved_at IS NOT NULL;

-- What is decided stays; what is proposed is only decided.
CREATE FUNCTION keep_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['approved_by', 'approved_at', 'rejected_by', 'rejected_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.approved_at IS NOT NULL OR OLD.rejected_at IS NOT NULL
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION '% %: what was proposed stays', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER split_rule_ends_keep BEFORE UPDATE OR DELETE ON split_rule_ends
    FOR EACH ROW EXECUTE FUNCTION keep_proposal();
CREATE TRIGGER fee_bearers_keep BEFORE UPDATE OR DELETE ON fee_bearers
    FOR EACH ROW EXECUTE FUNCTION keep_proposal();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON fee_bearers
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- What the provider kept of a payment, as it said; null: it has not said anything.
ALTER TABLE payments
    ADD COLUMN fee bigint CHECK (fee >= 0),
    ADD CHECK (fee IS NULL OR state = 'succeeded');

-- What was paid, by which gateway and for what, stays; so does what the provider once said of it.
CREATE FUNCTION keep_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.order_id, NEW.instalment_id, NEW.gateway, NEW.amount)
       IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.instalment_id, OLD.gateway, OLD.amount)
       OR (OLD.succeeded_at IS NOT NULL AND NEW.succeeded_at IS DISTINCT FROM OLD.succeeded_at)
       OR (OLD.fee IS NOT NULL AND NEW.fee IS DISTINCT FROM OLD.fee)
       OR (OLD.counts AND NOT NEW.counts) THEN
        RAISE EXCEPTION 'payment % stays as it was made', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_keep BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION keep_payment();

-- Payouts come to an account of the central office that was registered on that day, and stay as recorded.
CREATE FUNCTION check_payout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bank_accounts b WHERE b.id = NEW.bank_account_id AND b.facility_id IS NULL
                      AND b.approved_at IS NOT NULL
                      AND NEW.arrived_on BETWEEN b.valid_from AND COALESCE(b.valid_to, 'infinity')) THEN
        RAISE EXCEPTION 'payout %: not an account of the central office in force on %', NEW.reference, NEW.arrived_on
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payouts_to_the_office BEFORE INSERT ON payouts FOR EACH ROW EXECUTE FUNCTION check_payout();
CREATE TRIGGER payouts_append_only BEFORE UPDATE OR DELETE ON payouts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A dispute is opened once and closed once; what a lost one took from each share and parcel is kept.
CREATE INDEX disputes_payment ON disputes (payment_id);
INSERT INTO books_transitions VALUES ('open', 'won'), ('open', 'lost');
CREATE FUNCTION keep_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['state', 'closed_at'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'dispute % stays as it was opened', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER disputes_keep BEFORE UPDATE OR DELETE ON disputes FOR EACH ROW EXECUTE FUNCTION keep_dispute();
CREATE TRIGGER disputes_transition BEFORE UPDATE OF state ON disputes
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
CREATE TABLE dispute_shares (
    dispute_id    bigint NOT NULL REFERENCES disputes,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    position      smallint NOT NULL,                        -- of the line's share
    fund_id       bigint NOT NULL REFERENCES funds,
    amount        bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (dispute_id, order_line_id, position),
    FOREIGN KEY (order_line_id, position) REFERENCES order_line_shares
);
CREATE INDEX dispute_shares_line ON dispute_shares (order_line_id, position);
CREATE TABLE dispute_parcels (
    dispute_id bigint NOT NULL REFERENCES disputes,
    parcel_id  bigint NOT NULL REFERENCES parcels,
    amount     bigint NOT NULL CHECK (amount > 0),          -- shipping taken back
    PRIMARY KEY (dispute_id, parcel_id)
);
CREATE INDEX dispute_parcels_parcel ON dispute_parcels (parcel_id);
CREATE TRIGGER dispute_shares_append_only BEFORE UPDATE OR DELETE ON dispute_shares
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dispute_parcels_append_only BEFORE UPDATE OR DELETE ON dispute_parcels
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Refunds and lost disputes together take no more of a share than it got. Those of one order wait for each other.
CREATE FUNCTION check_taken_share() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM orders WHERE id = (SELECT order_id FROM order_lines WHERE id = NEW.order_line_id) FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM order_line_shares s
                WHERE (s.order_line_id, s.position) = (NEW.order_line_id, NEW.position)
                  AND (s.fund_id <> NEW.fund_id OR s.amount < COALESCE((
                       SELECT sum(amount) FROM refund_shares
                        WHERE (order_line_id, position) = (NEW.order_line_id, NEW.position)), 0) + COALESCE((
                       SELECT sum(amount) FROM dispute_shares
                        WHERE (order_line_id, position) = (NEW.order_line_id, NEW.position)), 0))) THEN
        RAISE EXCEPTION 'order line %: more is taken back from share % than it got', NEW.order_line_id, NEW.position
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_shares_within AFTER INSERT ON refund_shares FOR EACH ROW EXECUTE FUNCTION check_taken_share();
CREATE TRIGGER dispute_shares_within AFTER INSERT ON dispute_shares FOR EACH ROW EXECUTE FUNCTION check_taken_share();

-- A correction stays as proposed, and a rejected one says by whom.
ALTER TABLE corrections
    ADD COLUMN rejected_by bigint REFERENCES people,
    ADD COLUMN rejected_at timestamptz,
    ADD CHECK ((state = 'rejected') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL)),
    ADD CHECK ((approved_by IS NULL) = (approved_at IS NULL));
CREATE FUNCTION keep_correction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['state', 'approved_by', 'approved_at', 'rejected_by', 'rejected_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'proposed'
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'correction % stays as it was proposed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER corrections_keep BEFORE UPDATE OR DELETE ON corrections
    FOR EACH ROW EXECUTE FUNCTION keep_correction();
CREATE TRIGGER corrections_begin BEFORE INSERT ON corrections
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('proposed');

-- Accounts carry the codes of facilities and funds in their own.
CREATE FUNCTION keep_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.code <> OLD.code THEN
        RAISE EXCEPTION '% %: its code stays', TG_TABLE_NAME, OLD.code USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER facilities_keep_code BEFORE UPDATE OF code ON facilities FOR EACH ROW EXECUTE FUNCTION keep_code();
CREATE TRIGGER funds_keep_code BEFORE UPDATE OF code ON funds FOR EACH ROW EXECUTE FUNCTION keep_code();

-- Where an act of staff came from; a shopper's address is not kept.
ALTER TABLE audit_events ADD COLUMN network inet;
