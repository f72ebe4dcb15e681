"""Training counts add up, were read by two people, and say nothing of a day to come."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "training_adds_up",
        6,
        "Of a programme no more are women, passed, certified or at work than took part.",
        """SELECT t.id AS programme_id, t.participants, t.women, t.passed, t.certified, o.own_business, o.employed
             FROM training_programmes t LEFT JOIN training_outcomes o ON o.programme_id = t.id
            WHERE t.women > t.participants OR t.passed > t.participants OR COALESCE(t.certified > t.passed, false)
               OR t.ended_on < t.started_on OR o.own_business + o.employed > t.participants
               OR o.counted_on < t.ended_on""",
    ),
    Invariant(
        "training_read_by_two",
        9,
        "What counts of training was checked by somebody else than who recorded it, after the programme's end.",
        """SELECT t.id AS programme_id, t.state, t.recorded_by, t.checked_by, t.checked_at
             FROM training_programmes t
            WHERE (t.state = 'checked' OR t.checked_at IS NOT NULL)
              AND (t.checked_by IS NULL OR t.checked_by = t.recorded_by OR t.passed IS NULL OR t.certified IS NULL
                   OR t.ended_on > (t.checked_at AT TIME ZONE 'Asia/Jakarta')::date OR t.checked_at > now())
           UNION ALL
           SELECT o.programme_id, 'outcome', o.recorded_by, o.checked_by, o.checked_at FROM training_outcomes o
            WHERE o.recorded_by = o.checked_by OR o.checked_at > now()
           UNION ALL
           SELECT l.programme_id, 'later count', l.recorded_by, l.decided_by, l.decided_at
             FROM training_followups l LEFT JOIN training_outcomes o ON o.id = l.outcome_id
            WHERE l.state = 'checked'
              AND (l.programme_id, l.counted_on, l.own_business, l.employed, l.recorded_by, l.decided_by)
                  IS DISTINCT FROM
                  (o.programme_id, o.counted_on, o.own_business, o.employed, o.recorded_by, o.checked_by)""",
    ),
    Invariant(
        "training_holds_no_number_of_a_person",
        9,
        "No word of a training record holds a number as long as a person's.",
        """SELECT id AS programme_id, skill, skill_en, partner, scheme, batch FROM training_programmes
            WHERE concat_ws('|', skill, skill_en, partner) ~ '[0-9]{5}' OR scheme ~ '[0-9]{7}' OR batch ~ '[0-9]{9}'""",
    ),
)
