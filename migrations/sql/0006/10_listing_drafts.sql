-- What a facility writes before it is listed. A draft holds what was typed, whole or not; a product's own rows are
-- written from it when a curator lets it through, so that they are always complete.

-- A product's variants are told apart by up to two options (size, colour); each variant has a value for each.
ALTER TABLE products
    ADD COLUMN options    text[] NOT NULL DEFAULT '{}' CHECK (cardinality(options) <= 2),
    ADD COLUMN options_en text[] NOT NULL DEFAULT '{}',
    ADD CHECK (cardinality(options_en) IN (0, cardinality(options))),
    ADD CHECK (array_position(options, NULL) IS NULL AND array_position(options_en, NULL) IS NULL);
ALTER TABLE variants
    ADD COLUMN options    text[] NOT NULL DEFAULT '{}' CHECK (cardinality(options) <= 2),
    ADD COLUMN options_en text[] NOT NULL DEFAULT '{}',
    -- Pieces made to order that the workshop makes in a week; null: however many are ordered.
    ADD COLUMN weekly_capacity integer CHECK (weekly_capacity BETWEEN 1 AND 10000),
    ADD CHECK (cardinality(options_en) IN (0, cardinality(options))),
    ADD CHECK (array_position(options, NULL) IS NULL AND array_position(options_en, NULL) IS NULL);

CREATE TABLE listing_drafts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id  bigint NOT NULL REFERENCES facilities,
    product_id   bigint UNIQUE REFERENCES products,         -- null: not listed yet
    content      jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object' AND length(content::text) <= 200000),
    version      integer NOT NULL DEFAULT 1,                -- rises with each save
    content_version integer NOT NULL DEFAULT 1,             -- the version in which `content` last changed
    saved_from   text CHECK (length(saved_from) <= 64),     -- the open page that last saved it: its retries are its own
    state        text NOT NULL DEFAULT 'editing' CHECK (state IN ('editing', 'in_review', 'sent_back', 'approved')),
    form_key     text UNIQUE CHECK (form_key ~ '^[A-Za-z0-9_-]{16,64}$'),   -- begun twice by one form, it is one draft
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   bigint REFERENCES people,                  -- null: imported by a job, or demo data
    changed_at   timestamptz NOT NULL DEFAULT now(),
    changed_by   bigint REFERENCES people,
    submitted_at timestamptz,
    submitted_by bigint REFERENCES people,
    decided_at   timestamptz,
    decided_by   bigint REFERENCES people,
    publish_at   timestamptz,                               -- not before; null: as soon as it is let through
    reasons      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(reasons) = 'object'),  -- field → why it was sent back
    note         text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    CHECK ((submitted_at IS NULL) = (submitted_by IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK (state <> 'in_review' OR submitted_at IS NOT NULL),
    CHECK (state NOT IN ('sent_back', 'approved') OR decided_at IS NOT NULL),
    CHECK (state <> 'sent_back' OR note <> '' OR reasons <> '{}'),
    CHECK (decided_by <> submitted_by)                      -- nobody lets through their own
);
CREATE INDEX listing_drafts_facility ON listing_drafts (facility_id, state, changed_at DESC);
CREATE INDEX listing_drafts_queue ON listing_drafts (submitted_at) WHERE state = 'in_review';
CREATE INDEX listing_drafts_due ON listing_drafts (publish_at) WHERE state = 'approved';

-- A draft's photos in their order; a product's own are copied here when its draft is begun.
CREATE TABLE draft_photos (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    draft_id     bigint NOT NULL REFERENCES listing_drafts ON DELETE CASCADE,
    position     integer CHECK (position > 0),              -- null: taken out, and may be put back
    alt          text NOT NULL DEFAULT '' CHECK (length(alt) <= 250),       -- as typed; empty: not yet
    alt_en       text NOT NULL DEFAULT '' CHECK (length(alt_en) <= 250),
    tint         text NOT NULL DEFAULT 'c1' CHECK (tint IN ('c1', 'c2', 'c3', 'c4')),
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'ready', 'refused')),
    fault        text NOT NULL DEFAULT '' CHECK (length(fault) <= 300),     -- why it was refused, for people
    original_key text,                                      -- a private file; null: the product had it before
    turned       integer NOT NULL DEFAULT 0 CHECK (turned IN (0, 90, 180, 270)),  -- clockwise, of the original
    crop         integer[] CHECK (cardinality(crop) = 4),   -- left, top, right, bottom in thousandths, after turning
    faces        integer CHECK (faces >= 0),                -- that may be seen on it; null: nobody looked
    key          text,                                      -- as of photos, once it is ready
    widths       integer[] CHECK (cardinality(widths) > 0),
    width        integer CHECK (width > 0),
    height       integer CHECK (height > 0),
    uploaded_by  bigint REFERENCES people,
    uploaded_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (draft_id, position) DEFERRABLE INITIALLY IMMEDIATE,
    CHECK (state <> 'ready' OR num_nulls(key, widths, width, height) = 0),
    CHECK (state <> 'refused' OR fault <> ''),
    CHECK (state = 'ready' OR original_key IS NOT NULL)
);

-- What was listed before told its variants apart by their titles alone.
UPDATE variants SET options = ARRAY[title], options_en = CASE WHEN title_en <> '' THEN ARRAY[title_en] ELSE '{}' END
 WHERE title <> '';
UPDATE products p SET options = '{Varian}', options_en = '{Variant}'
 WHERE EXISTS (SELECT FROM variants v WHERE v.product_id = p.id AND v.title <> '');

-- Numbers of SKUs that the shop gives itself.
CREATE SEQUENCE made_skus;
