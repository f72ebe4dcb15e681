-- Finding: what each process keeps of the listings follows their changes; synonyms; searches that found nothing.

-- What lists are filtered and sorted by besides: the commodity group, and what buyers said. The workshop: what a
-- facility's page counts, without reading all that it sells.
ALTER TABLE listings
    ADD COLUMN commodity_group_id bigint,
    ADD COLUMN workshop_id bigint,
    ADD COLUMN stars   bigint  NOT NULL DEFAULT 0,  -- sum of the stars of its public reviews
    ADD COLUMN reviews integer NOT NULL DEFAULT 0,
    -- The transaction that last changed the row or the words that find its product. Whoever keeps a copy reads
    -- `changed_in >= pg_snapshot_xmin` of the last reading: nothing committed in between is missed.
    ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();

-- The same for what left the list.
CREATE TABLE listings_gone (
    product_id bigint PRIMARY KEY,
    gone_in    xid8 NOT NULL
);
CREATE INDEX listings_gone_in ON listings_gone (gone_in);

CREATE FUNCTION listing_stamped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER listing_stamped BEFORE INSERT OR UPDATE ON listings FOR EACH ROW EXECUTE FUNCTION listing_stamped();

CREATE FUNCTION listing_gone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO listings_gone (product_id, gone_in) VALUES (OLD.product_id, pg_current_xact_id())
        ON CONFLICT (product_id) DO UPDATE SET gone_in = excluded.gone_in;
    RETURN NULL;
END $$;
CREATE TRIGGER listing_gone AFTER DELETE ON listings FOR EACH ROW EXECUTE FUNCTION listing_gone();

CREATE OR REPLACE FUNCTION refresh_listing(product bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH offer AS (
        SELECT p.id, p.facility_id, p.category_id, p.published_at, min(v.price) AS price_from, max(v.price) AS price_to,
               CASE WHEN bool_or(NOT v.made_to_order AND s.shown_state = 'ready')    THEN 'ready'
                    WHEN bool_or(NOT v.made_to_order AND s.shown_state = 'few_left') THEN 'few_left'
                    WHEN bool_or(v.made_to_order)                                    THEN 'made_to_order'
                    ELSE 'sold_out' END AS state,
               min(v.lead_time_days) FILTER (WHERE v.made_to_order) AS lead_time_days,
               p.commodity_group_id, COALESCE(max(r.stars), 0) AS stars, COALESCE(max(r.reviews), 0) AS reviews,
               p.workshop_id
          FROM products p
          JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
          JOIN variants v ON v.product_id = p.id AND v.is_active
          LEFT JOIN stock_locations l ON l.facility_id = p.facility_id
          LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
          LEFT JOIN product_ratings r ON r.product_id = p.id
         WHERE p.id = product AND p.status = 'published'
         GROUP BY p.id
    ), gone AS (
        DELETE FROM listings WHERE product_id = product AND NOT EXISTS (SELECT FROM offer)
    )
    INSERT INTO listings AS here (product_id, facility_id, category_id, published_at, price_from, price_to, state,
                                  lead_time_days, commodity_group_id, stars, reviews, workshop_id)
    SELECT * FROM offer
    ON CONFLICT (product_id) DO UPDATE SET
        facility_id = excluded.facility_id, category_id = excluded.category_id, published_at = excluded.published_at,
        price_from = excluded.price_from, price_to = excluded.price_to, state = excluded.state,
        lead_time_days = excluded.lead_time_days, commodity_group_id = excluded.commodity_group_id,
        stars = excluded.stars, reviews = excluded.reviews, workshop_id = excluded.workshop_id
     WHERE (here.facility_id, here.category_id, here.published_at, here.price_from, here.price_to, here.state,
            here.lead_time_days, here.commodity_group_id, here.stars, here.reviews, here.workshop_id)
           IS DISTINCT FROM
           (excluded.facility_id, excluded.category_id, excluded.published_at, excluded.price_from, excluded.price_to,
            excluded.state, excluded.lead_time_days, excluded.commodity_group_id, excluded.stars, excluded.reviews,
            excluded.workshop_id);
$$;

-- Products that move to another workshop are refreshed by the trigger `declared_listings`.
CREATE OR REPLACE TRIGGER listing_changed
    AFTER INSERT OR UPDATE OF status, published_at, facility_id, category_id, commodity_group_id ON products
    FOR EACH ROW EXECUTE FUNCTION listing_changed();

-- Other words find it: its row stays as it is, but for the stamp.
CREATE FUNCTION listing_words_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE listings SET changed_in = pg_current_xact_id() WHERE product_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER listing_words_changed AFTER UPDATE ON products
    FOR EACH ROW WHEN (OLD.search IS DISTINCT FROM NEW.search) EXECUTE FUNCTION listing_words_changed();

CREATE FUNCTION listing_rated() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM refresh_listing(OLD.product_id); END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.product_id <> OLD.product_id) THEN
        PERFORM refresh_listing(NEW.product_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER listing_rated AFTER INSERT OR UPDATE OR DELETE ON product_ratings
    FOR EACH ROW EXECUTE FUNCTION listing_rated();
CREATE TRIGGER listing_rated_shows AFTER INSERT OR UPDATE OR DELETE ON product_ratings
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

UPDATE listings l SET commodity_group_id = p.commodity_group_id, workshop_id = p.workshop_id,
                      stars = COALESCE(r.stars, 0), reviews = COALESCE(r.reviews, 0)
  FROM products p LEFT JOIN product_ratings r ON r.product_id = p.id WHERE p.id = l.product_id;
ALTER TABLE listings ALTER COLUMN workshop_id SET NOT NULL;

CREATE INDEX listings_changed ON listings (changed_in);
-- Pages by price are cut out of what the process keeps.
DROP INDEX listings_price;
-- Titles alone: what stands there comes before what is only described so.
CREATE INDEX products_title ON products USING gin (ts_filter(search, '{a,b}')) WHERE status = 'published';

-- A word that is new to the shop can be mistyped at once; how frequent words are is counted anew every hour.
CREATE FUNCTION search_words_met() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO search_words (word, frequency)
    SELECT DISTINCT word, 1 FROM written p, unnest(tsvector_to_array(to_tsvector('simple', p.title || ' ' || p.title_en))) word
     WHERE p.status = 'published' AND length(word) >= 3 AND word !~ '[0-9]'
     ORDER BY word
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE INDEX search_words_start ON search_words (word text_pattern_ops);
CREATE TRIGGER search_words_met AFTER INSERT ON products
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION search_words_met();
CREATE TRIGGER search_words_met_again AFTER UPDATE ON products
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION search_words_met();

-- Words that mean the same, kept by curators: who asks for one of a group is shown what any of them finds.
CREATE TABLE synonym_groups (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz,                         -- both null: as it came with the shop
    changed_by bigint REFERENCES people
);
CREATE TABLE synonyms (
    term     text PRIMARY KEY CHECK (length(term) BETWEEN 2 AND 40 AND term = lower(term) AND term !~ '[^[:alnum:] ]'),
    group_id bigint NOT NULL REFERENCES synonym_groups ON DELETE CASCADE,
    position integer NOT NULL DEFAULT 0
);
CREATE INDEX synonyms_group ON synonyms (group_id, position);
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON synonyms
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- A synonym can be mistyped too; as long as no product has it, it stands there no time.
CREATE FUNCTION synonym_met() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO search_words (word, frequency)
    SELECT term, 0 FROM written WHERE term !~ '[ 0-9]' AND length(term) >= 3 ORDER BY term ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER synonym_met AFTER INSERT ON synonyms
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION synonym_met();

-- Only what differs is written: readers never see the table half empty.
CREATE OR REPLACE FUNCTION refresh_search_words() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH found AS (
        SELECT word, nentry AS frequency FROM ts_stat($q$
            SELECT to_tsvector('simple', p.title || ' ' || p.title_en || ' ' || c.name || ' ' || f.city)
              FROM products p JOIN categories c ON c.id = p.category_id JOIN facilities f ON f.id = p.facility_id
             WHERE p.status = 'published' $q$)
         WHERE length(word) >= 3 AND word !~ '[0-9]'
    ), known AS (
        SELECT * FROM found
        UNION ALL
        SELECT s.term, 0 FROM synonyms s
         WHERE s.term !~ '[ 0-9]' AND length(s.term) >= 3 AND NOT EXISTS (SELECT FROM found f WHERE f.word = s.term)
    ), gone AS (
        DELETE FROM search_words w WHERE NOT EXISTS (SELECT FROM known k WHERE k.word = w.word)
    )
    INSERT INTO search_words AS here (word, frequency) SELECT word, frequency FROM known
        ON CONFLICT (word) DO UPDATE SET frequency = excluded.frequency WHERE here.frequency <> excluded.frequency;
$$;

-- Everything that a word finds, as packed ids in three rings: its own forms in a title, also as a beginning there,
-- anywhere at all. Synonyms count as the word itself. When nothing is found, the nearest word's rings and its name.
CREATE FUNCTION word_hits(asked text, OUT meant text, OUT whole tsquery, OUT starts tsquery,
                          OUT whole_ids bytea, OUT title_ids bytea, OUT all_ids bytea)
    LANGUAGE plpgsql STABLE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    term    text;
    english tsquery;
BEGIN
    meant := asked;
    FOR turn IN 1..2 LOOP
        whole := '';
        FOR term IN SELECT meant UNION
                    SELECT other.term FROM synonyms own JOIN synonyms other USING (group_id) WHERE own.term = meant
        LOOP
            whole := whole || plainto_tsquery('indonesian', term) || plainto_tsquery('simple', term);
            english := plainto_tsquery('english', term);
            -- Not where English took a word away: of `t shirt` it leaves `shirt`.
            IF numnode(english) >= 2 * cardinality(string_to_array(term, ' ')) - 1 THEN whole := whole || english; END IF;
        END LOOP;
        -- A beginning of one or two letters would be half the catalogue.
        starts := CASE WHEN length(meant) >= 3 AND meant !~ '[^[:alnum:]]'
                       THEN whole || to_tsquery('simple', meant || ':*') ELSE whole END;
        SELECT string_agg(int8send(p.id), '') INTO all_ids
          FROM products p WHERE p.status = 'published' AND p.search @@ starts;
        EXIT WHEN turn = 2 OR all_ids IS NOT NULL;
        meant := nearest_search_word(asked);
        EXIT WHEN meant IS NULL;
    END LOOP;
    IF all_ids IS NOT NULL THEN
        SELECT string_agg(int8send(p.id), '') INTO title_ids
          FROM products p WHERE p.status = 'published' AND ts_filter(p.search, '{a,b}') @@ starts;
        SELECT string_agg(int8send(p.id), '') INTO whole_ids
          FROM products p WHERE p.status = 'published' AND ts_filter(p.search, '{a,b}') @@ whole;
    END IF;
END $$;

-- Words of the shop that somewhat resemble one that it does not know, for a page without results.
SELECT show_limit();                                -- loads pg_trgm, whose setting the function names
CREATE FUNCTION similar_search_words(asked text, most integer) RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE SET pg_trgm.similarity_threshold = 0.3 AS $$
    SELECT word FROM search_words WHERE word % asked ORDER BY similarity(word, asked) DESC, frequency DESC, word LIMIT most;
$$;

-- Searches that found nothing: words and how often on a day, never by whom.
CREATE TABLE lost_searches (
    day   date NOT NULL,
    words text NOT NULL CHECK (length(words) BETWEEN 2 AND 60),
    times integer NOT NULL CHECK (times > 0),
    PRIMARY KEY (words, day)
);
CREATE INDEX lost_searches_day ON lost_searches (day);
-- Words that a curator has looked at; they are not shown again.
CREATE TABLE lost_searches_done (
    words   text PRIMARY KEY,
    done_at timestamptz NOT NULL DEFAULT now(),
    done_by bigint NOT NULL REFERENCES people
);

-- What the shop is born with. Each line is one group; a curator may change all of it.
DO $$
DECLARE
    line text;
    made bigint;
BEGIN
    FOREACH line IN ARRAY ARRAY[
        'kaos,kaus,t shirt,tshirt,oblong', 'baju,pakaian', 'celana,pantalon', 'kemeja,hem',
        'kerudung,jilbab,hijab', 'peci,kopiah,songkok', 'mukena,mukenah,rukuh', 'sandal,sendal,selop', 'sepatu,sneaker',
        'dompet,wallet', 'tas belanja,tote bag,totebag,tas jinjing', 'ransel,backpack,tas punggung',
        'lemari,almari', 'kursi,bangku', 'rak,ambalan', 'ranjang,dipan,tempat tidur', 'keset,alas kaki',
        'tikar,karpet', 'taplak,alas meja', 'gorden,korden,tirai,hordeng', 'bantal,cushion',
        'hiasan,dekorasi,pajangan', 'bingkai,pigura,frame', 'cendera mata,cenderamata,suvenir,souvenir,oleh oleh',
        'kado,hadiah,bingkisan,hampers', 'camilan,cemilan,kudapan,snack', 'keripik,kripik,chips',
        'kue kering,cookies,biskuit', 'telur,telor', 'tempe,tempeh', 'sambal,sambel', 'madu,honey', 'jamu,empon empon',
        'sabun,soap', 'cabai,cabe,lombok', 'pot,vas', 'gelas,cangkir,mug', 'baskom,ember', 'sapu tangan,saputangan',
        'gelang,bracelet', 'kalung,necklace', 'cincin,ring', 'bros,brooch', 'boneka,mainan'
    ] LOOP
        INSERT INTO synonym_groups DEFAULT VALUES RETURNING id INTO made;
        INSERT INTO synonyms (term, group_id, position)
        SELECT term, made, place FROM unnest(string_to_array(line, ',')) WITH ORDINALITY AS t (term, place);
    END LOOP;
END $$;
