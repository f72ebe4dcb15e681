"""The machine of the books: one random thing after another, checked after each. Hypothesis shortens what fails."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from functools import partial
from typing import Any

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from storefront.books import corrections, payouts, settle_paid
from storefront.books.models import PeriodCheck
from storefront.books.span import Span, month
from storefront.closing import close
from storefront.closing.checklist import content
from storefront.days import today
from storefront.extensions import db
from tests.bookkeeping.coming_in import ComingIn
from tests.bookkeeping.going_out import GoingOut
from tests.bookkeeping.ground import DAY, Correction
from tests.taking import agreed

#: What happens how often, relative to the others, when it can happen.
WEIGHTS = {
    "sell": 5, "ask_for_refund": 7, "ask_for_goodwill": 1, "decide_on_refund": 3, "answer_refund": 6,
    "tell_fee": 1, "pay_out": 1, "open_dispute": 1, "end_dispute": 2,
    "propose_settlement": 6, "decide_on_settlement": 4, "pay_settlement": 5, "reverse_settlement": 0.5,
    "pass_premium_on": 2, "decide_on_distribution": 2,
    "propose_deposit": 2, "decide_on_deposit": 3, "pay_deposit": 4, "reverse_deposit": 0.5,
    "propose_budget": 1, "decide_on_budget": 1, "return_held": 1,
    "propose_correction": 0.5, "decide_on_correction": 1, "close_month": 2, "reopen_month": 0.3,
    "date_into_a_closed_month": 0.5, "time_passes": 3,
}  # fmt: skip
#: What often follows at once, before the next full check: else a short life ends before any money has moved.
NEXT = {
    "ask_for_refund": "decide_on_refund", "ask_for_goodwill": "decide_on_refund", "decide_on_refund": "answer_refund",
    "propose_settlement": "decide_on_settlement", "decide_on_settlement": "pay_settlement",
    "pay_settlement": "pass_premium_on", "pass_premium_on": "decide_on_distribution",
    "propose_deposit": "decide_on_deposit", "decide_on_deposit": "pay_deposit", "propose_budget": "decide_on_budget",
    "open_dispute": "end_dispute", "propose_correction": "decide_on_correction", "time_passes": "close_month",
}  # fmt: skip
#: What has not happened yet is so many times likelier: a short life sees much as well.
NEW = 4


class Accountant(ComingIn, GoingOut):
    """All that can happen to the books, corrections, months and time included."""

    def __init__(self, owner: psycopg.Connection[Any], seen: Counter[str]) -> None:
        super().__init__(owner, seen)
        self.steps = 0
        #: What has happened in this life, and whether the last act came to anything.
        self.done: set[str] = set()
        self.has_met = False

    def step(self, seed: int) -> None:
        """One thing, decided by `seed`, by how many came before, and by what is possible."""
        self.steps += 1
        self.chance = random.Random(f"{seed}:{self.steps}")
        possible = [name for name in WEIGHTS if self._can(name)]
        weights = [WEIGHTS[name] * (1 if name in self.done else NEW) for name in possible]
        name = self.chance.choices(possible, weights)[0]
        self._do(name)
        while name in NEXT and self.chance.random() < 0.6:
            name = NEXT[name]
            if self._can(name):
                self.check_balances()
                self._do(name)

    def _can(self, name: str) -> bool:
        return bool(getattr(self, f"can_{name}", lambda: True)())

    def _do(self, name: str) -> None:
        self.has_met = False
        getattr(self, name)()
        if self.has_met:
            self.done.add(name)

    def met(self, what: str) -> None:
        super().met(what)
        self.has_met = True

    def can_propose_correction(self) -> bool:
        return bool(self.kept.sales)

    def propose_correction(self) -> None:
        """Of a day this month or last: something counted does not agree with the books."""
        accounts = [code for code in corrections.account_codes() if not code.startswith("disputed:")]
        account, amount = self.chance.choice(accounts[:-1]), self.chance.choice((-5_000, 1, 7_777, 90_000))
        legs = [(account, amount), ("corrections:difference", -amount)]
        if account == "corrections:difference":
            return
        day = self.day - self.chance.choice((0, 3, 30)) * DAY
        found = self.do(
            lambda: corrections.propose(
                reason="Found at the count of the month", effective_date=day, legs=legs, person_id=self.first
            ),
            "invalid" if self.is_closed(day) else None,
        )
        if found is not None:
            self.kept.corrections.append(Correction(found.id, day, legs))
            self.met("correction proposed")

    def can_decide_on_correction(self) -> bool:
        return bool(self.kept.corrections)

    def decide_on_correction(self) -> None:
        """Booked, unless it would take more from a facility than it is owed, or ask back what is not too much."""
        one = self.kept.corrections.pop()
        if self.chance.random() < 0.2:
            self.do(lambda: corrections.reject(one.id, self.second))
            return
        account, amount = one.legs[0]
        after = self.book.balances[account] + amount
        wrong_side = (account.startswith("owed:") and after > 0) or (
            account.startswith("receivable:") and after < 0
        )
        expected = "period_closed" if self.is_closed(one.day) else "wrong_side" if wrong_side else None
        if self.do(lambda: corrections.approve(one.id, self.second), expected) is not None:
            self.book.corrected(one.day, one.legs)
            self.met("correction booked")

    # Months and time

    def can_close_month(self) -> bool:
        return self._next_month() is not None

    def close_month(self) -> None:
        """The next month in order; not while refunds of it are unanswered."""
        closing = self._next_month()
        assert closing is not None
        agreed()
        for sale in self.kept.sales:
            sale.is_compared = True
        db.session.add(
            PeriodCheck(month=closing.first, finished_at=self.now, content=content(closing.first), broken=[])
        )
        # By the real clock all of them have waited for weeks.
        waits = bool(self.refunds_in("requested"))
        found = self.do(
            lambda: close.close(closing.first, self.first, are_named=True, at=self.now),
            "period_not_ready" if waits else None,
        )
        if found is not None:
            self.kept.closed.append(closing.first)
            self.met("month closed")

    def can_reopen_month(self) -> bool:
        return bool(self.kept.closed)

    def reopen_month(self) -> None:
        """The last closed month alone."""
        for month_ in sorted(self.kept.closed)[:-1]:
            self.do(lambda m=month_: close.reopen(m, self.second, "Not the last one"), "period_state")
        self.do(lambda: close.reopen(max(self.kept.closed), self.second, "Something was missing"))
        self.kept.closed.remove(max(self.kept.closed))
        self.met("month opened again")

    def _next_month(self) -> Span | None:
        """The month that may be closed next, if it is over in the machine's world."""
        if not self.book.moves:
            return None
        begun = min(day for day, *_ in self.book.moves)
        closing = month(max(self.kept.closed) + 31 * DAY) if self.kept.closed else month(begun)
        return closing if closing.last < self.day else None

    def can_date_into_a_closed_month(self) -> bool:
        return bool(self.kept.closed)

    def date_into_a_closed_month(self) -> None:
        """Refused, whoever asks."""
        day = month(max(self.kept.closed)).last
        self.do(
            lambda: payouts.record_payout(
                gateway="sandbox", reference="late", amount=1, arrived_on=day, person_id=self.first
            ),
            "invalid",
        )
        paid = [one for one in self.kept.settlements if one.state == "paid" and one.on <= day]
        if paid:
            reverse = partial(settle_paid.reverse, paid[0].id, on=day, reason="Much too late")
            self.do(lambda: reverse(person_id=self.second), "period_closed")
        self.met("refused in a closed month")

    def time_passes(self) -> None:
        """Some days, never beyond yesterday."""
        latest = datetime.datetime.combine(today() - DAY, datetime.time(3), datetime.UTC)
        self.now = min(self.now + self.chance.randint(1, 24) * DAY + datetime.timedelta(minutes=1), latest)


class BooksMachine(RuleBasedStateMachine):
    """Runs an `Accountant`; whoever runs the machine sets what it stands on."""

    owner: psycopg.Connection[Any]
    seen: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.accountant = Accountant(self.owner, self.seen)

    @initialize(premium_bears=st.booleans())
    def choose_who_bears_fees(self, premium_bears: bool) -> None:
        if premium_bears:
            self.accountant.let_premium_bear_fees()

    @rule(seed=st.integers(0, 2**31))
    def something_happens(self, seed: int) -> None:
        self.accountant.step(seed)

    @invariant()
    def books_hold(self) -> None:
        self.accountant.check()

    def teardown(self) -> None:
        db.session.rollback()
        db.session.remove()
