-- Cities, districts and postal codes: data of the Ministry of Home Affairs, written by `flask places load`.
-- `key` is the name as it is compared (see storefront/shipping/places.py).
CREATE TABLE cities (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        text NOT NULL UNIQUE CHECK (code ~ '^[0-9]{2}\.[0-9]{2}$'),
    province_id bigint NOT NULL REFERENCES provinces,
    kind        text NOT NULL CHECK (kind IN ('kota', 'kabupaten')),
    name        text NOT NULL,                      -- with its kind: Kota Bogor
    key         text NOT NULL CHECK (key <> ''),
    town        text NOT NULL                       -- what a courier counts as one city: `kota bogor`
);
CREATE INDEX cities_key ON cities (province_id, key);

CREATE TABLE districts (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code    text NOT NULL UNIQUE CHECK (code ~ '^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$'),
    city_id bigint NOT NULL REFERENCES cities ON DELETE CASCADE,
    name    text NOT NULL,
    key     text NOT NULL CHECK (key <> '')
);
CREATE INDEX districts_city ON districts (city_id);
CREATE INDEX districts_key ON districts (key);

CREATE TABLE postal_codes (
    code        text NOT NULL CHECK (code ~ '^[1-9][0-9]{4}$'),
    district_id bigint NOT NULL REFERENCES districts ON DELETE CASCADE,
    PRIMARY KEY (code, district_id)
);
CREATE INDEX postal_codes_district ON postal_codes (district_id);

-- Which version of the data the tables hold.
CREATE TABLE place_versions (
    version text PRIMARY KEY
);

-- Couriers. A facility that has named none offers every default method; one that has, offers what it named.
ALTER TABLE shipping_methods ADD COLUMN is_default boolean NOT NULL DEFAULT true;
CREATE TABLE facility_couriers (
    facility_id bigint NOT NULL REFERENCES facilities,
    method_id   bigint NOT NULL REFERENCES shipping_methods,
    courier     text NOT NULL DEFAULT '' CHECK (length(courier) <= 60),     -- who carries it; shown to buyers
    PRIMARY KEY (facility_id, method_id)
);

-- A heavy parcel's further kilograms may cost less.
ALTER TABLE shipping_rates
    ADD COLUMN bulk_above_kg integer,
    ADD COLUMN bulk_kg bigint CHECK (bulk_kg >= 0),                 -- rupiah for each kilogram above that
    ADD CHECK (num_nonnulls(bulk_above_kg, bulk_kg) IN (0, 2)),
    ADD CHECK (bulk_above_kg >= minimum_kg);

INSERT INTO shipping_methods (code, kind, name, name_en, max_weight_g, position, is_default)
VALUES ('express', 'delivery', 'Ekspres', 'Express', 20000, 4, false) ON CONFLICT (code) DO NOTHING;
-- Between the islands by air: dearer, and quicker by some days.
INSERT INTO shipping_rates (method_id, origin_zone_id, destination_zone_id, reach, first_kg, next_kg, minimum_kg,
                            days_min, days_max)
SELECT m.id, r.origin_zone_id, r.destination_zone_id, r.reach, ceil(r.first_kg * 16 / 10000.0)::bigint * 1000,
       ceil(r.next_kg * 16 / 10000.0)::bigint * 1000, r.minimum_kg, 1, greatest(1, r.days_min - 1)
  FROM shipping_rates r
  JOIN shipping_methods x ON x.id = r.method_id AND x.code = 'regular'
 CROSS JOIN shipping_methods m
 WHERE m.code = 'express'
    ON CONFLICT (method_id, origin_zone_id, destination_zone_id, reach) DO NOTHING;

-- From so much on, a facility sends its cheapest delivery free. The facility bears it: it pays the courier and is
-- owed no shipping for that parcel. `minimum` counts the goods of that facility in the order, in rupiah.
CREATE TABLE free_shipping (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    reach       text NOT NULL CHECK (reach IN ('same_city', 'province', 'nationwide')),     -- as far as
    minimum     bigint NOT NULL CHECK (minimum BETWEEN 1 AND 1000000000),
    valid_from  date NOT NULL,
    valid_to    date,
    set_by      bigint REFERENCES people,
    set_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_to >= valid_from),
    CONSTRAINT free_shipping_once EXCLUDE USING gist (facility_id WITH =, reach WITH =,
                                                      daterange(valid_from, valid_to, '[]') WITH &&)
);
-- What a parcel would have cost, where its facility bears it.
ALTER TABLE parcels
    ADD COLUMN shipping_waived bigint NOT NULL DEFAULT 0,           -- rupiah
    ADD CONSTRAINT parcels_waived
        CHECK (shipping_waived = 0 OR (shipping_waived > 0 AND shipping_amount = 0 AND NOT is_pickup));

-- What a buyer writes to whoever receives the goods, and to whoever sends them: personal, never in the workshop.
CREATE TABLE order_notes (
    order_id  bigint PRIMARY KEY REFERENCES orders,
    gift_note text CHECK (length(gift_note) BETWEEN 1 AND 300),
    note      text CHECK (length(note) BETWEEN 1 AND 300),
    erased_at timestamptz,
    CHECK (num_nonnulls(gift_note, note) > 0 OR erased_at IS NOT NULL),
    CHECK (erased_at IS NULL OR num_nonnulls(gift_note, note) = 0)
);
