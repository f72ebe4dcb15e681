-- A cashier is invited by mail too: with the role comes the fair that they sell at.
ALTER TABLE invitations
    ADD COLUMN exhibition_id bigint REFERENCES exhibitions,
    DROP CONSTRAINT invitations_check2,
    ADD CONSTRAINT invitations_place CHECK (
        CASE WHEN role IN ('coordinator', 'head') THEN facility_id IS NOT NULL AND exhibition_id IS NULL
             WHEN role IN ('finance', 'auditor') THEN exhibition_id IS NULL
             WHEN role IN ('curator', 'administrator') THEN facility_id IS NULL AND exhibition_id IS NULL
             WHEN role = 'cashier' THEN facility_id IS NULL AND exhibition_id IS NOT NULL
             ELSE false END);
CREATE INDEX invitations_exhibition ON invitations (exhibition_id) WHERE exhibition_id IS NOT NULL;
