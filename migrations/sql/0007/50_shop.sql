-- The shop's own administration: its tree of categories, rates from a day on, what was backed up.

-- A category that is no longer used stays for what was sold in it. What it held may have gone into another, whose page
-- its address leads to from then on.
ALTER TABLE categories
    ADD COLUMN archived_at    timestamptz,
    ADD COLUMN merged_into_id bigint REFERENCES categories,
    ADD CHECK (merged_into_id <> id),
    ADD CHECK (merged_into_id IS NULL OR archived_at IS NOT NULL);
CREATE INDEX categories_merged ON categories (merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX categories_parent ON categories (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX products_any_category ON products (category_id);

-- What is wrong with the tree. Two levels: the menus of the shop show no more.
CREATE FUNCTION category_faults() RETURNS TABLE (category_id bigint, fault text) LANGUAGE sql STABLE AS $$
    SELECT c.id, 'too deep' FROM categories c JOIN categories p ON p.id = c.parent_id
     WHERE c.archived_at IS NULL AND p.parent_id IS NOT NULL
    UNION ALL
    SELECT c.id, 'below an archived one' FROM categories c JOIN categories p ON p.id = c.parent_id
     WHERE c.archived_at IS NULL AND p.archived_at IS NOT NULL
    UNION ALL
    SELECT c.id, 'merged into an archived one' FROM categories c JOIN categories t ON t.id = c.merged_into_id
     WHERE t.archived_at IS NOT NULL
    UNION ALL
    SELECT c.id, 'archived with products' FROM categories c
     WHERE c.archived_at IS NOT NULL AND EXISTS (SELECT FROM products p WHERE p.category_id = c.id)
$$;

-- Two people at once: the second waits for the first, and then sees what it did.
CREATE FUNCTION categories_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('categories'));
    SELECT * INTO wrong FROM category_faults() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'category %: %', wrong.category_id, wrong.fault USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER categories_whole AFTER INSERT OR UPDATE OF parent_id, archived_at, merged_into_id ON categories
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL OR NEW.archived_at IS NOT NULL)
    EXECUTE FUNCTION categories_whole();

-- Where what names a category belongs now. It holds the category until the transaction ends: who merges or archives
-- waits for whoever is saving into it, and whoever comes later is led on.
CREATE FUNCTION living_category(asked bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    here categories;
BEGIN
    LOOP
        SELECT * INTO here FROM categories WHERE id = asked FOR KEY SHARE;
        EXIT WHEN here.merged_into_id IS NULL;
        asked := here.merged_into_id;
    END LOOP;
    RETURN CASE WHEN here.archived_at IS NULL THEN here.id END;
END $$;

CREATE FUNCTION products_category() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    living bigint := living_category(NEW.category_id);
BEGIN
    IF living IS NULL AND EXISTS (SELECT FROM categories WHERE id = NEW.category_id) THEN
        RAISE EXCEPTION 'category % is archived', NEW.category_id USING ERRCODE = 'check_violation';
    END IF;
    NEW.category_id := COALESCE(living, NEW.category_id);
    RETURN NEW;
END $$;
-- Its name comes before `products_search_text`, which reads the category.
CREATE TRIGGER products_category BEFORE INSERT OR UPDATE OF category_id ON products
    FOR EACH ROW EXECUTE FUNCTION products_category();

-- Drafts name their category as it was chosen from a list.
CREATE FUNCTION draft_category() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    living bigint;
BEGIN
    IF NEW.content ->> 'category' ~ '^[0-9]{1,15}$' THEN
        living := living_category((NEW.content ->> 'category')::bigint);
        IF living IS NOT NULL AND living::text <> NEW.content ->> 'category' THEN
            NEW.content := jsonb_set(NEW.content, '{category}', to_jsonb(living::text));
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER draft_category BEFORE INSERT OR UPDATE OF content ON listing_drafts
    FOR EACH ROW EXECUTE FUNCTION draft_category();

-- What was done for the shop beside it and is asked about later: backups, the nightly proof. The scripts and the
-- commands that do it write a line when they end.
CREATE TABLE upkeep (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text NOT NULL CHECK (kind IN ('backup', 'base_backup', 'verify')),
    ended_at timestamptz NOT NULL DEFAULT now(),
    is_good  boolean NOT NULL DEFAULT true,
    note     text NOT NULL DEFAULT '' CHECK (length(note) <= 300)   -- where it lies and how large, or what is broken
);
CREATE INDEX upkeep_latest ON upkeep (kind, ended_at DESC);
CREATE TRIGGER upkeep_append_only BEFORE UPDATE OR DELETE ON upkeep FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Files of rates, or of the zones of provinces, as they were uploaded: looked at against what holds now, then applied as
-- one act. Rates hold from the moment they are applied; an order keeps the amount it was placed with.
CREATE TABLE rate_files (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('rates', 'zones')),
    name        text NOT NULL CHECK (length(name) <= 200),
    rows        jsonb NOT NULL CHECK (jsonb_typeof(rows) = 'array' AND length(rows::text) <= 4000000),
    remarks     jsonb NOT NULL DEFAULT '[]',                -- what the reader said of single rows
    reverts_id  bigint REFERENCES rate_files,               -- whose earlier state it brings back; null: a file of somebody
    uploaded_by bigint NOT NULL REFERENCES people,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    applied_by  bigint REFERENCES people,
    applied_at  timestamptz,
    before      jsonb,                                      -- all rows as they were when it was applied
    changes     integer CHECK (changes > 0),
    CHECK (num_nonnulls(applied_by, applied_at, before, changes) IN (0, 4))
);
CREATE INDEX rate_files_reverts ON rate_files (reverts_id) WHERE reverts_id IS NOT NULL;
CREATE FUNCTION rate_files_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.applied_at IS NOT NULL OR (NEW.kind, NEW.rows, NEW.uploaded_by) IS DISTINCT FROM
       (OLD.kind, OLD.rows, OLD.uploaded_by) THEN
        RAISE EXCEPTION 'file % of rates is kept as it is', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rate_files_keep BEFORE UPDATE ON rate_files FOR EACH ROW EXECUTE FUNCTION rate_files_keep();
-- Pages that say what sending costs follow at once.
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON shipping_rates
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER UPDATE OF zone_id ON provinces
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
