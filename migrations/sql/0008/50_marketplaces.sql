-- Marketplaces: what was sold elsewhere, entered once from the marketplace's own sales file.

CREATE TABLE marketplaces (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code            text NOT NULL UNIQUE CHECK (code ~ '^[a-z][a-z0-9_]{1,29}$'),   -- its money is `clearing:market_<code>`
    name            text NOT NULL UNIQUE CHECK (length(name) BETWEEN 2 AND 60),
    columns         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(columns) = 'object'),   -- what we need → its heading
    fee_of_order    boolean NOT NULL DEFAULT false,         -- the fee stands on each row of an order, and counts once
    added_by        bigint NOT NULL REFERENCES people,
    added_at        timestamptz NOT NULL DEFAULT now()
);

-- A file as it was uploaded, of one month: only the columns that we need, so nothing of a buyer is kept.
CREATE TABLE marketplace_files (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    marketplace_id bigint NOT NULL REFERENCES marketplaces,
    month          date NOT NULL CHECK (month = date_trunc('month', month)),
    name           text NOT NULL CHECK (length(name) <= 200),
    rows           jsonb NOT NULL CHECK (jsonb_typeof(rows) = 'array' AND length(rows::text) <= 4000000),
    fee_of_order   boolean NOT NULL DEFAULT false,          -- as it held for the marketplace
    state          text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'booking', 'done')),
    uploaded_by    bigint NOT NULL REFERENCES people,
    uploaded_at    timestamptz NOT NULL DEFAULT now(),
    booked_by      bigint REFERENCES people,
    done_at        timestamptz,
    refused        jsonb NOT NULL DEFAULT '{}',             -- order number → why it was not booked
    CHECK ((state = 'ready') = (booked_by IS NULL)),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
);
CREATE INDEX marketplace_files_marketplace ON marketplace_files (marketplace_id, id);

CREATE FUNCTION marketplace_files_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'done' OR (NEW.marketplace_id, NEW.month, NEW.rows, NEW.uploaded_by, NEW.fee_of_order) IS DISTINCT FROM
       (OLD.marketplace_id, OLD.month, OLD.rows, OLD.uploaded_by, OLD.fee_of_order) THEN
        RAISE EXCEPTION 'file % of a marketplace is kept as it is', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER marketplace_files_keep BEFORE UPDATE ON marketplace_files
    FOR EACH ROW EXECUTE FUNCTION marketplace_files_keep();

-- An order of a marketplace is one order here, whatever file it stands in and however often.
CREATE TABLE marketplace_orders (
    order_id       bigint PRIMARY KEY REFERENCES orders,
    marketplace_id bigint NOT NULL REFERENCES marketplaces,
    number         text NOT NULL CHECK (length(number) BETWEEN 1 AND 60),
    file_id        bigint NOT NULL REFERENCES marketplace_files,
    sold_on        date NOT NULL,                           -- as the marketplace says
    UNIQUE (marketplace_id, number)
);
CREATE INDEX marketplace_orders_file ON marketplace_orders (file_id);
CREATE TRIGGER marketplace_orders_append_only BEFORE UPDATE OR DELETE ON marketplace_orders
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
