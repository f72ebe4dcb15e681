-- People who sign in, what they may do, and their sessions.
CREATE TABLE people (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL CHECK (email = lower(email) AND email LIKE '%_@_%' AND length(email) <= 254),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    password_hash text NOT NULL,
    locale        text NOT NULL DEFAULT 'id' CHECK (locale IN ('id', 'en')),
    is_active     boolean NOT NULL DEFAULT true,
    is_demo       boolean NOT NULL DEFAULT false,   -- refused at start when DEMO is off
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email)
);

CREATE TABLE memberships (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id     bigint NOT NULL REFERENCES people,
    role          text NOT NULL CHECK (role IN
                    ('coordinator', 'head', 'finance', 'curator', 'administrator', 'auditor', 'cashier')),
    facility_id   bigint,                           -- null for finance and auditor: all facilities
    exhibition_id bigint,
    valid_from    timestamptz NOT NULL DEFAULT now(),
    valid_until   timestamptz,
    granted_by    bigint REFERENCES people,
    CHECK (valid_until IS NULL OR valid_until > valid_from),
    CHECK (granted_by IS DISTINCT FROM person_id),  -- nobody gives a role to themselves
    CHECK (CASE role
             WHEN 'coordinator'   THEN facility_id IS NOT NULL AND exhibition_id IS NULL
             WHEN 'head'          THEN facility_id IS NOT NULL AND exhibition_id IS NULL
             WHEN 'cashier'       THEN exhibition_id IS NOT NULL AND facility_id IS NULL
             WHEN 'finance'       THEN exhibition_id IS NULL
             WHEN 'auditor'       THEN exhibition_id IS NULL
             ELSE facility_id IS NULL AND exhibition_id IS NULL
           END)
);
CREATE UNIQUE INDEX memberships_once ON memberships
    (person_id, role, COALESCE(facility_id, 0), COALESCE(exhibition_id, 0)) WHERE valid_until IS NULL;
CREATE INDEX memberships_facility ON memberships (facility_id) WHERE facility_id IS NOT NULL;

-- A session is a row: logout, password and role changes end it at once. Only the token's hash is kept.
CREATE TABLE sessions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    person_id    bigint NOT NULL REFERENCES people,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    user_agent   text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_person ON sessions (person_id) WHERE ended_at IS NULL;

-- Counted here, not in memory, so that limits hold over all processes (login, tokens, PINs).
CREATE TABLE login_attempts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('login', 'order_token', 'pin')),
    subject    bytea NOT NULL,                      -- keyed hash of the e-mail, order number …
    network    bytea NOT NULL,                      -- keyed hash of the network
    at         timestamptz NOT NULL DEFAULT now(),
    succeeded  boolean NOT NULL
);
CREATE INDEX login_attempts_subject ON login_attempts (kind, subject, at DESC);
CREATE INDEX login_attempts_network ON login_attempts (kind, network, at DESC);
