-- A provider took another amount, or another currency, than was asked for: the money is held until a person decides.
ALTER TABLE payments
    DROP CONSTRAINT payments_state_check,
    DROP CONSTRAINT payments_check2,                        -- fee: of a payment that succeeded
    ADD CONSTRAINT payments_state_check CHECK (state IN
        ('created', 'pending', 'succeeded', 'failed', 'expired', 'cancelled', 'held')),
    ADD COLUMN taken_amount   bigint CHECK (taken_amount > 0),
    ADD COLUMN taken_currency text CHECK (taken_currency ~ '^[A-Z]{3}$'),
    ADD COLUMN held_at        timestamptz,
    ADD COLUMN held_closed_by bigint REFERENCES people,     -- who found that nothing is left to do
    ADD COLUMN held_closed_at timestamptz,
    ADD COLUMN held_reason    text CHECK (length(held_reason) BETWEEN 10 AND 1000),
    ADD CONSTRAINT payments_fee_of_money CHECK (fee IS NULL OR state IN ('succeeded', 'held')),
    ADD CONSTRAINT payments_held CHECK (
        num_nonnulls(taken_amount, taken_currency, held_at) = CASE state WHEN 'held' THEN 3 ELSE 0 END),
    ADD CONSTRAINT payments_held_closed CHECK (
        num_nonnulls(held_closed_by, held_closed_at, held_reason) IN (0, 3)
        AND (held_closed_at IS NULL OR state = 'held'));
CREATE INDEX payments_gateway_created ON payments (gateway, created_at);
CREATE INDEX payments_held_open ON payments (held_at) WHERE state = 'held' AND held_closed_at IS NULL;
INSERT INTO payment_transitions VALUES
    ('created', 'held'), ('pending', 'held'), ('failed', 'held'), ('expired', 'held'), ('cancelled', 'held');
-- What a provider once said of held money stays, as does what a person decided.
CREATE OR REPLACE FUNCTION keep_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.order_id, NEW.instalment_id, NEW.gateway, NEW.amount)
       IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.instalment_id, OLD.gateway, OLD.amount)
       OR (OLD.succeeded_at IS NOT NULL AND NEW.succeeded_at IS DISTINCT FROM OLD.succeeded_at)
       OR (OLD.held_at IS NOT NULL AND (NEW.held_at, NEW.taken_amount, NEW.taken_currency)
                                       IS DISTINCT FROM (OLD.held_at, OLD.taken_amount, OLD.taken_currency))
       OR (OLD.held_closed_at IS NOT NULL AND (NEW.held_closed_at, NEW.held_closed_by, NEW.held_reason)
                                              IS DISTINCT FROM (OLD.held_closed_at, OLD.held_closed_by, OLD.held_reason))
       OR (OLD.fee IS NOT NULL AND NEW.fee IS DISTINCT FROM OLD.fee)
       OR (OLD.counts AND NOT NEW.counts) THEN
        RAISE EXCEPTION 'payment % stays as it was made', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- It goes back whole, by one person's wish and, above the limit, another's approval; it has no lines.
ALTER TABLE refunds DROP CONSTRAINT refunds_reason_check;
ALTER TABLE refunds
    ADD CONSTRAINT refunds_reason_check CHECK (reason IN
        ('paid_too_late', 'paid_twice', 'amount_differs', 'cannot_fulfil', 'returned', 'damaged', 'lost', 'goodwill')),
    -- a person gave it back in the provider's own pages: it is written down, not sent
    ADD COLUMN is_made_there boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT refunds_made_there CHECK (NOT is_made_there OR (reference IS NOT NULL AND proposed_by IS NOT NULL));

CREATE OR REPLACE FUNCTION check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refund refunds;
    parts  bigint;
    fault  text;
BEGIN
    SELECT * INTO refund FROM refunds WHERE id = COALESCE(
        (to_jsonb(NEW) ->> 'refund_id')::bigint, (to_jsonb(NEW) ->> 'id')::bigint);
    PERFORM FROM orders WHERE id = refund.order_id FOR NO KEY UPDATE;
    IF refund.proposed_by IS NOT NULL AND refund.reason <> 'amount_differs' THEN
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
             AND r.state NOT IN ('rejected', 'failed')) > COALESCE(p.taken_amount, p.amount);
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
CREATE OR REPLACE FUNCTION keep_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'reference', 'finished_at', 'approved_by', 'approved_at', 'attempt', 'failure',
                          'is_made_there'];
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
