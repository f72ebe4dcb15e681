-- Carts, orders, their lines as sold, parcels, and the buyer's data apart from them.
CREATE TABLE orders (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number         text NOT NULL UNIQUE CHECK (number ~ '^[A-Z]{2}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'),
    token_version  smallint NOT NULL DEFAULT 1,     -- raised to revoke every link given out
    channel        text NOT NULL CHECK (channel IN ('online', 'counter', 'quote', 'marketplace')),
    exhibition_id  bigint REFERENCES exhibitions,
    person_id      bigint REFERENCES people,
    locale         text NOT NULL CHECK (locale IN ('id', 'en')),
    state          text NOT NULL DEFAULT 'awaiting_payment'
                     CHECK (state IN ('awaiting_payment', 'paid', 'expired', 'cancelled')),
    items_total    bigint NOT NULL CHECK (items_total > 0),
    shipping_total bigint NOT NULL CHECK (shipping_total >= 0),
    total          bigint NOT NULL GENERATED ALWAYS AS (items_total + shipping_total) STORED,
    placed_at      timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    paid_at        timestamptz,
    closed_at      timestamptz,                     -- expired or cancelled at
    CHECK (channel <> 'counter' OR exhibition_id IS NOT NULL),
    CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
    CHECK ((state IN ('expired', 'cancelled')) = (closed_at IS NOT NULL))
);
CREATE INDEX orders_unpaid ON orders (expires_at) WHERE state = 'awaiting_payment';
CREATE INDEX orders_paid ON orders (paid_at, id) WHERE state = 'paid';
CREATE INDEX orders_person ON orders (person_id, placed_at DESC) WHERE person_id IS NOT NULL;

CREATE TABLE order_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO order_transitions VALUES
    ('awaiting_payment', 'paid'), ('awaiting_payment', 'expired'), ('awaiting_payment', 'cancelled'),
    ('expired', 'paid');                            -- paid late, and the pieces were still there

CREATE TABLE order_lines (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id       bigint NOT NULL REFERENCES orders,
    position       integer NOT NULL,
    variant_id     bigint NOT NULL REFERENCES variants,
    product_id     bigint NOT NULL REFERENCES products,
    location_id    bigint REFERENCES stock_locations,       -- null: made to order
    facility_id    bigint NOT NULL REFERENCES facilities,
    workshop_id    bigint NOT NULL,
    commodity_group_id bigint REFERENCES commodity_groups,
    split_rule_id  bigint NOT NULL REFERENCES split_rules,
    -- as sold: what follows is never looked up again
    sku            text NOT NULL,
    title          text NOT NULL,
    title_en       text NOT NULL,
    variant_title  text NOT NULL DEFAULT '',
    variant_title_en text NOT NULL DEFAULT '',
    facility_code  text NOT NULL,
    facility_name  text NOT NULL,
    workshop_name  text NOT NULL,
    quantity       integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    unit_price     bigint NOT NULL CHECK (unit_price > 0),
    net_amount     bigint NOT NULL CHECK (net_amount = unit_price * quantity),
    material_cost  bigint NOT NULL CHECK (material_cost >= 0),      -- of the whole line
    weight_g       integer NOT NULL CHECK (weight_g > 0),           -- of one piece
    lead_time_days integer,
    split_basis    text NOT NULL CHECK (split_basis IN ('net', 'profit')),
    written_by     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (order_id, position),
    FOREIGN KEY (workshop_id, facility_id) REFERENCES workshops (id, facility_id)
);
CREATE INDEX order_lines_facility ON order_lines (facility_id, order_id);
CREATE INDEX order_lines_variant ON order_lines (variant_id);
CREATE INDEX order_lines_split_rule ON order_lines (split_rule_id);

-- What each line gives to each fund, by the rule in force when it was placed. Under basis `profit`
-- the material cost comes first, as a row of its own (is_material) into working capital.
CREATE TABLE order_line_shares (
    order_line_id bigint NOT NULL REFERENCES order_lines,
    position      smallint NOT NULL CHECK (position BETWEEN 0 AND 8),
    fund_id       bigint NOT NULL REFERENCES funds,
    basis_points  integer CHECK (basis_points BETWEEN 1 AND 10000),
    amount        bigint NOT NULL CHECK (amount >= 0),
    is_material   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (order_line_id, position),
    CHECK (is_material = (position = 0)),
    CHECK (is_material = (basis_points IS NULL))
);

CREATE FUNCTION check_line_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    expected bigint;
    total    bigint;
BEGIN
    SELECT net_amount INTO expected FROM order_lines WHERE id = NEW.id;
    SELECT COALESCE(sum(amount), 0) INTO total FROM order_line_shares WHERE order_line_id = NEW.id;
    IF total <> expected THEN
        RAISE EXCEPTION 'the shares of order line % sum to %, its net amount is %', NEW.id, total, expected
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER order_lines_shared AFTER INSERT ON order_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_line_shares();

CREATE FUNCTION shares_with_their_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A line's shares are written with it, in the placing transaction, and never later.
    IF NOT EXISTS (SELECT FROM order_lines l WHERE l.id = NEW.order_line_id
                      AND l.written_by = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'order line % is sold: its shares stay', NEW.order_line_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_line_shares_once BEFORE INSERT ON order_line_shares
    FOR EACH ROW EXECUTE FUNCTION shares_with_their_order();
CREATE TRIGGER order_lines_append_only BEFORE UPDATE OR DELETE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_line_shares_append_only BEFORE UPDATE OR DELETE ON order_line_shares
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE reservations ADD FOREIGN KEY (order_line_id) REFERENCES order_lines;
ALTER TABLE journal_entries ADD FOREIGN KEY (order_id) REFERENCES orders;
ALTER TABLE postings ADD FOREIGN KEY (order_line_id) REFERENCES order_lines;

CREATE TABLE instalments (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders,
    position smallint NOT NULL DEFAULT 1 CHECK (position >= 1),
    amount   bigint NOT NULL CHECK (amount > 0),
    due_at   timestamptz NOT NULL,
    UNIQUE (order_id, position)
);

CREATE TABLE parcels (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id        bigint NOT NULL REFERENCES orders,
    facility_id     bigint NOT NULL REFERENCES facilities,
    position        integer NOT NULL,               -- parcel 1, 2 … of its order
    method_id       bigint NOT NULL REFERENCES shipping_methods,
    is_pickup       boolean NOT NULL,
    shipping_amount bigint NOT NULL CHECK (shipping_amount >= 0),
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN
                      ('waiting', 'to_pack', 'packed', 'shipped', 'ready', 'received', 'returned', 'cancelled')),
    ready_by        date,                           -- promised day, set when the order is paid
    days_min        integer NOT NULL,               -- on the road, as quoted
    days_max        integer NOT NULL,
    courier         text,
    tracking        text,
    packed_at       timestamptz,
    shipped_at      timestamptz,                    -- handed to the courier, or ready at the gallery
    received_at     timestamptz,
    UNIQUE (order_id, position),
    CHECK (state <> 'shipped' OR (courier IS NOT NULL AND shipped_at IS NOT NULL)),
    CHECK (NOT is_pickup OR (state <> 'shipped' AND shipping_amount = 0)),
    CHECK (is_pickup OR state <> 'ready'),
    CHECK (state <> 'received' OR received_at IS NOT NULL)
);
CREATE INDEX parcels_facility ON parcels (facility_id, state, id);

CREATE TABLE parcel_transitions (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO parcel_transitions VALUES
    ('waiting', 'to_pack'), ('waiting', 'cancelled'), ('cancelled', 'to_pack'),
    ('to_pack', 'packed'), ('to_pack', 'cancelled'), ('packed', 'to_pack'),
    ('packed', 'shipped'), ('packed', 'ready'), ('packed', 'cancelled'),
    ('shipped', 'received'), ('ready', 'received'), ('ready', 'packed'),
    ('shipped', 'returned'), ('received', 'returned');

CREATE TABLE parcel_lines (
    parcel_id     bigint NOT NULL REFERENCES parcels,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    quantity      integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (parcel_id, order_line_id)
);
CREATE INDEX parcel_lines_order_line ON parcel_lines (order_line_id);

CREATE FUNCTION check_transition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE from_state = $1 AND to_state = $2)', TG_ARGV[0])
       INTO allowed USING OLD.state, NEW.state;
    IF NOT allowed THEN
        RAISE EXCEPTION '% %: % to % is not allowed', TG_TABLE_NAME, OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_transition BEFORE UPDATE OF state ON orders
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('order_transitions');
CREATE TRIGGER parcels_transition BEFORE UPDATE OF state ON parcels
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION check_transition('parcel_transitions');

-- The buyer's data: kept for the order's sake, missing at a counter, erasable without touching a sum.
CREATE TABLE order_contacts (
    order_id  bigint PRIMARY KEY REFERENCES orders,
    name      text,
    email     text CHECK (email = lower(email)),
    phone     text CHECK (phone ~ '^\+[0-9]{8,15}$'),
    network   bytea,                                -- keyed hash, for the limit on unpaid orders
    erased_at timestamptz,
    CHECK (erased_at IS NULL OR num_nonnulls(name, email, phone, network) = 0)
);
CREATE INDEX order_contacts_email ON order_contacts (email);
CREATE INDEX order_contacts_phone ON order_contacts (phone);
CREATE INDEX order_contacts_network ON order_contacts (network);

CREATE TABLE order_addresses (
    order_id    bigint PRIMARY KEY REFERENCES orders,
    line1       text,
    district    text,
    city        text,
    province    text,
    postal_code text,
    erased_at   timestamptz,
    CHECK (erased_at IS NULL OR num_nonnulls(line1, district, city, province, postal_code) = 0)
);

CREATE TABLE carts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    person_id  bigint REFERENCES people,
    order_id   bigint UNIQUE REFERENCES orders,     -- set: already ordered, closed
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE cart_lines (
    cart_id          bigint NOT NULL REFERENCES carts ON DELETE CASCADE,
    variant_id       bigint NOT NULL REFERENCES variants,
    quantity         integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    unit_price_shown bigint NOT NULL,               -- the price when the line was added
    added_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, variant_id)
);

-- One answer for one key: written in the placing transaction, so a second call waits for the first.
CREATE TABLE idempotency_keys (
    scope        text NOT NULL,                     -- what the key is unique in, such as cart:<id>
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    order_id     bigint NOT NULL REFERENCES orders DEFERRABLE INITIALLY DEFERRED,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);
