-- A sale keeps the category and the regional office that it had, so that a report of a past month stays as it was
-- when a product or a facility moves.
ALTER TABLE order_lines ADD COLUMN IF NOT EXISTS category_id bigint REFERENCES categories,
                        ADD COLUMN IF NOT EXISTS regional_office text;

CREATE OR REPLACE FUNCTION place_of_sale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.category_id := COALESCE(NEW.category_id, (SELECT p.category_id FROM products p WHERE p.id = NEW.product_id));
    NEW.regional_office :=
        COALESCE(NEW.regional_office, (SELECT f.regional_office FROM facilities f WHERE f.id = NEW.facility_id));
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER order_lines_place BEFORE INSERT ON order_lines
    FOR EACH ROW EXECUTE FUNCTION place_of_sale();

-- While the lines of before are filled in, a line may be given these two and nothing else.
CREATE OR REPLACE FUNCTION fill_place_of_sale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.category_id IS NULL AND OLD.regional_office IS NULL
       AND to_jsonb(NEW) - '{category_id,regional_office}'::text[]
           = to_jsonb(OLD) - '{category_id,regional_office}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'order_lines is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE TRIGGER order_lines_append_only BEFORE UPDATE OR DELETE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION fill_place_of_sale();
