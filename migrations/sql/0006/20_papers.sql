-- From draft to public: what curators decided, the papers that a category asks for, batches of food and their recall.

-- Why a draft waits for a curator, as it was when it was handed over.
ALTER TABLE listing_drafts ADD COLUMN waits_for text[] NOT NULL DEFAULT '{}'
    CHECK (waits_for <@ '{new,proposal,faces,unseen,words}'::text[]);

-- What was decided, with what takes it back: the listing as it stood before, and what the draft's photos knew.
CREATE TABLE listing_decisions (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    draft_id      bigint NOT NULL,                          -- it is gone once it is listed
    draft_version integer NOT NULL,
    facility_id   bigint NOT NULL REFERENCES facilities,
    product_id    bigint REFERENCES products,
    title         text NOT NULL DEFAULT '',
    step          text NOT NULL CHECK (step IN ('published', 'approved', 'sent_back')),
    submitted_at  timestamptz NOT NULL,
    submitted_by  bigint NOT NULL REFERENCES people,
    decided_at    timestamptz NOT NULL DEFAULT now(),
    decided_by    bigint NOT NULL REFERENCES people,
    before        jsonb CHECK (jsonb_typeof(before) = 'object'),            -- null: it was not public before
    marks         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(marks) = 'object'),  -- photo's key → faces, original
    undone_at     timestamptz,
    undone_by     bigint REFERENCES people,
    CHECK (decided_by <> submitted_by),
    CHECK (step <> 'published' OR product_id IS NOT NULL),
    CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);
CREATE INDEX listing_decisions_person ON listing_decisions (decided_by, decided_at DESC);
CREATE INDEX listing_decisions_product ON listing_decisions (product_id, id DESC);

-- One letter to one person about something listed; the key makes it once.
CREATE TABLE listing_news (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE CHECK (length(key) <= 200),
    kind        text NOT NULL CHECK (kind ~ '^[a-z_]{3,40}$'),
    facility_id bigint NOT NULL REFERENCES facilities,
    person_id   bigint NOT NULL REFERENCES people,
    about       jsonb NOT NULL CHECK (jsonb_typeof(about) = 'object'),
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- What was public before its category asked for something may stay so until this day.
ALTER TABLE products ADD COLUMN sells_unpapered_until date;

-- What a product's category asks for and the product does not have on a day. With `papers`: the papers alone.
CREATE FUNCTION product_lacks(product bigint, on_day date, papers boolean DEFAULT false) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT COALESCE(array_agg(n.need ORDER BY n.need), '{}')
      FROM products p JOIN category_needs n ON n.category_id = p.category_id
     WHERE p.id = product AND (NOT papers OR n.need IN ('registration', 'halal', 'cosmetic', 'svlk'))
       AND NOT CASE WHEN n.need = 'food' THEN EXISTS (SELECT FROM product_foods f WHERE f.product_id = product)
                    WHEN n.need = 'sizes' THEN EXISTS (SELECT FROM size_tables s WHERE s.product_id = product
                                                          OR s.category_id = p.category_id)
                    WHEN n.need IN ('material', 'care') THEN EXISTS (
                         SELECT FROM product_facts f WHERE f.product_id = product AND f.kind = n.need)
                    ELSE EXISTS (
                         SELECT FROM product_papers x
                          WHERE x.product_id = product AND (x.valid_until IS NULL OR x.valid_until >= on_day)
                            AND x.kind = ANY (CASE n.need WHEN 'registration' THEN '{pirt,bpom}'
                                                          WHEN 'halal' THEN '{halal,not_halal}'
                                                          ELSE ARRAY[n.need] END::text[])
                            AND (x.kind = 'not_halal' OR x.document_key IS NOT NULL)) END;
$$;

CREATE FUNCTION product_may_sell(product bigint, on_day date) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT workshop_may_sell(p.workshop_id, on_day)
       AND (COALESCE(p.sells_unpapered_until >= on_day, false) OR product_lacks(p.id, on_day, true) = '{}')
      FROM products p WHERE p.id = product;
$$;

-- Nothing becomes public without what its category asks for.
CREATE FUNCTION publish_complete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lacks text[] := product_lacks(NEW.id, accounting_date(now()));
BEGIN
    IF lacks <> '{}' AND COALESCE(NEW.sells_unpapered_until < accounting_date(now()), true)
       AND EXISTS (SELECT FROM products WHERE id = NEW.id AND status = 'published') THEN
        RAISE EXCEPTION 'product % is published without %', NEW.id, array_to_string(lacks, ', ')
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER products_complete AFTER INSERT OR UPDATE OF status, category_id ON products
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'published') EXECUTE FUNCTION publish_complete();

-- A category that asks for more gives what it already lists time to bring it.
CREATE FUNCTION give_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE products SET sells_unpapered_until = accounting_date(now()) + 90
     WHERE category_id = NEW.category_id AND status = 'published'
       AND COALESCE(sells_unpapered_until < accounting_date(now()) + 90, true)
       AND NEW.need = ANY (product_lacks(id, accounting_date(now())));
    RETURN NULL;
END $$;
CREATE TRIGGER category_needs_time AFTER INSERT ON category_needs FOR EACH ROW EXECUTE FUNCTION give_time();
UPDATE products SET sells_unpapered_until = accounting_date(now()) + 90
 WHERE status = 'published' AND product_lacks(id, accounting_date(now())) <> '{}';

-- Whoever writes a listing: it is there only while its workshop may sell and its papers are in force.
CREATE OR REPLACE FUNCTION list_declared_only() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF product_may_sell(NEW.product_id, accounting_date(now())) THEN
        RETURN NEW;
    END IF;
    DELETE FROM listings WHERE product_id = NEW.product_id;
    RETURN NULL;
END $$;

CREATE FUNCTION papered_listing() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found bigint := CASE WHEN TG_OP = 'DELETE' THEN (to_jsonb(OLD) ->> 'product_id')::bigint
                         WHEN TG_TABLE_NAME = 'products' THEN (to_jsonb(NEW) ->> 'id')::bigint
                         ELSE (to_jsonb(NEW) ->> 'product_id')::bigint END;
BEGIN
    PERFORM refresh_listing(p.id) FROM products p WHERE p.id = found AND p.status = 'published';
    RETURN NULL;
END $$;
CREATE TRIGGER papered_listing AFTER INSERT OR UPDATE OR DELETE ON product_papers
    FOR EACH ROW EXECUTE FUNCTION papered_listing();
CREATE TRIGGER papered_listing AFTER UPDATE OF sells_unpapered_until ON products
    FOR EACH ROW WHEN (OLD.sells_unpapered_until IS DISTINCT FROM NEW.sells_unpapered_until)
    EXECUTE FUNCTION papered_listing();

-- What a new day changes: listings whose workshop's declaration, or whose papers, have begun or ended.
CREATE OR REPLACE FUNCTION refresh_declared_listings() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    today            date := accounting_date(now());
    products_changed integer;
BEGIN
    WITH workshop AS MATERIALIZED (
        SELECT id, workshop_may_sell(id, today) AS may_sell FROM workshops
    ), lapsed AS MATERIALIZED (
        SELECT p.id FROM products p
         WHERE p.status = 'published' AND COALESCE(p.sells_unpapered_until < today, true)
           AND p.category_id IN (SELECT category_id FROM category_needs
                                  WHERE need IN ('registration', 'halal', 'cosmetic', 'svlk'))
           AND product_lacks(p.id, today, true) <> '{}'
    ), changed AS MATERIALIZED (
        SELECT p.id FROM workshop w JOIN products p ON p.workshop_id = w.id AND p.status = 'published'
          LEFT JOIN listings l ON l.product_id = p.id
          LEFT JOIN lapsed x ON x.id = p.id
          JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
         WHERE (w.may_sell AND x.id IS NULL) <> (l.product_id IS NOT NULL)
           AND EXISTS (SELECT FROM variants v WHERE v.product_id = p.id AND v.is_active)
    ), done AS (SELECT id, refresh_listing(id)::text FROM changed)
    SELECT count(*) INTO products_changed FROM done;
    IF products_changed > 0 THEN
        PERFORM raise_catalogue_version();
    END IF;
    RETURN products_changed;
END $$;
CREATE FUNCTION needs_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM refresh_declared_listings();
    RETURN NULL;
END $$;
CREATE TRIGGER needs_changed AFTER INSERT OR UPDATE OR DELETE ON category_needs
    FOR EACH STATEMENT EXECUTE FUNCTION needs_changed();

-- Food is made in batches. One that somebody doubts is held at once; the office recalls it, or lets it go again.
CREATE TABLE batches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id  bigint NOT NULL REFERENCES products,
    code        text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9./-]{0,29}$'),
    made_on     date NOT NULL,
    best_before date NOT NULL,
    state       text NOT NULL DEFAULT 'on_sale' CHECK (state IN ('on_sale', 'held', 'recalled')),
    reason      text NOT NULL DEFAULT '' CHECK (length(reason) <= 300),      -- for buyers
    reason_en   text NOT NULL DEFAULT '' CHECK (length(reason_en) <= 300),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  bigint REFERENCES people,
    asked_at    timestamptz,
    asked_by    bigint REFERENCES people,
    decided_at  timestamptz,
    decided_by  bigint REFERENCES people,
    UNIQUE (product_id, code),
    CHECK (best_before >= made_on),
    CHECK ((asked_at IS NULL) = (asked_by IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK (state = 'on_sale' OR (asked_at IS NOT NULL AND length(reason) >= 10)),
    CHECK (state <> 'recalled' OR decided_at IS NOT NULL),
    CHECK (decided_by <> asked_by)
);
CREATE INDEX batches_not_sold ON batches (asked_at) WHERE state <> 'on_sale';

-- How many pieces of a variant a batch gave; `gone`: damaged, given away or sold elsewhere. When it is held, the rest
-- is `withdrawn`; of these `taken` have left the shelf's books, the others lie in orders that are not packed yet.
CREATE TABLE batch_pieces (
    batch_id   bigint NOT NULL REFERENCES batches,
    variant_id bigint NOT NULL REFERENCES variants,
    made       integer NOT NULL CHECK (made > 0),
    gone       integer NOT NULL DEFAULT 0 CHECK (gone >= 0),
    withdrawn  integer NOT NULL DEFAULT 0 CHECK (withdrawn >= 0),
    taken      integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    PRIMARY KEY (batch_id, variant_id),
    CHECK (gone + withdrawn <= made),
    CHECK (taken <= withdrawn)
);
CREATE INDEX batch_pieces_variant ON batch_pieces (variant_id);

-- Which batch went out in which parcel.
CREATE TABLE parcel_batches (
    parcel_id     bigint NOT NULL REFERENCES parcels,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    batch_id      bigint NOT NULL REFERENCES batches,
    pieces        integer NOT NULL CHECK (pieces > 0),
    noted_at      timestamptz NOT NULL DEFAULT now(),
    noted_by      bigint REFERENCES people,
    PRIMARY KEY (parcel_id, order_line_id, batch_id)
);
CREATE INDEX parcel_batches_batch ON parcel_batches (batch_id);

-- A parcel takes what there is of a batch that is on sale, and no more than it holds of that thing.
CREATE FUNCTION check_parcel_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    variant bigint := (SELECT variant_id FROM order_lines WHERE id = NEW.order_line_id);
    own     batch_pieces;
BEGIN
    PERFORM FROM batches WHERE id = NEW.batch_id AND state = 'on_sale' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % is not on sale', NEW.batch_id USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO own FROM batch_pieces WHERE batch_id = NEW.batch_id AND variant_id = variant FOR NO KEY UPDATE;
    IF own IS NULL OR own.gone + own.withdrawn + (
           SELECT sum(b.pieces) FROM parcel_batches b JOIN order_lines l ON l.id = b.order_line_id
            WHERE b.batch_id = NEW.batch_id AND l.variant_id = variant) > own.made THEN
        RAISE EXCEPTION 'batch % has no more pieces', NEW.batch_id USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT sum(pieces) FROM parcel_batches WHERE parcel_id = NEW.parcel_id AND order_line_id = NEW.order_line_id)
       > COALESCE((SELECT quantity FROM parcel_lines
                    WHERE parcel_id = NEW.parcel_id AND order_line_id = NEW.order_line_id), 0) THEN
        RAISE EXCEPTION 'parcel % does not hold so many', NEW.parcel_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER parcel_batches_within AFTER INSERT OR UPDATE ON parcel_batches
    FOR EACH ROW EXECUTE FUNCTION check_parcel_batch();

-- The page of a product tells of its recalled batches.
CREATE TRIGGER catalogue_changed AFTER UPDATE OF state ON batches
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
