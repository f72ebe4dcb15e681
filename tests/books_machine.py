"""A machine that drives the books at random: sales, refunds, fees, payouts, disputes, settlements, deposits,
distributions, corrections and closed months, through the real rules, beside a notebook.

Time moves by explicit days in the three months before today. Each step is committed and then checked.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, insert, select, text

from storefront.books import (
    close, corrections, deposit, deposit_paid, disputes, distribute, fees, payouts, refund_outcome, refunds,
    settle, settle_paid,
)  # fmt: skip
from storefront.books.checklist import content
from storefront.books.models import FeeBearer, PeriodCheck
from storefront.books.refunds import SECOND_PERSON_FROM, LineWish
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.books.span import Span, month
from storefront.books.statement import statement
from storefront.days import accounting_day, today
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.models import Fund
from storefront.orders.models import OrderLine, OrderLineShare, Parcel
from storefront.payments.models import Payment, SandboxPayment, SandboxRefund
from storefront.snapshot import driver_connection
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.factories import (
    make_facility, make_paid_order, make_person, make_product, make_rule, make_variant, make_workshop,
)  # fmt: skip
from tests.money_out import LONG_AGO, Books, register_account, register_satker
from tests.notebook import Line, Notebook, Purse, Sale, Share, Shipping

T = TypeVar("T")
DAY = datetime.timedelta(days=1)
NUMBER = st.integers(0, 999)
FUNDS = ("premium", "working_capital", "state_revenue")


@dataclass
class Asked:
    """A refund that somebody asked for; `lines` and `shipping` as the notebook knows them."""

    id: int
    sale: Sale
    lines: list[tuple[Line, int, int]]
    shipping: list[tuple[Shipping, int]]
    state: str
    on: datetime.date

    @property
    def amount(self) -> int:
        return sum(amount for _, amount, _ in self.lines) + sum(amount for _, amount in self.shipping)


@dataclass
class Outgoing:
    """A settlement or deposit on its way."""

    id: int
    purse: Purse
    amount: int
    state: str = "proposed"
    on: datetime.date = LONG_AGO


@dataclass
class Kept:
    """What the machine remembers beside the notebook."""

    sales: list[Sale] = field(default_factory=list)
    refunds: list[Asked] = field(default_factory=list)
    settlements: list[Outgoing] = field(default_factory=list)
    deposits: list[Outgoing] = field(default_factory=list)
    #: (id, facility, amount, state).
    distributions: list[list[Any]] = field(default_factory=list)
    corrections: list[tuple[int, datetime.date, list[tuple[str, int]]]] = field(default_factory=list)
    closed: list[datetime.date] = field(default_factory=list)


class BooksMachine(RuleBasedStateMachine):
    """`open_shop` must have been called by whoever makes the machine: an app context, an empty database."""

    #: What happened how often over all examples; a machine that never meets a case proves nothing of it.
    seen: Counter[str] = Counter()
    owner: psycopg.Connection[Any]

    def __init__(self) -> None:
        super().__init__()
        self.book = Notebook()
        self.kept = Kept()
        self.number = 0
        first = (today().replace(day=1) - 65 * DAY).replace(day=1)
        self.now = datetime.datetime.combine(first, datetime.time(3), datetime.UTC)
        self.shop()

    @property
    def day(self) -> datetime.date:
        return accounting_day(self.now)

    def shop(self) -> None:
        """Two facilities, one at net and one at profit, with accounts; four kinds of goods."""
        make_rule({"premium": 3333, "working_capital": 3334, "state_revenue": 3333})
        near, far = make_facility("AAA"), make_facility("BBB")
        make_rule(basis="profit", facility=far)
        self.facilities: dict[str, Facility] = {"AAA": near, "BBB": far}
        self.workshops: dict[str, Workshop] = {}
        self.variants = []
        for code, facility in self.facilities.items():
            self.workshops[code] = make_workshop(facility)
            product = make_product(self.workshops[code])
            self.variants.append(make_variant(product, stock=500, price=70_001, material_cost=20_000))
            self.variants.append(
                make_variant(product, price=310_007, made_to_order=True, material_cost=309_999)
            )
        self.funds = {row.code: row.id for row in db.session.execute(select(Fund.code, Fund.id))}
        first, second = make_person().id, make_person().id
        books = Books(None, first, second, self.funds, near.id, far.id)  # type: ignore[arg-type]
        self.people = (first, second)
        self.bank = f"bank:{register_account(books, None, '1110001112')}"
        for number, facility in enumerate((near, far)):
            register_account(books, facility.id, f"222000{number:04}")
            register_satker(books, facility)
        self.bearer = "operator"
        db.session.commit()

    @initialize(bearer=st.sampled_from(("operator", "premium")))
    def choose_who_bears_fees(self, bearer: str) -> None:
        if bearer != "operator":
            first, second = self.people
            db.session.add(
                FeeBearer(
                    valid_from=LONG_AGO, fund_id=self.funds[bearer], proposed_by=first, approved_by=second,
                    approved_at=self.now,
                )
            )  # fmt: skip
            db.session.commit()
            self.bearer = bearer

    # Sales

    @rule(
        first=NUMBER, second=NUMBER, pieces=st.integers(1, 4), shipping=st.sampled_from((0, 10_000, 17_501))
    )
    def sell(self, first: int, second: int, pieces: int, shipping: int) -> None:
        wishes = {first % 4: pieces, second % 4: 1 + second % 2}
        order = make_paid_order(
            *((self.variants[place], count) for place, count in wishes.items()),
            shipping=shipping,
            paid_at=self.now,
        )
        payment_id = db.session.execute(select(Payment.id).where(Payment.order_id == order.id)).scalar_one()
        sale = Sale(order.id, payment_id, self.day, self._lines(order.id), self._parcels(order.id))
        db.session.execute(
            insert(SandboxPayment).values(
                id=payment_id, amount=sale.amount, description=order.number, return_url="/", locale="id",
                state="succeeded", expires_at=self.now,
            )
        )  # fmt: skip
        self.kept.sales.append(sale)
        self.book.sold(sale)
        self._done("sale")

    def _lines(self, order_id: int) -> list[Line]:
        found = []
        codes = {id: code for code, id in self.funds.items()}
        for line in db.session.scalars(
            select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
        ):
            shares = db.session.scalars(
                select(OrderLineShare)
                .where(OrderLineShare.order_line_id == line.id)
                .order_by(OrderLineShare.position)
            )
            found.append(
                Line(
                    line.id, line.facility_code, line.quantity, line.net_amount,
                    [Share(share.position, codes[share.fund_id], share.amount) for share in shares],
                )
            )  # fmt: skip
        return found

    def _parcels(self, order_id: int) -> list[Shipping]:
        codes = {facility.id: code for code, facility in self.facilities.items()}
        rows = db.session.scalars(select(Parcel).where(Parcel.order_id == order_id).order_by(Parcel.position))
        return [Shipping(row.id, codes[row.facility_id], row.shipping_amount) for row in rows]

    # Refunds

    @precondition(lambda self: self.kept.sales)
    @rule(
        which=NUMBER, line=NUMBER, pieces=st.integers(0, 3), part=NUMBER, shipping=NUMBER, back=st.booleans()
    )
    def ask_for_refund(
        self, which: int, line: int, pieces: int, part: int, shipping: int, back: bool
    ) -> None:
        """Pieces of one line (or, of none, an amount), and perhaps some shipping."""
        sale = _one(self.kept.sales, which)
        of = _one(sale.lines, line)
        quantity = min(pieces, of.quantity - of.pieces)
        amount = (of.left if quantity == of.quantity - of.pieces else min(of.left, self._price(of) * quantity)) if (
            quantity) else of.left * part // 999  # fmt: skip
        parcel = _one(sale.shipping, shipping)
        given = parcel.left * (shipping % 4) // 3
        stocked = of.net // of.quantity == 70_001
        kept = ("restock" if back else "write_off") if stocked else "write_off"
        wish = LineWish(of.id, quantity, None if quantity else amount, kept if quantity else "none")
        self._ask(sale, [wish], {parcel.id: given} if given else {}, 0, "returned",
                  [(of, amount, quantity)] if amount else [], [(parcel, given)] if given else [])  # fmt: skip

    @precondition(lambda self: self.kept.sales)
    @rule(which=NUMBER, part=NUMBER)
    def ask_for_goodwill(self, which: int, part: int) -> None:
        """An amount over all lines of an order, by what is left of each."""
        sale = _one(self.kept.sales, which)
        left = [max(0, line.left) for line in sale.lines]
        goodwill = sum(left) * part // 999
        from tests.notebook import divide

        parts = divide(goodwill, left) if goodwill else []
        self._ask(sale, [], {}, goodwill, "goodwill",
                  [(line, amount, 0) for line, amount in zip(sale.lines, parts, strict=False) if amount], [])  # fmt: skip

    def _ask(
        self,
        sale: Sale,
        wishes: list[LineWish],
        shipping: dict[int, int],
        goodwill: int,
        reason: str,
        lines: list[tuple[Line, int, int]],
        parcels: list[tuple[Shipping, int]],
    ) -> None:
        expected = "disputed" if sale.dispute_is_open else None if lines or parcels else "invalid"
        # Pieces whose money went back before, out of goodwill: nothing of them can be given back.
        if any(wish.quantity for wish in wishes) and not lines:
            expected = expected or "invalid"
        refund = self._do(
            lambda: refunds.propose(
                sale.order_id, wishes, shipping=shipping, goodwill=goodwill, reason=reason,
                person_id=self.people[0], at=self.now,
            ),
            expected,
        )  # fmt: skip
        if refund is None:
            return
        asked = Asked(refund.id, sale, lines, parcels, refund.state, self.day)
        assert refund.amount == asked.amount
        assert (refund.state == "proposed") == (asked.amount >= SECOND_PERSON_FROM)
        for line, amount, quantity in lines:
            line.spoken += amount
            line.pieces += quantity
        for parcel, amount in parcels:
            parcel.spoken += amount
        self.kept.refunds.append(asked)
        self._done("refund asked for")

    @precondition(lambda self: self._refunds("proposed"))
    @rule(which=NUMBER, agrees=st.booleans())
    def decide_on_refund(self, which: int, agrees: bool) -> None:
        asked = _one(self._refunds("proposed"), which)
        first, second = self.people
        if not agrees:
            self._do(lambda: refunds.reject(asked.id, second))
            self._free(asked, "rejected")
            return
        self._do(lambda: refunds.approve(asked.id, first), "four_eyes")
        expected = "disputed" if asked.sale.dispute_is_open else None
        if self._do(lambda: refunds.approve(asked.id, second, at=self.now), expected) is not None:
            asked.state, asked.on = "requested", self.day
            self._done("refund approved")

    @precondition(lambda self: self._refunds("requested"))
    @rule(which=NUMBER, fails=st.sampled_from((False, False, False, True)))
    def provider_answers_refund(self, which: int, fails: bool) -> None:
        asked = _one(self._refunds("requested"), which)
        if fails:
            self._do(lambda: refund_outcome.refund_failed(asked.id, "card closed"))
            self._free(asked, "failed")
            return
        db.session.execute(
            insert(SandboxRefund).values(
                id=f"re_{asked.id}", payment_id=asked.sale.payment_id, amount=asked.amount,
                idempotency_key=f"refund:{asked.id}",
            )
        )  # fmt: skip
        assert self._do(lambda: refund_outcome.refund_succeeded(asked.id, at=self.now)) == "refunded"
        asked.state = "succeeded"
        self.book.refunded(self.day, [(line, amount) for line, amount, _ in asked.lines], asked.shipping)
        assert self._do(lambda: refund_outcome.refund_succeeded(asked.id, at=self.now)) == "already_recorded"
        self._done("refund succeeded")

    def _free(self, asked: Asked, state: str) -> None:
        asked.state = state
        for line, amount, quantity in asked.lines:
            line.spoken -= amount
            line.pieces -= quantity
        for parcel, amount in asked.shipping:
            parcel.spoken -= amount
        self._done(f"refund {state}")

    def _refunds(self, state: str) -> list[Asked]:
        return [asked for asked in self.kept.refunds if asked.state == state]

    @staticmethod
    def _price(line: Line) -> int:
        return line.net // line.quantity

    # The provider

    @precondition(lambda self: any(sale.fee is None for sale in self.kept.sales))
    @rule(which=NUMBER, amount=st.integers(0, 9_999))
    def fee_is_told(self, which: int, amount: int) -> None:
        sale = _one([sale for sale in self.kept.sales if sale.fee is None], which)
        amount = min(amount, sale.amount)
        self._do(lambda: fees.book_fee(sale.payment_id, amount, at=self.now))
        day = self.day if self._is_closed(sale.day) else sale.day
        self.book.fee(day, sale, amount, self.bearer)
        self._done("fee")

    @precondition(lambda self: self.kept.sales)
    @rule(part=st.integers(1, 1100))
    def money_reaches_the_bank(self, part: int) -> None:
        held = self.book.balances["clearing:sandbox"]
        amount = max(1, held * part // 1000)
        self.number += 1
        self._do(
            lambda: payouts.record_payout(
                gateway="sandbox", reference=f"po_{self.number}", amount=amount, arrived_on=self.day,
                person_id=self.people[0], at=self.now,
            ),
            "invalid" if amount > held else None,
        )  # fmt: skip
        if amount <= held:
            self.book.paid_out(self.day, amount, self.bank)
            self._done("payout")

    @precondition(lambda self: any(sale.dispute is None for sale in self.kept.sales))
    @rule(which=NUMBER, part=st.integers(0, 3))
    def payer_disputes(self, which: int, part: int) -> None:
        sale = _one([sale for sale in self.kept.sales if sale.dispute is None], which)
        sale.dispute, sale.disputed = sale.order_id, sale.amount if part else max(1, sale.amount // 3)
        self._dispute(sale, "opened")
        self.book.dispute_opened(self.day, sale.disputed)
        self._done("dispute opened")

    @precondition(lambda self: any(sale.dispute_is_open for sale in self.kept.sales))
    @rule(which=NUMBER, is_won=st.booleans())
    def dispute_ends(self, which: int, is_won: bool) -> None:
        sale = _one([sale for sale in self.kept.sales if sale.dispute_is_open], which)
        self._dispute(sale, "won" if is_won else "lost")
        sale.dispute_ended = True
        if is_won:
            self.book.dispute_won(self.day, sale.disputed)
        else:
            self.book.dispute_lost(self.day, sale)
        self._done("dispute won" if is_won else "dispute lost")

    def _dispute(self, sale: Sale, outcome: str) -> None:
        self._do(
            lambda: disputes.record_dispute(
                sale.payment_id, f"dp_{sale.order_id}", sale.disputed, outcome, at=self.now
            )
        )

    # Settlements

    @rule(facility=st.sampled_from(("AAA", "BBB")), fund=st.sampled_from(("premium", "working_capital", None)),
          part=st.integers(1, 1050))  # fmt: skip
    def propose_settlement(self, facility: str, fund: str | None, part: int) -> None:
        purse = (facility, fund or "shipping")
        spoken = sum(one.amount for one in self.kept.settlements
                     if one.purse == purse and one.state in ("proposed", "approved"))  # fmt: skip
        left = self.book.owed(purse) - spoken
        amount = max(1, left * part // 1000)
        wish = Wish(self.facilities[facility].id, self.funds[fund] if fund else None, amount)
        found = self._do(
            lambda: settle.propose([wish], person_id=self.people[0], at=self.now),
            "more_than_owed" if amount > left else None,
        )
        if found:
            self.kept.settlements.append(Outgoing(found[0].id, purse, amount))
            self._done("settlement proposed")

    @precondition(lambda self: self._settlements("proposed"))
    @rule(which=NUMBER, agrees=st.sampled_from((True, True, True, False)))
    def decide_on_settlement(self, which: int, agrees: bool) -> None:
        one = _one(self._settlements("proposed"), which)
        first, second = self.people
        if not agrees:
            self._do(lambda: settle.reject(one.id, first))
            one.state = "rejected"
            return
        self._do(
            lambda: settle.approve([one.id], first),
            "four_eyes" if self._fits(one) else None,
            "more_than_owed",
        )
        expected = None if self._fits(one) else "more_than_owed"
        if self._do(lambda: settle.approve([one.id], second, at=self.now), expected) is not None:
            one.state = "approved"
            self._done("settlement approved")

    def _fits(self, one: Outgoing) -> bool:
        approved = sum(s.amount for s in self._settlements("approved") if s.purse == one.purse)
        return one.amount <= self.book.owed(one.purse) - approved

    @precondition(lambda self: self._settlements("approved"))
    @rule(which=NUMBER)
    def pay_settlement(self, which: int) -> None:
        one = _one(self._settlements("approved"), which)
        paid = Paid(one.id, f"TRX-{one.id}", self.day)
        self._do(lambda: settle_paid.mark_paid(paid, self.people[0], at=self.now))
        one.state, one.on = "paid", self.day
        self.book.settled(self.day, one.id, one.purse, one.amount, self.bank)
        self._done("settlement paid")

    @precondition(lambda self: self._settlements("paid"))
    @rule(which=NUMBER)
    def reverse_settlement(self, which: int) -> None:
        one = _one(self._settlements("paid"), which)
        is_given = (
            one.purse[1] == "premium"
            and self._passed_on(one.purse[0]) > self._paid_premium(one.purse[0]) - one.amount
        )
        found = self._do(
            lambda: settle_paid.reverse(
                one.id, on=self.day, reason="The bank sent it back", person_id=self.people[1], at=self.now
            ),
            "invalid" if is_given else None,
        )
        if found is not None:
            one.state = "reversed"
            self.book.reversed(self.day, "settlement", one.id)
            self._done("settlement reversed")

    def _settlements(self, state: str) -> list[Outgoing]:
        return [one for one in self.kept.settlements if one.state == state]

    # Premium passed on

    @precondition(lambda self: self._settlements("paid"))
    @rule(facility=st.sampled_from(("AAA", "BBB")), part=st.integers(1, 1100))
    def pass_premium_on(self, facility: str, part: int) -> None:
        left = self._paid_premium(facility) - self._passed_on(facility)
        amount = max(1, left * part // 1000)
        found = self._do(
            lambda: distribute.enter(
                self.facilities[facility].id, workshop_id=self.workshops[facility].id, distributed_on=self.day,
                people=6, amount=amount, person_id=self.people[0], at=self.now,
            ),
            "more_than_paid" if amount > left else None,
        )  # fmt: skip
        if found is not None:
            self.kept.distributions.append([found.id, facility, amount, "entered"])
            self._done("premium passed on")

    @precondition(lambda self: any(row[3] == "entered" for row in self.kept.distributions))
    @rule(which=NUMBER, agrees=st.booleans())
    def decide_on_distribution(self, which: int, agrees: bool) -> None:
        row = _one([row for row in self.kept.distributions if row[3] == "entered"], which)
        decide: Callable[[], Any] = lambda: distribute.reject(row[0], self.people[1])  # noqa: E731
        if agrees:
            in_closed = self._is_closed(self._distributed_on(row[0]))
            if self._do(lambda: distribute.approve(row[0], self.people[1], at=self.now),
                        "period_closed" if in_closed else None) is None:  # fmt: skip
                return
        else:
            self._do(decide)
        row[3] = "approved" if agrees else "rejected"
        self._done(f"distribution {row[3]}")

    @staticmethod
    def _distributed_on(number: int) -> datetime.date:
        query = text("SELECT distributed_on FROM premium_distributions WHERE id = :id")
        day: datetime.date = db.session.execute(query, {"id": number}).scalar_one()
        return day

    def _paid_premium(self, facility: str) -> int:
        return sum(one.amount for one in self._settlements("paid") if one.purse == (facility, "premium"))

    def _passed_on(self, facility: str) -> int:
        return sum(row[2] for row in self.kept.distributions if row[1] == facility and row[3] != "rejected")

    # Deposits

    @rule(facility=st.sampled_from(("AAA", "BBB")), back=st.integers(0, 20))
    def propose_deposit(self, facility: str, back: int) -> None:
        until = self.day - back * DAY
        carried = self.book.to_deposit(facility, until)
        amount = sum(row.amount for row in carried)
        is_any = amount > 0 and any(row.amount > 0 for row in carried)
        found = self._do(
            lambda: deposit.propose(
                self.facilities[facility].id, person_id=self.people[0], until=until, at=self.now
            ),
            None if is_any else "nothing_to_deposit",
        )
        if found is not None:
            assert found.amount == amount
            for row in carried:
                row.deposit = found.id
            self.kept.deposits.append(Outgoing(found.id, (facility, "state_revenue"), amount))
            self._done("deposit proposed")

    @precondition(lambda self: self._deposits("proposed"))
    @rule(which=NUMBER, agrees=st.sampled_from((True, True, True, False)))
    def decide_on_deposit(self, which: int, agrees: bool) -> None:
        one = _one(self._deposits("proposed"), which)
        if not agrees:
            self._do(lambda: deposit.reject(one.id, self.people[0]))
            self._let_go(one, "rejected")
            return
        approved = sum(d.amount for d in self._deposits("approved") if d.purse == one.purse)
        fits = one.amount <= self.book.owed(one.purse) - approved
        if self._do(
            lambda: deposit.approve(one.id, self.people[1], at=self.now), None if fits else "invalid"
        ):
            one.state = "approved"
            self._done("deposit approved")

    @precondition(lambda self: self._deposits("approved"))
    @rule(which=NUMBER)
    def pay_deposit(self, which: int) -> None:
        one = _one(self._deposits("approved"), which)
        self.number += 1
        code, ntpn = f"82{self.number:013}", f"NTPN{self.number:012}"

        def pay() -> Any:
            deposit.set_billing_code(one.id, code, self.now + 7 * DAY, self.people[0])
            return deposit_paid.mark_paid(
                one.id, ntpn=ntpn, ntb="", paid_on=self.day, person_id=self.people[0], at=self.now
            )

        self._do(pay)
        one.state, one.on = "paid", self.day
        self.book.deposited(self.day, one.id, one.purse[0], one.amount, self.bank)
        self._done("deposit paid")

    @precondition(lambda self: self._deposits("paid"))
    @rule(which=NUMBER)
    def reverse_deposit(self, which: int) -> None:
        one = _one(self._deposits("paid"), which)
        self._do(
            lambda: deposit_paid.reverse(
                one.id, on=self.day, reason="Paid under a wrong code", person_id=self.people[1], at=self.now
            )
        )
        self.book.reversed(self.day, "deposit", one.id)
        self._let_go(one, "reversed")

    def _let_go(self, one: Outgoing, state: str) -> None:
        one.state = state
        for row in self.book.state:
            if row.deposit == one.id:
                row.deposit = None
        self._done(f"deposit {state}")

    def _deposits(self, state: str) -> list[Outgoing]:
        return [one for one in self.kept.deposits if one.state == state]

    # Corrections, months, time

    @precondition(lambda self: self.kept.sales)
    @rule(account=st.sampled_from(("fees:operator", "bank", "clearing:sandbox", "owed:AAA:premium",
                                   "owed:BBB:state_revenue", "owed:AAA:shipping")),
          amount=st.integers(-5_000, 90_000).filter(bool), back=st.integers(0, 40))  # fmt: skip
    def propose_correction(self, account: str, amount: int, back: int) -> None:
        account = self.bank if account == "bank" else account
        if account not in corrections.account_codes():
            return
        legs = [(account, amount), ("corrections:difference", -amount)]
        day = self.day - back * DAY
        found = self._do(
            lambda: corrections.propose(
                reason="Found at the count of the month",
                effective_date=day,
                legs=legs,
                person_id=self.people[0],
            ),
            "invalid" if self._is_closed(day) else None,
        )
        if found is not None:
            self.kept.corrections.append((found.id, day, legs))
            self._done("correction proposed")

    @precondition(lambda self: self.kept.corrections)
    @rule(agrees=st.booleans())
    def decide_on_correction(self, agrees: bool) -> None:
        number, day, legs = self.kept.corrections.pop()
        if not agrees:
            self._do(lambda: corrections.reject(number, self.people[1]))
            return
        account, amount = legs[0]
        too_much = account.startswith("owed:") and amount > -self.book.balances[account]
        expected = "period_closed" if self._is_closed(day) else "more_than_held" if too_much else None
        if self._do(lambda: corrections.approve(number, self.people[1]), expected) is not None:
            self.book.corrected(day, legs)
            self._done("correction booked")

    @precondition(lambda self: self._next_month() is not None)
    @rule()
    def close_month(self) -> None:
        closing = self._next_month()
        assert closing is not None
        after = closing.last + DAY
        db.session.add(
            PeriodCheck(month=closing.first, finished_at=self.now, content=content(closing.first), broken=[])
        )
        db.session.flush()
        # Refunds of the month that the provider has not answered yet.
        waits = any(asked.on < after for asked in self._refunds("requested"))
        found = self._do(
            lambda: close.close(closing.first, self.people[0], are_named=True, at=self.now),
            "period_not_ready" if waits else None,
        )
        if found is not None:
            self.kept.closed.append(closing.first)
            self._done("month closed")

    def _next_month(self) -> Span | None:
        """The month that may be closed next; None before there is one."""
        if not self.book.moves:
            return None
        first = min(day for day, *_ in self.book.moves).replace(day=1)
        closing = month(max(self.kept.closed) + 31 * DAY) if self.kept.closed else month(first)
        return closing if closing.last < self.day else None

    @precondition(lambda self: self.kept.closed and self.kept.sales)
    @rule()
    def date_into_a_closed_month(self) -> None:
        """Refused, whoever asks."""
        day = max(self.kept.closed) + 5 * DAY
        first, second = self.people
        self._do(
            lambda: payouts.record_payout(
                gateway="sandbox", reference="late", amount=1, arrived_on=day, person_id=first
            ),
            "invalid",
        )
        for one in self._settlements("paid")[:1]:
            if one.on <= day:
                self._do(
                    lambda: settle_paid.reverse(one.id, on=day, reason="Much too late", person_id=second),
                    "period_closed",
                )
        self._done("refused in a closed month")

    @rule(days=st.integers(1, 24))
    def time_passes(self, days: int) -> None:
        latest = datetime.datetime.combine(today() - DAY, datetime.time(3), datetime.UTC)
        self.now = min(self.now + days * DAY + datetime.timedelta(minutes=1), latest)

    def _is_closed(self, day: datetime.date) -> bool:
        return bool(self.kept.closed) and day <= month(max(self.kept.closed)).last

    # Means

    def _do(self, act: Callable[[], T], *refusals: str | None) -> T | None:
        """Do it and commit; with a code in `refusals` it must be refused so, and leaves nothing behind."""
        expected = [code for code in refusals if code]
        try:
            found = act()
            db.session.commit()
        except DomainError as refusal:
            db.session.rollback()
            assert refusal.code in expected, (refusal.code, getattr(refusal, "errors", None), expected)
            self.seen[f"refused: {refusal.code}"] += 1
            return None
        assert not expected, f"not refused, expected {expected}"
        return found

    def _done(self, what: str) -> None:
        db.session.commit()
        self.seen[what] += 1

    # What must hold

    @invariant()
    def holds(self) -> None:
        self._balances_are_the_notebooks()
        self._lines_are_the_notebooks()
        self._statements_chain()
        broken = [finding for finding in check(self.owner, INVARIANTS, shown=3) if not finding.holds]
        assert not broken, [(finding.invariant.name, finding.rows) for finding in broken]

    def _balances_are_the_notebooks(self) -> None:
        rows = self.owner.execute(
            "SELECT a.code, sum(p.amount)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id GROUP BY 1"
        ).fetchall()
        ours = {account: amount for account, amount in self.book.balances.items() if amount}
        assert {account: amount for account, amount in rows if amount} == ours
        unbalanced = "SELECT entry_id FROM postings GROUP BY entry_id HAVING sum(amount) <> 0"
        assert self.owner.execute(unbalanced).fetchall() == []

    def _lines_are_the_notebooks(self) -> None:
        rows = self.owner.execute(
            """SELECT l.id, l.net_amount, s.position, s.amount,
                      COALESCE((SELECT sum(x.amount) FROM refund_shares x
                                 WHERE (x.order_line_id, x.position) = (l.id, s.position)), 0)::bigint
                    + COALESCE((SELECT sum(x.amount) FROM dispute_shares x
                                 WHERE (x.order_line_id, x.position) = (l.id, s.position)), 0)::bigint
                 FROM order_lines l JOIN order_line_shares s ON s.order_line_id = l.id"""
        ).fetchall()
        shares = {(line.id, share.position): (line, share) for sale in self.kept.sales
                  for line in sale.lines for share in line.shares}  # fmt: skip
        assert len(rows) == len(shares)
        sums: Counter[int] = Counter()
        for line_id, net, position, amount, taken in rows:
            line, share = shares[line_id, position]
            assert (line.net, share.amount, share.taken) == (net, amount, taken)
            assert 0 <= taken <= amount
            sums[line_id] += amount
        assert all(sums[line.id] == line.net for line, _ in shares.values())

    def _statements_chain(self) -> None:
        connection = driver_connection(db.session.connection())
        for code, facility in self.facilities.items():
            before: dict[str, int] | None = None
            for span in self._months():
                found = statement(connection, facility.id, span)
                assert before is None or _some(found.opening) == before
                before = _some(found.closing)
                assert before == _some(self.book.owed_on(code, span.last))
                assert _some(self.book.moved(code, span.first, span.last)) == _some(
                    {movement.kind: movement.total for movement in found.movements}
                )
        db.session.rollback()

    def _months(self) -> Iterable[Span]:
        span: Span | None = month(min((day for day, *_ in self.book.moves), default=self.day))
        while span is not None and span.first <= self.day:
            yield span
            span = span.after

    def teardown(self) -> None:
        db.session.rollback()
        db.session.remove()


def _some(amounts: Any) -> dict[str, int]:
    return {name: amount for name, amount in amounts.items() if amount}


def _one(many: list[T], which: int) -> T:
    """The newest ones more often: what is old rarely changes any more."""
    return many[-1 - which % len(many)]
