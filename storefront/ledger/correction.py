"""Corrections: entries that two people agreed on, for what no other kind of entry can put right."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from storefront.ledger.balance import lock_accounts
from storefront.ledger.book import Leg, book


def book_correction(
    correction_id: int, legs: Sequence[Leg], *, reason: str, on: datetime.date, person_id: int
) -> int:
    """A correction as it was proposed; `person_id` is who approved it, `reason` stands in the journal."""
    lock_accounts(leg.account.code for leg in legs)
    return book(
        f"correction:{correction_id}", "correction", on, legs, person_id=person_id, description=reason
    )
