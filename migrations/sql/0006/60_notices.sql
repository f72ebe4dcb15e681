-- What the people of a facility are told, and how: notices, devices for web push, choices; answers kept ready;
-- lists kept as views; certificates of sale.

-- Something that a facility should know, once for each fact. No buyer in it: an order's code and a work's title at most.
CREATE TABLE notices (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    kind        text NOT NULL CHECK (kind IN ('parcel', 'question', 'sent_back', 'problem', 'digest')),
    key         text NOT NULL UNIQUE,               -- business key: told once, whatever is retried
    about       text NOT NULL DEFAULT '' CHECK (length(about) <= 200),
    path        text NOT NULL CHECK (path LIKE '/seller/%'),    -- the page that it leads to
    by_letter   boolean NOT NULL DEFAULT true,      -- false: a letter of the room's own tells it
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A browser of somebody's that takes web push.
CREATE TABLE push_devices (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id  bigint NOT NULL REFERENCES people,
    endpoint   text NOT NULL UNIQUE CHECK (endpoint ~ '^https?://' AND length(endpoint) <= 1000),
    p256dh     text NOT NULL CHECK (length(p256dh) BETWEEN 80 AND 100),
    auth       text NOT NULL CHECK (length(auth) BETWEEN 16 AND 40),
    user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 300),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX push_devices_person ON push_devices (person_id);

-- To whom a notice went: one row for the letter, one for each device.
CREATE TABLE notice_deliveries (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice_id bigint NOT NULL REFERENCES notices,
    person_id bigint NOT NULL REFERENCES people,
    device_id bigint REFERENCES push_devices ON DELETE CASCADE,     -- null: by letter
    CONSTRAINT notice_deliveries_once UNIQUE NULLS NOT DISTINCT (notice_id, person_id, device_id)
);
CREATE INDEX notice_deliveries_device ON notice_deliveries (device_id) WHERE device_id IS NOT NULL;

-- What somebody wants to be told of a facility, and how. No row: as the shop begins with (notices/choices.py).
CREATE TABLE notice_choices (
    person_id   bigint NOT NULL REFERENCES people,
    facility_id bigint NOT NULL REFERENCES facilities,
    kind        text NOT NULL CHECK (kind IN ('parcel', 'question', 'sent_back', 'problem', 'digest')),
    by_email    boolean NOT NULL,
    by_push     boolean NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, facility_id, kind)
);

-- A list as somebody likes to see it: the query string of its address, under a name.
CREATE TABLE saved_views (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id   bigint NOT NULL REFERENCES people,
    facility_id bigint NOT NULL REFERENCES facilities,
    list        text NOT NULL CHECK (list ~ '^[a-z_]+\.[a-z_]+$'),      -- endpoint of the list
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    query       text NOT NULL CHECK (length(query) <= 1000),
    is_default  boolean NOT NULL DEFAULT false,     -- shown when the list is opened without a query
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,                        -- kept for a while, so that it can be undone
    CHECK (deleted_at IS NULL OR NOT is_default)
);
CREATE UNIQUE INDEX saved_views_one_name ON saved_views (person_id, facility_id, list, lower(name))
    WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX saved_views_one_default ON saved_views (person_id, facility_id, list) WHERE is_default;

-- Answers that a facility keeps ready, in both languages.
CREATE TABLE canned_replies (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000),
    body_en     text NOT NULL DEFAULT '' CHECK (length(body_en) <= 2000),
    changed_by  bigint NOT NULL REFERENCES people,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);
CREATE UNIQUE INDEX canned_replies_one_name ON canned_replies (facility_id, lower(name)) WHERE deleted_at IS NULL;

-- A question about a parcel, asked from its order's page, need name no product.
ALTER TABLE enquiries ADD COLUMN parcel_id bigint REFERENCES parcels;
ALTER TABLE enquiries DROP CONSTRAINT enquiries_check;
ALTER TABLE enquiries ADD CONSTRAINT enquiries_about CHECK (kind <> 'question' OR num_nonnulls(product_id, parcel_id) > 0);
-- What concerns a parcel alone is nobody else's business.
ALTER TABLE enquiries ADD CONSTRAINT enquiries_parcel_private CHECK (product_id IS NOT NULL OR NOT is_public);
CREATE INDEX enquiries_parcel ON enquiries (parcel_id) WHERE parcel_id IS NOT NULL;

-- A certificate of sale: what a facility sold in a span of days, or in one order, as it was known when it was made.
CREATE TABLE sale_certificates (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id   bigint NOT NULL REFERENCES facilities,
    year          integer NOT NULL CHECK (year BETWEEN 2000 AND 2999),
    number        integer NOT NULL CHECK (number > 0),      -- 1, 2 … within facility and year
    code          text NOT NULL UNIQUE CHECK (code ~ '^[A-Z2-9]{12}$'),     -- who holds the paper can have it confirmed
    first_day     date NOT NULL,
    last_day      date NOT NULL,
    order_id      bigint REFERENCES orders,                 -- of this sale alone
    lines         integer NOT NULL CHECK (lines > 0),
    pieces        integer NOT NULL CHECK (pieces > 0),
    net_amount    bigint NOT NULL CHECK (net_amount >= 0),
    content       jsonb NOT NULL,                           -- all its figures, so that it prints the same for ever
    issued_by     bigint NOT NULL REFERENCES people,
    issued_at     timestamptz NOT NULL DEFAULT now(),
    request_key   text NOT NULL UNIQUE,                     -- of the form: sent twice, it is issued once
    UNIQUE (facility_id, year, number),
    CHECK (first_day <= last_day)
);
CREATE TRIGGER sale_certificates_append_only BEFORE UPDATE OR DELETE ON sale_certificates
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
