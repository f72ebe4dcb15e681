-- Money back by bank, where the way it was paid knows no refunds, or where it paid nothing.
ALTER TABLE refunds DROP CONSTRAINT refunds_state_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_state_check CHECK (state IN
    ('proposed', 'rejected', 'requested', 'pending', 'by_bank', 'succeeded', 'failed'));
INSERT INTO refund_transitions VALUES ('failed', 'by_bank'), ('by_bank', 'succeeded');

-- Payments to shoppers that go out together: proposed by one person, approved by another.
CREATE TABLE return_batches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state       text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    proposed_by bigint NOT NULL REFERENCES people,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    approved_by bigint REFERENCES people,
    approved_at timestamptz,
    rejected_by bigint REFERENCES people,
    rejected_at timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((state = 'approved') = (approved_by IS NOT NULL AND approved_at IS NOT NULL)),
    CHECK ((state = 'rejected') = (rejected_by IS NOT NULL AND rejected_at IS NOT NULL))
);
CREATE FUNCTION keep_return_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['state', 'approved_by', 'approved_at', 'rejected_by', 'rejected_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'proposed' OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'return batch %: what was decided stays', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER return_batches_keep BEFORE UPDATE OR DELETE ON return_batches
    FOR EACH ROW EXECUTE FUNCTION keep_return_batch();

-- One payment to one shopper: of a refund, or of a held transfer's rest.
CREATE TABLE bank_returns (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id        bigint NOT NULL REFERENCES orders,
    refund_id       bigint REFERENCES refunds,
    held_id         bigint REFERENCES held_transfers,
    amount          bigint NOT NULL CHECK (amount > 0),
    state           text NOT NULL DEFAULT 'asked'
                      CHECK (state IN ('asked', 'given', 'proposed', 'approved', 'paid')),
    asked_at        timestamptz NOT NULL DEFAULT now(),     -- when the shopper was last asked for an account
    asked_by        bigint REFERENCES people,               -- null: by itself
    times_asked     integer NOT NULL DEFAULT 1 CHECK (times_asked >= 1),
    batch_id        bigint REFERENCES return_batches,
    bank_account_id bigint REFERENCES bank_accounts,        -- ours, that it was paid from
    paid_on         date,
    bank_reference  text CHECK (length(bank_reference) BETWEEN 3 AND 80),
    paid_by         bigint REFERENCES people,               -- who wrote down that it was paid
    CHECK (num_nonnulls(refund_id, held_id) = 1),
    CHECK ((state IN ('proposed', 'approved', 'paid')) = (batch_id IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_on IS NOT NULL AND bank_reference IS NOT NULL AND bank_account_id IS NOT NULL
                               AND paid_by IS NOT NULL))
);
CREATE UNIQUE INDEX bank_returns_refund ON bank_returns (refund_id);
CREATE UNIQUE INDEX bank_returns_held ON bank_returns (held_id);
CREATE INDEX bank_returns_order ON bank_returns (order_id);
CREATE INDEX bank_returns_waiting ON bank_returns (state, id) WHERE state <> 'paid';
CREATE INDEX bank_returns_batch ON bank_returns (batch_id);

CREATE TABLE bank_return_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO bank_return_transitions VALUES
    ('asked', 'given'), ('given', 'asked'), ('given', 'proposed'), ('proposed', 'given'), ('proposed', 'approved'),
    ('approved', 'paid'), ('approved', 'asked'), ('proposed', 'asked');
CREATE TRIGGER bank_returns_transition BEFORE UPDATE OF state ON bank_returns
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('bank_return_transitions');

-- The shopper's account: only until it is paid, and 30 days at most. Seen by finance alone, in no export.
CREATE TABLE return_accounts (
    return_id bigint PRIMARY KEY REFERENCES bank_returns,
    bank      text NOT NULL CHECK (length(bank) BETWEEN 2 AND 80),
    number    text NOT NULL CHECK (number ~ '^[0-9]{5,20}$'),
    holder    text NOT NULL CHECK (length(holder) BETWEEN 3 AND 120),
    given_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX return_accounts_given ON return_accounts (given_at);

-- What two people agreed on is what is paid: the sum, to whom, and by whom it was approved.
CREATE FUNCTION keep_bank_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state = 'paid' OR (NEW.order_id, NEW.amount) IS DISTINCT FROM (OLD.order_id, OLD.amount)
       OR NEW.refund_id IS DISTINCT FROM OLD.refund_id OR NEW.held_id IS DISTINCT FROM OLD.held_id THEN
        RAISE EXCEPTION 'bank return % stays as it was', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'approved' AND NOT EXISTS (SELECT FROM return_batches WHERE id = NEW.batch_id AND state = 'approved') THEN
        RAISE EXCEPTION 'bank return %: its batch is not approved', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_returns_keep BEFORE UPDATE OR DELETE ON bank_returns
    FOR EACH ROW EXECUTE FUNCTION keep_bank_return();
CREATE FUNCTION keep_return_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM bank_returns WHERE id = NEW.return_id AND state NOT IN ('asked', 'given')) THEN
        RAISE EXCEPTION 'bank return %: its account is being approved or paid', NEW.return_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER return_accounts_keep BEFORE INSERT OR UPDATE ON return_accounts
    FOR EACH ROW EXECUTE FUNCTION keep_return_account();
