-- The counter at a stand: tills, who counted what, every sale once, and what a person still has to decide.

-- Where cash lies. Its account in the books is its own and stays, whatever the till is called later.
CREATE TABLE tills (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exhibition_id bigint NOT NULL REFERENCES exhibitions,
    name          text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    account       text NOT NULL UNIQUE CHECK (account ~ '^cash:[a-z0-9_]+:[0-9]+$'),
    made_by       bigint NOT NULL REFERENCES people,
    made_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, exhibition_id)
);
CREATE UNIQUE INDEX tills_name ON tills (exhibition_id, lower(name));

-- From the float to the count. One that nobody closed in the evening stays open: what is sold next day is sold in it.
CREATE TABLE till_sessions (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    till_id       bigint NOT NULL,
    exhibition_id bigint NOT NULL,
    opened_by     bigint NOT NULL REFERENCES people,
    opened_at     timestamptz NOT NULL DEFAULT now(),
    opening_float bigint NOT NULL CHECK (opening_float BETWEEN 0 AND 1000000000),
    closed_by     bigint REFERENCES people,
    closed_at     timestamptz,
    -- pieces of each banknote and coin, by its value in rupiah; null: counted as one sum
    notes         jsonb CHECK (jsonb_typeof(notes) = 'object'),
    counted       bigint CHECK (counted BETWEEN 0 AND 1000000000),
    expected      bigint,                           -- what should have lain there at that moment
    explanation   text NOT NULL DEFAULT '' CHECK (length(explanation) <= 500),
    UNIQUE (id, exhibition_id),
    FOREIGN KEY (till_id, exhibition_id) REFERENCES tills (id, exhibition_id),
    CHECK (num_nonnulls(closed_by, closed_at, counted, expected) IN (0, 4)),
    CHECK (closed_at IS NOT NULL OR notes IS NULL),
    CHECK (closed_at >= opened_at),
    -- a difference is explained
    CHECK (counted = expected OR length(btrim(explanation)) >= 5 OR closed_at IS NULL)
);
CREATE UNIQUE INDEX till_sessions_one_open ON till_sessions (till_id) WHERE closed_at IS NULL;
CREATE INDEX till_sessions_exhibition ON till_sessions (exhibition_id, opened_at);
CREATE INDEX till_sessions_till ON till_sessions (till_id, opened_at);

-- Each sale once: the phone's key finds it again however often it is sent.
CREATE TABLE counter_sales (
    order_id      bigint PRIMARY KEY REFERENCES orders,
    exhibition_id bigint NOT NULL,
    session_id    bigint NOT NULL,
    cashier_id    bigint NOT NULL REFERENCES people,
    key           text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash  bytea NOT NULL CHECK (length(request_hash) = 32),
    payment       text NOT NULL CHECK (payment IN ('cash', 'gateway')),
    tendered      bigint CHECK (tendered >= 0),
    change        bigint CHECK (change >= 0),
    sold_at       timestamptz NOT NULL,             -- the moment that counts
    phone_at      timestamptz,                      -- as the phone's clock said; null: sold with a line
    received_at   timestamptz NOT NULL DEFAULT now(),
    is_late       boolean NOT NULL DEFAULT false,   -- it came after its session was closed
    UNIQUE (exhibition_id, key),
    FOREIGN KEY (session_id, exhibition_id) REFERENCES till_sessions (id, exhibition_id),
    CHECK ((payment = 'cash') = (tendered IS NOT NULL AND change IS NOT NULL)),
    CHECK (NOT is_late OR phone_at IS NOT NULL)
);
CREATE INDEX counter_sales_session ON counter_sales (session_id, sold_at);
CREATE INDEX counter_sales_cashier ON counter_sales (cashier_id);

-- A sale that was made without a line and does not fit what is known here: kept as it came until a person decides.
CREATE TABLE counter_conflicts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exhibition_id bigint NOT NULL,
    session_id    bigint NOT NULL,
    cashier_id    bigint NOT NULL REFERENCES people,
    key           text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash  bytea NOT NULL CHECK (length(request_hash) = 32),
    reason        text NOT NULL CHECK (reason IN ('price', 'stock', 'unknown_sku', 'unavailable')),
    sold          jsonb NOT NULL CHECK (jsonb_typeof(sold) = 'object'),     -- lines, tendered, as it came
    total         bigint NOT NULL CHECK (total >= 0),                       -- what the buyer paid
    sold_at       timestamptz NOT NULL,
    phone_at      timestamptz NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now(),
    is_late       boolean NOT NULL DEFAULT false,
    -- sold after all at the price that was paid, or the money was given back and nothing was sold
    settled       text CHECK (settled IN ('sold', 'given_back')),
    settled_by    bigint REFERENCES people,
    settled_at    timestamptz,
    note          text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    order_id      bigint UNIQUE REFERENCES orders,
    UNIQUE (exhibition_id, key),
    FOREIGN KEY (session_id, exhibition_id) REFERENCES till_sessions (id, exhibition_id),
    CHECK (num_nonnulls(settled, settled_by, settled_at) IN (0, 3)),
    CHECK ((settled = 'sold') IS TRUE = (order_id IS NOT NULL))
);
CREATE INDEX counter_conflicts_open ON counter_conflicts (exhibition_id, id) WHERE settled IS NULL;
CREATE INDEX counter_conflicts_session ON counter_conflicts (session_id);
CREATE INDEX counter_conflicts_cashier ON counter_conflicts (cashier_id);

-- Money or pieces that come back at the stand: a second person said yes with a number that only they know.
CREATE TABLE counter_voids (
    refund_id  bigint PRIMARY KEY REFERENCES refunds,
    session_id bigint NOT NULL REFERENCES till_sessions,    -- whose cash it left
    is_cash    boolean NOT NULL,
    asked_by   bigint NOT NULL REFERENCES people,
    agreed_by  bigint NOT NULL REFERENCES people CHECK (agreed_by <> asked_by),
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX counter_voids_session ON counter_voids (session_id);
CREATE INDEX counter_voids_asked ON counter_voids (asked_by);
CREATE INDEX counter_voids_agreed ON counter_voids (agreed_by);

CREATE TABLE counter_pins (
    person_id bigint PRIMARY KEY REFERENCES people,
    pin_hash  text NOT NULL CHECK (pin_hash LIKE '$argon2%'),
    set_at    timestamptz NOT NULL DEFAULT now()
);

-- Cash of a closed session leaves the till for the bank, and what was short or over is booked for good: one journal
-- entry each, `cash:<id>:banked`.
CREATE TABLE till_settlements (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id      bigint NOT NULL REFERENCES till_sessions,
    banked          bigint NOT NULL CHECK (banked >= 0),
    bank_account_id bigint REFERENCES bank_accounts,
    difference      bigint NOT NULL DEFAULT 0,      -- over > 0, short < 0
    on_day          date NOT NULL,
    note            text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    settled_by      bigint NOT NULL REFERENCES people,
    settled_at      timestamptz NOT NULL DEFAULT now(),
    request_key     text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    CHECK ((banked > 0) = (bank_account_id IS NOT NULL)),
    CHECK (banked > 0 OR difference <> 0),
    CHECK (difference = 0 OR length(btrim(note)) >= 5)
);
CREATE INDEX till_settlements_session ON till_settlements (session_id);
CREATE INDEX till_settlements_account ON till_settlements (bank_account_id) WHERE bank_account_id IS NOT NULL;

-- A count stays as it was counted, and a session that is closed is never opened again.
CREATE FUNCTION keep_till_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL
       OR (NEW.id, NEW.till_id, NEW.exhibition_id, NEW.opened_by, NEW.opened_at, NEW.opening_float)
          IS DISTINCT FROM
          (OLD.id, OLD.till_id, OLD.exhibition_id, OLD.opened_by, OLD.opened_at, OLD.opening_float) THEN
        RAISE EXCEPTION 'till session % stays as it was counted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER till_sessions_keep BEFORE UPDATE ON till_sessions
    FOR EACH ROW EXECUTE FUNCTION keep_till_session();

-- Whoever sells holds the session open until it is written down; whoever closes waits. What comes later is late.
CREATE FUNCTION sell_in_session() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closed timestamptz;
BEGIN
    SELECT closed_at INTO closed FROM till_sessions WHERE id = NEW.session_id FOR SHARE;
    IF (closed IS NOT NULL) <> NEW.is_late THEN
        RAISE EXCEPTION 'till session %: a sale is late when it comes after the closing, and only then', NEW.session_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counter_sales_in_session BEFORE INSERT ON counter_sales
    FOR EACH ROW EXECUTE FUNCTION sell_in_session();
CREATE FUNCTION pay_back_in_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM till_sessions WHERE id = NEW.session_id AND closed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'till session % is closed', NEW.session_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counter_voids_in_session BEFORE INSERT ON counter_voids
    FOR EACH ROW EXECUTE FUNCTION pay_back_in_session();
CREATE TRIGGER counter_sales_append_only BEFORE UPDATE OR DELETE ON counter_sales
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER counter_voids_append_only BEFORE UPDATE OR DELETE ON counter_voids
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER till_settlements_append_only BEFORE UPDATE OR DELETE ON till_settlements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What came stays as it came; it is decided once.
CREATE FUNCTION keep_counter_conflict() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided text[] := ARRAY['settled', 'settled_by', 'settled_at', 'note', 'order_id'];
BEGIN
    IF OLD.settled IS NOT NULL OR to_jsonb(NEW) - decided IS DISTINCT FROM to_jsonb(OLD) - decided THEN
        RAISE EXCEPTION 'counter conflict % stays as it came and is decided once', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counter_conflicts_keep BEFORE UPDATE ON counter_conflicts
    FOR EACH ROW EXECUTE FUNCTION keep_counter_conflict();

-- What a session took and gave back in cash, by its sales; `cash_sales` is what is left of them.
CREATE VIEW till_session_sums AS
SELECT s.id AS session_id, sold.count, sold.sales, back.given_back, sold.sales - back.given_back AS cash_sales,
       sold.late, sold.late_sales, done.banked, done.difference AS booked_difference,
       sold.sales - back.given_back - done.banked + done.difference AS left_in_till
  FROM till_sessions s
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE o.state = 'paid')::integer AS count,
              COALESCE(sum(o.total) FILTER (WHERE c.payment = 'cash'), 0)::bigint AS sales,
              count(*) FILTER (WHERE c.is_late)::integer AS late,
              COALESCE(sum(o.total) FILTER (WHERE c.is_late AND c.payment = 'cash'), 0)::bigint AS late_sales
         FROM counter_sales c JOIN orders o ON o.id = c.order_id WHERE c.session_id = s.id) sold
 CROSS JOIN LATERAL (
       SELECT COALESCE(sum(r.amount), 0)::bigint AS given_back
         FROM counter_voids v JOIN refunds r ON r.id = v.refund_id WHERE v.session_id = s.id AND v.is_cash) back
 CROSS JOIN LATERAL (
       SELECT COALESCE(sum(x.banked), 0)::bigint AS banked, COALESCE(sum(x.difference), 0)::bigint AS difference
         FROM till_settlements x WHERE x.session_id = s.id) done;

CREATE VIEW reporting.till_sessions AS
SELECT x.slug AS exhibition, s.opened_at, s.closed_at, s.opening_float, t.cash_sales, s.counted,
       s.counted - s.opening_float - t.cash_sales AS difference
  FROM till_sessions s JOIN exhibitions x ON x.id = s.exhibition_id JOIN till_session_sums t ON t.session_id = s.id;
