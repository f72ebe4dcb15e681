-- What a facility says of itself, when it packs, when it rests, and who works for it.

-- Contact in writing; gallery hours by weekday (1 Monday … 7 Sunday) as {"1": ["09:00", "15:00"]}; weekdays on which
-- it packs.
ALTER TABLE facilities
    ADD COLUMN contact text NOT NULL DEFAULT '' CHECK (length(contact) <= 300),
    ADD COLUMN gallery_week jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(gallery_week) = 'object'),
    ADD COLUMN packing_days smallint[] NOT NULL DEFAULT '{1,2,3,4,5}'
        CHECK (cardinality(packing_days) BETWEEN 1 AND 7 AND packing_days <@ '{1,2,3,4,5,6,7}'::smallint[]);

-- Days on which one facility packs nothing, beside the holidays of all.
CREATE TABLE days_off (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    first_day   date NOT NULL,
    last_day    date NOT NULL,
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 120),   -- for its own office alone
    written_by  bigint REFERENCES people,
    written_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    CHECK (last_day BETWEEN first_day AND first_day + 60)
);
CREATE INDEX days_off_facility ON days_off (facility_id, last_day) WHERE removed_at IS NULL;

-- A facility rests: nothing of it can be ordered and nothing is packed, from the first day to the last.
CREATE TABLE pauses (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id  bigint NOT NULL REFERENCES facilities,
    first_day    date NOT NULL,
    last_day     date NOT NULL,
    reason       text NOT NULL CHECK (length(reason) BETWEEN 5 AND 200),
    reason_en    text NOT NULL CHECK (length(reason_en) BETWEEN 5 AND 200),
    written_by   bigint REFERENCES people,
    written_at   timestamptz NOT NULL DEFAULT now(),
    cancelled_by bigint REFERENCES people,
    cancelled_at timestamptz,
    CHECK (last_day BETWEEN first_day AND first_day + 180),
    CHECK (cancelled_by IS NULL OR cancelled_at IS NOT NULL),
    CONSTRAINT pauses_once EXCLUDE USING gist
        (facility_id WITH =, daterange(first_day, last_day, '[]') WITH &&) WHERE (cancelled_at IS NULL)
);

-- The last day of the pause that a facility is in; null: it is in none.
CREATE FUNCTION paused_until(facility bigint, on_day date) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT last_day FROM pauses
     WHERE facility_id = facility AND cancelled_at IS NULL AND on_day BETWEEN first_day AND last_day;
$$;

-- While its facility rests a listing stays where it is, says until when, and counts as what cannot be bought now.
ALTER TABLE listings ADD COLUMN paused_until date;
CREATE FUNCTION pause_listing() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.paused_until := paused_until(NEW.facility_id, accounting_date(now()));
    IF NEW.paused_until IS NOT NULL THEN NEW.state := 'sold_out'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER listings_paused BEFORE INSERT OR UPDATE ON listings FOR EACH ROW EXECUTE FUNCTION pause_listing();

-- What a new day changes, or a pause that was written down: returns how many products.
CREATE FUNCTION refresh_paused_listings() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stale bigint[] := ARRAY(
        SELECT l.product_id FROM listings l
          JOIN (SELECT id, paused_until(id, accounting_date(now())) AS until FROM facilities) f ON f.id = l.facility_id
         WHERE l.paused_until IS DISTINCT FROM f.until ORDER BY l.product_id);
BEGIN
    IF cardinality(stale) > 0 THEN
        UPDATE listings SET paused_until = NULL WHERE product_id = ANY (stale);
        PERFORM refresh_listing(id) FROM unnest(stale) id;
        PERFORM raise_catalogue_version();
    END IF;
    RETURN cardinality(stale);
END $$;
CREATE FUNCTION paused_listings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM refresh_paused_listings();
    RETURN NULL;
END $$;
CREATE TRIGGER paused_listings AFTER INSERT OR UPDATE ON pauses FOR EACH STATEMENT EXECUTE FUNCTION paused_listings();

-- Promised days stand on public pages.
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE ON pauses
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE ON days_off
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- What a facility wrote about itself or one of its workshops: each version, and which of them the public reads.
-- One that needs a look waits in `moderation_items` as `profile`.
CREATE TABLE profile_texts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    workshop_id bigint,                             -- null: the facility itself
    name        text NOT NULL DEFAULT '' CHECK (length(name) <= 80),     -- of the workshop
    about       text NOT NULL DEFAULT '' CHECK (length(about) <= 3000),
    about_en    text NOT NULL DEFAULT '' CHECK (length(about_en) <= 3000),
    contact     text NOT NULL DEFAULT '' CHECK (length(contact) <= 300),
    written_by  bigint REFERENCES people,           -- null: as it was before its first change
    written_at  timestamptz NOT NULL DEFAULT now(),
    is_shown    boolean NOT NULL DEFAULT false,     -- it was let through; the newest such is what the public reads
    replaced_at timestamptz,                        -- written anew before anybody decided
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id),
    CHECK (workshop_id IS NULL OR contact = ''),
    CHECK ((workshop_id IS NULL) = (name = ''))
);
CREATE INDEX profile_texts_of ON profile_texts (facility_id, workshop_id, id DESC);

ALTER TABLE moderation_items DROP CONSTRAINT moderation_items_kind_check;
ALTER TABLE moderation_items ADD CONSTRAINT moderation_items_kind_check
    CHECK (kind IN ('question', 'answer', 'review', 'reply', 'photo', 'thank_you', 'profile'));

-- Money goes to no account that only the facility itself has looked at.
ALTER TABLE bank_accounts ADD COLUMN from_facility boolean NOT NULL DEFAULT false;

-- Weeks that what is ordered already takes beyond the lead time, for pages that are kept; a job refreshes it.
ALTER TABLE variants ADD COLUMN queued_weeks integer NOT NULL DEFAULT 0 CHECK (queued_weeks >= 0);
CREATE INDEX order_lines_made ON order_lines (variant_id) WHERE lead_time_days IS NOT NULL;

-- Somebody is asked to work for a facility: a mailed link, once, for seven days.
CREATE TABLE invitations (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id  bigint NOT NULL REFERENCES facilities,
    email        text NOT NULL CHECK (email = lower(email) AND email LIKE '%_@_%' AND length(email) <= 254),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    locale       text NOT NULL DEFAULT 'id' CHECK (locale IN ('id', 'en')),
    token_hash   bytea UNIQUE CHECK (length(token_hash) = 32),
    invited_by   bigint NOT NULL REFERENCES people,
    invited_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    accepted_at  timestamptz,
    accepted_by  bigint REFERENCES people,
    withdrawn_at timestamptz,
    withdrawn_by bigint REFERENCES people,
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    CHECK (num_nonnulls(accepted_at, withdrawn_at) < 2)
);
CREATE UNIQUE INDEX invitations_one_waits ON invitations (facility_id, email)
    WHERE accepted_at IS NULL AND withdrawn_at IS NULL;

-- A coordinator's work passes to another in one act. With an invitation it waits until that is accepted.
CREATE TABLE handovers (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id   bigint NOT NULL REFERENCES facilities,
    from_person   bigint NOT NULL REFERENCES people,
    from_name     text NOT NULL,
    to_person     bigint REFERENCES people,
    to_name       text NOT NULL,
    invitation_id bigint UNIQUE REFERENCES invitations,
    made_by       bigint NOT NULL REFERENCES people,
    made_at       timestamptz NOT NULL DEFAULT now(),
    done_at       timestamptz,                      -- from then on the other one is the coordinator
    counts        jsonb NOT NULL DEFAULT '{}',      -- what passed on, as the minute says it
    ended_role    bigint REFERENCES memberships,    -- of the one before
    given_role    bigint REFERENCES memberships,    -- of the other, if it began with this
    undone_at     timestamptz,
    undone_by     bigint REFERENCES people,
    CHECK (from_person <> to_person),
    CHECK (done_at IS NULL OR (to_person IS NOT NULL AND ended_role IS NOT NULL)),
    CHECK (undone_at IS NULL OR undone_by IS NOT NULL)
);
CREATE INDEX handovers_facility ON handovers (facility_id, id DESC);
CREATE UNIQUE INDEX handovers_one_waits ON handovers (facility_id, from_person)
    WHERE done_at IS NULL AND undone_at IS NULL;
