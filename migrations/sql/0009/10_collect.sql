-- Ordered and paid in the shop, collected at a fair's stand: beside the facility's gallery another place where a parcel
-- lies ready, for one fair. Its pieces come from the store and travel as a parcel; they never lie at the stand as stock.
ALTER TABLE shipping_methods DROP CONSTRAINT shipping_methods_kind_check,
    ADD CONSTRAINT shipping_methods_kind_check CHECK (kind IN ('delivery', 'pickup', 'stand'));
INSERT INTO shipping_methods (code, kind, name, name_en, position, is_default)
VALUES ('stand', 'stand', 'Ambil di stan pameran', 'Collect at a fair', 90, false) ON CONFLICT (code) DO NOTHING;

ALTER TABLE parcels
    ADD COLUMN exhibition_id bigint REFERENCES exhibitions,     -- at whose stand it is collected
    ADD COLUMN left_at       timestamptz,                       -- on its way there since
    ADD CONSTRAINT parcels_stand_collected CHECK (exhibition_id IS NULL OR is_pickup),
    ADD CONSTRAINT parcels_stand_left CHECK (CASE WHEN exhibition_id IS NULL THEN left_at IS NULL
                                                  ELSE state <> 'ready' OR left_at IS NOT NULL END);
CREATE INDEX parcels_exhibition ON parcels (exhibition_id, state, id) WHERE exhibition_id IS NOT NULL;

-- Only with the method that says so, only a hall has a stand, and only for a facility that takes part in that fair.
CREATE FUNCTION check_parcel_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.exhibition_id IS NOT NULL)
       <> EXISTS (SELECT FROM shipping_methods m WHERE m.id = NEW.method_id AND m.kind = 'stand') THEN
        RAISE EXCEPTION 'parcel %: a fair and the method that brings it there belong together', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.exhibition_id IS NULL THEN
        RETURN NEW;
    END IF;
    -- Whoever takes the facility out of the fair waits, or has done so.
    PERFORM FROM exhibition_facilities f
     WHERE (f.exhibition_id, f.facility_id) = (NEW.exhibition_id, NEW.facility_id) FOR KEY SHARE;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM exhibitions x WHERE x.id = NEW.exhibition_id AND x.kind = 'hall') THEN
        RAISE EXCEPTION 'facility % has no stand at exhibition %', NEW.facility_id, NEW.exhibition_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER parcels_stand BEFORE INSERT OR UPDATE OF exhibition_id, method_id, facility_id ON parcels
    FOR EACH ROW EXECUTE FUNCTION check_parcel_stand();

-- While somebody may still come for a parcel, its facility takes part and the fair has a hall.
CREATE FUNCTION keep_stand_parcels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM parcels p
                WHERE p.exhibition_id = CASE TG_TABLE_NAME WHEN 'exhibitions' THEN (to_jsonb(OLD) ->> 'id')::bigint
                                             ELSE (to_jsonb(OLD) ->> 'exhibition_id')::bigint END
                  AND (TG_TABLE_NAME = 'exhibitions' OR p.facility_id = (to_jsonb(OLD) ->> 'facility_id')::bigint)
                  AND p.state IN ('waiting', 'to_pack', 'packed', 'ready')) THEN
        RAISE EXCEPTION 'parcels are to be collected at this stand' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER exhibition_facilities_collected BEFORE DELETE ON exhibition_facilities
    FOR EACH ROW EXECUTE FUNCTION keep_stand_parcels();
CREATE TRIGGER exhibitions_collected BEFORE UPDATE OF kind ON exhibitions
    FOR EACH ROW WHEN (NEW.kind IS DISTINCT FROM OLD.kind) EXECUTE FUNCTION keep_stand_parcels();
