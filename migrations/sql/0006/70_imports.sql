-- Listings from a spreadsheet. A file is read into rows (the dry run); a run stores them product by product, and each
-- row remembers what became of it, in the transaction that stored it: whatever is killed goes on where it was.
CREATE TABLE listing_imports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    form_key    text NOT NULL UNIQUE CHECK (form_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    file_name   text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    format      text NOT NULL CHECK (format IN ('xlsx', 'ods', 'csv')),
    file_key    text CHECK (file_key <> ''),                -- a private file; null: deleted after its time
    language    text NOT NULL CHECK (language IN ('id', 'en')),  -- of the sentences in it
    state       text NOT NULL DEFAULT 'reading' CHECK (state IN
        ('reading', 'refused', 'ready', 'running', 'stopping', 'done', 'stopped', 'cancelled', 'discarded')),
    fault       text NOT NULL DEFAULT '' CHECK (length(fault) <= 500),  -- why the file as a whole was refused
    layout      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(layout) = 'object'),  -- how the file is built
    remarks     jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(remarks) = 'array'),  -- what is said of it as a whole
    rows        integer NOT NULL DEFAULT 0 CHECK (rows >= 0),
    on_fault    text CHECK (on_fault IN ('stop', 'skip')),
    stored      integer CHECK (stored >= 0),                -- rows whose product holds what they say; the next two too
    unchanged   integer CHECK (unchanged >= 0),
    refused     integer CHECK (refused >= 0),               -- each with its reasons
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  bigint NOT NULL REFERENCES people,
    read_at     timestamptz,
    begun_at    timestamptz,
    begun_by    bigint REFERENCES people,
    ended_at    timestamptz,
    undone_at   timestamptz,
    undone_by   bigint REFERENCES people,
    CHECK ((begun_at IS NULL) = (begun_by IS NULL) AND (begun_at IS NULL) = (on_fault IS NULL)),
    CHECK ((undone_at IS NULL) = (undone_by IS NULL)),
    CHECK (state <> 'refused' OR fault <> ''),
    CHECK (state NOT IN ('running', 'stopping', 'done', 'stopped', 'cancelled') OR begun_at IS NOT NULL),
    CHECK ((state IN ('done', 'stopped', 'cancelled')) = (ended_at IS NOT NULL)),
    -- What was promised is stored or listed as a fault.
    CHECK (ended_at IS NULL OR rows IS NOT DISTINCT FROM stored + unchanged + refused)
);
CREATE INDEX listing_imports_facility ON listing_imports (facility_id, id DESC);
CREATE INDEX listing_imports_running ON listing_imports (facility_id, begun_at) WHERE state IN ('running', 'stopping');
CREATE INDEX listing_imports_files ON listing_imports (created_at) WHERE file_key IS NOT NULL;

-- Photos by file name, for the rows that name them.
CREATE TABLE listing_import_archives (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_id  bigint NOT NULL REFERENCES listing_imports ON DELETE CASCADE,
    file_name  text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    file_key   text NOT NULL,
    fault      text NOT NULL DEFAULT '' CHECK (length(fault) <= 500),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX listing_import_archives_import ON listing_import_archives (import_id);

CREATE TABLE listing_import_rows (
    import_id  bigint NOT NULL REFERENCES listing_imports ON DELETE CASCADE,
    row        integer NOT NULL CHECK (row > 0),            -- as a spreadsheet counts, the heading's included
    product    integer NOT NULL CHECK (product > 0),        -- the rows of one product share a number
    key        text NOT NULL DEFAULT '',                    -- the product's key, as typed
    sku        text NOT NULL DEFAULT '',
    title      text NOT NULL DEFAULT '',
    cells      jsonb NOT NULL CHECK (jsonb_typeof(cells) = 'array'),    -- as read, in the file's order
    verdict    text NOT NULL CHECK (verdict IN ('new', 'change', 'same', 'fault')),
    changes    jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(changes) = 'array'),
    faults     jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(faults) = 'array'),      -- why it was not stored
    remarks    jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(remarks) = 'array'),     -- said, and stored all the same
    pictures   jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(pictures) = 'array'),    -- photos that are missing or bad
    outcome    text CHECK (outcome IN ('stored', 'nothing', 'fault', 'left')),          -- null: not run
    done       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(done) = 'object'),       -- what changed at once, to undo it
    product_id bigint REFERENCES products,
    draft_id   bigint REFERENCES listing_drafts ON DELETE SET NULL,
    PRIMARY KEY (import_id, row),
    CHECK (verdict <> 'fault' OR faults <> '[]'),
    CHECK (outcome IS NULL OR outcome NOT IN ('fault', 'left') OR faults <> '[]')
);
CREATE INDEX listing_import_rows_next ON listing_import_rows (import_id, product) WHERE outcome IS NULL;
CREATE INDEX listing_import_rows_keys ON listing_import_rows (key) WHERE draft_id IS NOT NULL;
CREATE INDEX listing_import_rows_drafts ON listing_import_rows (draft_id) WHERE draft_id IS NOT NULL;
