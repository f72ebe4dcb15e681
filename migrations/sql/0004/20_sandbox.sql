-- The sandbox provider's own books: what moved its balance, what it sent to our bank, and how it delivers news.
CREATE TABLE sandbox_settings (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    delivery     text NOT NULL DEFAULT 'at_once'
                   CHECK (delivery IN ('at_once', 'late', 'twice', 'out_of_order', 'never')),
    late_seconds integer NOT NULL DEFAULT 120 CHECK (late_seconds BETWEEN 1 AND 604800)
);
INSERT INTO sandbox_settings DEFAULT VALUES;

ALTER TABLE sandbox_payments
    ADD COLUMN delivery   text                              -- null: as the whole sandbox
                 CHECK (delivery IN ('at_once', 'late', 'twice', 'out_of_order', 'never')),
    ADD COLUMN can_refund boolean NOT NULL DEFAULT true;
ALTER TABLE sandbox_events ALTER COLUMN payment_id DROP NOT NULL;      -- a payout is of many payments
ALTER TABLE sandbox_refunds
    ADD COLUMN state   text NOT NULL DEFAULT 'succeeded' CHECK (state IN ('succeeded', 'failed')),
    ADD COLUMN failure text NOT NULL DEFAULT '';

CREATE TABLE sandbox_payouts (
    id         text PRIMARY KEY,
    amount     bigint NOT NULL CHECK (amount > 0),
    state      text NOT NULL DEFAULT 'paid' CHECK (state IN ('on_its_way', 'paid', 'failed')),
    arrives_on date NOT NULL,
    failure    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
-- One movement of what the sandbox holds for us; above zero, it holds more.
CREATE TABLE sandbox_lines (
    id         text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('payment', 'refund', 'fee', 'dispute', 'payout', 'other')),
    amount     bigint NOT NULL CHECK (amount <> 0),
    fee        bigint NOT NULL DEFAULT 0,
    payment_id text REFERENCES sandbox_payments,
    refund_id  text REFERENCES sandbox_refunds,
    dispute_id text,
    payout_id  text REFERENCES sandbox_payouts,             -- that it went out with, or is
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sandbox_lines_created ON sandbox_lines (created_at);
CREATE INDEX sandbox_lines_payment ON sandbox_lines (payment_id);
CREATE INDEX sandbox_lines_payout ON sandbox_lines (payout_id);

-- Payments taken before these books existed, and those of invented months, are entered as the shop knows them.
CREATE FUNCTION sandbox_fill_in() RETURNS void LANGUAGE sql AS $$
    INSERT INTO sandbox_lines (id, kind, amount, fee, payment_id, created_at)
    SELECT 'txn_' || p.id, 'payment', p.amount, COALESCE(p.fee, 0), p.id, p.succeeded_at
      FROM payments p JOIN sandbox_payments s ON s.id = p.id
     WHERE p.gateway = 'sandbox' AND p.state = 'succeeded'
        ON CONFLICT DO NOTHING;
    INSERT INTO sandbox_lines (id, kind, amount, payment_id, refund_id, created_at)
    SELECT 'txn_' || s.id, 'refund', -s.amount, s.payment_id, s.id, COALESCE(r.finished_at, s.created_at)
      FROM sandbox_refunds s JOIN refunds r ON r.reference = s.id AND r.state = 'succeeded'
        ON CONFLICT DO NOTHING;
    INSERT INTO sandbox_lines (id, kind, amount, payment_id, dispute_id, created_at)
    SELECT 'txn_' || d.reference || moved.ending, 'dispute', moved.amount, d.payment_id, d.reference, moved.at
      FROM disputes d JOIN sandbox_payments s ON s.id = d.payment_id
     CROSS JOIN LATERAL (VALUES ('_opened', -d.amount, d.opened_at, true),
                                ('_won', d.amount, d.closed_at, d.state = 'won')) moved (ending, amount, at, is_so)
     WHERE moved.is_so
        ON CONFLICT DO NOTHING;
    INSERT INTO sandbox_payouts (id, amount, arrives_on, created_at)
    SELECT reference, amount, arrived_on, recorded_at FROM payouts WHERE gateway = 'sandbox'
        ON CONFLICT DO NOTHING;
    INSERT INTO sandbox_lines (id, kind, amount, payout_id, created_at)
    SELECT 'txn_' || o.id, 'payout', -o.amount, o.id, o.created_at FROM sandbox_payouts o
        ON CONFLICT DO NOTHING;
    -- What lay there at the end of the day before went out with a payout.
    UPDATE sandbox_lines l SET payout_id = (
           SELECT o.id FROM sandbox_payouts o WHERE accounting_date(l.created_at) < o.arrives_on
            ORDER BY o.arrives_on, o.created_at LIMIT 1)
     WHERE l.payout_id IS NULL;
$$;
SELECT sandbox_fill_in();
