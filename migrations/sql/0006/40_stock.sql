-- From how many pieces down a variant counts as running out; one without a mark uses the shop's own (levels.FEW).
-- A table of its own: nothing of it is shown to the public, so it must not raise the catalogue's version.
CREATE TABLE low_stock_marks (
    variant_id bigint PRIMARY KEY REFERENCES variants,
    pieces     integer NOT NULL CHECK (pieces BETWEEN 0 AND 100000)
);

-- A movement by hand, or between store and stand, is undone by its counter-movement, once.
ALTER TABLE stock_movements ADD COLUMN undoes bigint REFERENCES stock_movements;
CREATE UNIQUE INDEX stock_movements_undoes_once ON stock_movements (undoes) WHERE undoes IS NOT NULL;

CREATE FUNCTION undo_the_same_pieces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM stock_movements m WHERE m.id = NEW.undoes AND m.undoes IS NULL
                      AND (m.variant_id, m.location_id, m.quantity, m.reason)
                        = (NEW.variant_id, NEW.location_id, -NEW.quantity, NEW.reason)
                      AND m.reason IN ('made', 'counted', 'damaged', 'given', 'correction', 'transfer')) THEN
        RAISE EXCEPTION 'stock movement %: this does not undo it', NEW.undoes USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_movements_undo BEFORE INSERT ON stock_movements
    FOR EACH ROW WHEN (NEW.undoes IS NOT NULL) EXECUTE FUNCTION undo_the_same_pieces();

-- A stock-take: a list frozen when it begins, counted in its order, and settled at the end.
CREATE TABLE stock_takes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id bigint NOT NULL REFERENCES facilities,
    location_id bigint NOT NULL REFERENCES stock_locations,
    number      integer NOT NULL CHECK (number > 0),        -- within the facility
    workshop_id bigint REFERENCES workshops,                -- null: all of them
    category_id bigint REFERENCES categories,               -- null: all of them
    state       text NOT NULL DEFAULT 'counting' CHECK (state IN ('counting', 'finished', 'called_off')),
    request_key text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    begun_by    bigint NOT NULL REFERENCES people,
    begun_at    timestamptz NOT NULL DEFAULT now(),
    ended_by    bigint REFERENCES people,                   -- who finished it or called it off
    ended_at    timestamptz,
    UNIQUE (facility_id, number),
    CHECK ((state = 'counting') = (ended_at IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX stock_takes_one_open ON stock_takes
    (location_id, COALESCE(workshop_id, 0), COALESCE(category_id, 0)) WHERE state = 'counting';

CREATE FUNCTION keep_stock_take() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes constant text[] := ARRAY['state', 'ended_by', 'ended_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state = 'finished' OR (OLD.state, NEW.state) = ('called_off', 'finished')
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'stock-take % stays as it is', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_takes_keep BEFORE UPDATE OR DELETE ON stock_takes
    FOR EACH ROW EXECUTE FUNCTION keep_stock_take();

CREATE TABLE stock_take_rows (
    stock_take_id bigint NOT NULL REFERENCES stock_takes,
    position      integer NOT NULL CHECK (position > 0),    -- the number on the sheet
    variant_id    bigint NOT NULL REFERENCES variants,
    -- once it is settled: what was reckoned with, by which count, and what a piece was worth then
    count_id      bigint,
    expected      integer,
    counted       integer CHECK (counted >= 0),
    price         bigint,
    material_cost bigint,
    settled_at    timestamptz,
    PRIMARY KEY (stock_take_id, position),
    UNIQUE (stock_take_id, variant_id),
    CHECK (num_nulls(count_id, expected, counted, price, settled_at) IN (0, 5)),
    CHECK (material_cost IS NULL OR settled_at IS NOT NULL)
);
CREATE INDEX stock_take_rows_variant ON stock_take_rows (variant_id);

CREATE FUNCTION keep_stock_take_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes constant text[] := ARRAY['count_id', 'expected', 'counted', 'price', 'material_cost', 'settled_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.settled_at IS NOT NULL
       OR to_jsonb(NEW) - changes IS DISTINCT FROM to_jsonb(OLD) - changes THEN
        RAISE EXCEPTION 'row % of stock-take % stays as it is', OLD.position, OLD.stock_take_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_take_rows_keep BEFORE UPDATE OR DELETE ON stock_take_rows
    FOR EACH ROW EXECUTE FUNCTION keep_stock_take_row();

-- What somebody counted in a row, and what was on hand at that moment: what moves afterwards is no difference.
CREATE TABLE stock_counts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stock_take_id bigint NOT NULL,
    position      integer NOT NULL,
    counted       integer CHECK (counted BETWEEN 0 AND 100000),     -- null: taken back, not counted
    expected      integer NOT NULL,
    after_move    bigint NOT NULL,                  -- last movement of the level that `expected` knows; 0: none
    is_decision   boolean NOT NULL DEFAULT false,   -- chosen among several counts, which it ends
    request_key   text NOT NULL CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    person_id     bigint NOT NULL REFERENCES people,
    counted_at    timestamptz NOT NULL DEFAULT now(),
    saved_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (stock_take_id, position) REFERENCES stock_take_rows
);
CREATE INDEX stock_counts_row ON stock_counts (stock_take_id, position, id);
ALTER TABLE stock_take_rows ADD FOREIGN KEY (count_id) REFERENCES stock_counts;
CREATE TRIGGER stock_counts_append_only BEFORE UPDATE OR DELETE ON stock_counts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Which count of a row holds. Everybody's last one since the last decision; where they say different things, nobody's.
CREATE VIEW stock_row_counts AS
SELECT stock_take_id, position, max(id) AS count_id, count(*) AS people,
       count(DISTINCT counted - expected) > 1 AS differ
  FROM (SELECT DISTINCT ON (c.stock_take_id, c.position, c.person_id)
               c.stock_take_id, c.position, c.id, c.counted, c.expected
          FROM stock_counts c
         WHERE NOT EXISTS (SELECT FROM stock_counts d
                            WHERE (d.stock_take_id, d.position) = (c.stock_take_id, c.position)
                              AND d.is_decision AND d.id > c.id)
         ORDER BY c.stock_take_id, c.position, c.person_id, c.id DESC) latest
 WHERE counted IS NOT NULL
 GROUP BY stock_take_id, position;
