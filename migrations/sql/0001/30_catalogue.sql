-- What is listed, and how it is found.
CREATE TABLE categories (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id bigint REFERENCES categories,
    slug      text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name      text NOT NULL,
    name_en   text NOT NULL,
    position  integer NOT NULL DEFAULT 0,
    CHECK (parent_id <> id)
);

CREATE TABLE commodity_groups (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code     text NOT NULL UNIQUE,
    name     text NOT NULL,
    name_en  text NOT NULL,
    position integer NOT NULL
);

CREATE TABLE products (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id        bigint NOT NULL REFERENCES facilities,
    workshop_id        bigint NOT NULL,
    category_id        bigint NOT NULL REFERENCES categories,
    commodity_group_id bigint REFERENCES commodity_groups,      -- goods of the garden have none
    slug               text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title              text NOT NULL CHECK (length(title) BETWEEN 3 AND 140),
    title_en           text NOT NULL DEFAULT '' CHECK (length(title_en) <= 140),
    description        text NOT NULL DEFAULT '' CHECK (length(description) <= 8000),
    description_en     text NOT NULL DEFAULT '' CHECK (length(description_en) <= 8000),
    delivery_scope     text NOT NULL DEFAULT 'nationwide'
                         CHECK (delivery_scope IN ('pickup', 'same_city', 'province', 'nationwide')),
    status             text NOT NULL DEFAULT 'draft'
                         CHECK (status IN ('draft', 'in_review', 'published', 'archived')),
    published_at       timestamptz,
    search             tsvector NOT NULL DEFAULT '',
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id),
    CHECK (status <> 'published' OR published_at IS NOT NULL)
);
CREATE INDEX products_search ON products USING gin (search) WHERE status = 'published';
CREATE INDEX products_newest ON products (published_at DESC, id DESC) WHERE status = 'published';
CREATE INDEX products_category ON products (category_id, published_at DESC) WHERE status = 'published';
CREATE INDEX products_facility ON products (facility_id, status, published_at DESC);
CREATE INDEX products_workshop ON products (workshop_id);

CREATE TABLE variants (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id     bigint NOT NULL REFERENCES products,
    sku            text NOT NULL UNIQUE CHECK (sku ~ '^[A-Z0-9][A-Z0-9-]{2,39}$'),
    title          text NOT NULL DEFAULT '',        -- '' for the only variant of a product
    title_en       text NOT NULL DEFAULT '',
    price          bigint NOT NULL CHECK (price BETWEEN 1 AND 1000000000),
    material_cost  bigint CHECK (material_cost BETWEEN 0 AND 1000000000),  -- for one piece; null: unknown
    weight_g       integer NOT NULL CHECK (weight_g BETWEEN 1 AND 1000000),
    made_to_order  boolean NOT NULL DEFAULT false,
    lead_time_days integer CHECK (lead_time_days BETWEEN 1 AND 365),
    position       integer NOT NULL DEFAULT 0,
    is_active      boolean NOT NULL DEFAULT true,
    CHECK (NOT made_to_order OR lead_time_days IS NOT NULL)
);
CREATE INDEX variants_product ON variants (product_id, position);

CREATE TABLE photos (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    position   integer NOT NULL DEFAULT 0,
    key        text NOT NULL,                       -- stem of the files: <key>-<width>.avif and .webp
    widths     integer[] NOT NULL CHECK (cardinality(widths) > 0),
    width      integer NOT NULL CHECK (width > 0),
    height     integer NOT NULL CHECK (height > 0),
    tint       text NOT NULL DEFAULT 'c1' CHECK (tint IN ('c1', 'c2', 'c3', 'c4')),
    alt        text NOT NULL CHECK (length(alt) BETWEEN 3 AND 250),
    alt_en     text NOT NULL DEFAULT '',
    UNIQUE (product_id, position) DEFERRABLE INITIALLY IMMEDIATE
);

-- Short links on labels and stands: /p/<code>.
CREATE TABLE short_codes (
    code   text PRIMARY KEY CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{6,12}$'),
    kind   text NOT NULL CHECK (kind IN ('variant', 'parcel')),
    target bigint NOT NULL,
    UNIQUE (kind, target)
);

-- What the title search knows. The trigger keeps `search` true whoever writes the row.
CREATE FUNCTION products_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    around text;
BEGIN
    SELECT concat_ws(' ', f.name, f.city, w.name, c.name, c.name_en) INTO around
      FROM facilities f, workshops w, categories c
     WHERE f.id = NEW.facility_id AND w.id = NEW.workshop_id AND c.id = NEW.category_id;
    NEW.search := setweight(to_tsvector('indonesian', NEW.title), 'A')
               || setweight(to_tsvector('english', NEW.title_en), 'A')
               || setweight(to_tsvector('simple', NEW.title || ' ' || NEW.title_en), 'B')
               || setweight(to_tsvector('indonesian', COALESCE(around, '')), 'C')
               || setweight(to_tsvector('simple', COALESCE(around, '')), 'C')
               || setweight(to_tsvector('indonesian', NEW.description), 'D')
               || setweight(to_tsvector('english', NEW.description_en), 'D');
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER products_search_text BEFORE INSERT OR UPDATE OF
    title, title_en, description, description_en, facility_id, workshop_id, category_id
    ON products FOR EACH ROW EXECUTE FUNCTION products_search_text();

CREATE FUNCTION products_search_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'facilities' THEN
        UPDATE products SET title = title WHERE facility_id = NEW.id;
    ELSIF TG_TABLE_NAME = 'workshops' THEN
        UPDATE products SET title = title WHERE workshop_id = NEW.id;
    ELSE
        UPDATE products SET title = title WHERE category_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER facilities_search AFTER UPDATE OF name, city ON facilities
    FOR EACH ROW WHEN (OLD.name <> NEW.name OR OLD.city <> NEW.city) EXECUTE FUNCTION products_search_again();
CREATE TRIGGER workshops_search AFTER UPDATE OF name ON workshops
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION products_search_again();
CREATE TRIGGER categories_search AFTER UPDATE OF name, name_en ON categories
    FOR EACH ROW WHEN (OLD.name <> NEW.name OR OLD.name_en <> NEW.name_en)
    EXECUTE FUNCTION products_search_again();

-- Words of published products, whole, for typing errors (PARTS.md, "Search at 100,000 titles").
CREATE TABLE search_words (
    word      text PRIMARY KEY,
    frequency integer NOT NULL
);
CREATE INDEX search_words_similar ON search_words USING gin (word gin_trgm_ops);

CREATE FUNCTION refresh_search_words() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM search_words;
    INSERT INTO search_words (word, frequency)
    SELECT word, nentry FROM ts_stat($q$
        SELECT to_tsvector('simple', p.title || ' ' || p.title_en || ' ' || c.name || ' ' || f.city)
          FROM products p JOIN categories c ON c.id = p.category_id JOIN facilities f ON f.id = p.facility_id
         WHERE p.status = 'published' $q$)
     WHERE length(word) >= 3 AND word !~ '[0-9]';
$$;

-- Pages cached in a process carry this number in their key. It rises with each edit of what the public
-- sees, in the editing transaction itself; a purchase touches none of these tables.
CREATE TABLE catalogue_version (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version   bigint NOT NULL DEFAULT 1,
    raised_by xid8                                 -- one step for each transaction, however many rows it edits
);
INSERT INTO catalogue_version DEFAULT VALUES;

CREATE FUNCTION catalogue_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE catalogue_version SET version = version + 1, raised_by = pg_current_xact_id()
     WHERE raised_by IS DISTINCT FROM pg_current_xact_id();
    IF FOUND THEN PERFORM pg_notify('catalogue', ''); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON facilities
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON workshops
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON variants
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON photos
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON exhibitions
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
