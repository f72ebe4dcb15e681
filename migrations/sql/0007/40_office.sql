-- A facility that the office has stopped: nothing of it can be ordered from then on; what is paid is packed and settled
-- as ever. `facilities.status` says the same where it is read often.
CREATE TABLE facility_suspensions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id  bigint NOT NULL REFERENCES facilities,
    reason       text NOT NULL CHECK (length(reason) BETWEEN 5 AND 300),    -- for the office and the facility alone
    suspended_by bigint REFERENCES people,                  -- null: before that was written down
    suspended_at timestamptz NOT NULL DEFAULT now(),
    lifted_by    bigint REFERENCES people,
    lifted_at    timestamptz,
    lifted_why   text NOT NULL DEFAULT '' CHECK (length(lifted_why) <= 300),
    CHECK ((lifted_by IS NULL) = (lifted_at IS NULL)),
    CHECK (lifted_at >= suspended_at)
);
CREATE UNIQUE INDEX facility_suspensions_open ON facility_suspensions (facility_id) WHERE lifted_at IS NULL;
CREATE INDEX facility_suspensions_facility ON facility_suspensions (facility_id, id);
INSERT INTO facility_suspensions (facility_id, reason)
SELECT id, 'Dihentikan sebelum alasannya dicatat di sini.' FROM facilities
 WHERE status = 'suspended' AND (kind <> 'lpka' OR approved_by IS NOT NULL);

-- Invitations from the central office: any role but a cashier's, and only with a second administrator.
ALTER TABLE invitations
    ALTER COLUMN facility_id DROP NOT NULL,
    ADD COLUMN role text NOT NULL DEFAULT 'coordinator',
    ADD COLUMN role_until date,                             -- the last day; auditors have one
    ADD COLUMN by_office boolean NOT NULL DEFAULT false,
    ADD COLUMN approved_by bigint REFERENCES people,
    ADD COLUMN approved_at timestamptz,
    ADD CHECK (CASE WHEN role IN ('coordinator', 'head') THEN facility_id IS NOT NULL
                    WHEN role IN ('finance', 'auditor') THEN true
                    WHEN role IN ('curator', 'administrator') THEN facility_id IS NULL
                    ELSE false END),
    ADD CHECK ((role = 'auditor') = (role_until IS NOT NULL)),
    ADD CHECK (by_office OR role = 'coordinator'),
    ADD CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    ADD CONSTRAINT invitations_two_people CHECK (approved_by <> invited_by),
    ADD CONSTRAINT invitations_given_by_two CHECK (NOT by_office OR accepted_at IS NULL OR approved_at IS NOT NULL);
DROP INDEX invitations_one_waits;
CREATE UNIQUE INDEX invitations_one_waits ON invitations (COALESCE(facility_id, 0), email, by_office)
    WHERE accepted_at IS NULL AND withdrawn_at IS NULL;

-- An auditor reads until a day.
ALTER TABLE role_proposals
    ADD COLUMN role_until date,
    ADD CONSTRAINT role_proposals_until CHECK ((role = 'auditor') = (role_until IS NOT NULL));
