-- What people say of the works: questions answered in public, reviews by people who received them, replies and
-- pictures; and the one queue in which a curator looks at what no program may let through.

-- One row for each thing that was said. `passed`: nothing in it needs a person; `waiting` and `held`: not public yet.
CREATE TABLE moderation_items (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('question', 'answer', 'review', 'reply', 'photo', 'thank_you')),
    subject_id     bigint NOT NULL,                 -- id in the table of its kind
    facility_id    bigint NOT NULL REFERENCES facilities,
    state          text NOT NULL CHECK (state IN ('waiting', 'held', 'approved', 'refused', 'passed')),
    reasons        text[] NOT NULL DEFAULT '{}',    -- why a person must look
    note           text NOT NULL DEFAULT '' CHECK (length(note) <= 500),    -- why it was held or refused
    previous_state text,                            -- before the last decision, while that can be undone
    previous_note  text,
    version        integer NOT NULL DEFAULT 1,      -- rises with each change: who saw an older one is told
    submitted_at   timestamptz NOT NULL DEFAULT now(),
    decided_at     timestamptz,
    decided_by     bigint REFERENCES people,
    UNIQUE (kind, subject_id),
    CHECK (state <> 'waiting' OR cardinality(reasons) > 0),
    CHECK (state <> 'passed' OR cardinality(reasons) = 0),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (state NOT IN ('held', 'approved', 'refused') OR decided_by IS NOT NULL)
);
CREATE INDEX moderation_items_queue ON moderation_items (state, submitted_at, id);
CREATE INDEX moderation_items_decided ON moderation_items (decided_by, decided_at DESC) WHERE decided_by IS NOT NULL;

-- A thread between somebody outside and a facility. Kind `question` is about one product; larger wishes use the same.
CREATE TABLE enquiries (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('question', 'large_order')),
    facility_id   bigint NOT NULL REFERENCES facilities,
    product_id    bigint REFERENCES products,
    order_id      bigint REFERENCES orders,         -- asked from the order's page
    person_id     bigint REFERENCES people,
    is_public     boolean NOT NULL,
    is_buyer      boolean NOT NULL DEFAULT false,
    city          text NOT NULL DEFAULT '' CHECK (length(city) <= 60),      -- all that is shown of the asker
    locale        text NOT NULL CHECK (locale IN ('id', 'en')),
    token_version smallint NOT NULL DEFAULT 1,      -- raised to revoke the link
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (kind <> 'question' OR product_id IS NOT NULL),
    CHECK (kind = 'question' OR NOT is_public)
);
CREATE INDEX enquiries_product ON enquiries (product_id, id DESC) WHERE is_public;
CREATE INDEX enquiries_facility ON enquiries (facility_id, id DESC);
CREATE INDEX enquiries_order ON enquiries (order_id) WHERE order_id IS NOT NULL;

-- Apart, so that it can be erased.
CREATE TABLE enquiry_contacts (
    enquiry_id bigint PRIMARY KEY REFERENCES enquiries,
    email      text CHECK (email = lower(email)),
    erased_at  timestamptz,
    CHECK (erased_at IS NULL OR email IS NULL)
);
CREATE INDEX enquiry_contacts_email ON enquiry_contacts (email) WHERE email IS NOT NULL;

CREATE TABLE enquiry_messages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enquiry_id  bigint NOT NULL REFERENCES enquiries,
    author      text NOT NULL CHECK (author IN ('asker', 'facility')),
    person_id   bigint REFERENCES people,           -- who wrote for the facility; never shown outside
    body        text NOT NULL CHECK (length(body) <= 4000),
    is_shown    boolean NOT NULL DEFAULT false,     -- passed or approved; until then its author alone sees it
    request_key text NOT NULL UNIQUE,               -- of the form: sent twice, it is said once
    created_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz,
    CHECK ((author = 'facility') = (person_id IS NOT NULL)),
    CHECK ((erased_at IS NULL) = (body <> ''))
);
CREATE INDEX enquiry_messages_enquiry ON enquiry_messages (enquiry_id, id);

-- A question is public together with its answer.
CREATE FUNCTION is_answered(enquiry bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT count(DISTINCT author) = 2 FROM enquiry_messages WHERE enquiry_id = enquiry AND is_shown
$$;

CREATE TABLE reviews (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_line_id bigint NOT NULL UNIQUE REFERENCES order_lines,
    product_id    bigint NOT NULL REFERENCES products,
    facility_id   bigint NOT NULL REFERENCES facilities,
    stars         smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    body          text NOT NULL DEFAULT '' CHECK (length(body) <= 2000),
    city          text NOT NULL DEFAULT '' CHECK (length(city) <= 60),
    locale        text NOT NULL CHECK (locale IN ('id', 'en')),
    is_shown      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    erased_at     timestamptz,
    CHECK (erased_at IS NULL OR (body = '' AND city = ''))
);
CREATE INDEX reviews_product ON reviews (product_id, created_at DESC, id DESC) WHERE is_shown;
CREATE INDEX reviews_facility ON reviews (facility_id, id DESC);

-- A picture stays in the private store, without its EXIF, until a curator has seen it.
CREATE TABLE review_photos (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id bigint NOT NULL REFERENCES reviews,
    position  smallint NOT NULL CHECK (position BETWEEN 1 AND 3),
    original  text,                                 -- private key of the upload; null once the picture is made
    key       text NOT NULL,                        -- stem of the files, random
    widths    integer[] NOT NULL CHECK (cardinality(widths) > 0),
    width     integer NOT NULL CHECK (width > 0),
    height    integer NOT NULL CHECK (height > 0),
    alt       text NOT NULL DEFAULT '' CHECK (length(alt) <= 250),
    state     text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'ready', 'broken')),
    is_shown  boolean NOT NULL DEFAULT false,       -- approved, and its files lie in the public store
    UNIQUE (review_id, position),
    UNIQUE (key),
    CHECK (NOT is_shown OR state = 'ready'),
    CHECK (state = 'new' OR original IS NULL)
);

CREATE TABLE review_replies (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id  bigint NOT NULL UNIQUE REFERENCES reviews,
    person_id  bigint NOT NULL REFERENCES people,
    body       text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000),
    is_shown   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Only who received it reviews it; whom it concerns is what was sold.
CREATE FUNCTION reviews_of_received() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT product_id, facility_id INTO STRICT NEW.product_id, NEW.facility_id
      FROM order_lines WHERE id = NEW.order_line_id;
    IF NOT EXISTS (SELECT FROM parcel_lines l JOIN parcels p ON p.id = l.parcel_id
                    WHERE l.order_line_id = NEW.order_line_id AND p.state = 'received') THEN
        RAISE EXCEPTION 'order line % was not received: it is not reviewed', NEW.order_line_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_of_received BEFORE INSERT ON reviews
    FOR EACH ROW EXECUTE FUNCTION reviews_of_received();

CREATE FUNCTION reviews_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.order_line_id, NEW.product_id, NEW.facility_id, NEW.created_at)
       IS DISTINCT FROM (OLD.order_line_id, OLD.product_id, OLD.facility_id, OLD.created_at) THEN
        RAISE EXCEPTION 'review % stays with what was bought', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reviews_keep BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION reviews_keep();

-- Public reviews alone count.
CREATE FUNCTION reviews_rate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.is_shown THEN
        UPDATE product_ratings SET stars = stars - OLD.stars, reviews = reviews - 1 WHERE product_id = OLD.product_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.is_shown THEN
        INSERT INTO product_ratings AS here (product_id, stars, reviews) VALUES (NEW.product_id, NEW.stars, 1)
        ON CONFLICT (product_id) DO UPDATE
           SET stars = here.stars + excluded.stars, reviews = here.reviews + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reviews_rate AFTER INSERT OR DELETE OR UPDATE OF is_shown, stars ON reviews
    FOR EACH ROW EXECUTE FUNCTION reviews_rate();

-- Cached pages follow what the public reads, and nothing else: not a question that nobody has answered.
CREATE FUNCTION raise_catalogue() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE catalogue_version SET version = version + 1, raised_by = pg_current_xact_id()
     WHERE raised_by IS DISTINCT FROM pg_current_xact_id();
    IF FOUND THEN PERFORM pg_notify('catalogue', ''); END IF;
END $$;
CREATE FUNCTION voice_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP <> 'INSERT' AND OLD.is_shown) OR (TG_OP <> 'DELETE' AND NEW.is_shown) THEN
        PERFORM raise_catalogue();
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION thread_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said enquiry_messages;
BEGIN
    IF NOT ((TG_OP <> 'INSERT' AND OLD.is_shown) OR (TG_OP <> 'DELETE' AND NEW.is_shown)) THEN RETURN NULL; END IF;
    IF TG_OP = 'DELETE' THEN said := OLD; ELSE said := NEW; END IF;
    IF EXISTS (SELECT FROM enquiries e WHERE e.id = said.enquiry_id AND e.is_public
                  AND (said.author = 'facility' OR EXISTS (
                       SELECT FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.author = 'facility' AND m.is_shown)))
    THEN
        PERFORM raise_catalogue();
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER voice_changed AFTER INSERT OR UPDATE OR DELETE ON reviews
    FOR EACH ROW EXECUTE FUNCTION voice_changed();
CREATE TRIGGER voice_changed AFTER INSERT OR UPDATE OR DELETE ON review_photos
    FOR EACH ROW EXECUTE FUNCTION voice_changed();
CREATE TRIGGER voice_changed AFTER INSERT OR UPDATE OR DELETE ON review_replies
    FOR EACH ROW EXECUTE FUNCTION voice_changed();
CREATE TRIGGER thread_changed AFTER INSERT OR UPDATE OR DELETE ON enquiry_messages
    FOR EACH ROW EXECUTE FUNCTION thread_changed();

-- All that the public reads of a product, as one value: so a product's page asks once for everything.
CREATE FUNCTION product_voices(product bigint, reviews_limit integer, reviews_skip integer, questions_limit integer,
                               questions_skip integer) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'rating', (
            SELECT json_build_object('stars', g.stars, 'reviews', g.reviews, 'each', (
                   SELECT json_object_agg(s.stars, s.number) FROM (
                       SELECT stars, count(*) AS number FROM reviews WHERE product_id = product AND is_shown
                        GROUP BY stars) s))
              FROM product_ratings g WHERE g.product_id = product AND g.reviews > 0),
        'reviews', (
            -- those that say something come first
            SELECT json_agg(r) FROM (
                SELECT r.id, r.stars, r.body, r.city, r.created_at, r.locale,
                       (SELECT json_agg(json_build_object('key', p.key, 'widths', p.widths, 'width', p.width,
                                                          'height', p.height, 'alt', p.alt) ORDER BY p.position)
                          FROM review_photos p WHERE p.review_id = r.id AND p.is_shown) AS photos,
                       (SELECT body FROM review_replies a WHERE a.review_id = r.id AND a.is_shown) AS reply
                  FROM reviews r WHERE r.product_id = product AND r.is_shown
                 ORDER BY (r.body = ''), r.created_at DESC, r.id DESC LIMIT reviews_limit OFFSET reviews_skip) r),
        'questions', (
            SELECT json_agg(q) FROM (
                SELECT e.id, e.city, e.is_buyer, e.locale,
                       (SELECT json_agg(json_build_object('by', m.author, 'body', m.body, 'at', m.created_at)
                                        ORDER BY m.id)
                          FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.is_shown) AS lines
                  FROM enquiries e WHERE e.product_id = product AND e.is_public AND is_answered(e.id)
                 ORDER BY e.id DESC LIMIT questions_limit OFFSET questions_skip) q),
        'questions_total', (
            SELECT count(*) FROM enquiries e
             WHERE e.product_id = product AND e.is_public AND is_answered(e.id)))
$$;

-- Letters about things that belong to no order.
ALTER TABLE messages ALTER COLUMN order_id DROP NOT NULL;
ALTER TABLE messages ADD COLUMN subject_kind text CHECK (subject_kind ~ '^[a-z_]+$');
ALTER TABLE messages ADD COLUMN subject_id bigint;
ALTER TABLE messages ADD CHECK ((subject_kind IS NULL) = (subject_id IS NULL));
ALTER TABLE messages ADD CHECK (order_id IS NOT NULL OR subject_id IS NOT NULL);

-- Which kinds of tries are counted is the code's to say (storefront/people/attempts.py).
ALTER TABLE login_attempts DROP CONSTRAINT login_attempts_kind_check;
ALTER TABLE login_attempts ADD CONSTRAINT login_attempts_kind_check CHECK (kind ~ '^[a-z_]{2,40}$');
