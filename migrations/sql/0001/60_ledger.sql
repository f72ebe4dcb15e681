-- Double-entry books. Accounts carry no balance; sums are sums of postings.
CREATE TABLE funds (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code            text NOT NULL UNIQUE CHECK (code ~ '^[a-z_]{3,40}$'),
    name            text NOT NULL,                  -- in the shop
    name_en         text NOT NULL,
    finance_name    text NOT NULL,                  -- in finance
    finance_name_en text NOT NULL,
    position        integer NOT NULL
);

CREATE TABLE split_rules (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exhibition_id      bigint REFERENCES exhibitions,
    facility_id        bigint REFERENCES facilities,
    workshop_id        bigint,
    commodity_group_id bigint REFERENCES commodity_groups,
    basis              text NOT NULL CHECK (basis IN ('net', 'profit')),
    valid_from         date NOT NULL,
    valid_to           date,                        -- last day in force; null: until a new rule follows
    legal_basis        text NOT NULL CHECK (length(legal_basis) >= 5),
    legal_basis_en     text NOT NULL DEFAULT '',    -- the same for English pages; '': only the original
    source             text NOT NULL DEFAULT '',
    proposed_by        bigint NOT NULL REFERENCES people,
    proposed_at        timestamptz NOT NULL DEFAULT now(),
    approved_by        bigint REFERENCES people,
    approved_at        timestamptz,
    written_by         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    -- scopes as in PRODUCT.md: a workshop names its facility, and stands beside no commodity group
    CHECK (workshop_id IS NULL OR (facility_id IS NOT NULL AND commodity_group_id IS NULL)),
    -- of one scope at most one rule is in force on any day
    CONSTRAINT split_rules_one_in_force EXCLUDE USING gist (
        (COALESCE(exhibition_id, 0)) WITH =, (COALESCE(facility_id, 0)) WITH =,
        (COALESCE(workshop_id, 0)) WITH =, (COALESCE(commodity_group_id, 0)) WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&) WHERE (approved_at IS NOT NULL)
);

CREATE TABLE split_rule_shares (
    split_rule_id bigint NOT NULL REFERENCES split_rules,
    position      smallint NOT NULL CHECK (position BETWEEN 1 AND 8),
    fund_id       bigint NOT NULL REFERENCES funds,
    basis_points  integer NOT NULL CHECK (basis_points BETWEEN 1 AND 10000),
    PRIMARY KEY (split_rule_id, position),
    UNIQUE (split_rule_id, fund_id)
);

CREATE FUNCTION check_split_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule  bigint;
    total integer;
BEGIN
    IF TG_TABLE_NAME = 'split_rules' THEN rule := NEW.id; ELSE rule := NEW.split_rule_id; END IF;
    SELECT COALESCE(sum(basis_points), 0) INTO total FROM split_rule_shares WHERE split_rule_id = rule;
    IF total <> 10000 THEN
        RAISE EXCEPTION 'the shares of split rule % sum to % basis points, not 10000', rule, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER split_rules_whole AFTER INSERT ON split_rules
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_split_rule();
CREATE CONSTRAINT TRIGGER split_rule_shares_whole AFTER INSERT OR UPDATE ON split_rule_shares
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_split_rule();

-- An approved rule stands; it may only be given an end. Its shares never change.
CREATE FUNCTION keep_approved_split_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.approved_at IS NOT NULL THEN
        RAISE EXCEPTION 'split rule % is approved and stays', OLD.id USING ERRCODE = 'restrict_violation';
    ELSIF TG_OP = 'UPDATE' AND OLD.approved_at IS NOT NULL
          AND to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to' THEN
        RAISE EXCEPTION 'split rule % is approved: only its end may be set', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER split_rules_keep BEFORE UPDATE OR DELETE ON split_rules
    FOR EACH ROW EXECUTE FUNCTION keep_approved_split_rule();
CREATE FUNCTION keep_approved_split_rule_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN rule := NEW.split_rule_id; ELSE rule := OLD.split_rule_id; END IF;
    -- Within the transaction that wrote the rule, its shares may still be written.
    IF EXISTS (SELECT FROM split_rules r WHERE r.id = rule AND r.approved_at IS NOT NULL
                  AND r.written_by <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'split rule % is approved: its shares stay', rule USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER split_rule_shares_keep BEFORE INSERT OR UPDATE OR DELETE ON split_rule_shares
    FOR EACH ROW EXECUTE FUNCTION keep_approved_split_rule_shares();

CREATE TABLE accounts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        text NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9_]+(:[A-Za-z0-9_]+)*$'),
    kind        text NOT NULL CHECK (kind IN ('asset', 'liability', 'income', 'expense', 'equity')),
    facility_id bigint REFERENCES facilities,
    fund_id     bigint REFERENCES funds,
    gateway     text
);
CREATE INDEX accounts_facility ON accounts (facility_id);

CREATE TABLE journal_entries (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL UNIQUE CHECK (length(source) BETWEEN 3 AND 200),
    kind           text NOT NULL CHECK (kind IN ('sale', 'payment_held', 'refund')),
    effective_date date NOT NULL,                   -- accounting day
    posted_at      timestamptz NOT NULL DEFAULT now(),
    order_id       bigint,                          -- references orders, added there
    person_id      bigint REFERENCES people,        -- null: booked by the system
    description    text NOT NULL DEFAULT '',
    written_by     xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX journal_entries_effective ON journal_entries (effective_date, id);
CREATE INDEX journal_entries_order ON journal_entries (order_id);

CREATE TABLE postings (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id      bigint NOT NULL REFERENCES journal_entries,
    account_id    bigint NOT NULL REFERENCES accounts,
    amount        bigint NOT NULL CHECK (amount <> 0),      -- debit > 0, credit < 0
    order_line_id bigint                                    -- references order_lines, added there
);
CREATE INDEX postings_entry ON postings (entry_id, id);
CREATE INDEX postings_account ON postings (account_id, id);
CREATE INDEX postings_order_line ON postings (order_line_id) WHERE order_line_id IS NOT NULL;

-- Nothing is added to an entry after the transaction that wrote it.
CREATE FUNCTION postings_with_their_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM journal_entries e
                    WHERE e.id = NEW.entry_id AND e.written_by = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'journal entry % is closed', NEW.entry_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER postings_with_their_entry BEFORE INSERT ON postings
    FOR EACH ROW EXECUTE FUNCTION postings_with_their_entry();

-- Balanced when the transaction commits. Only an entry's last posting sums, so a long entry costs one sum.
CREATE FUNCTION check_entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    IF NEW.id < (SELECT max(id) FROM postings WHERE entry_id = NEW.entry_id) THEN
        RETURN NULL;
    END IF;
    SELECT sum(amount) INTO total FROM postings WHERE entry_id = NEW.entry_id;
    IF total <> 0 THEN
        RAISE EXCEPTION 'journal entry % does not balance: %', NEW.entry_id, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER postings_balanced AFTER INSERT ON postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_entry_balanced();

CREATE FUNCTION check_entry_has_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM postings WHERE entry_id = NEW.id) THEN
        RAISE EXCEPTION 'journal entry % has no postings', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entries_not_empty AFTER INSERT ON journal_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_entry_has_postings();

CREATE TRIGGER journal_entries_append_only BEFORE UPDATE OR DELETE ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entries_no_truncate BEFORE TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE ON postings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER postings_no_truncate BEFORE TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
