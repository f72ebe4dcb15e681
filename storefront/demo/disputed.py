"""Payments that payers' banks disputed: one won, one lost, one that is still open when the demo is opened."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storefront.books.disputes import record_dispute
from storefront.books.span import Span
from storefront.demo import provider
from storefront.demo.moments import at, days
from storefront.extensions import db

#: Payments of the days that one facility alone earned, neither small change nor the sale of the month.
PAID = text(
    """
    SELECT p.id, p.order_id, p.amount FROM payments p
     WHERE p.counts AND p.gateway = 'sandbox' AND p.amount BETWEEN 60000 AND 500000
       AND accounting_date(p.succeeded_at) BETWEEN :first AND :last
       AND (SELECT count(DISTINCT l.facility_id) FROM order_lines l WHERE l.order_id = p.order_id) = 1
     ORDER BY p.succeeded_at, p.id LIMIT 200"""
)
#: Days that a payer's bank takes to decide.
DECIDES = 14


@dataclass(frozen=True)
class Disputed:
    """A payment, when its payer's bank took it back, and what came of it; None: nothing yet."""

    payment_id: str
    order_id: int
    amount: int
    opened_at: datetime.datetime
    outcome: str | None


class Disputes:
    """Chooses by `seed` which payments are disputed."""

    def __init__(self, months: Sequence[Span], today: datetime.date, seed: str) -> None:
        self.rng = random.Random(f"{seed}:disputes")
        won, lost = months[0], months[1]
        chosen = (
            (Span(won.first, won.first + days(9)), won.first + days(12), "won"),
            (Span(lost.first, lost.first + days(9)), lost.first + days(11), "lost"),
            (Span(today - days(40), today - days(6)), today - days(4), None),
        )
        self.all = [found for span, day, outcome in chosen if (found := self._choose(span, day, outcome))]

    @property
    def order_ids(self) -> set[int]:
        """Orders of which nothing can be given back meanwhile."""
        return {one.order_id for one in self.all}

    def acts(self) -> Iterator[tuple[datetime.datetime, Callable[[datetime.datetime], None]]]:
        """What the provider tells, with its moments."""
        for one in self.all:
            yield one.opened_at, lambda moment, one=one: self._tell(one, "opened", moment)  # type: ignore[misc]
            if one.outcome:
                decided = one.opened_at + days(DECIDES)
                yield decided, lambda moment, one=one: self._tell(one, one.outcome, moment)  # type: ignore[misc]

    def _choose(self, span: Span, day: datetime.date, outcome: str | None) -> Disputed | None:
        found = db.session.execute(PAID, vars(span)).all()
        if not found:
            return None
        payment = self.rng.choice(found)
        opened_at = at(day, 13, self.rng.randrange(60))
        return Disputed(payment.id, payment.order_id, payment.amount, opened_at, outcome)

    def _tell(self, one: Disputed, outcome: str, moment: datetime.datetime) -> None:
        reference = f"dp_{one.payment_id}"
        told = {"id": reference, "amount": one.amount}
        provider.say(one.payment_id, f"dispute.{outcome}", moment, self.rng, dispute=told)
        record_dispute(one.payment_id, reference, one.amount, outcome, at=moment)
