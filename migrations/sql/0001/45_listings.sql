-- One narrow row for each product that the public may buy: what lists are filtered, counted and sorted by.
-- It is derived, and kept true by triggers whoever writes: 100,000 wide product rows need not be read, nor
-- their variants and levels added up, to draw one page of a list.
CREATE TABLE listings (
    product_id     bigint PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    facility_id    bigint NOT NULL,
    category_id    bigint NOT NULL,
    published_at   timestamptz NOT NULL,
    price_from     bigint NOT NULL,
    price_to       bigint NOT NULL,
    -- the best that any variant offers, in this order
    state          text NOT NULL CHECK (state IN ('ready', 'few_left', 'made_to_order', 'sold_out')),
    lead_time_days integer                          -- shortest, when made to order
);
-- What is sold out comes last in every order.
CREATE INDEX listings_newest ON listings ((state = 'sold_out'), published_at DESC, product_id DESC);
CREATE INDEX listings_price ON listings ((state = 'sold_out'), price_from, product_id DESC);
CREATE INDEX listings_category ON listings (category_id, (state = 'sold_out'), published_at DESC, product_id DESC);
CREATE INDEX listings_facility ON listings (facility_id, (state = 'sold_out'), published_at DESC, product_id DESC);

CREATE FUNCTION refresh_listing(product bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH offer AS (
        SELECT p.id, p.facility_id, p.category_id, p.published_at, min(v.price) AS price_from, max(v.price) AS price_to,
               CASE WHEN bool_or(NOT v.made_to_order AND s.shown_state = 'ready')    THEN 'ready'
                    WHEN bool_or(NOT v.made_to_order AND s.shown_state = 'few_left') THEN 'few_left'
                    WHEN bool_or(v.made_to_order)                                    THEN 'made_to_order'
                    ELSE 'sold_out' END AS state,
               min(v.lead_time_days) FILTER (WHERE v.made_to_order) AS lead_time_days
          FROM products p
          JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
          JOIN variants v ON v.product_id = p.id AND v.is_active
          LEFT JOIN stock_locations l ON l.facility_id = p.facility_id
          LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
         WHERE p.id = product AND p.status = 'published'
         GROUP BY p.id
    ), gone AS (
        DELETE FROM listings WHERE product_id = product AND NOT EXISTS (SELECT FROM offer)
    )
    INSERT INTO listings AS here (product_id, facility_id, category_id, published_at, price_from, price_to, state,
                                  lead_time_days)
    SELECT * FROM offer
    ON CONFLICT (product_id) DO UPDATE SET
        facility_id = excluded.facility_id, category_id = excluded.category_id, published_at = excluded.published_at,
        price_from = excluded.price_from, price_to = excluded.price_to, state = excluded.state,
        lead_time_days = excluded.lead_time_days
     WHERE here IS DISTINCT FROM excluded;
$$;

CREATE FUNCTION listing_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'products' THEN PERFORM refresh_listing(NEW.id);
        WHEN 'variants' THEN
            IF TG_OP <> 'INSERT' THEN PERFORM refresh_listing(OLD.product_id); END IF;
            IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.product_id <> OLD.product_id) THEN
                PERFORM refresh_listing(NEW.product_id);
            END IF;
        WHEN 'stock_levels' THEN
            PERFORM refresh_listing(v.product_id) FROM variants v WHERE v.id = NEW.variant_id;
        ELSE
            PERFORM refresh_listing(p.id) FROM products p WHERE p.facility_id = NEW.id AND p.status = 'published';
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER listing_changed AFTER INSERT OR UPDATE OF status, published_at, facility_id, category_id ON products
    FOR EACH ROW EXECUTE FUNCTION listing_changed();
CREATE TRIGGER listing_changed AFTER INSERT OR DELETE OR UPDATE OF product_id, price, made_to_order, lead_time_days, is_active
    ON variants FOR EACH ROW EXECUTE FUNCTION listing_changed();
CREATE TRIGGER listing_changed AFTER UPDATE OF status ON facilities
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION listing_changed();
-- A purchase changes on_hand and reserved only; what cached pages say follows in a job, after commit.
CREATE TRIGGER listing_changed AFTER UPDATE OF shown_state ON stock_levels
    FOR EACH ROW WHEN (OLD.shown_state <> NEW.shown_state) EXECUTE FUNCTION listing_changed();
CREATE TRIGGER catalogue_changed AFTER UPDATE OF shown_state ON stock_levels
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed();

-- The word of the catalogue nearest to a mistyped one; null when none is near (PARTS.md, "Search").
CREATE FUNCTION nearest_search_word(asked text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET pg_trgm.similarity_threshold = 0.2 AS $$
    SELECT word FROM search_words
     WHERE word % asked AND levenshtein_less_equal(word, asked, 2) <= CASE WHEN length(asked) < 5 THEN 1 ELSE 2 END
     ORDER BY levenshtein(word, asked), frequency DESC, word LIMIT 1;
$$;
