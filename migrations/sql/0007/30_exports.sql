-- Files that a job makes: a big export, a pack of statements. Asked for, left, fetched later.
CREATE TABLE made_files (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind ~ '^[a-z][a-z_]*$'),
    title        text NOT NULL CHECK (title <> ''),
    asked_by     bigint NOT NULL REFERENCES people,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    language     text NOT NULL,
    parameters   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object'),
    facility_ids bigint[],                          -- whose figures are in it; NULL: of all
    shared_at    timestamptz,                       -- since then colleagues who may see as much may fetch it
    by_letter    boolean NOT NULL DEFAULT false,    -- who asked is told when it is ready
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'making', 'ready', 'failed')),
    attempt      integer NOT NULL DEFAULT 0,
    begun_at     timestamptz,
    ended_at     timestamptz,
    rows_done    integer NOT NULL DEFAULT 0 CHECK (rows_done >= 0),
    rows_total   integer CHECK (rows_total >= 0),   -- NULL: not counted yet
    file_key     text UNIQUE,                       -- in the private store; NULL: none yet, or deleted after its time
    file_name    text,
    mimetype     text,
    bytes        bigint CHECK (bytes >= 0),
    sha256       text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    manifest     jsonb,
    error_code   text,
    error        text,                              -- for people
    kept_until   timestamptz NOT NULL,
    CONSTRAINT made_files_whole CHECK ((state = 'ready') = (sha256 IS NOT NULL)),
    CHECK ((state = 'ready') = (num_nonnulls(file_name, mimetype, bytes, manifest) = 4)),
    CHECK ((state = 'failed') = (error IS NOT NULL) AND (error IS NULL) = (error_code IS NULL)),
    CHECK ((state IN ('ready', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX ON made_files (asked_by, id);
CREATE INDEX made_files_to_delete ON made_files (kept_until) WHERE file_key IS NOT NULL;

-- What somebody exports again and again, under a name; some by the clock.
CREATE TABLE export_presets (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id  bigint NOT NULL REFERENCES people,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    dataset    text NOT NULL,
    query      jsonb NOT NULL CHECK (jsonb_typeof(query) = 'object'),  -- facility, filters and columns; days are not kept
    shared_at  timestamptz,                         -- since then colleagues see it, each within what they may read
    every      text CHECK (every IN ('day', 'week', 'month')),         -- NULL: when somebody asks
    format     text NOT NULL DEFAULT 'csv',
    next_on    date,                                -- made early on this day, of the day, week or month before it
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((every IS NULL) = (next_on IS NULL))
);
CREATE UNIQUE INDEX export_presets_one_name ON export_presets (person_id, lower(name));
CREATE INDEX export_presets_next ON export_presets (next_on) WHERE next_on IS NOT NULL;
