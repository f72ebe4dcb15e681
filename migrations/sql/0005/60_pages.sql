-- What the office writes: who runs the shop, pages, the front page; and what people report to it.

-- Who runs the shop, from a day on. A correction is a new row: of one day, the last counts.
CREATE TABLE operators (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    valid_from  date NOT NULL,
    name        text NOT NULL CHECK (length(name) BETWEEN 3 AND 160),
    name_en     text NOT NULL DEFAULT '' CHECK (length(name_en) <= 160),
    address     text NOT NULL CHECK (length(address) BETWEEN 3 AND 300),
    email       text NOT NULL DEFAULT '' CHECK (email ~ '^([^@[:space:]]+@[^@[:space:]]+)?$' AND length(email) <= 254),
    phone       text NOT NULL DEFAULT '' CHECK (phone ~ '^[0-9+() -]*$' AND length(phone) <= 40),
    legal_basis text NOT NULL DEFAULT '' CHECK (length(legal_basis) <= 300),
    set_by      bigint REFERENCES people,           -- null: shipped with the shop
    set_at      timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER operators_append_only BEFORE UPDATE OR DELETE ON operators
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER catalogue_changed AFTER INSERT ON operators
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
INSERT INTO operators (valid_from, name, name_en, address, email, legal_basis) VALUES
    ('2009-11-03', 'Kementerian Hukum dan Hak Asasi Manusia', 'Ministry of Law and Human Rights',
     'Jalan Veteran No. 11, Jakarta Pusat 10110', 'bantuan@karyabinaan.example', 'Peraturan Presiden Nomor 47 Tahun 2009'),
    ('2024-10-21', 'Kementerian Imigrasi dan Pemasyarakatan', 'Ministry of Immigration and Corrections',
     'Jalan Veteran No. 11, Jakarta Pusat 10110', 'bantuan@karyabinaan.example', 'Peraturan Presiden Nomor 139 Tahun 2024');

-- What curators made of a page, each saving a row. A page without one shows the text that comes with the shop, so
-- that an update brings its better words and never takes theirs away.
CREATE TABLE page_revisions (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug          text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    number        integer NOT NULL CHECK (number >= 1),
    title         text NOT NULL CHECK (length(title) BETWEEN 3 AND 120),
    title_en      text NOT NULL CHECK (length(title_en) BETWEEN 3 AND 120),
    body          text NOT NULL CHECK (length(body) BETWEEN 1 AND 40000),
    body_en       text NOT NULL CHECK (length(body_en) BETWEEN 1 AND 40000),
    restored_from integer CHECK (restored_from < number),   -- 0: the shipped text
    changed_by    bigint NOT NULL REFERENCES people,
    changed_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (slug, number)                                   -- of two who save at once, the second is told
);
CREATE TRIGGER page_revisions_append_only BEFORE UPDATE OR DELETE ON page_revisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER catalogue_changed AFTER INSERT ON page_revisions
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- The front page, block by block.
CREATE TABLE home_blocks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position     integer NOT NULL,
    kind         text NOT NULL CHECK (kind IN (
                     'opening', 'ready', 'newest', 'season', 'category', 'facility', 'workshop', 'chosen', 'exhibition',
                     'categories', 'regions', 'facilities', 'money', 'promises', 'text')),
    title        text NOT NULL DEFAULT '' CHECK (length(title) <= 80),
    title_en     text NOT NULL DEFAULT '' CHECK (length(title_en) <= 80),
    body         text NOT NULL DEFAULT '' CHECK (length(body) <= 3000),
    body_en      text NOT NULL DEFAULT '' CHECK (length(body_en) <= 3000),
    settings     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    starts_on    date,                                      -- accounting days, both included; null: without an end
    ends_on      date,
    is_published boolean NOT NULL DEFAULT false,
    version      integer NOT NULL DEFAULT 1,                -- rises with each change but that of its place
    removed_at   timestamptz,
    changed_by   bigint REFERENCES people,                  -- null: shipped with the shop
    changed_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_on >= starts_on)
);
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON home_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- Each change of it, so that it can be taken back.
CREATE TABLE home_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    block_id   bigint NOT NULL REFERENCES home_blocks,
    act        text NOT NULL CHECK (act IN ('added', 'edited', 'moved', 'removed')),
    before     jsonb,                                       -- the block, or for `moved` the order; null: it was not there
    after      jsonb,
    undoes     bigint UNIQUE REFERENCES home_changes,
    changed_by bigint NOT NULL REFERENCES people,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER home_changes_append_only BEFORE UPDATE OR DELETE ON home_changes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A good front page for a shop that has no curator yet.
INSERT INTO home_blocks (position, kind, title, title_en, body, body_en, is_published) VALUES
    (1, 'opening', 'Karya tangan dari bengkel lapas. Jelas ke mana uangnya.',
        'Handmade in prison workshops. Clear where the money goes.',
        'Kerajinan, makanan dan busana. Setiap rupiah tercatat: untuk pembuatnya, bengkelnya, dan negara.',
        'Crafts, food and clothing. Every rupiah is on record: for the maker, the workshop and the state.', true),
    (2, 'ready', '', '', '', '', true),
    (3, 'exhibition', '', '', '', '', true),
    (4, 'season', '', '', '', '', true),
    (5, 'categories', '', '', '', '', true),
    (6, 'newest', '', '', '', '', true),
    (7, 'workshop', '', '', '', '', true),
    (8, 'money', '', '', '', '', true),
    (9, 'promises', '', '', '', '', true),
    (10, 'regions', '', '', '', '', true),
    (11, 'facilities', '', '', '', '', true);

-- What people report to the office (Laporkan). Nothing here says who they are but an address that they gave themselves.
CREATE TABLE cases (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      text NOT NULL UNIQUE CHECK (number ~ '^LP-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'),
    kind        text NOT NULL CHECK (kind IN ('fraud', 'listing', 'treatment', 'goods', 'money', 'other')),
    about       text NOT NULL DEFAULT '' CHECK (length(about) <= 300),  -- path of the page it was sent from
    facility_id bigint REFERENCES facilities,               -- that the page belongs to; its people never see the case
    email       text CHECK (email = lower(email) AND length(email) <= 254), -- forgotten half a year after the end
    locale      text NOT NULL CHECK (locale IN ('id', 'en')),
    form_key    text UNIQUE CHECK (form_key ~ '^[A-Za-z0-9_-]{16,64}$'),   -- of the form: sent twice, it is one case
    state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'looked_at', 'answered', 'closed')),
    reported_at timestamptz NOT NULL DEFAULT now(),
    answer_by   date NOT NULL,                              -- the first answer's day, accounting zone
    taken_by    bigint REFERENCES people,                   -- who decides it
    taken_at    timestamptz,
    answered_at timestamptz,                                -- first answer
    outcome     text CHECK (outcome IN ('resolved', 'passed_on', 'unfounded', 'nothing_to_do')),
    closed_by   bigint REFERENCES people,
    closed_at   timestamptz,
    CHECK ((taken_by IS NULL) = (taken_at IS NULL)),
    CHECK (state = 'new' OR taken_by IS NOT NULL),
    CHECK (state NOT IN ('answered', 'closed') OR answered_at IS NOT NULL),
    CHECK ((state = 'closed') = (num_nonnulls(outcome, closed_by, closed_at) = 3)),
    CHECK (num_nonnulls(outcome, closed_by, closed_at) IN (0, 3))
);
CREATE INDEX cases_waiting ON cases (answer_by) WHERE state IN ('new', 'looked_at');
CREATE INDEX cases_with_address ON cases (closed_at) WHERE email IS NOT NULL;

CREATE TABLE case_messages (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    bigint NOT NULL REFERENCES cases,
    person_id  bigint REFERENCES people,                    -- of the office; null: whoever reported
    body       text NOT NULL CHECK (length(body) BETWEEN 1 AND 8000),
    written_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX case_messages_case ON case_messages (case_id, id);
CREATE TRIGGER case_messages_append_only BEFORE UPDATE OR DELETE ON case_messages
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE case_files (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id bigint NOT NULL REFERENCES case_messages,
    key        text NOT NULL UNIQUE,                        -- in the private store
    size       integer NOT NULL CHECK (size > 0)            -- bytes
);
CREATE INDEX case_files_message ON case_files (message_id);
CREATE TRIGGER case_files_append_only BEFORE UPDATE OR DELETE ON case_files
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
