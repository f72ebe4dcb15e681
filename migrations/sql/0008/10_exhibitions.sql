-- What a fair is, and what its pieces cost there on which days.
ALTER TABLE exhibitions
    -- a hall with one stand, or a campaign at each facility's own gate
    ADD COLUMN kind  text NOT NULL DEFAULT 'hall' CHECK (kind IN ('hall', 'campaign')),
    ADD COLUMN theme text NOT NULL DEFAULT '' CHECK (length(theme) <= 200),
    ADD COLUMN hours text NOT NULL DEFAULT '' CHECK (length(hours) <= 200);     -- as people read them

-- A price at the stand for some days of the fair, the closing day's for one. Otherwise a piece costs what it costs.
CREATE TABLE exhibition_prices (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exhibition_id bigint NOT NULL REFERENCES exhibitions,
    variant_id    bigint NOT NULL REFERENCES variants,
    price         bigint NOT NULL CHECK (price > 0),
    from_day      date NOT NULL,
    to_day        date NOT NULL,
    set_by        bigint NOT NULL REFERENCES people,
    set_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (to_day >= from_day),
    EXCLUDE USING gist (exhibition_id WITH =, variant_id WITH =, daterange(from_day, to_day, '[]') WITH &&)
);
CREATE INDEX exhibition_prices_variant ON exhibition_prices (variant_id);
