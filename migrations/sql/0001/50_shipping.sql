-- Where goods go and what it costs. Zones group provinces; a rate counts whole kilograms.
CREATE TABLE shipping_zones (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code    text NOT NULL UNIQUE,
    name    text NOT NULL,
    name_en text NOT NULL
);
CREATE TABLE provinces (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL UNIQUE,
    zone_id bigint NOT NULL REFERENCES shipping_zones
);
ALTER TABLE facilities ADD FOREIGN KEY (province_id) REFERENCES provinces;

CREATE TABLE shipping_methods (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text NOT NULL UNIQUE CHECK (code ~ '^[a-z_]+$'),
    kind         text NOT NULL CHECK (kind IN ('delivery', 'pickup')),
    name         text NOT NULL,
    name_en      text NOT NULL,
    max_weight_g integer CHECK (max_weight_g > 0),
    position     integer NOT NULL DEFAULT 0,
    is_active    boolean NOT NULL DEFAULT true
);
CREATE TABLE shipping_rates (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    method_id           bigint NOT NULL REFERENCES shipping_methods,
    origin_zone_id      bigint NOT NULL REFERENCES shipping_zones,
    destination_zone_id bigint NOT NULL REFERENCES shipping_zones,
    reach               text NOT NULL CHECK (reach IN ('same_city', 'province', 'nationwide')),
    first_kg            bigint NOT NULL CHECK (first_kg >= 0),      -- rupiah for `minimum_kg` or less
    next_kg             bigint NOT NULL CHECK (next_kg >= 0),       -- rupiah for each further kilogram
    minimum_kg          integer NOT NULL DEFAULT 1 CHECK (minimum_kg >= 1),
    days_min            integer NOT NULL CHECK (days_min >= 0),
    days_max            integer NOT NULL,
    UNIQUE (method_id, origin_zone_id, destination_zone_id, reach),
    CHECK (days_max >= days_min),
    CHECK (reach = 'nationwide' OR origin_zone_id = destination_zone_id)
);
