-- The office's other systems: read tokens for the JSON API, and news sent to them by webhooks.

-- A token reads within its scopes and facilities until it expires or is revoked. Only its hash is kept.
CREATE TABLE api_tokens (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL CHECK (length(name) BETWEEN 2 AND 80),
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    ending       text NOT NULL CHECK (length(ending) = 4),  -- its last letters, so that people can tell which it is
    scopes       text[] NOT NULL
                 CHECK (scopes <> '{}' AND scopes <@ ARRAY['facilities:read', 'sales:read', 'statements:read']),
    everywhere   boolean NOT NULL,                          -- all facilities, later ones too; else those named
    created_by   bigint NOT NULL REFERENCES people,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,                               -- to the minute
    revoked_at   timestamptz,
    revoked_by   bigint REFERENCES people,
    CHECK (expires_at > created_at),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE TABLE api_token_facilities (
    token_id    bigint NOT NULL REFERENCES api_tokens,
    facility_id bigint NOT NULL REFERENCES facilities,
    PRIMARY KEY (token_id, facility_id)
);
CREATE INDEX api_token_facilities_facility ON api_token_facilities (facility_id);

-- Where news goes. `secret` is sealed by a key derived from SECRET_KEY: a copy of the database alone signs nothing.
CREATE TABLE webhook_endpoints (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL CHECK (length(name) BETWEEN 2 AND 80),
    url           text NOT NULL CHECK (length(url) BETWEEN 10 AND 500),
    events        text[] NOT NULL
                  CHECK (events <> '{}' AND events <@ ARRAY['order.paid', 'parcel.shipped', 'period.closed']),
    secret        bytea NOT NULL,
    former_secret bytea,                                    -- signs beside the new one until `former_until`
    former_until  timestamptz,
    created_by    bigint NOT NULL REFERENCES people,
    created_at    timestamptz NOT NULL DEFAULT now(),
    paused_at     timestamptz,                              -- what is new waits
    removed_at    timestamptz,
    CHECK ((former_secret IS NULL) = (former_until IS NULL))
);

-- A fact that somebody wants to know of, written in the fact's own transaction. `key` makes it one event for ever.
CREATE TABLE webhook_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid         text NOT NULL UNIQUE CHECK (uid ~ '^evt_[A-Za-z0-9_-]{20,40}$'),
    kind        text NOT NULL CHECK (kind IN ('order.paid', 'parcel.shipped', 'period.closed', 'test')),
    key         text NOT NULL UNIQUE,
    happened_at timestamptz NOT NULL,
    data        jsonb NOT NULL                              -- never anything of a buyer
);

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id   bigint NOT NULL REFERENCES webhook_endpoints,
    event_id      bigint NOT NULL REFERENCES webhook_events,
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts      integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    next_at       timestamptz NOT NULL DEFAULT now(),       -- not before
    tried_at      timestamptz,
    finished_at   timestamptz,
    answer_status smallint CHECK (answer_status BETWEEN 100 AND 999),
    error         text,                                     -- a code: why there was no good answer
    UNIQUE (endpoint_id, event_id),
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);
CREATE INDEX webhook_deliveries_latest ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (state, id) WHERE state <> 'delivered';
