-- Working capital that is transferred to a facility's own account at the provider (STRIPE_CONNECT). Nothing is in
-- these tables while that is off.

-- A facility's account at the provider: proposed with its letter by one person, registered by another.
CREATE TABLE connected_accounts (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id       bigint NOT NULL REFERENCES facilities,
    account           text NOT NULL CHECK (account ~ '^acct_[A-Za-z0-9]{8,64}$'),
    permission_letter text NOT NULL CHECK (length(permission_letter) BETWEEN 3 AND 200),
    valid_from        date NOT NULL,
    valid_to          date,
    proposed_by       bigint NOT NULL REFERENCES people,
    proposed_at       timestamptz NOT NULL DEFAULT now(),
    approved_by       bigint REFERENCES people,
    approved_at       timestamptz,
    rejected_by       bigint REFERENCES people,
    rejected_at       timestamptz,
    -- its last day, as somebody proposes it; in force once a second person agrees (valid_to)
    end_on            date,
    end_proposed_by   bigint REFERENCES people,
    end_approved_by   bigint REFERENCES people,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CHECK (approved_at IS NULL OR rejected_at IS NULL),
    CHECK ((end_on IS NULL) = (end_proposed_by IS NULL)),
    CHECK (end_approved_by IS NULL OR end_approved_by <> end_proposed_by),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT connected_accounts_one_in_force EXCLUDE USING gist (
        facility_id WITH =, daterange(valid_from, valid_to, '[]') WITH &&) WHERE (approved_at IS NOT NULL),
    -- nor does an account belong to two facilities at once
    CONSTRAINT connected_accounts_one_owner EXCLUDE USING gist (
        account WITH =, facility_id WITH <>, daterange(valid_from, valid_to, '[]') WITH &&)
        WHERE (approved_at IS NOT NULL)
);
-- It stays as it was written down, as a bank account does.
CREATE TRIGGER connected_accounts_keep BEFORE UPDATE OR DELETE ON connected_accounts
    FOR EACH ROW EXECUTE FUNCTION keep_bank_account();
CREATE FUNCTION check_connected_account_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM connected_accounts c
                WHERE c.id = NEW.id AND (c.end_approved_by IS NULL OR c.end_on <> c.valid_to)
                  AND NOT EXISTS (SELECT FROM connected_accounts n
                                   WHERE n.facility_id = c.facility_id AND n.approved_at IS NOT NULL
                                     AND n.valid_from = c.valid_to + 1)) THEN
        RAISE EXCEPTION 'connected account % ends without a second person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER connected_accounts_end AFTER UPDATE OF valid_to ON connected_accounts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.valid_to IS DISTINCT FROM NEW.valid_to)
    EXECUTE FUNCTION check_connected_account_end();

-- A settlement goes to a bank account, or by transfers to the facility's account at the provider.
ALTER TABLE settlements
    ALTER COLUMN bank_account_id DROP NOT NULL,
    DROP CONSTRAINT settlements_check4,                     -- paid: with the bank's reference, written down by somebody
    ADD COLUMN connected_account_id bigint REFERENCES connected_accounts,
    -- what reached the facility in the end, of one by transfers: less than was agreed on where the provider refused
    ADD COLUMN transferred    bigint CHECK (transferred BETWEEN 1 AND amount),
    ADD COLUMN transferred_at timestamptz,
    ADD CONSTRAINT settlements_one_way CHECK (num_nonnulls(bank_account_id, connected_account_id) = 1),
    ADD CONSTRAINT settlements_paid CHECK (state NOT IN ('paid', 'reversed') OR (paid_on IS NOT NULL AND CASE
        WHEN connected_account_id IS NULL THEN length(bank_reference) >= 3 AND bank_reference IS NOT NULL
                                               AND paid_by IS NOT NULL
        ELSE num_nonnulls(bank_reference, paid_by) = 0 END)),
    ADD CONSTRAINT settlements_transferred CHECK (
        num_nonnulls(transferred, transferred_at)
        = CASE WHEN state = 'paid' AND connected_account_id IS NOT NULL THEN 2 ELSE 0 END);

-- As before; and by transfer goes working capital alone, to the facility's own account at the provider.
CREATE OR REPLACE FUNCTION check_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of text;
    left_over bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM bank_accounts b WHERE b.id = NEW.bank_account_id
                      AND b.facility_id = NEW.facility_id AND b.approved_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM connected_accounts c JOIN funds f ON f.id = NEW.fund_id AND f.code = 'working_capital'
                        WHERE c.id = NEW.connected_account_id AND c.facility_id = NEW.facility_id
                          AND c.approved_at IS NOT NULL) THEN
        RAISE EXCEPTION 'settlement %: not a registered account of the facility', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT f.code || ':' || COALESCE((SELECT code FROM funds WHERE id = NEW.fund_id), 'shipping') INTO of
      FROM facilities f WHERE f.id = NEW.facility_id;
    IF of LIKE '%:state_revenue' THEN
        RAISE EXCEPTION 'settlement %: state revenue is deposited, not settled', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('account:owed:' || of, 0));
    SELECT -COALESCE(sum(p.amount), 0) - (
               SELECT COALESCE(sum(s.amount - already_transferred(s.id)), 0) FROM settlements s
                WHERE s.facility_id = NEW.facility_id AND s.fund_id IS NOT DISTINCT FROM NEW.fund_id
                  AND s.state IN (NEW.state, 'approved')) INTO left_over
      FROM postings p JOIN accounts a ON a.id = p.account_id
     WHERE a.code IN ('owed:' || of, 'receivable:' || of);
    IF left_over < 0 THEN
        RAISE EXCEPTION 'settlement %: % more than what % is owed', NEW.id, -left_over, of
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- What was agreed on stays, but for the steps that it takes; those of a transfer among them.
CREATE OR REPLACE FUNCTION keep_money_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'approved_by', 'approved_at', 'rejected_by', 'rejected_at', 'billing_code',
                          'billing_expires_at', 'ntb', 'ntpn', 'bank_reference', 'paid_on', 'paid_by', 'booked_on',
                          'proof_key', 'reversed_on', 'reversed_by', 'reversal_reason', 'transferred', 'transferred_at'];
BEGIN
    IF to_jsonb(NEW) - steps IS DISTINCT FROM to_jsonb(OLD) - steps
       OR (OLD.approved_at IS NOT NULL
           AND (NEW.approved_by, NEW.approved_at) IS DISTINCT FROM (OLD.approved_by, OLD.approved_at)) THEN
        RAISE EXCEPTION '% %: what was proposed stays', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- The part of a settlement that is sourced from one payment's captured money.
CREATE TABLE facility_transfers (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    settlement_id bigint NOT NULL REFERENCES settlements,
    payment_id    text NOT NULL REFERENCES payments,
    amount        bigint NOT NULL CHECK (amount > 0),
    -- planned: on its way, or nobody knows; failed: the provider refused; dropped: refused, and left at that
    state         text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'made', 'failed', 'dropped')),
    key           text NOT NULL UNIQUE,                     -- ours, by which the provider finds it again for ever
    attempt       integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),      -- how often it was asked for anew
    reference     text UNIQUE,                              -- the provider's id
    failure       text NOT NULL DEFAULT '',
    reversed      bigint NOT NULL DEFAULT 0 CHECK (reversed BETWEEN 0 AND amount),
    planned_at    timestamptz NOT NULL DEFAULT now(),
    made_at       timestamptz,
    UNIQUE (settlement_id, payment_id),
    CHECK ((state = 'made') = (reference IS NOT NULL AND made_at IS NOT NULL)),
    CHECK (num_nonnulls(reference, made_at) IN (0, 2)),
    CHECK (state = 'made' OR reversed = 0)
);
CREATE INDEX facility_transfers_payment ON facility_transfers (payment_id);
CREATE INDEX facility_transfers_open ON facility_transfers (id) WHERE state IN ('planned', 'failed');

-- The part of a transfer that comes back because a refund or a lost dispute took its working capital.
CREATE TABLE transfer_reversals (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id bigint NOT NULL REFERENCES facility_transfers,
    source      text NOT NULL CHECK (source ~ '^(refund:[0-9]+:[0-9]+|dispute:[0-9]+)$'),
    amount      bigint NOT NULL CHECK (amount > 0),
    -- failed: the provider refused, or had not enough of the facility's for too long; dropped: never transferred
    state       text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'made', 'failed', 'dropped')),
    key         text NOT NULL UNIQUE,
    attempt     integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    reference   text UNIQUE,
    failure     text NOT NULL DEFAULT '',
    planned_at  timestamptz NOT NULL DEFAULT now(),
    made_at     timestamptz,
    UNIQUE (transfer_id, source),
    CHECK ((state = 'made') = (reference IS NOT NULL AND made_at IS NOT NULL)),
    CHECK (num_nonnulls(reference, made_at) IN (0, 2))
);
CREATE INDEX transfer_reversals_open ON transfer_reversals (id) WHERE state IN ('planned', 'failed');

CREATE TABLE facility_transfer_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO facility_transfer_transitions VALUES
    ('planned', 'made'), ('planned', 'failed'), ('planned', 'dropped'), ('failed', 'planned'), ('failed', 'dropped'),
    -- the provider's own books show what it had seemed to refuse
    ('failed', 'made');
CREATE TRIGGER facility_transfers_transition BEFORE UPDATE OF state ON facility_transfers
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('facility_transfer_transitions');
CREATE TRIGGER transfer_reversals_transition BEFORE UPDATE OF state ON transfer_reversals
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('facility_transfer_transitions');

-- Both stay as they were planned, and as the provider made them.
CREATE FUNCTION keep_facility_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'attempt', 'reference', 'failure', 'made_at'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'made' THEN
        steps := ARRAY[]::text[];
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - steps - 'reversed'::text IS DISTINCT FROM to_jsonb(OLD) - steps - 'reversed'::text
       OR (to_jsonb(NEW) ->> 'reversed')::bigint < (to_jsonb(OLD) ->> 'reversed')::bigint THEN
        RAISE EXCEPTION '% %: what was planned and made stays', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER facility_transfers_keep BEFORE UPDATE OR DELETE ON facility_transfers
    FOR EACH ROW EXECUTE FUNCTION keep_facility_transfer();
CREATE TRIGGER transfer_reversals_keep BEFORE UPDATE OR DELETE ON transfer_reversals
    FOR EACH ROW EXECUTE FUNCTION keep_facility_transfer();
CREATE TRIGGER facility_transfers_begin BEFORE INSERT ON facility_transfers
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('planned');
CREATE TRIGGER transfer_reversals_begin BEFORE INSERT ON transfer_reversals
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('planned');

-- What of a settlement has left already, so that it is neither owed nor spoken for any more.
CREATE FUNCTION already_transferred(settlement bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT COALESCE(sum(t.amount) FILTER (WHERE t.state IN ('made', 'dropped')), 0)::bigint FROM facility_transfers t
     WHERE t.settlement_id = settlement
$$;

-- A facility's working capital of one paid order: its shares less what refunds, lost disputes and the payment's fee
-- took of them.
CREATE FUNCTION working_capital_of(payment text, facility bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH lines AS (SELECT l.id FROM payments p JOIN order_lines l ON l.order_id = p.order_id
                    WHERE p.id = payment AND p.counts AND l.facility_id = facility),
         fund AS (SELECT id FROM funds WHERE code = 'working_capital')
    SELECT (COALESCE((SELECT sum(s.amount) FROM order_line_shares s, fund f
                       WHERE s.order_line_id IN (SELECT id FROM lines) AND s.fund_id = f.id), 0)
          - COALESCE((SELECT sum(r.amount) FROM refund_shares r, fund f
                       WHERE r.order_line_id IN (SELECT id FROM lines) AND r.fund_id = f.id), 0)
          - COALESCE((SELECT sum(d.amount) FROM dispute_shares d, fund f
                       WHERE d.order_line_id IN (SELECT id FROM lines) AND d.fund_id = f.id), 0)
          - COALESCE((SELECT sum(x.amount) FROM journal_entries e JOIN postings x ON x.entry_id = e.id
                        JOIN accounts a ON a.id = x.account_id, fund f
                       WHERE e.source = 'payment:' || payment || ':fee' AND a.facility_id = facility
                         AND a.fund_id = f.id), 0))::bigint
$$;

-- Never more than the facility's working capital of that payment, nor all together more than what was captured of it.
-- Whoever plans holds the facility's account, so that two never count on the same rupiah.
CREATE FUNCTION check_facility_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_facility bigint;
    gone        bigint;
    in_all      bigint;
    captured    bigint;
BEGIN
    SELECT s.facility_id INTO of_facility FROM settlements s JOIN funds f ON f.id = s.fund_id AND f.code = 'working_capital'
     WHERE s.id = NEW.settlement_id AND s.state = 'approved' AND s.connected_account_id IS NOT NULL;
    SELECT p.amount INTO captured FROM payments p
     WHERE p.id = NEW.payment_id AND p.counts AND p.state = 'succeeded' AND p.capture_reference IS NOT NULL;
    IF of_facility IS NULL OR captured IS NULL THEN
        RAISE EXCEPTION 'transfer %: no approved settlement by transfer, or no captured money', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('account:owed:' || f.code || ':working_capital', 0))
       FROM facilities f WHERE f.id = of_facility;
    SELECT COALESCE(sum(t.amount - COALESCE(r.amount, 0)) FILTER (WHERE s.facility_id = of_facility), 0),
           COALESCE(sum(t.amount), 0) INTO gone, in_all
      FROM facility_transfers t
      JOIN settlements s ON s.id = t.settlement_id
      LEFT JOIN LATERAL (SELECT sum(x.amount) AS amount FROM transfer_reversals x
                          WHERE x.transfer_id = t.id AND x.state <> 'dropped') r ON true
     WHERE t.payment_id = NEW.payment_id AND t.state IN ('planned', 'made');
    IF gone > working_capital_of(NEW.payment_id, of_facility) OR in_all > captured THEN
        RAISE EXCEPTION 'transfer %: more than the working capital of payment %', NEW.id, NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'facility_transfers_within';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER facility_transfers_within AFTER INSERT OR UPDATE OF state ON facility_transfers
    FOR EACH ROW WHEN (NEW.state = 'planned') EXECUTE FUNCTION check_facility_transfer();

-- No more comes back of a transfer than went; what did is added up on the transfer.
CREATE FUNCTION check_transfer_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM facility_transfers WHERE id = NEW.transfer_id FOR NO KEY UPDATE;
    IF (SELECT sum(amount) FROM transfer_reversals WHERE transfer_id = NEW.transfer_id AND state <> 'dropped')
       > (SELECT amount FROM facility_transfers WHERE id = NEW.transfer_id) THEN
        RAISE EXCEPTION 'transfer %: more comes back than went', NEW.transfer_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'made' THEN
        UPDATE facility_transfers SET reversed = reversed + NEW.amount WHERE id = NEW.transfer_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_reversals_within AFTER INSERT OR UPDATE OF state ON transfer_reversals
    FOR EACH ROW EXECUTE FUNCTION check_transfer_reversal();

-- What two people agreed on is what is transferred: a settlement by transfers is the sum of them, and paid once none
-- of them is under way.
CREATE FUNCTION check_settlement_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    planned bigint;
    made    bigint;
    waiting boolean;
BEGIN
    SELECT COALESCE(sum(t.amount), 0), COALESCE(sum(t.amount) FILTER (WHERE t.state = 'made'), 0),
           COALESCE(bool_or(t.state IN ('planned', 'failed')), false) INTO planned, made, waiting
      FROM facility_transfers t WHERE t.settlement_id = NEW.id;
    IF planned <> NEW.amount OR (NEW.state = 'paid' AND (waiting OR made <> NEW.transferred))
       OR (NEW.state = 'rejected' AND (waiting OR made <> 0)) THEN
        RAISE EXCEPTION 'settlement % is of %, its transfers sum to %, % of it made', NEW.id, NEW.amount, planned, made
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER settlements_transfers AFTER UPDATE OF state ON settlements
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.connected_account_id IS NOT NULL AND NEW.approved_at IS NOT NULL)
    EXECUTE FUNCTION check_settlement_transfers();

CREATE OR REPLACE VIEW reporting.settlements AS
SELECT s.id AS settlement_id, f.code AS facility_code, COALESCE(fund.code, 'shipping') AS fund,
       COALESCE(s.transferred, s.amount) AS amount, s.approved_at, s.paid_on, s.bank_reference
  FROM settlements s
  JOIN facilities f ON f.id = s.facility_id
  LEFT JOIN funds fund ON fund.id = s.fund_id
 WHERE s.state = 'paid';

-- The provider's own lines of both.
ALTER TABLE provider_lines
    DROP CONSTRAINT provider_lines_kind_check,
    ADD CONSTRAINT provider_lines_kind_check
        CHECK (kind IN ('payment', 'refund', 'fee', 'dispute', 'payout', 'transfer', 'other')),
    ADD COLUMN transfer_key       text,                     -- ours, of a transfer or of its reversal
    ADD COLUMN transfer_reference text;                     -- the provider's, likewise
