-- What a product's page says: facts, sizes, food and its papers, when goods leave, whether the workshop may sell, and
-- who wants to be told when something is back.

-- Which of a product's pictures shows a variant; several sizes may share one.
ALTER TABLE photos ADD UNIQUE (id, product_id);
ALTER TABLE variants
    ADD COLUMN photo_id bigint,
    ADD FOREIGN KEY (photo_id, product_id) REFERENCES photos (id, product_id) ON DELETE SET NULL (photo_id);
CREATE INDEX variants_photo ON variants (photo_id) WHERE photo_id IS NOT NULL;

-- A workshop's newest, for *karya lain dari bengkel ini*.
CREATE INDEX products_workshop_newest ON products (workshop_id, published_at DESC, id DESC) WHERE status = 'published';

-- Days on which nothing is packed, beside Saturdays and Sundays; each year's come by decree.
CREATE TABLE holidays (
    day            date PRIMARY KEY,
    name           text NOT NULL CHECK (length(name) BETWEEN 3 AND 80),
    name_en        text NOT NULL CHECK (length(name_en) BETWEEN 3 AND 80),
    is_joint_leave boolean NOT NULL DEFAULT false,  -- cuti bersama
    source         text NOT NULL
);
INSERT INTO holidays (day, name, name_en, is_joint_leave, source)
SELECT day::date, name, name_en, leave, 'SKB Tiga Menteri tentang hari libur nasional dan cuti bersama tahun 2026'
  FROM (VALUES
    ('2026-01-01', 'Tahun Baru Masehi', 'New Year', false),
    ('2026-01-16', 'Isra Mikraj', 'Ascension of the Prophet', false),
    ('2026-02-16', 'Cuti bersama Imlek', 'Joint leave, Chinese New Year', true),
    ('2026-02-17', 'Tahun Baru Imlek', 'Chinese New Year', false),
    ('2026-03-18', 'Cuti bersama Nyepi', 'Joint leave, Nyepi', true),
    ('2026-03-19', 'Hari Suci Nyepi', 'Nyepi', false),
    ('2026-03-20', 'Cuti bersama Idulfitri', 'Joint leave, Eid al-Fitr', true),
    ('2026-03-21', 'Idulfitri', 'Eid al-Fitr', false),
    ('2026-03-22', 'Idulfitri, hari kedua', 'Eid al-Fitr, second day', false),
    ('2026-03-23', 'Cuti bersama Idulfitri', 'Joint leave, Eid al-Fitr', true),
    ('2026-03-24', 'Cuti bersama Idulfitri', 'Joint leave, Eid al-Fitr', true),
    ('2026-04-03', 'Wafat Yesus Kristus', 'Good Friday', false),
    ('2026-04-05', 'Kebangkitan Yesus Kristus', 'Easter', false),
    ('2026-05-01', 'Hari Buruh Internasional', 'Labour Day', false),
    ('2026-05-14', 'Kenaikan Yesus Kristus', 'Ascension Day', false),
    ('2026-05-15', 'Cuti bersama Kenaikan Yesus Kristus', 'Joint leave, Ascension Day', true),
    ('2026-05-27', 'Iduladha', 'Eid al-Adha', false),
    ('2026-05-28', 'Cuti bersama Iduladha', 'Joint leave, Eid al-Adha', true),
    ('2026-05-31', 'Hari Raya Waisak', 'Vesak', false),
    ('2026-06-01', 'Hari Lahir Pancasila', 'Pancasila Day', false),
    ('2026-06-16', 'Tahun Baru Islam', 'Islamic New Year', false),
    ('2026-08-17', 'Proklamasi Kemerdekaan', 'Independence Day', false),
    ('2026-08-25', 'Maulid Nabi Muhammad', 'Birthday of the Prophet', false),
    ('2026-12-24', 'Cuti bersama Natal', 'Joint leave, Christmas', true),
    ('2026-12-25', 'Kelahiran Yesus Kristus', 'Christmas', false)) year (day, name, name_en, leave);
-- Of later years those that fall on the same day each year; the others are added when their decree is known.
INSERT INTO holidays (day, name, name_en, source)
SELECT make_date(year, month, day_of), name, name_en, 'tanggal tetap menurut Keppres 8/2024'
  FROM generate_series(2027, 2030) year, (VALUES
    (1, 1, 'Tahun Baru Masehi', 'New Year'), (5, 1, 'Hari Buruh Internasional', 'Labour Day'),
    (6, 1, 'Hari Lahir Pancasila', 'Pancasila Day'), (8, 17, 'Proklamasi Kemerdekaan', 'Independence Day'),
    (12, 25, 'Kelahiran Yesus Kristus', 'Christmas')) fixed (month, day_of, name, name_en);

-- Sizes as rows × columns, for one product or for all of a category; a product's own comes first.
CREATE TABLE size_tables (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id  bigint UNIQUE REFERENCES products ON DELETE CASCADE,
    category_id bigint UNIQUE REFERENCES categories ON DELETE CASCADE,
    title       text NOT NULL CHECK (length(title) BETWEEN 3 AND 80),
    title_en    text NOT NULL DEFAULT '' CHECK (length(title_en) <= 80),
    columns     text[] NOT NULL CHECK (cardinality(columns) BETWEEN 1 AND 8),
    columns_en  text[] NOT NULL DEFAULT '{}',       -- empty: as in Indonesian
    rows        text[] NOT NULL CHECK (cardinality(rows) BETWEEN 1 AND 30),
    cells       text[] NOT NULL,                    -- one list for each row
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 300),
    note_en     text NOT NULL DEFAULT '' CHECK (length(note_en) <= 300),
    CHECK (num_nonnulls(product_id, category_id) = 1),
    CHECK (cardinality(columns_en) IN (0, cardinality(columns))),
    CHECK (COALESCE(array_ndims(cells) = 2 AND array_length(cells, 1) = cardinality(rows)
                    AND array_length(cells, 2) = cardinality(columns), false)),
    CHECK (array_position(columns, NULL) IS NULL AND array_position(rows, NULL) IS NULL)
);

-- What else is to be said of a product, label and value: what it is made of, how to care for it, measures.
CREATE TABLE product_facts (
    product_id bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    position   integer NOT NULL CHECK (position > 0),
    kind       text NOT NULL CHECK (kind IN ('material', 'care', 'detail')),
    label      text NOT NULL CHECK (length(label) BETWEEN 2 AND 60),
    label_en   text NOT NULL DEFAULT '' CHECK (length(label_en) <= 60),
    value      text NOT NULL CHECK (length(value) BETWEEN 1 AND 400),
    value_en   text NOT NULL DEFAULT '' CHECK (length(value_en) <= 400),
    PRIMARY KEY (product_id, position)
);

-- What a pack of food must say. Its batches, with a day each, are packed goods; here is what holds for all of them.
CREATE TABLE product_foods (
    product_id      bigint PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    composition     text NOT NULL CHECK (length(composition) BETWEEN 3 AND 1000),
    composition_en  text NOT NULL DEFAULT '' CHECK (length(composition_en) <= 1000),
    net_amount      integer NOT NULL CHECK (net_amount BETWEEN 1 AND 1000000),
    net_unit        text NOT NULL CHECK (net_unit IN ('g', 'ml', 'pcs')),
    shelf_life_days integer CHECK (shelf_life_days BETWEEN 1 AND 3650),
    best_before     date,                           -- of what lies in the store, when it is one batch
    storage         text NOT NULL CHECK (length(storage) BETWEEN 3 AND 300),
    storage_en      text NOT NULL DEFAULT '' CHECK (length(storage_en) <= 300),
    allergens       text NOT NULL DEFAULT '' CHECK (length(allergens) <= 300),      -- '': none
    allergens_en    text NOT NULL DEFAULT '' CHECK (length(allergens_en) <= 300),
    CHECK (num_nonnulls(shelf_life_days, best_before) > 0)
);

-- Papers behind a claim. A claim never stands without its number; what is *tidak halal* is told without one
-- (law 33/2014, article 26).
CREATE TABLE product_papers (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id   bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('halal', 'not_halal', 'pirt', 'bpom', 'cosmetic', 'svlk')),
    number       text NOT NULL DEFAULT '' CHECK (length(number) <= 60),
    issued_by    text NOT NULL DEFAULT '' CHECK (length(issued_by) <= 120),
    valid_until  date,                              -- null: until it is taken back
    document_key text,
    UNIQUE (product_id, kind),
    CHECK (CASE kind WHEN 'not_halal' THEN number = ''
                     WHEN 'halal'     THEN number ~ '^(ID)?[0-9]{11,20}$'
                     WHEN 'pirt'      THEN number ~ '^[0-9]{13,15}(-[0-9]{2})?$'
                     WHEN 'bpom'      THEN number ~ '^(MD|ML)[0-9]{9,15}$'
                     WHEN 'cosmetic'  THEN number ~ '^N[A-E][0-9]{11}$'
                     ELSE number ~ '^[A-Z0-9][A-Z0-9./ -]{4,59}$' END)
);
CREATE UNIQUE INDEX product_papers_halal_or_not ON product_papers (product_id) WHERE kind IN ('halal', 'not_halal');

-- What a product of a category must say before it is shown: facts, or papers (`registration`: P-IRT or BPOM;
-- `halal`: a certificate or the words *tidak halal*).
CREATE TABLE category_needs (
    category_id bigint NOT NULL REFERENCES categories ON DELETE CASCADE,
    need        text NOT NULL CHECK (need IN ('food', 'registration', 'halal', 'cosmetic', 'svlk', 'material', 'care', 'sizes')),
    PRIMARY KEY (category_id, need)
);

-- A workshop's fair-work declaration: yearly, proposed by the facility, approved by the office, public.
CREATE TABLE workshop_declarations (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workshop_id        bigint NOT NULL REFERENCES workshops,
    valid_from         date NOT NULL,
    valid_until        date NOT NULL,
    is_voluntary       boolean NOT NULL CHECK (is_voluntary),  -- and may be stopped without penalty
    hours_per_day      smallint NOT NULL CHECK (hours_per_day BETWEEN 1 AND 8),
    days_per_week      smallint NOT NULL CHECK (days_per_week BETWEEN 1 AND 6),
    safety_gear        text NOT NULL CHECK (length(safety_gear) BETWEEN 10 AND 600),
    safety_gear_en     text NOT NULL DEFAULT '' CHECK (length(safety_gear_en) <= 600),
    accident_cover     text NOT NULL CHECK (length(accident_cover) BETWEEN 10 AND 600),
    accident_cover_en  text NOT NULL DEFAULT '' CHECK (length(accident_cover_en) <= 600),
    premium            text NOT NULL CHECK (length(premium) BETWEEN 10 AND 600),
    premium_en         text NOT NULL DEFAULT '' CHECK (length(premium_en) <= 600),
    complaints         text NOT NULL CHECK (length(complaints) BETWEEN 10 AND 600),
    complaints_en      text NOT NULL DEFAULT '' CHECK (length(complaints_en) <= 600),
    private_partner    text NOT NULL DEFAULT '' CHECK (length(private_partner) <= 300),     -- '': none
    private_partner_en text NOT NULL DEFAULT '' CHECK (length(private_partner_en) <= 300),
    document_key       text,
    state              text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected', 'ended')),
    proposed_by        bigint NOT NULL REFERENCES people,
    proposed_at        timestamptz NOT NULL DEFAULT now(),
    approved_by        bigint REFERENCES people,
    approved_at        timestamptz,
    rejected_by        bigint REFERENCES people,
    rejected_at        timestamptz,
    ended_by           bigint REFERENCES people,
    ended_at           timestamptz,
    reason             text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),  -- why it was sent back or ended
    CHECK (valid_until > valid_from AND valid_until <= valid_from + interval '1 year'),
    CHECK (approved_by <> proposed_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK ((state IN ('approved', 'ended')) = (approved_by IS NOT NULL)),
    CHECK ((state = 'rejected') = (rejected_by IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_by IS NOT NULL)),
    CHECK (state NOT IN ('rejected', 'ended') OR length(reason) >= 10),
    CONSTRAINT workshop_declarations_one_in_force EXCLUDE USING gist
        (workshop_id WITH =, daterange(valid_from, valid_until, '[]') WITH &&) WHERE (state = 'approved')
);
CREATE UNIQUE INDEX workshop_declarations_one_proposed ON workshop_declarations (workshop_id) WHERE state = 'proposed';

CREATE FUNCTION keep_declaration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' THEN
            RAISE EXCEPTION 'a declaration begins as a proposal' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (to_jsonb(OLD) - '{state,approved_by,approved_at,rejected_by,rejected_at,ended_by,ended_at,reason}'::text[])
       <> (to_jsonb(NEW) - '{state,approved_by,approved_at,rejected_by,rejected_at,ended_by,ended_at,reason}'::text[]) THEN
        RAISE EXCEPTION 'what was declared stays as it was declared: propose another' USING ERRCODE = 'restrict_violation';
    ELSIF (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('proposed', 'rejected'), ('approved', 'ended')) THEN
        RAISE EXCEPTION 'a declaration cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    ELSIF OLD.approved_by IS NOT NULL AND (OLD.approved_by, OLD.approved_at) <> (NEW.approved_by, NEW.approved_at) THEN
        RAISE EXCEPTION 'who approved a declaration stays' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER workshop_declarations_keep BEFORE INSERT OR UPDATE ON workshop_declarations
    FOR EACH ROW EXECUTE FUNCTION keep_declaration();

-- Workshops that sold before declarations were asked for may go on until this day; new ones need theirs first.
ALTER TABLE workshops ADD COLUMN sells_undeclared_until date;
UPDATE workshops SET sells_undeclared_until = accounting_date(now()) + 90;

CREATE FUNCTION workshop_may_sell(workshop bigint, on_day date) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM workshop_declarations
                    WHERE workshop_id = workshop AND state = 'approved' AND on_day BETWEEN valid_from AND valid_until)
        OR EXISTS (SELECT FROM workshops WHERE id = workshop AND sells_undeclared_until >= on_day);
$$;

-- The last day on which it may sell without a gap, from `on_day` on; null: it may not sell on that day.
CREATE FUNCTION selling_ends_on(workshop bigint, on_day date) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH RECURSIVE until (day) AS (
        SELECT on_day - 1
         UNION
        SELECT next.day FROM until CROSS JOIN LATERAL (
            SELECT max(last) AS day FROM (
                SELECT valid_until AS last FROM workshop_declarations
                 WHERE workshop_id = workshop AND state = 'approved' AND valid_from <= until.day + 1
                 UNION ALL
                SELECT sells_undeclared_until FROM workshops WHERE id = workshop) lasts) next
         WHERE next.day > until.day
    ) SELECT NULLIF(max(day), on_day - 1) FROM until;
$$;

-- Whoever writes a listing: it is there only while its workshop may sell.
CREATE FUNCTION list_declared_only() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF workshop_may_sell((SELECT workshop_id FROM products WHERE id = NEW.product_id), accounting_date(now())) THEN
        RETURN NEW;
    END IF;
    DELETE FROM listings WHERE product_id = NEW.product_id;
    RETURN NULL;
END $$;
CREATE TRIGGER listings_declared BEFORE INSERT ON listings FOR EACH ROW EXECUTE FUNCTION list_declared_only();

CREATE FUNCTION declared_listings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM refresh_listing(p.id) FROM products p
      WHERE p.status = 'published'
        AND CASE TG_TABLE_NAME WHEN 'products' THEN p.id = NEW.id
                               WHEN 'workshops' THEN p.workshop_id = NEW.id
                               ELSE p.workshop_id = (to_jsonb(NEW) ->> 'workshop_id')::bigint END;
    RETURN NULL;
END $$;
CREATE TRIGGER declared_listings AFTER UPDATE OF state ON workshop_declarations
    FOR EACH ROW EXECUTE FUNCTION declared_listings();
CREATE TRIGGER declared_listings AFTER UPDATE OF sells_undeclared_until ON workshops
    FOR EACH ROW EXECUTE FUNCTION declared_listings();
CREATE TRIGGER declared_listings AFTER UPDATE OF workshop_id ON products
    FOR EACH ROW WHEN (OLD.workshop_id <> NEW.workshop_id) EXECUTE FUNCTION declared_listings();

-- What a new day changes: listings of workshops whose declaration has begun or ended. Returns how many products.
CREATE FUNCTION refresh_declared_listings() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    products_changed integer;
BEGIN
    WITH workshop AS MATERIALIZED (
        SELECT id, workshop_may_sell(id, accounting_date(now())) AS may_sell FROM workshops
    ), changed AS MATERIALIZED (
        SELECT p.id FROM workshop w JOIN products p ON p.workshop_id = w.id AND p.status = 'published'
          LEFT JOIN listings l ON l.product_id = p.id
          JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
         WHERE w.may_sell <> (l.product_id IS NOT NULL)
           AND EXISTS (SELECT FROM variants v WHERE v.product_id = p.id AND v.is_active)
    ), done AS (SELECT id, refresh_listing(id)::text FROM changed)
    SELECT count(*) INTO products_changed FROM done;
    IF products_changed > 0 THEN
        UPDATE catalogue_version SET version = version + 1, raised_by = pg_current_xact_id()
         WHERE raised_by IS DISTINCT FROM pg_current_xact_id();
        PERFORM pg_notify('catalogue', '');
    END IF;
    RETURN products_changed;
END $$;

-- One row for each end that a facility was reminded of.
CREATE TABLE declaration_reminders (
    workshop_id bigint NOT NULL REFERENCES workshops,
    ends_on     date NOT NULL,                      -- the last day on which it may sell
    queued_at   timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    PRIMARY KEY (workshop_id, ends_on)
);

-- Who wants to be told when something is back. Nobody is written to twice, and nothing stays once they were told.
CREATE TABLE stock_alerts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant_id   bigint NOT NULL REFERENCES variants ON DELETE CASCADE,
    email        text NOT NULL CHECK (length(email) BETWEEN 5 AND 254 AND email = lower(email)),
    locale       text NOT NULL CHECK (locale IN ('id', 'en')),
    network      bytea,                             -- keyed hash, for limits
    created_at   timestamptz NOT NULL DEFAULT now(),
    asked_at     timestamptz,                       -- the letter that asks for their word went
    confirmed_at timestamptz,                       -- they gave it
    UNIQUE (email, variant_id)
);
CREATE INDEX stock_alerts_variant ON stock_alerts (variant_id);
CREATE INDEX stock_alerts_network ON stock_alerts (network, created_at);

CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON holidays
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON size_tables
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON product_facts
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON product_foods
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON product_papers
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
CREATE TRIGGER catalogue_changed AFTER UPDATE ON workshop_declarations
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();
