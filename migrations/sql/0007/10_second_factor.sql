-- The second factor of those who work here: codes from a phone (RFC 6238), and codes on paper for a lost phone.

-- One phone. `secret` is sealed by a key derived from SECRET_KEY: a copy of the database alone makes no codes.
CREATE TABLE second_factors (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id    bigint NOT NULL REFERENCES people,
    secret       bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,                               -- by a first right code
    last_step    bigint CHECK (last_step >= 0),             -- time step of the last code taken: none counts twice
    ended_at     timestamptz,
    ended_by     bigint REFERENCES people,                  -- null: its owner, by a new phone, or a command
    CHECK (confirmed_at >= created_at),
    CHECK (ended_at >= created_at),
    CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX second_factors_one ON second_factors (person_id)
    WHERE confirmed_at IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX second_factors_new ON second_factors (person_id)
    WHERE confirmed_at IS NULL AND ended_at IS NULL;
CREATE INDEX second_factors_person ON second_factors (person_id, id);

-- Codes on paper: each works once.
CREATE TABLE recovery_codes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factor_id  bigint NOT NULL REFERENCES second_factors,
    code_hash  bytea NOT NULL CHECK (length(code_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz,
    void_at    timestamptz,                                 -- newer ones were made
    CHECK (used_at IS NULL OR void_at IS NULL),
    UNIQUE (factor_id, code_hash)
);

-- Somebody lost phone and paper: one administrator asks, another agrees, the person begins anew.
CREATE TABLE factor_resets (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id   bigint NOT NULL REFERENCES people,
    reason      text NOT NULL CHECK (length(reason) BETWEEN 5 AND 300),
    proposed_by bigint NOT NULL REFERENCES people,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    approved_by bigint REFERENCES people,
    approved_at timestamptz,
    rejected_by bigint REFERENCES people,
    rejected_at timestamptz,
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CHECK (approved_at IS NULL OR rejected_at IS NULL),
    CONSTRAINT factor_resets_two_people CHECK (approved_by <> proposed_by),
    CONSTRAINT factor_resets_not_own CHECK (person_id <> proposed_by AND person_id <> approved_by)
);
CREATE UNIQUE INDEX factor_resets_open ON factor_resets (person_id)
    WHERE approved_at IS NULL AND rejected_at IS NULL;

-- A session of staff is good only with a second factor. While `waits_for_factor` the password was right and nothing
-- more is known: it opens the page that asks for the code, for some minutes.
ALTER TABLE sessions
    ADD COLUMN waits_for_factor boolean NOT NULL DEFAULT false,
    ADD COLUMN factor_at timestamptz,                       -- when the code was right
    ADD COLUMN proven_at timestamptz NOT NULL DEFAULT now(),-- when its owner last showed who they are
    ADD CHECK (NOT (waits_for_factor AND factor_at IS NOT NULL));
