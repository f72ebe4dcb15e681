"""Money passed on: settlements, premium for makers, deposits; each proposed, decided, paid, and sometimes undone."""

from __future__ import annotations

from typing import Any

from storefront.books import budget, deposit, deposit_paid, distribute, settle, settle_paid
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from tests.bookkeeping.ground import DAY, Ground, Outgoing

PENDING = ("proposed", "approved")


class GoingOut(Ground):
    """Each method is one thing that may happen; a `can_…` beside it says when."""

    # Settlements

    def propose_settlement(self) -> None:
        """Of one fund of one facility, at most what is owed and no other proposal speaks of."""
        purse = self._purse()
        facility, fund = purse[0], None if purse[1] == "shipping" else purse[1]
        left = self.book.owed(purse) - self._sum(self.kept.settlements, purse, *PENDING)
        # Often all of it: then what a buyer is given back later must come back from the facility.
        amount = max(1, left if self.chance.random() < 0.4 else self.part_of(left, beyond=0.15))
        wish = Wish(self.facilities[facility].id, self.funds[fund] if fund else None, amount)
        found = self.do(
            lambda: settle.propose([wish], person_id=self.first, at=self.now),
            "more_than_owed" if amount > left else None,
        )
        if found:
            self.kept.settlements.append(Outgoing(found[0].id, purse, amount))
            self.met("settlement proposed")

    def _purse(self) -> tuple[str, str]:
        """Mostly one from which something is owed, premium more often than others."""
        funds = ("premium", "premium", "working_capital", "operating_costs", "shipping")
        purses = [(facility, fund) for facility in self.facilities for fund in funds]
        owed = [purse for purse in purses if self.book.owed(purse) > 0]
        back = [purse for purse in owed if self._to_come_back(purse)]
        likely = back if back and self.chance.random() < 0.5 else owed
        return self.chance.choice(likely if likely and self.chance.random() < 0.85 else purses)

    def _to_come_back(self, purse: tuple[str, str]) -> int:
        return self.book.balances[f"receivable:{':'.join(purse)}"]

    def can_decide_on_settlement(self) -> bool:
        return bool(self._in(self.kept.settlements, "proposed"))

    def decide_on_settlement(self) -> None:
        one = self.pick(self._in(self.kept.settlements, "proposed"))
        if self.chance.random() < 0.15:
            self.do(lambda: settle.reject(one.id, self.first))
            one.state = "rejected"
            return
        self.do(lambda: settle.approve([one.id], self.first), "four_eyes")
        if (
            self.do(lambda: settle.approve([one.id], self.second, at=self.now), self._too_much(one))
            is not None
        ):
            one.state = "approved"
            self.met("settlement approved")

    def _too_much(self, one: Outgoing) -> str | None:
        """Refunds since it was proposed may have left less."""
        left = self.book.owed(one.purse) - self._sum(self.kept.settlements, one.purse, "approved")
        return "more_than_owed" if one.amount > left else None

    def can_pay_settlement(self) -> bool:
        return bool(self._in(self.kept.settlements, "approved"))

    def pay_settlement(self) -> None:
        one = self.pick(self._in(self.kept.settlements, "approved"))
        self.do(
            lambda: settle_paid.mark_paid(Paid(one.id, f"TRX-{one.id}", self.day), self.first, at=self.now)
        )
        one.state, one.on = "paid", self.day
        before = self._to_come_back(one.purse)
        self.book.settled(self.day, one.id, one.purse, one.amount, self.bank)
        self.met("settlement paid")
        if self._to_come_back(one.purse) < before:
            self.met("taken in by a settlement")

    def can_reverse_settlement(self) -> bool:
        return bool(self._in(self.kept.settlements, "paid"))

    def reverse_settlement(self) -> None:
        """The bank sent it back. Premium that makers have already received stays paid."""
        one = self.pick(self._in(self.kept.settlements, "paid"))
        is_premium = one.purse[1] == "premium"
        is_given = is_premium and one.amount > self._premium_left(one.purse[0])
        found = self.do(
            lambda: settle_paid.reverse(
                one.id, on=self.day, reason="The bank sent it back", person_id=self.second, at=self.now
            ),
            "invalid" if is_given else None,
        )
        if found is not None:
            one.state = "reversed"
            self.book.reversed(self.day, "settlement", one.id)
            self.met("settlement reversed")

    # Premium passed on to makers

    def can_pass_premium_on(self) -> bool:
        return bool(self._in(self.kept.settlements, "paid"))

    def pass_premium_on(self) -> None:
        """Never more than was paid to the facility."""
        facility = self.pick(self._in(self.kept.settlements, "paid")).purse[0]
        left = self._premium_left(facility)
        amount = max(1, self.part_of(left, beyond=0.15))
        found = self.do(
            lambda: distribute.enter(
                self.facilities[facility].id, workshop_id=self.workshops[facility].id,
                distributed_on=self.day, people=6, amount=amount, person_id=self.first, at=self.now,
            ),
            "more_than_paid" if amount > left else None,
        )  # fmt: skip
        if found is not None:
            self.kept.distributions.append(Outgoing(found.id, (facility, "premium"), amount, on=self.day))
            self.met("premium passed on")

    def can_decide_on_distribution(self) -> bool:
        return bool(self._in(self.kept.distributions, "proposed", "approved"))

    def decide_on_distribution(self) -> None:
        """The head agrees; or it was wrong and is taken back, while its month is open."""
        one = self.pick(self._in(self.kept.distributions, "proposed", "approved"))
        closed = "period_closed" if self.is_closed(one.on) else None
        if one.state == "proposed" and self.chance.random() < 0.7:
            if self.do(lambda: distribute.approve(one.id, self.second, at=self.now), closed) is not None:
                one.state = "approved"
                self.met("distribution approved")
            return
        expected = closed if one.state == "approved" else None
        if self.do(lambda: distribute.reject(one.id, self.second, "Counted twice"), expected) is not None:
            one.state = "rejected"
            self.met("distribution taken back")

    def _premium_left(self, facility: str) -> int:
        purse = (facility, "premium")
        passed_on = self._sum(self.kept.distributions, purse, "proposed", "approved")
        return self._sum(self.kept.settlements, purse, "paid") - passed_on

    # Deposits

    def propose_deposit(self) -> None:
        """Of all state revenue up to a day that no other deposit carries, less what went back."""
        waiting = [code for code in self.facilities if self.book.to_deposit(code, self.day)]
        sensible = waiting and self.chance.random() < 0.85
        facility = self.chance.choice(waiting if sensible else list(self.facilities))
        until = self.day - self.chance.choice((0, 0, 5, 20)) * DAY
        carried = self.book.to_deposit(facility, until)
        amount = sum(row.amount for row in carried)
        found = self.do(
            lambda: deposit.propose(
                self.facilities[facility].id, person_id=self.first, until=until, at=self.now
            ),
            None if amount > 0 else "nothing_to_deposit",
        )
        if found is not None:
            assert found.amount == amount
            for row in carried:
                row.deposit = found.id
            self.kept.deposits.append(Outgoing(found.id, (facility, "state_revenue"), amount))
            self.met("deposit proposed")

    def can_decide_on_deposit(self) -> bool:
        return bool(self._in(self.kept.deposits, "proposed"))

    def decide_on_deposit(self) -> None:
        one = self.pick(self._in(self.kept.deposits, "proposed"))
        if self.chance.random() < 0.15:
            self.do(lambda: deposit.reject(one.id, self.first))
            self._let_go(one, "rejected")
            return
        left = self.book.owed(one.purse) - self._sum(self.kept.deposits, one.purse, "approved")
        expected = "invalid" if one.amount > left else None
        if self.do(lambda: deposit.approve(one.id, self.second, at=self.now), expected) is not None:
            one.state = "approved"
            self.met("deposit approved")

    def can_pay_deposit(self) -> bool:
        return bool(self._in(self.kept.deposits, "approved"))

    def pay_deposit(self) -> None:
        one = self.pick(self._in(self.kept.deposits, "approved"))
        self.number += 1
        code, ntpn = f"82{self.number:013}", f"NTPN{self.number:012}"

        def pay() -> Any:
            deposit.set_billing_code(one.id, code, self.now + 7 * DAY, self.first)
            return deposit_paid.mark_paid(
                one.id, ntpn=ntpn, ntb="", paid_on=self.day, person_id=self.first, at=self.now
            )

        self.do(pay)
        one.state, one.on = "paid", self.day
        before = self._to_come_back(one.purse)
        self.book.deposited(self.day, one.id, one.purse[0], one.amount, self.bank)
        self.met("deposit paid")
        if self._to_come_back(one.purse) < before:
            self.met("taken in by a deposit")

    def can_reverse_deposit(self) -> bool:
        return bool(self._in(self.kept.deposits, "paid"))

    def reverse_deposit(self) -> None:
        """Paid by mistake. What of it came back as budget cannot be owed to the state as well."""
        one = self.pick(self._in(self.kept.deposits, "paid"))
        has_returned = one.amount > self._not_returned(one.purse[0])
        found = self.do(
            lambda: deposit_paid.reverse(
                one.id, on=self.day, reason="Paid under a wrong code", person_id=self.second, at=self.now
            ),
            "invalid" if has_returned else None,
        )
        if found is not None:
            self.book.reversed(self.day, "deposit", one.id)
            self._let_go(one, "reversed")

    # Budget that returns

    def can_propose_budget(self) -> bool:
        return bool(self._in(self.kept.deposits, "paid"))

    def propose_budget(self) -> None:
        """Of what a facility has deposited, never more."""
        facility = self.pick(self._in(self.kept.deposits, "paid")).purse[0]
        fund = self.chance.choice(("premium", "working_capital"))
        left = self._not_returned(facility)
        amount = max(1, self.part_of(left, beyond=0.15))
        self.number += 1
        found = self.do(
            lambda: budget.propose(
                self.facilities[facility].id, self.funds[fund], amount=amount,
                reference=f"SP2D-{self.number}", returned_on=self.day, person_id=self.first, at=self.now,
            ),
            "invalid" if amount > left else None,
        )  # fmt: skip
        if found is not None:
            self.kept.returns.append(Outgoing(found.id, (facility, fund), amount, on=self.day))
            self.met("budget proposed")

    def can_decide_on_budget(self) -> bool:
        return bool(self._in(self.kept.returns, "proposed"))

    def decide_on_budget(self) -> None:
        """A second person books it into its month, if that is open."""
        one = self.pick(self._in(self.kept.returns, "proposed"))
        if self.chance.random() < 0.2:
            self.do(lambda: budget.reject(one.id, self.second))
            one.state = "rejected"
            return
        self.do(lambda: budget.approve(one.id, self.first), "four_eyes")
        closed = "period_closed" if self.is_closed(one.on) else None
        if self.do(lambda: budget.approve(one.id, self.second, at=self.now), closed) is not None:
            one.state = "booked"
            self.book.budget_returned(one.on, one.purse, one.amount, self.bank)
            self.met("budget returned")

    def _not_returned(self, facility: str) -> int:
        deposited = sum(d.amount for d in self._in(self.kept.deposits, "paid") if d.purse[0] == facility)
        back = self._in(self.kept.returns, "proposed", "booked")
        return deposited - sum(r.amount for r in back if r.purse[0] == facility)

    def _let_go(self, one: Outgoing, state: str) -> None:
        """What it carried is to be deposited again."""
        one.state = state
        for row in self.book.state:
            if row.deposit == one.id:
                row.deposit = None
        self.met(f"deposit {state}")

    @staticmethod
    def _in(many: list[Outgoing], *states: str) -> list[Outgoing]:
        return [one for one in many if one.state in states]

    def _sum(self, many: list[Outgoing], purse: tuple[str, str], *states: str) -> int:
        return sum(one.amount for one in self._in(many, *states) if one.purse == purse)
