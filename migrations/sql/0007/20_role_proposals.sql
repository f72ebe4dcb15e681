-- A role from the central office: one administrator proposes it, another gives it. (Coordinators come by a head's
-- invitation, and the first accounts by a command.)
CREATE TABLE role_proposals (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id     bigint NOT NULL REFERENCES people,
    role          text NOT NULL,
    facility_id   bigint REFERENCES facilities,
    proposed_by   bigint NOT NULL REFERENCES people,
    proposed_at   timestamptz NOT NULL DEFAULT now(),
    approved_by   bigint REFERENCES people,
    approved_at   timestamptz,
    rejected_by   bigint REFERENCES people,
    rejected_at   timestamptz,
    membership_id bigint UNIQUE REFERENCES memberships,     -- what came of it
    CHECK (CASE WHEN role IN ('coordinator', 'head') THEN facility_id IS NOT NULL
                WHEN role IN ('finance', 'auditor') THEN true
                WHEN role IN ('curator', 'administrator') THEN facility_id IS NULL
                ELSE false END),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((approved_by IS NULL) = (membership_id IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejected_at IS NULL)),
    CHECK (approved_at IS NULL OR rejected_at IS NULL),
    CONSTRAINT role_proposals_two_people CHECK (approved_by <> proposed_by),
    CONSTRAINT role_proposals_not_own CHECK (person_id <> proposed_by AND person_id <> approved_by)
);
CREATE UNIQUE INDEX role_proposals_open ON role_proposals (person_id, role, COALESCE(facility_id, 0))
    WHERE approved_at IS NULL AND rejected_at IS NULL;
