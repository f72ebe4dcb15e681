-- What facilities, workshops and categories were called before, so that a file of a past moment names them as it did
-- then. A row is written when something is renamed; what was never renamed has none.
CREATE TABLE former_names (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_kind text NOT NULL CHECK (subject_kind IN ('facilities', 'workshops', 'categories')),
    subject_id   bigint NOT NULL,
    -- From then on it was called otherwise. By the clock, not by the transaction's start: an export waits for whoever
    -- holds a writer's lock on this table (exports/moment.py), and the lock is taken before this is read.
    until        timestamptz NOT NULL DEFAULT clock_timestamp(),
    named        jsonb NOT NULL                             -- columns of the subject, as they were
);
CREATE INDEX former_names_subject ON former_names (subject_kind, subject_id, until, id);
CREATE TRIGGER former_names_append_only BEFORE UPDATE OR DELETE ON former_names
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER former_names_no_truncate BEFORE TRUNCATE ON former_names
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Its arguments are the columns that are kept.
CREATE FUNCTION keep_former_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(OLD)) WHERE key = ANY (TG_ARGV));
BEGIN
    IF NOT to_jsonb(NEW) @> before THEN
        INSERT INTO former_names (subject_kind, subject_id, named) VALUES (TG_TABLE_NAME, OLD.id, before);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER facilities_former_name AFTER UPDATE OF name, regional_office, city ON facilities
    FOR EACH ROW EXECUTE FUNCTION keep_former_name('name', 'regional_office', 'city');
CREATE TRIGGER workshops_former_name AFTER UPDATE OF name ON workshops
    FOR EACH ROW EXECUTE FUNCTION keep_former_name('name');
CREATE TRIGGER categories_former_name AFTER UPDATE OF slug, name, name_en ON categories
    FOR EACH ROW EXECUTE FUNCTION keep_former_name('slug', 'name', 'name_en');

-- What a subject was called at a moment; null where it is called so still, or at no moment.
CREATE FUNCTION former_name(kind text, subject bigint, moment timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT n.named FROM former_names n
     WHERE n.subject_kind = kind AND n.subject_id = subject AND n.until > moment
     ORDER BY n.until, n.id LIMIT 1
$$;
CREATE FUNCTION facilities_at(moment timestamptz)
RETURNS TABLE (id bigint, code text, name text, regional_office text, city text) LANGUAGE sql STABLE AS $$
    SELECT f.id, f.code, COALESCE(n.named ->> 'name', f.name),
           COALESCE(n.named ->> 'regional_office', f.regional_office), COALESCE(n.named ->> 'city', f.city)
      FROM facilities f CROSS JOIN LATERAL (SELECT former_name('facilities', f.id, moment) AS named) n
$$;
CREATE FUNCTION workshops_at(moment timestamptz) RETURNS TABLE (id bigint, facility_id bigint, name text)
LANGUAGE sql STABLE AS $$
    SELECT w.id, w.facility_id, COALESCE(former_name('workshops', w.id, moment) ->> 'name', w.name) FROM workshops w
$$;
CREATE FUNCTION categories_at(moment timestamptz) RETURNS TABLE (id bigint, slug text, name text, name_en text)
LANGUAGE sql STABLE AS $$
    SELECT c.id, COALESCE(n.named ->> 'slug', c.slug), COALESCE(n.named ->> 'name', c.name),
           COALESCE(n.named ->> 'name_en', c.name_en)
      FROM categories c CROSS JOIN LATERAL (SELECT former_name('categories', c.id, moment) AS named) n
$$;
