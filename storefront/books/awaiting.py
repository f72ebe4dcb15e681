"""What waits for the head of a facility as the second person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from storefront.extensions import db

#: What somebody else has proposed: nobody agrees to their own.
AWAITING = text(
    """
    SELECT (SELECT count(*) FROM settlements
             WHERE facility_id = :facility AND state = 'proposed' AND proposed_by <> :person) AS settlements,
           (SELECT count(*) FROM deposits
             WHERE facility_id = :facility AND state = 'proposed' AND proposed_by <> :person) AS deposits,
           (SELECT count(*) FROM premium_distributions
             WHERE facility_id = :facility AND state = 'entered' AND entered_by <> :person) AS distributions,
           (SELECT count(*) FROM bank_accounts
             WHERE facility_id = :facility AND rejected_at IS NULL
               AND ((approved_at IS NULL AND proposed_by <> :person)
                    OR (approved_at IS NOT NULL AND valid_to IS NULL AND end_proposed_by <> :person))) AS accounts"""
)


@dataclass(frozen=True)
class Awaiting:
    """Numbers of proposals of each kind."""

    settlements: int = 0
    deposits: int = 0
    distributions: int = 0
    #: Bank accounts, or their ends.
    accounts: int = 0

    def __bool__(self) -> bool:
        return any((self.settlements, self.deposits, self.distributions, self.accounts))


def awaiting(facility_id: int, person_id: int) -> Awaiting:
    """What of the facility `person_id` may agree to as its head."""
    row = db.session.execute(AWAITING, {"facility": facility_id, "person": person_id}).mappings().one()
    return Awaiting(**row)
