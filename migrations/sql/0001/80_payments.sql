-- Payments, each try, and the inbox of provider events.
CREATE TABLE payments (
    id            text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{22,64}$'),      -- at least 128 random bits
    order_id      bigint NOT NULL REFERENCES orders,
    instalment_id bigint NOT NULL REFERENCES instalments,
    gateway       text NOT NULL,
    amount        bigint NOT NULL CHECK (amount > 0),
    state         text NOT NULL DEFAULT 'created' CHECK (state IN
                    ('created', 'pending', 'succeeded', 'failed', 'expired', 'cancelled')),
    counts        boolean NOT NULL DEFAULT false,   -- it pays its instalment; others are given back
    reference     text,                             -- the provider's id
    url           text,                             -- the provider's payment page
    expires_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    succeeded_at  timestamptz,
    UNIQUE (gateway, reference),
    CHECK (NOT counts OR state = 'succeeded'),
    CHECK ((state = 'succeeded') = (succeeded_at IS NOT NULL))
);
CREATE UNIQUE INDEX payments_one_counts ON payments (instalment_id) WHERE counts;
CREATE INDEX payments_order ON payments (order_id, created_at);
CREATE INDEX payments_open ON payments (expires_at) WHERE state IN ('created', 'pending');

CREATE TABLE payment_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
-- Money that really arrived is recorded whatever we believed before.
INSERT INTO payment_transitions VALUES
    ('created', 'pending'), ('created', 'succeeded'), ('created', 'failed'), ('created', 'expired'),
    ('created', 'cancelled'), ('pending', 'succeeded'), ('pending', 'failed'), ('pending', 'expired'),
    ('pending', 'cancelled'), ('failed', 'pending'), ('failed', 'succeeded'), ('failed', 'expired'),
    ('failed', 'cancelled'), ('expired', 'succeeded'), ('cancelled', 'succeeded');
CREATE TRIGGER payments_transition BEFORE UPDATE OF state ON payments
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('payment_transitions');

-- Each talk with the provider about a payment: what was tried and what came of it.
CREATE TABLE payment_attempts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id text NOT NULL REFERENCES payments,
    action     text NOT NULL CHECK (action IN ('start', 'look_up', 'expire', 'refund', 'event')),
    outcome    text NOT NULL,
    detail     text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_attempts_payment ON payment_attempts (payment_id, id);

CREATE TABLE payment_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway     text NOT NULL,
    event_id    text NOT NULL,
    type        text NOT NULL,
    body        bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    handled_at  timestamptz,
    result      text,                               -- what it came to, in a word
    attempts    integer NOT NULL DEFAULT 0,
    last_error  text,
    UNIQUE (gateway, event_id)
);
CREATE INDEX payment_events_waiting ON payment_events (received_at) WHERE handled_at IS NULL;

CREATE TABLE refunds (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id   text NOT NULL REFERENCES payments,
    order_id     bigint NOT NULL REFERENCES orders,
    amount       bigint NOT NULL CHECK (amount > 0),
    reason       text NOT NULL CHECK (reason IN ('paid_too_late', 'paid_twice')),
    state        text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'pending', 'succeeded', 'failed')),
    reference    text UNIQUE,                       -- the provider's id
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    CHECK ((state IN ('succeeded', 'failed')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX refunds_automatic_once ON refunds (payment_id) WHERE reason IN ('paid_too_late', 'paid_twice');
CREATE INDEX refunds_order ON refunds (order_id);

-- The sandbox provider's own books: it is another party that happens to live in this database.
CREATE TABLE sandbox_payments (
    id          text PRIMARY KEY,
    amount      bigint NOT NULL CHECK (amount > 0),
    description text NOT NULL,
    return_url  text NOT NULL,
    locale      text NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'pending', 'succeeded', 'failed', 'expired')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE TABLE sandbox_events (
    id           text PRIMARY KEY,
    payment_id   text NOT NULL REFERENCES sandbox_payments,
    type         text NOT NULL,
    body         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    deliveries   integer NOT NULL DEFAULT 0
);
CREATE INDEX sandbox_events_payment ON sandbox_events (payment_id, created_at);
CREATE TABLE sandbox_refunds (
    id              text PRIMARY KEY,
    payment_id      text NOT NULL REFERENCES sandbox_payments,
    amount          bigint NOT NULL CHECK (amount > 0),
    idempotency_key text NOT NULL UNIQUE,
    created_at      timestamptz NOT NULL DEFAULT now()
);
