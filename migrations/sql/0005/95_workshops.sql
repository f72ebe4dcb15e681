-- The workshop of each listing: what a facility's page counts, without reading all that it sells.
ALTER TABLE listings ADD COLUMN workshop_id bigint;

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
UPDATE listings l SET workshop_id = p.workshop_id FROM products p WHERE p.id = l.product_id;
ALTER TABLE listings ALTER COLUMN workshop_id SET NOT NULL;
