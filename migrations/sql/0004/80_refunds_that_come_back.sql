-- A refund that had gone through and then failed: the shopper's bank sent the money back to the provider. An entry
-- of its own takes the refund back; sent again, the refund is booked a second time under another source.
INSERT INTO refund_transitions VALUES ('succeeded', 'failed');
CREATE TABLE refund_returns (
    refund_id bigint NOT NULL REFERENCES refunds,
    number    smallint NOT NULL CHECK (number >= 1),        -- the first time, the second …
    attempt   integer NOT NULL,                             -- which try of the refund came back
    reference text,                                         -- the provider's id of that try
    failure   text NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (refund_id, number),
    UNIQUE (refund_id, attempt)
);
CREATE TRIGGER refund_returns_append_only BEFORE UPDATE OR DELETE ON refund_returns
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What a refund takes of each share: odd steps take, even steps give back what the step before took.
ALTER TABLE refund_shares
    ADD COLUMN step smallint NOT NULL DEFAULT 1 CHECK (step >= 1),
    DROP CONSTRAINT refund_shares_pkey,
    DROP CONSTRAINT refund_shares_amount_check,
    ADD PRIMARY KEY (refund_id, order_line_id, position, step),
    ADD CONSTRAINT refund_shares_amount CHECK (CASE step % 2 WHEN 1 THEN amount >= 0 ELSE amount <= 0 END);
