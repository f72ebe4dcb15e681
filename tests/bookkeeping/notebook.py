"""The books of a small shop as somebody would keep them in a notebook: slow, plain, from the facts alone.

Tests that drive the real rules keep one beside them and compare. It reads nothing of the database and uses
nothing of the shop's code; what a fact does to which account is said here a second time, in the simplest way.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

#: A facility's code and a fund's, or `shipping`.
Purse = tuple[str, str]


def divide(amount: int, weights: Sequence[int]) -> list[int]:
    """By largest remainder, ties to the first."""
    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    parts = [int(part) for part in exact]
    while sum(parts) < amount:
        short = [part - given for part, given in zip(exact, parts, strict=True)]
        parts[short.index(max(short))] += 1
    return parts


@dataclass
class Share:
    """What a line gave to a fund, and what was taken back of it."""

    position: int
    fund: str
    amount: int
    taken: int = 0

    @property
    def left(self) -> int:
        return self.amount - self.taken


@dataclass
class Line:
    """A line as sold. `spoken` and `pieces`: what living refunds speak of, in rupiah and pieces."""

    id: int
    facility: str
    quantity: int
    net: int
    shares: list[Share]
    spoken: int = 0
    pieces: int = 0
    disputed: int = 0

    @property
    def left(self) -> int:
        return self.net - self.spoken - self.disputed


@dataclass
class Shipping:
    """The shipping of one parcel."""

    id: int
    facility: str
    amount: int
    spoken: int = 0
    disputed: int = 0

    @property
    def left(self) -> int:
        return self.amount - self.spoken - self.disputed


@dataclass
class Sale:
    """A paid order."""

    order_id: int
    payment_id: str
    day: datetime.date
    lines: list[Line]
    shipping: list[Shipping]
    fee: int | None = None
    #: Its line stands in the provider's own books and was compared: what fee it has is known from there.
    is_compared: bool = False
    #: Number of its dispute; it is open until `dispute_ended`.
    dispute: int | None = None
    disputed: int = 0
    dispute_ended: bool = False

    @property
    def amount(self) -> int:
        return sum(line.net for line in self.lines) + sum(parcel.amount for parcel in self.shipping)

    @property
    def dispute_is_open(self) -> bool:
        return self.dispute is not None and not self.dispute_ended


@dataclass
class Owed:
    """State revenue that came in (or, below zero, went back) on a day, and the deposit that carries it."""

    facility: str
    day: datetime.date
    amount: int
    deposit: int | None = None


@dataclass
class Notebook:
    """All balances, debit above zero, and when they moved."""

    balances: Counter[str] = field(default_factory=Counter)
    #: (day, kind of fact, account, amount).
    moves: list[tuple[datetime.date, str, str, int]] = field(default_factory=list)
    state: list[Owed] = field(default_factory=list)
    #: What each payment of a settlement or deposit did, for the day it is undone.
    passed_on: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    def write(self, day: datetime.date, kind: str, legs: Iterable[tuple[str, int]]) -> None:
        legs = [(account, amount) for account, amount in legs if amount]
        assert sum(amount for _, amount in legs) == 0, (kind, legs)
        for account, amount in legs:
            self.balances[account] += amount
            self.moves.append((day, kind, account, amount))
            owner, _, fund = account.partition(":")[2].partition(":")
            if fund == "state_revenue" and kind not in ("deposit", "reversal"):
                self.state.append(Owed(owner, day, -amount))

    def owed(self, purse: Purse) -> int:
        """Rupiah owed, what must come back taken off."""
        code = ":".join(purse)
        return -self.balances[f"owed:{code}"] - self.balances[f"receivable:{code}"]

    def owed_on(self, facility: str, day: datetime.date) -> Counter[str]:
        """What a facility was owed at the end of a day, by fund."""
        found: Counter[str] = Counter()
        for moved_on, _kind, account, amount in self.moves:
            if moved_on <= day and account.split(":")[1:2] == [facility]:
                found[account.split(":")[2]] -= amount
        return found

    def moved(self, facility: str, first: datetime.date, last: datetime.date) -> Counter[str]:
        """What each kind of fact did to what a facility is owed."""
        found: Counter[str] = Counter()
        for day, kind, account, amount in self.moves:
            if first <= day <= last and account.split(":")[1:2] == [facility]:
                found[kind] -= amount
        return found

    # Facts

    def sold(self, sale: Sale) -> None:
        legs = [("clearing:sandbox", sale.amount)]
        for line in sale.lines:
            legs += [(f"owed:{line.facility}:{share.fund}", -share.amount) for share in line.shares]
        legs += [(f"owed:{parcel.facility}:shipping", -parcel.amount) for parcel in sale.shipping]
        self.write(sale.day, "sale", legs)

    def refunded(
        self,
        day: datetime.date,
        lines: Sequence[tuple[Line, int]],
        shipping: Sequence[tuple[Shipping, int]],
    ) -> None:
        legs = self._given_back(lines, shipping)
        self.write(day, "refund", [*legs, ("clearing:sandbox", -sum(amount for _, amount in legs))])

    def held(self, day: datetime.date, amount: int) -> None:
        self.write(day, "payment_held", [("clearing:sandbox", amount), ("customers:to_return", -amount)])

    def held_returned(self, day: datetime.date, amount: int) -> None:
        self.write(day, "refund", [("customers:to_return", amount), ("clearing:sandbox", -amount)])

    def budget_returned(self, day: datetime.date, purse: Purse, amount: int, bank: str) -> None:
        self.write(day, "budget_return", [(bank, amount), (f"owed:{':'.join(purse)}", -amount)])

    def fee(self, day: datetime.date, sale: Sale, amount: int, bearer: str) -> None:
        sale.fee = amount
        if bearer == "operator":
            self.write(day, "fee", [("fees:operator", amount), ("clearing:sandbox", -amount)])
            return
        sold: Counter[str] = Counter()
        for line in sale.lines:
            sold[line.facility] += line.net
        legs: list[tuple[str, int]] = []
        for facility, part in zip(sold, divide(amount, list(sold.values())), strict=True):
            legs += self._take((facility, bearer), part, legs)
        self.write(day, "fee", [*legs, ("clearing:sandbox", -amount)])

    def paid_out(self, day: datetime.date, amount: int, bank: str) -> None:
        self.write(day, "payout", [(bank, amount), ("clearing:sandbox", -amount)])

    def dispute_opened(self, day: datetime.date, amount: int) -> None:
        self.write(day, "dispute", [("disputed:sandbox", amount), ("clearing:sandbox", -amount)])

    def dispute_won(self, day: datetime.date, amount: int) -> None:
        self.write(day, "dispute", [("clearing:sandbox", amount), ("disputed:sandbox", -amount)])

    def dispute_lost(self, day: datetime.date, sale: Sale) -> None:
        parts = [*sale.lines, *sale.shipping]
        left = [max(0, part.left) for part in parts]
        amount = min(sale.disputed, sum(left))
        lost = divide(amount, left) if amount else [0] * len(parts)
        for part, gone in zip(parts, lost, strict=True):
            part.disputed += gone
        count = len(sale.lines)
        legs = self._given_back(
            list(zip(sale.lines, lost[:count], strict=True)),
            list(zip(sale.shipping, lost[count:], strict=True)),
        )
        rest = sale.disputed - sum(taken for _, taken in legs)
        self.write(day, "dispute", [*legs, ("losses:operator", rest), ("disputed:sandbox", -sale.disputed)])

    def settled(self, day: datetime.date, number: int, purse: Purse, amount: int, bank: str) -> None:
        self._passed_on(day, "settlement", number, purse, amount, bank)

    def deposited(self, day: datetime.date, number: int, facility: str, amount: int, bank: str) -> None:
        self._passed_on(day, "deposit", number, (facility, "state_revenue"), amount, bank)

    def reversed(self, day: datetime.date, what: str, number: int) -> None:
        """The bank has the money again; what was taken from owed is owed again.

        What had become a receivable goes away with it, as far as it has not come back meanwhile.
        """
        legs = []
        for account, amount in self.passed_on.pop(f"{what}:{number}"):
            back = amount
            if account.startswith("receivable:") and amount > 0:
                back = min(amount, self.balances[account])
                legs.append((account.replace("receivable:", "owed:"), back - amount))
            legs.append((account, -back))
        self.write(day, "reversal", legs)

    def corrected(self, day: datetime.date, legs: Sequence[tuple[str, int]]) -> None:
        self.write(day, "correction", legs)

    def to_deposit(self, facility: str, until: datetime.date) -> list[Owed]:
        """What no living deposit carries; what went back is carried whenever it did."""
        return [
            row
            for row in self.state
            if row.facility == facility and row.deposit is None and (row.day <= until or row.amount < 0)
        ]

    # Means

    def _given_back(
        self, lines: Sequence[tuple[Line, int]], shipping: Sequence[tuple[Shipping, int]]
    ) -> list[tuple[str, int]]:
        """Legs of what goes back: each share in proportion to what is left of it."""
        legs: list[tuple[str, int]] = []
        for line, amount in lines:
            parts = divide(amount, [share.left for share in line.shares]) if amount else []
            for share, part in zip(line.shares, parts, strict=False):
                share.taken += part
                legs += self._take((line.facility, share.fund), part, legs)
        for parcel, amount in shipping:
            legs += self._take((parcel.facility, "shipping"), amount, legs)
        return legs

    def _take(self, purse: Purse, amount: int, before: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """What is still owed first (after the legs `before`); the rest must come back."""
        owed = f"owed:{':'.join(purse)}"
        there = max(0, -self.balances[owed] - sum(taken for account, taken in before if account == owed))
        now = min(amount, there)
        return [(owed, now), (owed.replace("owed:", "receivable:"), amount - now)]

    def _passed_on(
        self, day: datetime.date, what: str, number: int, purse: Purse, amount: int, bank: str
    ) -> None:
        """Money leaves the bank; what must come back is taken in first, as far as more is owed than is paid."""
        owed, back = f"owed:{':'.join(purse)}", f"receivable:{':'.join(purse)}"
        there, coming = max(0, -self.balances[owed]), max(0, self.balances[back])
        spare = max(0, there - amount)
        if there < amount:
            legs = [(owed, there), (back, amount - there)]
        else:
            taken_in = min(spare, coming)
            legs = [(owed, amount + taken_in), (back, -taken_in)]
        self.passed_on[f"{what}:{number}"] = [*legs, (bank, -amount)]
        self.write(day, what, [*legs, (bank, -amount)])
