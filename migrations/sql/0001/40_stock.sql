-- Pieces: where they are, how they moved, and what is held for unpaid orders.
CREATE TABLE stock_locations (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id   bigint UNIQUE REFERENCES facilities,      -- a facility's store, sold online
    exhibition_id bigint UNIQUE REFERENCES exhibitions,     -- or a stand
    CHECK (num_nonnulls(facility_id, exhibition_id) = 1)
);

-- available = on_hand - reserved. The CHECK is what finally refuses an oversold piece.
CREATE TABLE stock_levels (
    variant_id  bigint NOT NULL REFERENCES variants,
    location_id bigint NOT NULL REFERENCES stock_locations,
    on_hand     integer NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved    integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    shown_state text NOT NULL DEFAULT 'sold_out' CHECK (shown_state IN ('ready', 'few_left', 'sold_out')),
    PRIMARY KEY (variant_id, location_id),
    CHECK (reserved <= on_hand)
) WITH (fillfactor = 70);                                   -- room for HOT updates: this row is hot
CREATE INDEX stock_levels_location ON stock_levels (location_id);

CREATE TABLE stock_movements (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    variant_id  bigint NOT NULL,
    location_id bigint NOT NULL,
    quantity    integer NOT NULL CHECK (quantity <> 0),
    reason      text NOT NULL CHECK (reason IN
                  ('made', 'counted', 'damaged', 'given', 'correction', 'sold', 'returned', 'transfer')),
    source      text UNIQUE,                                -- business key: moved once, whatever is retried
    note        text NOT NULL DEFAULT '',
    person_id   bigint REFERENCES people,
    moved_at    timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (variant_id) REFERENCES variants,
    FOREIGN KEY (location_id) REFERENCES stock_locations
);
CREATE INDEX stock_movements_level ON stock_movements (variant_id, location_id, id);

-- The only way to change on_hand is to write a movement: the web's role may not UPDATE that column.
CREATE FUNCTION apply_stock_movement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE stock_levels SET on_hand = on_hand + NEW.quantity
     WHERE variant_id = NEW.variant_id AND location_id = NEW.location_id;
    IF NOT FOUND THEN
        -- A first piece opens the level; taking from a level that is not there breaks its CHECK.
        INSERT INTO stock_levels AS level (variant_id, location_id, on_hand)
        VALUES (NEW.variant_id, NEW.location_id, NEW.quantity)
        ON CONFLICT (variant_id, location_id) DO UPDATE SET on_hand = level.on_hand + NEW.quantity;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER apply_stock_movement AFTER INSERT ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION apply_stock_movement();
CREATE TRIGGER stock_movements_append_only BEFORE UPDATE OR DELETE ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stock_movements_no_truncate BEFORE TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE reservations (
    order_line_id bigint PRIMARY KEY,                       -- references order_lines, added there
    variant_id    bigint NOT NULL,
    location_id   bigint NOT NULL,
    quantity      integer NOT NULL CHECK (quantity > 0),
    state         text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'sold', 'released')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (variant_id, location_id) REFERENCES stock_levels
);
CREATE INDEX reservations_held ON reservations (variant_id, location_id) WHERE state = 'held';
