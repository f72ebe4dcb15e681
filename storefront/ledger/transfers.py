"""Entries of shoppers' money that lies on our bank account and pays nothing, yet or at all."""

from __future__ import annotations

import datetime

from storefront.ledger.book import Leg, bank, book, to_return


def book_transfer_held(
    held_id: int,
    bank_account_id: int,
    amount: int,
    *,
    order_id: int,
    on: datetime.date,
    person_id: int | None,
    posted_at: datetime.datetime | None = None,
) -> int:
    """A transfer came that is not what was asked. It waits for a decision."""
    legs = [Leg(bank(bank_account_id), amount), Leg(to_return(), -amount)]
    source = f"held_transfer:{held_id}:held"
    return book(
        source, "transfer_held", on, legs, order_id=order_id, person_id=person_id, posted_at=posted_at
    )


def book_transfer_counted(
    held_id: int,
    bank_account_id: int,
    amount: int,
    *,
    order_id: int,
    on: datetime.date,
    person_id: int | None,
    posted_at: datetime.datetime | None = None,
) -> int:
    """So much of a held transfer pays an order after all: it is held no longer, and comes in as any payment does."""
    legs = [Leg(to_return(), amount), Leg(bank(bank_account_id), -amount)]
    source = f"held_transfer:{held_id}:counted"
    return book(
        source, "transfer_counted", on, legs, order_id=order_id, person_id=person_id, posted_at=posted_at
    )


def book_transfer_returned(
    return_id: int,
    bank_account_id: int,
    amount: int,
    *,
    order_id: int,
    on: datetime.date,
    person_id: int,
    posted_at: datetime.datetime | None = None,
) -> int:
    """The rest of a held transfer went back to the shopper by bank."""
    legs = [Leg(to_return(), amount), Leg(bank(bank_account_id), -amount)]
    source = f"bank_return:{return_id}:paid"
    return book(
        source, "transfer_returned", on, legs, order_id=order_id, person_id=person_id, posted_at=posted_at
    )
