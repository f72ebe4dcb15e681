-- What the program and the environment decided alone until now; from a day on, never backwards, with who and why.

-- From this many rupiah of one order on a second person approves a refund. Two administrators agree on another amount.
CREATE TABLE refund_limits (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    valid_from  date NOT NULL,
    amount      bigint NOT NULL CHECK (amount BETWEEN 1 AND 1000000000),
    legal_basis text NOT NULL CHECK (length(legal_basis) >= 10),
    proposed_by bigint REFERENCES people,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    approved_by bigint REFERENCES people,
    approved_at timestamptz,
    rejected_by bigint REFERENCES people,
    rejected_at timestamptz,
    -- only the first, which the shop is shipped with, was proposed by nobody
    CONSTRAINT refund_limits_shipped
        CHECK (proposed_by IS NOT NULL OR (approved_at IS NOT NULL AND approved_by IS NULL AND valid_from = '2016-01-01')),
    CONSTRAINT refund_limits_approved CHECK (proposed_by IS NULL OR (approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT refund_limits_rejected CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CONSTRAINT refund_limits_decided CHECK (approved_at IS NULL OR rejected_at IS NULL),
    CONSTRAINT refund_limits_four_eyes CHECK (approved_by <> proposed_by)
);
CREATE UNIQUE INDEX refund_limits_one_from_a_day ON refund_limits (valid_from) WHERE approved_at IS NOT NULL;
CREATE UNIQUE INDEX refund_limits_one_waits ON refund_limits ((true)) WHERE approved_at IS NULL AND rejected_at IS NULL;
CREATE TRIGGER refund_limits_keep BEFORE UPDATE OR DELETE ON refund_limits
    FOR EACH ROW EXECUTE FUNCTION keep_proposal();
INSERT INTO refund_limits (valid_from, amount, legal_basis, proposed_at, approved_at)
VALUES ('2016-01-01', 500000, 'Batas yang dibawa toko ini', '2016-01-01 00:00+07', '2016-01-01 00:00+07');

-- A refund keeps to the limit of its own day: one that was sent before a lower limit came is finished after it.
ALTER TABLE refunds DROP CONSTRAINT refunds_second_person;
CREATE FUNCTION refund_limit(day date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT l.amount FROM public.refund_limits l WHERE l.approved_at IS NOT NULL AND l.valid_from <= day
     ORDER BY l.valid_from DESC LIMIT 1
$$;
CREATE FUNCTION check_refund_alone(refund refunds) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT r.requested_at, sum(r.amount) OVER (ORDER BY r.id) AS so_far FROM refunds r
                      WHERE r.order_id = refund.order_id AND r.proposed_by IS NOT NULL AND r.approved_by IS NULL
                        AND r.state NOT IN ('proposed', 'rejected')) r
         WHERE r.so_far >= refund_limit(accounting_date(r.requested_at))) THEN
        RAISE EXCEPTION 'refund %: what one person decided of the order reaches the limit', refund.id
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

-- As before, but for the limit.
CREATE OR REPLACE FUNCTION check_refund_bounds(refund refunds) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fault text;
BEGIN
    PERFORM check_refund_alone(refund);
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
END $$;
DROP FUNCTION refund_limit();

-- From how many pieces down a variant is running out that its facility gave no mark of its own; without a row, three.
CREATE TABLE low_stock_defaults (
    valid_from  date PRIMARY KEY,
    pieces      integer NOT NULL CHECK (pieces BETWEEN 0 AND 1000),
    legal_basis text NOT NULL CHECK (length(legal_basis) >= 10)
);

-- How long an unpaid order holds its pieces; without a row, as its gateway and the environment say. A provider opens no
-- page for less than half an hour.
CREATE TABLE order_holds (
    valid_from    date PRIMARY KEY,
    page_minutes  integer NOT NULL CHECK (page_minutes BETWEEN 35 AND 1440),    -- paid on a provider's page
    transfer_days integer NOT NULL CHECK (transfer_days BETWEEN 1 AND 14),      -- paid by bank transfer
    legal_basis   text NOT NULL CHECK (length(legal_basis) >= 10)
);
