-- The account: proven addresses, links that sign in, where things go, what is wished for, and which letters are wanted.

-- When somebody has shown that they read the address; orders of that address are theirs from then on.
ALTER TABLE people ADD COLUMN email_proven_at timestamptz;
-- Came by a link that was mailed: for a while a new password needs no old one.
ALTER TABLE sessions ADD COLUMN by_link boolean NOT NULL DEFAULT false;

-- A letter with a link: to sign in, or to take over a new address. The link itself is computed when it is sent; here is
-- its hash. It works once, for a short while.
CREATE TABLE mailed_links (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose      text NOT NULL CHECK (purpose IN ('sign_in', 'new_email')),
    token_hash   bytea UNIQUE CHECK (length(token_hash) = 32),           -- null: not sent yet
    email        text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    person_id    bigint REFERENCES people,          -- whose address is to change
    former_email text CHECK (former_email = lower(former_email)),        -- until it has been told
    browser_hash bytea CHECK (length(browser_hash) = 32),                -- of the browser that asked
    back         text NOT NULL DEFAULT '' CHECK (length(back) <= 500),   -- where it leads
    locale       text NOT NULL CHECK (locale IN ('id', 'en')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    sent_at      timestamptz,
    used_at      timestamptz,
    CHECK ((purpose = 'new_email') = (person_id IS NOT NULL)),
    CHECK (former_email IS NULL OR purpose = 'new_email'),
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '1 day')
);
CREATE INDEX mailed_links_email ON mailed_links (email);
CREATE INDEX mailed_links_person ON mailed_links (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX mailed_links_old ON mailed_links (expires_at);

-- What was used stays used, and no link becomes another's.
CREATE FUNCTION keep_mailed_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at
       OR (NEW.purpose, NEW.email, NEW.person_id, NEW.browser_hash)
          IS DISTINCT FROM (OLD.purpose, OLD.email, OLD.person_id, OLD.browser_hash)
       OR (OLD.token_hash IS NOT NULL AND NEW.token_hash IS DISTINCT FROM OLD.token_hash)
       OR NEW.expires_at > OLD.expires_at THEN
        RAISE EXCEPTION 'link % stays whose it is, and works once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mailed_links_keep BEFORE UPDATE ON mailed_links FOR EACH ROW EXECUTE FUNCTION keep_mailed_link();

-- Where a person has things sent; fields as an order's address has them. Seen by its owner alone.
CREATE TABLE saved_addresses (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id    bigint NOT NULL REFERENCES people,
    label        text NOT NULL DEFAULT '' CHECK (length(label) <= 40),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    phone        text CHECK (phone ~ '^\+62[1-9][0-9]{7,12}$'),
    line1        text NOT NULL CHECK (length(line1) BETWEEN 1 AND 200),
    district     text NOT NULL CHECK (length(district) BETWEEN 1 AND 80),
    city         text NOT NULL CHECK (length(city) BETWEEN 1 AND 80),
    province     text NOT NULL CHECK (length(province) BETWEEN 1 AND 60),
    postal_code  text NOT NULL CHECK (postal_code ~ '^[1-9][0-9]{4}$'),
    is_preferred boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX saved_addresses_person ON saved_addresses (person_id);
CREATE UNIQUE INDEX saved_addresses_one_preferred ON saved_addresses (person_id) WHERE is_preferred;

-- What a person would like to have, and what it cost when they saw it.
CREATE TABLE wishes (
    person_id   bigint NOT NULL REFERENCES people,
    product_id  bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    price_saved bigint NOT NULL CHECK (price_saved > 0),
    saved_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, product_id)
);
CREATE INDEX wishes_product ON wishes (product_id);

-- Letters beside those about an order's steps: who gets a kind, or does not want it. No row: as it is by default. A
-- letter's link to end them names the row, never the address.
CREATE TABLE letter_choices (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    kind       text NOT NULL CHECK (kind IN ('money_news', 'back_in_stock')),
    wanted     boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email, kind)
);
