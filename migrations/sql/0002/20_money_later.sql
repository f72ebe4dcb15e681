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
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT bank_accounts_one_in_force EXCLUDE USING gist (
        (COALESCE(facility_id, 0)) WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
        WHERE (approved_at IS NOT NULL)
);
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
    reversed_on     date,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK (state NOT IN ('approved', 'paid', 'reversed') OR approved_at IS NOT NULL),
    CHECK (state NOT IN ('paid', 'reversed') OR (paid_on IS NOT NULL AND length(bank_reference) >= 3)),
    CHECK ((state = 'reversed') = (reversed_on IS NOT NULL))
);
CREATE INDEX settlements_facility ON settlements (facility_id, state);
CREATE UNIQUE INDEX settlements_bank_reference ON settlements (bank_reference) WHERE state = 'paid';

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
    CONSTRAINT satkers_one_in_force EXCLUDE USING gist (
        facility_id WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
);

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
    satker_id          bigint NOT NULL REFERENCES satkers,
    amount             bigint NOT NULL CHECK (amount > 0),
    due_on             date NOT NULL,
    state              text NOT NULL DEFAULT 'proposed'
                         CHECK (state IN ('proposed', 'rejected', 'approved', 'paid', 'reversed')),
    billing_code       text CHECK (billing_code ~ '^[0-9]{15}$'),
    billing_expires_at timestamptz,
    ntb                text CHECK (ntb ~ '^[A-Z0-9]{6,20}$'),
    ntpn               text UNIQUE CHECK (ntpn ~ '^[A-Z0-9]{16}$'),
    paid_on            date,
    booked_on          date,
    proof_key          text,
    proposed_by        bigint NOT NULL REFERENCES people,
    proposed_at        timestamptz NOT NULL DEFAULT now(),
    approved_by        bigint REFERENCES people,
    approved_at        timestamptz,
    reversed_on        date,
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK (state NOT IN ('approved', 'paid', 'reversed') OR approved_at IS NOT NULL),
    CHECK (state NOT IN ('paid', 'reversed') OR (paid_on IS NOT NULL AND ntpn IS NOT NULL AND billing_code IS NOT NULL)),
    CHECK ((state = 'reversed') = (reversed_on IS NOT NULL))
);
CREATE INDEX deposits_facility ON deposits (facility_id, state);

-- Which postings a deposit carries to the treasury, so that a slip leads back to each piece of work.
CREATE TABLE deposit_lines (
    deposit_id bigint NOT NULL REFERENCES deposits,
    posting_id bigint NOT NULL REFERENCES postings,
    amount     bigint NOT NULL CHECK (amount <> 0),         -- of a refund's posting: below zero
    PRIMARY KEY (deposit_id, posting_id)
);
CREATE INDEX deposit_lines_posting ON deposit_lines (posting_id);

CREATE FUNCTION check_deposit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total  bigint;
    wanted bigint;
BEGIN
    SELECT amount INTO wanted FROM deposits WHERE id = NEW.id;
    SELECT COALESCE(sum(amount), 0) INTO total FROM deposit_lines WHERE deposit_id = NEW.id;
    IF total <> wanted THEN
        RAISE EXCEPTION 'deposit % is of %, its lines sum to %', NEW.id, wanted, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deposits_whole AFTER INSERT ON deposits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deposit();
CREATE TRIGGER deposit_lines_append_only BEFORE UPDATE OR DELETE ON deposit_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

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
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id),
    CHECK (approved_by IS NULL OR approved_by <> entered_by),
    CHECK ((state = 'approved') = (approved_at IS NOT NULL))
);
CREATE INDEX premium_distributions_facility ON premium_distributions (facility_id, distributed_on);

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
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER premium_distributions_within AFTER INSERT OR UPDATE ON premium_distributions
    FOR EACH ROW EXECUTE FUNCTION check_distribution();

-- Premium and capital that return as budget, where a rule sends all to the state.
CREATE TABLE budget_returns (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    fund_id     bigint NOT NULL REFERENCES funds,
    amount      bigint NOT NULL CHECK (amount > 0),
    reference   text NOT NULL UNIQUE CHECK (length(reference) >= 3),
    returned_on date NOT NULL,
    proposed_by bigint NOT NULL REFERENCES people,
    approved_by bigint NOT NULL REFERENCES people,
    CHECK (approved_by <> proposed_by)
);

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
CREATE TRIGGER corrections_transition BEFORE UPDATE OF state ON corrections
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('books_transitions');
