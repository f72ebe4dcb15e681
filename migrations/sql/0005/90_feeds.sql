-- A shopper may have an unpaid order held longer, once.
ALTER TABLE orders ADD COLUMN hold_extended_at timestamptz;
COMMENT ON COLUMN orders.hold_extended_at IS 'when its shopper had the hold extended; never a second time';

CREATE FUNCTION extend_hold_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.hold_extended_at IS NOT NULL AND NEW.hold_extended_at IS DISTINCT FROM OLD.hold_extended_at
       OR OLD.hold_extended_at IS NULL AND NEW.hold_extended_at IS NOT NULL
          AND (OLD.state <> 'awaiting_payment' OR NEW.expires_at <= OLD.expires_at) THEN
        RAISE EXCEPTION 'order %: its hold is extended once, while it waits for its payment', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_extend_once BEFORE UPDATE OF hold_extended_at ON orders
    FOR EACH ROW EXECUTE FUNCTION extend_hold_once();

-- When each product last changed in what the public sees of it: for those who take the catalogue over bit by bit.
CREATE TABLE catalogue_changes (
    product_id bigint PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    changed_at timestamptz NOT NULL
);
INSERT INTO catalogue_changes SELECT id, updated_at FROM products WHERE published_at IS NOT NULL;
CREATE INDEX catalogue_changes_when ON catalogue_changes (changed_at);

CREATE FUNCTION note_catalogue_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    IF TG_TABLE_NAME = 'products' THEN
        changed := NEW.id;
    ELSIF TG_TABLE_NAME = 'stock_levels' THEN
        SELECT v.product_id INTO changed FROM variants v WHERE v.id = NEW.variant_id;
    ELSIF TG_OP = 'DELETE' THEN
        changed := OLD.product_id;
    ELSE
        changed := NEW.product_id;
    END IF;
    -- What was never public has no history; the product itself may be going.
    INSERT INTO catalogue_changes AS known (product_id, changed_at)
    SELECT id, now() FROM products WHERE id = changed AND published_at IS NOT NULL
    ON CONFLICT (product_id) DO UPDATE SET changed_at = excluded.changed_at WHERE known.changed_at < excluded.changed_at;
    RETURN NULL;
END $$;
CREATE TRIGGER note_catalogue_change AFTER INSERT OR UPDATE OR DELETE ON listings
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change();
CREATE TRIGGER note_catalogue_change AFTER UPDATE OF
    slug, title, title_en, description, description_en, delivery_scope, workshop_id, commodity_group_id ON products
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change();
CREATE TRIGGER note_catalogue_change AFTER UPDATE OF sku, title, title_en, price, weight_g, made_to_order, lead_time_days, position, is_active
    ON variants FOR EACH ROW EXECUTE FUNCTION note_catalogue_change();
CREATE TRIGGER note_catalogue_change AFTER INSERT OR UPDATE OR DELETE ON photos
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change();
CREATE TRIGGER note_catalogue_change AFTER UPDATE OF shown_state ON stock_levels
    FOR EACH ROW WHEN (OLD.shown_state <> NEW.shown_state) EXECUTE FUNCTION note_catalogue_change();
