-- Bank transfer as a gateway. Its "provider" is the bank's file: what is known of a payment before and after.
CREATE TABLE transfers (
    id              text PRIMARY KEY,                       -- our payment's id
    -- what the shopper writes into the transfer's note; null: a second transfer with a note that was used
    code            text UNIQUE CHECK (code ~ '^KB[ACDEFHJKMNPQRTVWXY34679]{6}$'),
    amount          bigint NOT NULL CHECK (amount > 0),
    description     text NOT NULL,
    locale          text NOT NULL,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'succeeded', 'expired')),
    event_id        text UNIQUE,                            -- bank_line:<id>: idempotent by the bank's line
    bank_account_id bigint REFERENCES bank_accounts,        -- where the money lies
    succeeded_at    timestamptz,
    CHECK ((state = 'succeeded') = (event_id IS NOT NULL AND bank_account_id IS NOT NULL AND succeeded_at IS NOT NULL))
);
CREATE INDEX transfers_succeeded ON transfers (succeeded_at) WHERE state = 'succeeded';

-- The payment that a line was counted or held for.
ALTER TABLE bank_lines ADD COLUMN payment_id text REFERENCES payments;
ALTER TABLE bank_lines ADD CHECK (state <> 'announced' OR payment_id IS NOT NULL);
CREATE INDEX bank_lines_payment ON bank_lines (payment_id) WHERE payment_id IS NOT NULL;
-- What the bank wrote stays; only what we make of it changes.
CREATE FUNCTION keep_bank_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ours text[] := ARRAY['state', 'match_id', 'payment_id', 'set_aside_reason', 'set_aside_by', 'set_aside_at'];
BEGIN
    -- A match is taken apart before its lines go to another.
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - ours IS DISTINCT FROM to_jsonb(OLD) - ours OR OLD.match_id <> NEW.match_id THEN
        RAISE EXCEPTION 'bank line % stays as the bank wrote it', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_lines_keep BEFORE UPDATE OR DELETE ON bank_lines
    FOR EACH ROW EXECUTE FUNCTION keep_bank_line();

-- Transfers that are a shopper's, but not exactly what was asked: the money waits for a decision.
CREATE TABLE held_transfers (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_line_id bigint NOT NULL UNIQUE REFERENCES bank_lines,
    order_id     bigint NOT NULL REFERENCES orders,
    payment_id   text NOT NULL REFERENCES payments,         -- that it was meant for
    amount       bigint NOT NULL CHECK (amount > 0),
    held_at      timestamptz NOT NULL DEFAULT now(),
    held_by      bigint REFERENCES people,                  -- null: by itself, its note named the payment
    counted      bigint NOT NULL DEFAULT 0 CHECK (counted >= 0),
    counted_for  text REFERENCES payments,
    counted_by   bigint REFERENCES people,
    returned     bigint NOT NULL DEFAULT 0 CHECK (returned >= 0),
    CHECK (counted + returned <= amount),
    CHECK ((counted > 0) = (counted_for IS NOT NULL AND counted_by IS NOT NULL))
);
CREATE INDEX held_transfers_payment ON held_transfers (payment_id);
CREATE INDEX held_transfers_order ON held_transfers (order_id);
CREATE INDEX held_transfers_counted_for ON held_transfers (counted_for) WHERE counted_for IS NOT NULL;
CREATE INDEX held_transfers_left ON held_transfers (id) WHERE counted + returned < amount;

CREATE FUNCTION keep_held_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['counted', 'counted_for', 'counted_by', 'returned'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes
       OR (OLD.counted > 0 AND (NEW.counted, NEW.counted_for, NEW.counted_by)
                               IS DISTINCT FROM (OLD.counted, OLD.counted_for, OLD.counted_by))
       OR NEW.returned < OLD.returned THEN
        RAISE EXCEPTION 'held transfer %: what was decided stays', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER held_transfers_keep BEFORE UPDATE OR DELETE ON held_transfers
    FOR EACH ROW EXECUTE FUNCTION keep_held_transfer();

-- A payout comes to an account of the central office that was registered on that day. A shopper's transfer may
-- also reach one that has ended since: the bank's file says where the money really lies.
CREATE OR REPLACE FUNCTION check_payout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bank_accounts b WHERE b.id = NEW.bank_account_id AND b.facility_id IS NULL
                      AND b.approved_at IS NOT NULL AND NEW.arrived_on >= b.valid_from
                      AND (NEW.gateway = 'transfer' OR NEW.arrived_on <= COALESCE(b.valid_to, 'infinity'))) THEN
        RAISE EXCEPTION 'payout %: not an account of the central office in force on %', NEW.reference, NEW.arrived_on
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
