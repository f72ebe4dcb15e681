-- The audit trail, and messages out.
CREATE TABLE audit_events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    person_id    bigint REFERENCES people,          -- null: the system, or somebody not signed in
    action       text NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    subject_kind text NOT NULL,
    subject_id   text NOT NULL,
    facility_id  bigint REFERENCES facilities,
    details      jsonb NOT NULL DEFAULT '{}',       -- before and after; never a secret or a buyer's data
    request_id   text
);
CREATE INDEX audit_events_subject ON audit_events (subject_kind, subject_id, id);
CREATE INDEX audit_events_facility ON audit_events (facility_id, id) WHERE facility_id IS NOT NULL;
CREATE INDEX audit_events_person ON audit_events (person_id, id) WHERE person_id IS NOT NULL;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row for each message owed. It names the fact, not the person: the address is read when it is sent,
-- so that an erased buyer's data lie nowhere else.
CREATE TABLE messages (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text NOT NULL UNIQUE,                -- business key: owed once, whatever is retried
    kind       text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    order_id   bigint NOT NULL REFERENCES orders,
    parcel_id  bigint REFERENCES parcels,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    attempts   integer NOT NULL DEFAULT 0,
    last_error text
);
CREATE INDEX messages_order ON messages (order_id);
CREATE INDEX messages_waiting ON messages (created_at) WHERE sent_at IS NULL;
