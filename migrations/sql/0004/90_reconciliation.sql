-- What providers say of the money that they hold for us, beside what our books say.

CREATE TABLE reconciliation_runs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway      text NOT NULL,
    first_day    date NOT NULL,
    last_day     date NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    step         text NOT NULL DEFAULT 'waiting'
                   CHECK (step IN ('waiting', 'events', 'payments', 'payouts', 'lines', 'heal', 'days', 'done')),
    asked_by     bigint REFERENCES people,                  -- null: by the clock
    asked_at     timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    days_done    integer NOT NULL DEFAULT 0,
    events       integer NOT NULL DEFAULT 0,                -- that no webhook had brought
    lines        integer NOT NULL DEFAULT 0,                -- that were new to us
    healed       integer NOT NULL DEFAULT 0,                -- facts that were missing here
    found        integer NOT NULL DEFAULT 0,                -- differences that were new
    events_until timestamptz,                               -- the provider was asked for its events up to here
    error        text,
    CHECK (last_day >= first_day),
    CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);
CREATE INDEX reconciliation_runs_gateway ON reconciliation_runs (gateway, id);
CREATE UNIQUE INDEX reconciliation_runs_one_waits ON reconciliation_runs (gateway) WHERE state = 'waiting';

-- The provider's own books, copied line by line; each leads to the journal entry that says the same.
CREATE TABLE provider_lines (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway           text NOT NULL,
    reference         text NOT NULL CHECK (length(reference) BETWEEN 1 AND 200),
    kind              text NOT NULL CHECK (kind IN ('payment', 'refund', 'fee', 'dispute', 'payout', 'other')),
    amount            bigint NOT NULL,                      -- above zero: the provider holds more
    fee               bigint NOT NULL DEFAULT 0,            -- kept of it; below zero: given back
    hundredths        integer NOT NULL DEFAULT 0,           -- of a rupiah, beyond amount − fee
    currency          text NOT NULL DEFAULT 'IDR',
    at                timestamptz NOT NULL,
    day               date NOT NULL GENERATED ALWAYS AS (accounting_date(at)) STORED,
    payment_id        text,                                 -- ours, as far as it is known
    refund_key        text,
    capture_reference text,
    refund_reference  text,
    dispute_reference text,
    payout_reference  text,
    description       text NOT NULL DEFAULT '',
    run_id            bigint NOT NULL REFERENCES reconciliation_runs,      -- that brought it
    entry_id          bigint UNIQUE REFERENCES journal_entries,
    fee_entry_id      bigint UNIQUE REFERENCES journal_entries,
    pair_id           bigint UNIQUE REFERENCES provider_lines,      -- a payout and the line that says it came back
    UNIQUE (gateway, reference)
);
CREATE INDEX provider_lines_day ON provider_lines (gateway, day);
CREATE INDEX provider_lines_payment ON provider_lines (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX provider_lines_unlinked ON provider_lines (gateway, id) WHERE entry_id IS NULL AND pair_id IS NULL;
CREATE INDEX provider_lines_fee_unlinked ON provider_lines (gateway, id) WHERE fee <> 0 AND fee_entry_id IS NULL;

CREATE FUNCTION keep_provider_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ours text[] := ARRAY['entry_id', 'fee_entry_id', 'pair_id', 'payment_id'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - ours - 'day'::text IS DISTINCT FROM to_jsonb(OLD) - ours - 'day'::text THEN
        RAISE EXCEPTION 'provider line % stays as the provider wrote it', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER provider_lines_keep BEFORE UPDATE OR DELETE ON provider_lines
    FOR EACH ROW EXECUTE FUNCTION keep_provider_line();

-- What a provider has sent to our bank, as it says now.
CREATE TABLE provider_payouts (
    gateway        text NOT NULL,
    reference      text NOT NULL,
    amount         bigint NOT NULL,
    state          text NOT NULL CHECK (state IN ('on_its_way', 'paid', 'failed')),
    arrives_on     date NOT NULL,
    created_at     timestamptz NOT NULL,
    is_explained   boolean NOT NULL,
    bank_reference text,
    failure        text NOT NULL DEFAULT '',
    PRIMARY KEY (gateway, reference)
);

-- A day that was compared; finally, once it was over.
CREATE TABLE reconciled_days (
    gateway     text NOT NULL,
    day         date NOT NULL,
    run_id      bigint NOT NULL REFERENCES reconciliation_runs,
    compared_at timestamptz NOT NULL,                       -- nothing later was seen
    lines       integer NOT NULL,
    theirs      bigint NOT NULL,                            -- what the provider's lines of that day sum to
    ours        bigint NOT NULL,                            -- what our entries that say the same sum to
    is_final    boolean NOT NULL GENERATED ALWAYS AS (accounting_date(compared_at) > day) STORED,
    PRIMARY KEY (gateway, day)
);

CREATE TABLE reconciliation_differences (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway       text NOT NULL,
    day           date NOT NULL,
    -- of a provider's line its amount or its fee; or an entry of ours that no line speaks of
    what          text NOT NULL CHECK (what IN ('amount', 'fee', 'entry')),
    line_id       bigint REFERENCES provider_lines,
    entry_id      bigint REFERENCES journal_entries,
    theirs        bigint,                                   -- what it does to the balance; null: they do not know it
    ours          bigint,
    -- `gone`: both sides say the same by now
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'proposed', 'settled', 'explained', 'gone')),
    run_id        bigint NOT NULL REFERENCES reconciliation_runs,   -- that found it
    found_at      timestamptz NOT NULL DEFAULT now(),
    correction_id bigint UNIQUE REFERENCES corrections,
    refund_id     bigint REFERENCES refunds,                -- made in the provider's own pages
    reason        text CHECK (length(reason) BETWEEN 10 AND 1000),
    closed_by     bigint REFERENCES people,
    closed_at     timestamptz,
    CHECK ((what = 'entry') = (line_id IS NULL)),
    CHECK ((what = 'entry') <= (entry_id IS NOT NULL AND theirs IS NULL)),
    CHECK (num_nonnulls(theirs, ours) >= 1),
    CHECK ((state = 'explained') <= (num_nonnulls(reason, closed_by, closed_at) = 3)),
    CHECK ((state = 'settled') <= (num_nonnulls(correction_id, refund_id) >= 1 AND closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX reconciliation_differences_line ON reconciliation_differences (line_id, what)
    WHERE line_id IS NOT NULL;
CREATE UNIQUE INDEX reconciliation_differences_entry ON reconciliation_differences (entry_id) WHERE what = 'entry';
CREATE INDEX reconciliation_differences_open ON reconciliation_differences (gateway, day)
    WHERE state IN ('open', 'proposed');

-- A correction that was proposed for a difference settles it when it is booked, and opens it again when it is not.
CREATE FUNCTION settle_difference() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint;
BEGIN
    IF NEW.state = 'rejected' THEN
        UPDATE reconciliation_differences SET state = 'open', correction_id = NULL
         WHERE correction_id = NEW.id AND state = 'proposed';
    ELSIF NEW.state = 'booked' THEN
        SELECT id INTO entry FROM journal_entries WHERE source = 'correction:' || NEW.id;
        UPDATE reconciliation_differences SET state = 'settled', closed_by = NEW.approved_by, closed_at = NEW.approved_at
         WHERE correction_id = NEW.id AND state = 'proposed';
        UPDATE provider_lines l SET entry_id = entry FROM reconciliation_differences d
         WHERE d.correction_id = NEW.id AND d.line_id = l.id AND d.what = 'amount' AND l.entry_id IS NULL;
        UPDATE provider_lines l SET fee_entry_id = entry FROM reconciliation_differences d
         WHERE d.correction_id = NEW.id AND d.line_id = l.id AND d.what = 'fee' AND l.fee_entry_id IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER corrections_settle AFTER UPDATE OF state ON corrections
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION settle_difference();

-- A refund that was made in the provider's own pages, likewise.
CREATE FUNCTION settle_refund_made_there() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'rejected' THEN
        UPDATE reconciliation_differences SET state = 'open', refund_id = NULL
         WHERE refund_id = NEW.id AND state = 'proposed';
    ELSIF NEW.state = 'succeeded' THEN
        UPDATE reconciliation_differences SET state = 'settled', closed_by = NEW.approved_by, closed_at = now()
         WHERE refund_id = NEW.id AND state = 'proposed';
        UPDATE provider_lines l SET entry_id = e.id FROM reconciliation_differences d, journal_entries e
         WHERE d.refund_id = NEW.id AND d.line_id = l.id AND l.entry_id IS NULL
           AND e.source = 'refund:' || NEW.id || ':succeeded';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refunds_settle AFTER UPDATE OF state ON refunds
    FOR EACH ROW WHEN (OLD.is_made_there AND OLD.state <> NEW.state) EXECUTE FUNCTION settle_refund_made_there();

-- Both sides of each line: its amount, and what the provider kept of it.
CREATE VIEW provider_line_matches AS
SELECT l.id AS line_id, l.gateway, l.day, l.kind, part.what, part.entry_id, part.theirs,
       CASE WHEN part.what = 'amount' AND l.pair_id IS NOT NULL THEN l.amount ELSE part.ours END AS ours
  FROM provider_lines l
 CROSS JOIN LATERAL (
       SELECT x.what, x.entry_id, x.theirs, (
              SELECT sum(p.amount)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id
               WHERE a.code = 'clearing:' || l.gateway AND (p.entry_id = x.entry_id OR p.entry_id IN (
                     SELECT e.id FROM reconciliation_differences d
                       JOIN journal_entries e ON e.source = 'correction:' || d.correction_id
                      WHERE d.line_id = l.id AND d.what = x.what AND d.state = 'settled'))) AS ours
         FROM (VALUES ('amount', l.entry_id, l.amount), ('fee', l.fee_entry_id, -l.fee)) x (what, entry_id, theirs)
        WHERE x.theirs <> 0) part;

-- What our books say of a gateway's balance, and no line of the provider.
CREATE VIEW clearing_entries_alone AS
SELECT a.gateway, e.id AS entry_id, e.source, e.kind, p.effective_date AS day, e.posted_at,
       sum(p.amount)::bigint AS ours
  FROM accounts a
  JOIN postings p ON p.account_id = a.id
  JOIN journal_entries e ON e.id = p.entry_id
 WHERE a.gateway IS NOT NULL AND a.code = 'clearing:' || a.gateway
   AND NOT EXISTS (SELECT FROM provider_lines l WHERE l.entry_id = e.id)
   AND NOT EXISTS (SELECT FROM provider_lines l WHERE l.fee_entry_id = e.id)
   AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.entry_id = e.id AND d.what = 'entry'
                      AND d.state = 'settled')
   AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.state = 'settled'
                      AND e.source = 'correction:' || d.correction_id)
 GROUP BY a.gateway, e.id, p.effective_date;

-- Days that hold what no comparison has seen: it came later, or was being written meanwhile.
CREATE VIEW reconciliation_left AS
SELECT a.gateway, a.day FROM clearing_entries_alone a
 WHERE NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.entry_id = a.entry_id AND d.what = 'entry'
                      AND d.state <> 'gone')
UNION ALL
SELECT l.gateway, l.day FROM provider_lines l
 WHERE l.entry_id IS NULL AND l.pair_id IS NULL AND l.amount <> 0 AND NOT (l.kind = 'payout' AND l.amount < 0)
   AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id AND d.what = 'amount'
                      AND d.state <> 'gone')
UNION ALL
SELECT l.gateway, l.day FROM provider_lines l
  JOIN reconciled_days r ON r.gateway = l.gateway AND r.day = l.day AND r.run_id < l.run_id
UNION ALL
SELECT l.gateway, l.day FROM provider_lines l
 WHERE l.fee <> 0 AND l.fee_entry_id IS NULL
   AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id AND d.what = 'fee'
                      AND d.state <> 'gone');
