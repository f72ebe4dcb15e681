-- Carts that last: what is put by for later, what was taken out and may come back, where all of it shall go, and for
-- how long a cart is kept that nobody touches.
ALTER TABLE carts
    ADD COLUMN place text CHECK (length(place) BETWEEN 1 AND 200),
    ADD COLUMN news  jsonb CHECK (jsonb_typeof(news) = 'array');
COMMENT ON COLUMN carts.place IS 'district, city, province, as the shopper gave them for an estimate; never a street';
COMMENT ON COLUMN carts.news IS 'what happened to it when carts were put together, until its owner has read it';

CREATE TABLE kept_lines (
    cart_id          bigint NOT NULL REFERENCES carts ON DELETE CASCADE,
    variant_id       bigint NOT NULL REFERENCES variants,
    -- put by for later; taken out of the cart; taken off those put by
    shelf            text NOT NULL CHECK (shelf IN ('saved', 'removed', 'unsaved')),
    quantity         integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    unit_price_shown bigint NOT NULL,               -- the price when it was put into the cart
    added_at         timestamptz NOT NULL,          -- its place among the others, should it come back
    kept_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, variant_id, shelf)
);

-- From a day on; as long as the cookie lives.
CREATE TABLE cart_keeping (
    valid_from  date PRIMARY KEY,
    days        integer NOT NULL CHECK (days BETWEEN 1 AND 400),    -- after the last change
    legal_basis text NOT NULL CHECK (length(legal_basis) >= 10)
);
INSERT INTO cart_keeping VALUES ('2016-01-01', 90,
    'UU 27 Tahun 2022 Pasal 16: disimpan tidak lebih lama dari yang diperlukan; sembilan puluh hari diandaikan untuk toko ini');
