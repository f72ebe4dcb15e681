"""Entries of a sale: captured, captured without a sale, and given back. `docs/ledger.md` draws each."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from storefront.ledger.book import (
    AccountKey,
    Leg,
    When,
    book,
    clearing,
    customer_deposits,
    owed,
    shipping_owed,
    to_return,
)
from storefront.ledger.shares import LineShare
from storefront.ledger.take_back import Taken, legs_of


@dataclass(frozen=True)
class SoldLine:
    """A line of a paid order with the shares it was sold with."""

    order_line_id: int
    facility_id: int
    facility_code: str
    shares: tuple[LineShare, ...]


@dataclass(frozen=True)
class ShippingCharged:
    """Shipping of one parcel, in rupiah."""

    facility_id: int
    facility_code: str
    amount: int


def book_sale(
    payment_id: str,
    gateway: str,
    lines: Sequence[SoldLine],
    shipping: Sequence[ShippingCharged],
    *,
    order_id: int,
    when: When,
    deposits: int = 0,
    paid_into: AccountKey | None = None,
    person_id: int | None = None,
) -> int:
    """A payment that pays an order: clearing is debited, each fund of each line credited.

    One posting for each line and fund, so that an auditor walks from any of them to the piece of work. `deposits`:
    rupiah of the order's earlier instalments, which waited as customers' deposits until now.
    `paid_into` is the account that holds the money, by default the gateway's clearing account.
    """
    legs = []
    for line in lines:
        amounts: dict[tuple[int, str], int] = {}
        for share in line.shares:
            key = (share.fund_id, share.fund_code)
            amounts[key] = amounts.get(key, 0) + share.amount
        legs += [
            Leg(owed(line.facility_id, line.facility_code, *fund), -amount, line.order_line_id)
            for fund, amount in amounts.items()
        ]
    legs += [Leg(shipping_owed(part.facility_id, part.facility_code), -part.amount) for part in shipping]
    captured = -sum(leg.amount for leg in legs)
    legs[:0] = [Leg(paid_into or clearing(gateway), captured - deposits), Leg(customer_deposits(), deposits)]
    return book(
        f"payment:{payment_id}:captured",
        "sale",
        when.on,
        legs,
        order_id=order_id,
        person_id=person_id,
        posted_at=when.posted_at,
        happened_on=when.happened_on,
    )


def book_deposit(payment_id: str, gateway: str, amount: int, *, order_id: int, when: When) -> int:
    """An instalment that others are to follow: it waits as a customer's deposit, nobody's share yet."""
    return book(
        f"payment:{payment_id}:captured",
        "customer_deposit",
        when.on,
        [Leg(clearing(gateway), amount), Leg(customer_deposits(), -amount)],
        order_id=order_id,
        posted_at=when.posted_at,
        happened_on=when.happened_on,
    )


def book_deposit_released(payment_id: str, amount: int, *, order_id: int, on: datetime.date) -> int:
    """Its order ended before the last instalment: what waited goes back to who paid it."""
    legs = [Leg(customer_deposits(), amount), Leg(to_return(), -amount)]
    return book(f"payment:{payment_id}:released", "deposit_released", on, legs, order_id=order_id)


def book_payment_held(payment_id: str, gateway: str, amount: int, *, order_id: int, when: When) -> int:
    """Money that arrived but pays nothing: too late, or a second time. It waits to go back."""
    legs = [Leg(clearing(gateway), amount), Leg(to_return(), -amount)]
    return book(
        f"payment:{payment_id}:held",
        "payment_held",
        when.on,
        legs,
        order_id=order_id,
        posted_at=when.posted_at,
        happened_on=when.happened_on,
    )


def refund_source(refund_id: int, number: int = 1, *, came_back: bool = False) -> str:
    """The source of the entry that a refund went through, or came back, for the `number`-th time."""
    source = f"refund:{refund_id}:{'taken_back' if came_back else 'succeeded'}"
    return source if number == 1 else f"{source}:{number}"


def book_payment_returned(
    refund_id: int,
    gateway: str,
    amount: int,
    *,
    order_id: int,
    when: When,
    number: int = 1,
    paid_from: AccountKey | None = None,
    person_id: int | None = None,
) -> int:
    """Money that paid nothing has gone back to the shopper, for the `number`-th time.

    Out of `paid_from`, by default the gateway's clearing.
    """
    legs = [Leg(to_return(), amount), Leg(paid_from or clearing(gateway), -amount)]
    return _refund(refund_source(refund_id, number), legs, order_id, when, person_id)


def book_payment_came_back(
    refund_id: int, gateway: str, amount: int, *, order_id: int, when: When, number: int
) -> int:
    """Money that paid nothing and had gone back is with the provider again: it must go back anew."""
    legs = [Leg(clearing(gateway), amount), Leg(to_return(), -amount)]
    return _refund(refund_source(refund_id, number, came_back=True), legs, order_id, when)


def book_refund(
    refund_id: int,
    gateway: str,
    taken: Sequence[Taken],
    *,
    order_id: int,
    when: When,
    person_id: int | None,
    number: int = 1,
    paid_from: AccountKey | None = None,
) -> int:
    """Part of a sale goes back, for the `number`-th time: each fund gives back its share of it.

    Clearing (or `paid_from`) is credited.

    What was deposited or settled already is owed by the next deposit or settlement (`receivable:…`).
    """
    legs = legs_of(taken)
    legs.append(Leg(paid_from or clearing(gateway), -sum(leg.amount for leg in legs)))
    return _refund(refund_source(refund_id, number), legs, order_id, when, person_id)


def book_refund_came_back(
    refund_id: int, gateway: str, returned: Sequence[Taken], *, order_id: int, when: When, number: int
) -> int:
    """A refund that had gone through came back to the provider: each fund is owed its share again.

    What had become a receivable stays one: it comes off the next settlement or deposit, which now pays more.
    """
    legs = [Leg(part.owed_account, -part.amount, part.order_line_id) for part in returned if part.amount]
    legs.append(Leg(clearing(gateway), -sum(leg.amount for leg in legs)))
    return _refund(refund_source(refund_id, number, came_back=True), legs, order_id, when)


def _refund(
    source: str, legs: Sequence[Leg], order_id: int, when: When, person_id: int | None = None
) -> int:
    return book(
        source,
        "refund",
        when.on,
        legs,
        order_id=order_id,
        person_id=person_id,
        posted_at=when.posted_at,
        happened_on=when.happened_on,
    )
