-- Correctional facilities, their workshops, and exhibitions.
CREATE TABLE facilities (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code            text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9]{2,8}$'),
    slug            text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name            text NOT NULL CHECK (length(name) BETWEEN 3 AND 120),
    kind            text NOT NULL CHECK (kind IN ('lapas', 'rutan', 'lpka', 'lpp')),
    class           text NOT NULL,
    regional_office text NOT NULL,
    province_id     bigint NOT NULL,
    city            text NOT NULL,
    address         text NOT NULL DEFAULT '',
    postal_code     text NOT NULL DEFAULT '' CHECK (postal_code ~ '^([0-9]{5})?$'),
    gallery_hours   text NOT NULL DEFAULT '',       -- when goods may be collected; shown with pickup
    time_zone       text NOT NULL CHECK (time_zone IN ('Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura')),
    about           text NOT NULL DEFAULT '',
    about_en        text NOT NULL DEFAULT '',
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    legal_basis     text,                           -- an LPKA sells only with one, and a second approval
    admitted_by     bigint REFERENCES people,
    approved_by     bigint REFERENCES people,
    source          text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (kind <> 'lpka' OR status = 'suspended'
           OR (legal_basis IS NOT NULL AND admitted_by IS NOT NULL AND approved_by IS NOT NULL
               AND admitted_by <> approved_by))
);
CREATE INDEX facilities_province ON facilities (province_id);

CREATE TABLE workshops (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    name        text NOT NULL CHECK (length(name) BETWEEN 2 AND 80),
    about       text NOT NULL DEFAULT '',
    about_en    text NOT NULL DEFAULT '',
    UNIQUE (facility_id, name),
    UNIQUE (id, facility_id)                        -- target of composite keys: a workshop and its own facility
);

CREATE TABLE exhibitions (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug               text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name               text NOT NULL,
    venue              text NOT NULL DEFAULT '',
    city               text NOT NULL DEFAULT '',
    starts_on          date NOT NULL,
    ends_on            date NOT NULL,
    participants       integer CHECK (participants > 0),       -- as reported, for history
    regional_divisions integer CHECK (regional_divisions > 0),
    note               text NOT NULL DEFAULT '',
    source             text NOT NULL DEFAULT '',
    CHECK (ends_on >= starts_on)
);

ALTER TABLE memberships
    ADD FOREIGN KEY (facility_id) REFERENCES facilities,
    ADD FOREIGN KEY (exhibition_id) REFERENCES exhibitions;
