-- What becomes of the money after the sale: fees, payouts, disputes, settlements, deposits, distributions.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_kind_check;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_kind_check CHECK (kind IN (
    'sale', 'payment_held', 'refund', 'fee', 'payout', 'dispute', 'settlement', 'deposit', 'offset',
    'budget_return', 'cash_banked', 'correction', 'reversal'));

-- The next settlement takes back what a fund was given too much: a receivable beside the liability.
-- (Accounts: receivable:<facility>:<fund>, bank:<id>, fees:operator, disputes:<gateway>, cash:<exhibition>.)

-- Who bears the provider's fees, from a day on: the operator or a fund.
CREATE TABLE fee_bearers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    valid_from  date NOT NULL UNIQUE,
    fund_id     bigint REFERENCES funds,                    -- null: the operator
    legal_basis text NOT NULL DEFAULT '',
    proposed_by bigint REFERENCES people,
    approved_by bigint REFERENCES people,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by)
);
-- Fees never reduce the state's revenue without a named legal basis.
CREATE FUNCTION check_fee_bearer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF length(NEW.legal_basis) < 5
       AND EXISTS (SELECT FROM funds WHERE id = NEW.fund_id AND code = 'state_revenue') THEN
        RAISE EXCEPTION 'fees may reduce state revenue only with a legal basis' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fee_bearers_legal BEFORE INSERT OR UPDATE ON fee_bearers
    FOR EACH ROW EXECUTE FUNCTION check_fee_bearer();
INSERT INTO fee_bearers (valid_from) VALUES ('2016-01-01');

CREATE TABLE bank_accounts (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id       bigint REFERENCES facilities,         -- null: the central office
    bank              text NOT NULL CHECK (length(bank) BETWEEN 2 AND 80),
    number            text NOT NULL CHECK (number ~ '^[0-9]{5,20}$'),
    holder            text NOT NULL CHECK (length(holder) BETWEEN 3 AND 120),
    permission_letter text NOT NULL CHECK (length(permission_letter) >= 3),
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
    CONSTRAINT bank_accounts_one_in_force EXCLUDE USING gist (
        (COALESCE(facility_id, 0)) WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
        WHERE (approved_at IS NOT NULL)
);
CREATE INDEX bank_accounts_facility ON bank_accounts (facility_id);

-- An account is decided on as it was proposed, and stands as it was approved. Its last day is named by one person
-- and set by another, or by two who registered the account that follows it.
CREATE FUNCTION keep_bank_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text[] := ARRAY['approved_by', 'approved_at', 'rejected_by', 'rejected_at'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.approved_at IS NOT NULL THEN
        changes := ARRAY['valid_to', 'end_on', 'end_proposed_by', 'end_approved_by'];
    END IF;
    IF TG_OP = 'DELETE' OR OLD.rejected_at IS NOT NULL
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'bank account % was written down as it is: only its end may be set', OLD.id
            USING ERRCODE = 'restrict_violation';
    ELSIF NEW.end_approved_by IS DISTINCT FROM OLD.end_approved_by
          AND (OLD.end_approved_by IS NOT NULL OR NEW.valid_to IS DISTINCT FROM NEW.end_on
               OR (NEW.end_on, NEW.end_proposed_by) IS DISTINCT FROM (OLD.end_on, OLD.end_proposed_by)) THEN
        RAISE EXCEPTION 'bank account %: an end is approved as it was proposed', OLD.id
            USING ERRCODE = 'restrict_violation';
    ELSIF OLD.end_approved_by IS NOT NULL
          AND (NEW.end_on, NEW.end_proposed_by) IS DISTINCT FROM (OLD.end_on, OLD.end_proposed_by) THEN
        RAISE EXCEPTION 'bank account %: its end is decided', OLD.id USING ERRCODE = 'restrict_violation';
    ELSIF OLD.valid_to < COALESCE(NEW.valid_to, 'infinity') THEN
        RAISE EXCEPTION 'bank account % has ended', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_accounts_keep BEFORE UPDATE OR DELETE ON bank_accounts
    FOR EACH ROW EXECUTE FUNCTION keep_bank_account();
-- Seen at commit, since an account ends before the one that follows it counts.
CREATE FUNCTION check_bank_account_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM bank_accounts b
                WHERE b.id = NEW.id AND (b.end_approved_by IS NULL OR b.end_on <> b.valid_to)
                  AND NOT EXISTS (SELECT FROM bank_accounts n
                                   WHERE n.facility_id IS NOT DISTINCT FROM b.facility_id
                                     AND n.approved_at IS NOT NULL AND n.valid_from = b.valid_to + 1)) THEN
        RAISE EXCEPTION 'bank account % ends without a second person', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bank_accounts_end AFTER UPDATE OF valid_to ON bank_accounts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.valid_to IS DISTINCT FROM NEW.valid_to)
    EXECUTE FUNCTION check_bank_account_end();
ALTER TABLE accounts ADD COLUMN bank_account_id bigint REFERENCES bank_accounts;

CREATE TABLE payouts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway         text NOT NULL,
    reference       text NOT NULL,
    amount          bigint NOT NULL CHECK (amount > 0),
    bank_account_id bigint NOT NULL REFERENCES bank_accounts,
    arrived_on      date NOT NULL,
    recorded_by     bigint REFERENCES people,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (gateway, reference)
);

CREATE TABLE disputes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id  text NOT NULL REFERENCES payments,
    reference   text NOT NULL UNIQUE,
    amount      bigint NOT NULL CHECK (amount > 0),
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'won', 'lost')),
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL))
);

-- Paying a facility what it is owed: a fund's share, or shipping (fund null).
CREATE TABLE settlements (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id     bigint NOT NULL REFERENCES facilities,
    fund_id         bigint REFERENCES funds,
    amount          bigint NOT NULL CHECK (amount > 0),
    bank_account_id bigint NOT NULL REFERENCES bank_accounts,       -- where it goes
    state           text NOT NULL DEFAULT 'proposed'
                      CHECK (state IN ('proposed', 'rejected', 'approved', 'paid', 'reversed')),
    note            text NOT NULL DEFAULT '',
    proposed_by     bigint NOT NULL REFERENCES people,
    proposed_at     timestamptz NOT NULL DEFAULT now(),
    approved_by     bigint REFERENCES people,
    approved_at     timestamptz,
    paid_on         date,
    bank_reference  text,
    paid_by         bigint REFERENCES people,               -- who wrote down that it was paid
    rejected_by     bigint REFERENCES people,
    rejected_at     timestamptz,
    reversed_on     date,
    reversed_by     bigint REFERENCES people,
    reversal_reason text CHECK (length(reversal_reason) >= 10),
    CHECK ((state = 'rejected') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL)),
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK (reversed_by IS NULL OR reversed_by <> paid_by),
    CHECK (state NOT IN ('approved', 'paid', 'reversed') OR (approved_at IS NOT NULL AND approved_by IS NOT NULL)),
    CHECK (state NOT IN ('paid', 'reversed')
           OR (paid_on IS NOT NULL AND length(bank_reference) >= 3 AND paid_by IS NOT NULL)),
    CHECK ((state = 'reversed') = (reversed_on IS NOT NULL AND reversed_by IS NOT NULL AND reversal_reason IS NOT NULL))
);
CREATE INDEX settlements_facility ON settlements (facility_id, state);
CREATE INDEX settlements_state ON settlements (state, id);
CREATE UNIQUE INDEX settlements_bank_reference ON settlements (bank_reference) WHERE state = 'paid';

-- What is proposed was still owed, counting every other proposal, and is when it is approved, counting what else
-- was; two at once wait for each other here. The state's revenue is deposited, never settled. The money goes to an
-- account of the facility itself.
CREATE FUNCTION check_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of text;
    left_over bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM bank_accounts b WHERE b.id = NEW.bank_account_id
                      AND b.facility_id = NEW.facility_id AND b.approved_at IS NOT NULL) THEN
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
               SELECT COALESCE(sum(s.amount), 0) FROM settlements s
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
CREATE TRIGGER settlements_within AFTER INSERT OR UPDATE OF state ON settlements
    FOR EACH ROW WHEN (NEW.state IN ('proposed', 'approved')) EXECUTE FUNCTION check_settlement();

-- A paying unit (satker) as the treasury knows it, with the account it deposits into, from a day on.
CREATE TABLE satkers (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id     bigint NOT NULL REFERENCES facilities,
    ministry_code   text NOT NULL CHECK (ministry_code ~ '^[0-9]{3}$'),
    unit_code       text NOT NULL CHECK (unit_code ~ '^[0-9]{2}$'),
    office_code     text NOT NULL CHECK (office_code ~ '^[0-9]{6}$'),
    tax_number      text NOT NULL CHECK (tax_number ~ '^[0-9]{15,16}$'),
    treasurer       text NOT NULL CHECK (length(treasurer) BETWEEN 3 AND 120),
    revenue_account text NOT NULL CHECK (revenue_account ~ '^[0-9]{6}$'),
    valid_from      date NOT NULL,
    valid_to        date,
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    UNIQUE (id, facility_id),
    CONSTRAINT satkers_one_in_force EXCLUDE USING gist (
        facility_id WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
);

-- Deposits carry its codes: once written down, only its last day may be set.
CREATE FUNCTION keep_satker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to'
       OR OLD.valid_to < COALESCE(NEW.valid_to, 'infinity') THEN
        RAISE EXCEPTION 'satker % stays as it was written down: another follows it', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER satkers_keep BEFORE UPDATE ON satkers FOR EACH ROW EXECUTE FUNCTION keep_satker();

-- How many days after the money's arrival a deposit is due, from a day on.
CREATE TABLE deposit_deadlines (
    valid_from  date PRIMARY KEY,
    days        integer NOT NULL CHECK (days BETWEEN 0 AND 60),
    legal_basis text NOT NULL
);
INSERT INTO deposit_deadlines VALUES ('2016-01-01', 7, 'Diandaikan untuk contoh; ganti dengan aturan yang berlaku');

CREATE TABLE deposits (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id        bigint NOT NULL REFERENCES facilities,
    satker_id          bigint NOT NULL,
    amount             bigint NOT NULL CHECK (amount > 0),
    due_on             date NOT NULL,
    state              text NOT NULL DEFAULT 'proposed'
                         CHECK (state IN ('proposed', 'rejected', 'approved', 'paid', 'reversed')),
    billing_code       text CHECK (billing_code ~ '^[0-9]{15}$'),
    billing_expires_at timestamptz,
    ntb                text CHECK (ntb ~ '^[A-Z0-9]{6,20}$'),
    ntpn               text CHECK (ntpn ~ '^[A-Z0-9]{16}$'),
    paid_on            date,
    booked_on          date,
    proof_key          text,
    proposed_by        bigint NOT NULL REFERENCES people,
    proposed_at        timestamptz NOT NULL DEFAULT now(),
    approved_by        bigint REFERENCES people,
    approved_at        timestamptz,
    paid_by            bigint REFERENCES people,            -- who wrote down that it was paid
    rejected_by        bigint REFERENCES people,
    rejected_at        timestamptz,
    reversed_on        date,
    reversed_by        bigint REFERENCES people,
    reversal_reason    text CHECK (length(reversal_reason) >= 10),
    written_by         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CHECK ((state = 'rejected') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL)),
    FOREIGN KEY (satker_id, facility_id) REFERENCES satkers (id, facility_id),
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK (reversed_by IS NULL OR reversed_by <> paid_by),
    CHECK ((billing_code IS NULL) = (billing_expires_at IS NULL)),
    CHECK (booked_on IS NULL OR booked_on >= paid_on),
    CHECK (paid_on <= (billing_expires_at AT TIME ZONE 'Asia/Jakarta')::date),
    CHECK (state NOT IN ('approved', 'paid', 'reversed') OR (approved_at IS NOT NULL AND approved_by IS NOT NULL)),
    CHECK (state NOT IN ('paid', 'reversed') OR (paid_on IS NOT NULL AND ntpn IS NOT NULL
                                                 AND billing_code IS NOT NULL AND paid_by IS NOT NULL)),
    CHECK ((state = 'reversed') = (reversed_on IS NOT NULL AND reversed_by IS NOT NULL AND reversal_reason IS NOT NULL))
);
CREATE INDEX deposits_facility ON deposits (facility_id, state);
CREATE INDEX deposits_state ON deposits (state, due_on);
-- A number that a deposit was given by mistake is free again once that deposit is reversed.
CREATE UNIQUE INDEX deposits_ntpn ON deposits (ntpn) WHERE state = 'paid';
CREATE UNIQUE INDEX deposits_billing_code ON deposits (billing_code) WHERE state IN ('approved', 'paid');

-- Which postings a deposit carries to the treasury, so that a slip leads back to each piece of work.
CREATE TABLE deposit_lines (
    deposit_id bigint NOT NULL REFERENCES deposits,
    posting_id bigint NOT NULL REFERENCES postings,
    amount     bigint NOT NULL CHECK (amount <> 0),         -- of a refund's posting: below zero
    is_living  boolean NOT NULL DEFAULT true,               -- false: its deposit was rejected or reversed
    PRIMARY KEY (deposit_id, posting_id)
);
-- A rupiah is on its way to the treasury once.
CREATE UNIQUE INDEX deposit_lines_once ON deposit_lines (posting_id) WHERE is_living;
CREATE INDEX deposit_lines_posting ON deposit_lines (posting_id);

-- A deposit is the sum of its lines, which are written with it. Only the last one sums, so that a long deposit
-- costs one sum.
CREATE FUNCTION check_deposit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deposit bigint;
    total   bigint;
    wanted  bigint;
BEGIN
    IF TG_TABLE_NAME = 'deposits' THEN
        deposit := NEW.id;
    ELSE
        deposit := NEW.deposit_id;
        IF EXISTS (SELECT FROM deposit_lines WHERE deposit_id = deposit AND posting_id > NEW.posting_id) THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT amount INTO wanted FROM deposits WHERE id = deposit;
    SELECT COALESCE(sum(amount), 0) INTO total FROM deposit_lines WHERE deposit_id = deposit;
    IF total <> wanted THEN
        RAISE EXCEPTION 'deposit % is of %, its lines sum to %', deposit, wanted, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deposits_whole AFTER INSERT ON deposits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deposit();
CREATE CONSTRAINT TRIGGER deposit_lines_whole AFTER INSERT ON deposit_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deposit();

-- A line is the posting turned around: what the state is owed of it, to the rupiah.
CREATE FUNCTION check_deposit_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM deposits d WHERE d.id = NEW.deposit_id AND d.written_by = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'deposit % was proposed with its lines: none follows', NEW.deposit_id
            USING ERRCODE = 'restrict_violation';
    ELSIF NOT EXISTS (SELECT FROM deposits d
                     JOIN postings p ON p.id = NEW.posting_id AND p.amount = -NEW.amount
                     JOIN accounts a ON a.id = p.account_id AND a.facility_id = d.facility_id
                     JOIN funds f ON f.id = a.fund_id AND f.code = 'state_revenue'
                    WHERE d.id = NEW.deposit_id) THEN
        RAISE EXCEPTION 'deposit %: posting % is not this facility''s state revenue', NEW.deposit_id, NEW.posting_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deposit_lines_of_the_state BEFORE INSERT ON deposit_lines
    FOR EACH ROW EXECUTE FUNCTION check_deposit_line();

-- Nothing of a line ever changes but that its deposit came to nothing, which sets its posting free.
CREATE FUNCTION keep_deposit_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.is_living OR to_jsonb(NEW) - 'is_living' IS DISTINCT FROM to_jsonb(OLD) - 'is_living'
       OR EXISTS (SELECT FROM deposits WHERE id = OLD.deposit_id AND state NOT IN ('rejected', 'reversed')) THEN
        RAISE EXCEPTION 'deposit_lines is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deposit_lines_append_only BEFORE UPDATE OR DELETE ON deposit_lines
    FOR EACH ROW EXECUTE FUNCTION keep_deposit_line();
CREATE FUNCTION free_deposit_lines() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE deposit_lines SET is_living = false WHERE deposit_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deposits_free_lines AFTER UPDATE OF state ON deposits
    FOR EACH ROW WHEN (NEW.state IN ('rejected', 'reversed')) EXECUTE FUNCTION free_deposit_lines();

-- What two people agreed on is what is paid: all of a proposal stays, but for the steps that it takes.
CREATE FUNCTION keep_money_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'approved_by', 'approved_at', 'rejected_by', 'rejected_at', 'billing_code',
                          'billing_expires_at', 'ntb', 'ntpn', 'bank_reference', 'paid_on', 'paid_by', 'booked_on',
                          'proof_key', 'reversed_on', 'reversed_by', 'reversal_reason'];
BEGIN
    IF to_jsonb(NEW) - steps IS DISTINCT FROM to_jsonb(OLD) - steps
       OR (OLD.approved_at IS NOT NULL
           AND (NEW.approved_by, NEW.approved_at) IS DISTINCT FROM (OLD.approved_by, OLD.approved_at)) THEN
        RAISE EXCEPTION '% %: what was proposed stays', TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- None of it begins as anything but a proposal.
CREATE FUNCTION begin_as_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> TG_ARGV[0] THEN
        RAISE EXCEPTION '%: begins as %, not as %', TG_TABLE_NAME, TG_ARGV[0], NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION keep_what_was_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'reversed_on', 'reversed_by', 'reversal_reason', 'booked_on', 'proof_key'];
BEGIN
    IF to_jsonb(NEW) - steps IS DISTINCT FROM to_jsonb(OLD) - steps THEN
        RAISE EXCEPTION '% %: what was paid stays; a counter-entry undoes it', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlements_keep_paid BEFORE UPDATE ON settlements
    FOR EACH ROW WHEN (OLD.state IN ('paid', 'reversed')) EXECUTE FUNCTION keep_what_was_paid();
CREATE TRIGGER deposits_keep_paid BEFORE UPDATE ON deposits
    FOR EACH ROW WHEN (OLD.state IN ('paid', 'reversed')) EXECUTE FUNCTION keep_what_was_paid();
CREATE TRIGGER settlements_keep BEFORE UPDATE ON settlements FOR EACH ROW EXECUTE FUNCTION keep_money_out();
CREATE TRIGGER deposits_keep BEFORE UPDATE ON deposits FOR EACH ROW EXECUTE FUNCTION keep_money_out();
CREATE TRIGGER settlements_begin BEFORE INSERT ON settlements
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('proposed');
CREATE TRIGGER deposits_begin BEFORE INSERT ON deposits
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('proposed');

-- A facility's record that premium was passed on: counted, never named.
CREATE TABLE premium_distributions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id    bigint NOT NULL REFERENCES facilities,
    workshop_id    bigint NOT NULL,
    distributed_on date NOT NULL,
    people         integer NOT NULL CHECK (people BETWEEN 1 AND 10000),
    amount         bigint NOT NULL CHECK (amount > 0),
    state          text NOT NULL DEFAULT 'entered' CHECK (state IN ('entered', 'approved', 'rejected')),
    entered_by     bigint NOT NULL REFERENCES people,
    entered_at     timestamptz NOT NULL DEFAULT now(),
    approved_by    bigint REFERENCES people,
    approved_at    timestamptz,
    -- taken back: a record that turned out wrong, before or after its approval
    rejected_by    bigint REFERENCES people,
    rejected_at    timestamptz,
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id),
    CHECK (approved_by IS NULL OR approved_by <> entered_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK (state <> 'approved' OR approved_at IS NOT NULL),
    CHECK (state <> 'entered' OR approved_at IS NULL),
    CHECK ((state = 'rejected') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL))
);
CREATE INDEX premium_distributions_facility ON premium_distributions (facility_id, distributed_on);
CREATE TRIGGER premium_distributions_keep BEFORE UPDATE ON premium_distributions
    FOR EACH ROW EXECUTE FUNCTION keep_money_out();
CREATE TRIGGER premium_distributions_begin BEFORE INSERT ON premium_distributions
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('entered');

-- Never more than was paid to the facility. Those of one facility wait for each other on its row.
CREATE FUNCTION check_distribution() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paid bigint;
    passed_on bigint;
BEGIN
    PERFORM FROM facilities WHERE id = NEW.facility_id FOR NO KEY UPDATE;
    SELECT COALESCE(sum(s.amount), 0) INTO paid FROM settlements s JOIN funds f ON f.id = s.fund_id
     WHERE s.facility_id = NEW.facility_id AND f.code = 'premium' AND s.state = 'paid';
    SELECT COALESCE(sum(amount), 0) INTO passed_on FROM premium_distributions
     WHERE facility_id = NEW.facility_id AND state <> 'rejected';
    IF passed_on > paid THEN
        RAISE EXCEPTION 'facility %: % passed on, only % was paid to it', NEW.facility_id, passed_on, paid
            USING ERRCODE = 'check_violation', CONSTRAINT = 'premium_distributions_within';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER premium_distributions_within AFTER INSERT OR UPDATE ON premium_distributions
    FOR EACH ROW EXECUTE FUNCTION check_distribution();
-- Nor is a payment taken back whose premium makers have already received.
CREATE TRIGGER settlements_not_passed_on AFTER UPDATE OF state ON settlements
    FOR EACH ROW WHEN (NEW.state = 'reversed') EXECUTE FUNCTION check_distribution();

-- Premium and capital that return as budget, where a rule sends all to the state.
CREATE TABLE budget_returns (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id     bigint NOT NULL REFERENCES facilities,
    fund_id         bigint NOT NULL REFERENCES funds,
    amount          bigint NOT NULL CHECK (amount > 0),
    reference       text NOT NULL CHECK (length(reference) >= 3),      -- of the disbursement order (SP2D)
    returned_on     date NOT NULL,
    bank_account_id bigint NOT NULL REFERENCES bank_accounts,          -- the central one, where it arrived
    state           text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'rejected', 'booked')),
    proposed_by     bigint NOT NULL REFERENCES people,
    proposed_at     timestamptz NOT NULL DEFAULT now(),
    approved_by     bigint REFERENCES people,
    approved_at     timestamptz,
    rejected_by     bigint REFERENCES people,
    rejected_at     timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((state = 'booked') = (approved_at IS NOT NULL)),
    CHECK ((state = 'rejected') = (rejected_at IS NOT NULL AND rejected_by IS NOT NULL))
);
CREATE UNIQUE INDEX budget_returns_reference ON budget_returns (reference, facility_id, fund_id)
    WHERE state <> 'rejected';
CREATE INDEX budget_returns_facility ON budget_returns (facility_id);
CREATE TRIGGER budget_returns_keep BEFORE UPDATE ON budget_returns FOR EACH ROW EXECUTE FUNCTION keep_money_out();
CREATE TRIGGER budget_returns_begin BEFORE INSERT ON budget_returns
    FOR EACH ROW EXECUTE FUNCTION begin_as_proposal('proposed');
-- No more comes back than the facility has deposited; nor is a deposit undone whose money came back. Those of one
-- facility wait for each other on its row.
CREATE FUNCTION check_budget_return() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deposited bigint;
    returned  bigint;
BEGIN
    PERFORM FROM facilities WHERE id = NEW.facility_id FOR NO KEY UPDATE;
    SELECT COALESCE(sum(amount), 0) INTO deposited FROM deposits WHERE facility_id = NEW.facility_id AND state = 'paid';
    SELECT COALESCE(sum(amount), 0) INTO returned FROM budget_returns
     WHERE facility_id = NEW.facility_id AND state <> 'rejected';
    IF returned > deposited THEN
        RAISE EXCEPTION 'facility %: % returned as budget, only % was deposited', NEW.facility_id, returned, deposited
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER budget_returns_within AFTER INSERT ON budget_returns
    FOR EACH ROW EXECUTE FUNCTION check_budget_return();
CREATE TRIGGER deposits_not_returned AFTER UPDATE OF state ON deposits
    FOR EACH ROW WHEN (NEW.state = 'reversed') EXECUTE FUNCTION check_budget_return();

-- A correction names its reason and two people; its legs are those of its journal entry.
CREATE TABLE corrections (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason         text NOT NULL CHECK (length(reason) >= 10),
    effective_date date NOT NULL,
    legs           jsonb NOT NULL,                          -- [{account, amount}], as proposed
    state          text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'rejected', 'booked')),
    proposed_by    bigint NOT NULL REFERENCES people,
    proposed_at    timestamptz NOT NULL DEFAULT now(),
    approved_by    bigint REFERENCES people,
    approved_at    timestamptz,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((state = 'booked') = (approved_at IS NOT NULL))
);

CREATE TABLE books_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO books_transitions VALUES
    ('proposed', 'approved'), ('proposed', 'rejected'), ('approved', 'paid'), ('approved', 'rejected'),
    ('paid', 'reversed'), ('proposed', 'booked'), ('entered', 'approved'), ('entered', 'rejected');
CREATE TRIGGER settlements_transition BEFORE UPDATE OF state ON settlements
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
CREATE TRIGGER deposits_transition BEFORE UPDATE OF state ON deposits
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
CREATE TRIGGER distributions_transition BEFORE UPDATE OF state ON premium_distributions
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
CREATE TRIGGER budget_returns_transition BEFORE UPDATE OF state ON budget_returns
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
CREATE TRIGGER corrections_transition BEFORE UPDATE OF state ON corrections
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
