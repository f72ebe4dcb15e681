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
