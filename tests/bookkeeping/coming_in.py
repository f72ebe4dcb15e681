"""Sales, and what of their money goes another way than to those it is owed to: refunds, fees, disputes, payouts."""

from __future__ import annotations

from sqlalchemy import insert, select

from storefront.books import disputes, fees, payouts
from storefront.days import today
from storefront.extensions import db
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order, OrderLine, OrderLineShare, Parcel
from storefront.orders.payment import open_payment
from storefront.orders.refund import record_refund
from storefront.payments.gateway import EventKind, ProviderEvent
from storefront.payments.models import Refund, SandboxPayment, SandboxRefund
from storefront.refunds import refund_outcome, refunds
from storefront.refunds.refund_limits import SHIPPED
from storefront.refunds.refund_parts import LineWish
from tests.bookkeeping.ground import Asked, Ground
from tests.bookkeeping.notebook import Line, Sale, Share, Shipping, divide
from tests.factories import make_order


class ComingIn(Ground):
    """Each method is one thing that may happen; a `can_…` beside it says when."""

    def sell(self) -> None:
        """Somebody buys one or two kinds of goods, of one or both facilities."""
        chosen = self.chance.sample(range(len(self.variants)), self.chance.randint(1, 2))
        order = make_order(
            *((self.variants[place], self.chance.randint(1, 3)) for place in chosen),
            shipping=self.chance.choice((0, 10_000, 17_501)),
            placed_at=self.now,
        )
        pays_twice = self.chance.random() < 0.1
        payments = [open_payment(order).id for _ in range(1 + pays_twice)]
        results = [self._capture(order, payment_id) for payment_id in payments]
        assert results == ["paid", "paid_twice"][: len(payments)]
        db.session.commit()
        sale = Sale(order.id, payments[0], self.day, self._sold_lines(order.id), self._parcels(order.id))
        self.kept.sales.append(sale)
        self.book.sold(sale)
        self.met("sale")
        if pays_twice:
            self.book.held(self.day, sale.amount)
            self.kept.held.append((payments[1], sale.amount))
            self.met("paid twice")

    def _capture(self, order: Order, payment_id: str) -> str:
        """The provider has the order's money; its own books say so too."""
        db.session.execute(
            insert(SandboxPayment).values(
                id=payment_id, amount=order.total, description=order.number, return_url="/", locale="id",
                state="succeeded", expires_at=self.now,
            )
        )  # fmt: skip
        return record_payment(payment_id, reference=payment_id, amount=order.total, at=self.now)

    def can_return_held(self) -> bool:
        return bool(self.kept.held)

    def return_held(self) -> None:
        """The provider gives back what was paid a second time; said again, it changes nothing."""
        payment_id, amount = self.kept.held.pop()
        refund_id = db.session.execute(select(Refund.id).where(Refund.payment_id == payment_id)).scalar_one()
        key = f"refund:{refund_id}"
        db.session.execute(
            insert(SandboxRefund).values(
                id=f"re_{refund_id}", payment_id=payment_id, amount=amount, idempotency_key=key
            )
        )
        event = ProviderEvent(
            EventKind.REFUND_SUCCEEDED, payment_id, payment_id, amount, f"re_{refund_id}", refund_key=key
        )
        assert self.do(lambda: record_refund(event)) == "refunded"
        assert self.do(lambda: record_refund(event)) == "already_recorded"
        self.book.held_returned(today(), amount)  # by the real clock
        self.met("paid twice, given back")

    def _sold_lines(self, order_id: int) -> list[Line]:
        """What was sold, from the rows of the sale itself."""
        codes = {id: code for code, id in self.funds.items()}
        lines = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
        shares = select(OrderLineShare).order_by(OrderLineShare.position)
        return [
            Line(
                line.id,
                line.facility_code,
                line.quantity,
                line.net_amount,
                [
                    Share(share.position, codes[share.fund_id], share.amount)
                    for share in db.session.scalars(shares.where(OrderLineShare.order_line_id == line.id))
                ],
            )
            for line in db.session.scalars(lines).all()
        ]

    def _parcels(self, order_id: int) -> list[Shipping]:
        codes = {facility.id: code for code, facility in self.facilities.items()}
        rows = db.session.scalars(select(Parcel).where(Parcel.order_id == order_id).order_by(Parcel.position))
        return [Shipping(row.id, codes[row.facility_id], row.shipping_amount) for row in rows]

    # Refunds

    def can_ask_for_refund(self) -> bool:
        return bool(self.kept.sales)

    def ask_for_refund(self) -> None:
        """Pieces of a line, or an amount of it, and perhaps some shipping."""
        sale = self._partly_given_back() or self.pick(self.kept.sales)
        line, parcel = self.chance.choice(sale.lines), self.chance.choice(sale.shipping)
        left = line.quantity - line.pieces
        quantity = self.chance.randint(0, left)
        price = line.net // line.quantity
        amount = line.left if quantity == left else min(line.left, price * quantity)
        if not quantity:
            amount = self.part_of(line.left)
        given = self.part_of(parcel.left) if self.chance.random() < 0.4 else 0
        pieces = (
            ("restock" if price == 70_001 and self.chance.random() < 0.5 else "write_off")
            if quantity
            else "none"
        )
        wish = LineWish(line.id, quantity, None if quantity else amount, pieces)
        # Pieces whose money went back before as goodwill, or that a dispute took: nothing of them is left.
        nothing_left = quantity > 0 and amount <= 0
        self._ask(
            Asked(
                0,
                sale,
                [(line, amount, quantity)] if amount else [],
                [(parcel, given)] if given else [],
                "",
                self.day,
            ),
            [wish],
            "invalid" if nothing_left else None,
        )

    def _partly_given_back(self) -> Sale | None:
        """Often an order of which something went back before: it is there that rupiah could go astray."""
        begun = [
            sale
            for sale in self.kept.sales
            if any(0 < share.taken < share.amount for line in sale.lines for share in line.shares)
        ]
        return self.pick(begun) if begun and self.chance.random() < 0.5 else None

    def can_ask_for_goodwill(self) -> bool:
        return bool(self.kept.sales)

    def ask_for_goodwill(self) -> None:
        """An amount over all lines of an order, by what is left of each."""
        sale = self.pick(self.kept.sales)
        left = [max(0, line.left) for line in sale.lines]
        goodwill = self.part_of(sum(left), beyond=0.1)
        parts = divide(goodwill, left) if 0 < goodwill <= sum(left) else []
        lines = [(line, amount, 0) for line, amount in zip(sale.lines, parts, strict=False) if amount]
        self._ask(Asked(0, sale, lines, [], "", self.day), [], goodwill=goodwill)

    def _ask(self, asked: Asked, wishes: list[LineWish], *refusals: str | None, goodwill: int = 0) -> None:
        is_nothing = not asked.lines and not asked.shipping
        expected = ["disputed"] if asked.sale.dispute_is_open else ["invalid"] if is_nothing else [*refusals]
        refund = self.do(
            lambda: refunds.propose(
                asked.sale.order_id,
                wishes,
                shipping={parcel.id: amount for parcel, amount in asked.shipping},
                goodwill=goodwill,
                reason="goodwill" if goodwill else "returned",
                person_id=self.first,
                at=self.now,
            ),
            *expected,
        )
        if refund is None:
            return
        assert refund.amount == asked.amount
        alone = sum(one.amount for one in self.kept.refunds if one.is_alone and one.sale is asked.sale)
        assert (refund.state == "proposed") == (asked.amount + alone >= SHIPPED)
        asked.is_alone = refund.state != "proposed"
        asked.id, asked.state = refund.id, refund.state
        self._speak_of(asked, 1)
        self.kept.refunds.append(asked)
        self.met("refund asked for")

    @staticmethod
    def _speak_of(asked: Asked, sign: int) -> None:
        for line, amount, quantity in asked.lines:
            line.spoken += sign * amount
            line.pieces += sign * quantity
        for parcel, amount in asked.shipping:
            parcel.spoken += sign * amount

    def refunds_in(self, state: str) -> list[Asked]:
        return [asked for asked in self.kept.refunds if asked.state == state]

    def can_decide_on_refund(self) -> bool:
        return bool(self.refunds_in("proposed"))

    def decide_on_refund(self) -> None:
        """A second person agrees, or not; the first may not."""
        asked = self.pick(self.refunds_in("proposed"))
        if self.chance.random() < 0.2:
            self.do(lambda: refunds.reject(asked.id, self.second))
            self._called_off(asked, "rejected")
            return
        self.do(lambda: refunds.approve(asked.id, self.first), "four_eyes")
        expected = "disputed" if asked.sale.dispute_is_open else None
        if self.do(lambda: refunds.approve(asked.id, self.second, at=self.now), expected) is not None:
            asked.state = "requested"
            self.met("refund approved")

    def can_answer_refund(self) -> bool:
        return bool(self.refunds_in("requested"))

    def answer_refund(self) -> None:
        """The provider gives the money back, or cannot; said twice, it changes nothing more."""
        asked = self.pick(self.refunds_in("requested"))
        if self.chance.random() < 0.15:
            self.do(lambda: refund_outcome.refund_failed(asked.id, "card closed"))
            self._called_off(asked, "failed")
            return
        db.session.execute(
            insert(SandboxRefund).values(
                id=f"re_{asked.id}", payment_id=asked.sale.payment_id, amount=asked.amount,
                idempotency_key=f"refund:{asked.id}",
            )
        )  # fmt: skip
        assert self.do(lambda: refund_outcome.refund_succeeded(asked.id, at=self.now)) == "refunded"
        asked.state = "succeeded"
        self.book.refunded(self.day, [(line, amount) for line, amount, _ in asked.lines], asked.shipping)
        assert self.do(lambda: refund_outcome.refund_succeeded(asked.id)) == "already_recorded"
        self.met("refund succeeded")

    def _called_off(self, asked: Asked, state: str) -> None:
        asked.state = state
        self._speak_of(asked, -1)
        self.met(f"refund {state}")

    # The provider

    def can_tell_fee(self) -> bool:
        return any(sale.fee is None for sale in self.kept.sales)

    def tell_fee(self) -> None:
        """The provider says what it keeps of a payment; of one in its books without a fee, that it keeps nothing."""
        sale = self.pick([sale for sale in self.kept.sales if sale.fee is None])
        amount = 0 if sale.is_compared else min(self.chance.choice((0, 1, 4_000, 77_777)), sale.amount)
        self.do(lambda: fees.book_fee(sale.payment_id, amount, at=self.now))
        self.book.fee(self.day if self.is_closed(sale.day) else sale.day, sale, amount, self.bearer)
        self.met("fee")

    def can_pay_out(self) -> bool:
        return bool(self.kept.sales)

    def pay_out(self) -> None:
        """Money of the provider arrives at the bank, never more than it holds."""
        held = self.book.balances["clearing:sandbox"]
        amount = max(1, self.part_of(held, beyond=0.15))
        self.number += 1
        self.do(
            lambda: payouts.record_payout(
                gateway="sandbox", reference=f"po_{self.number}", amount=amount, arrived_on=self.day,
                person_id=self.first, at=self.now,
            ),
            "invalid" if amount > held else None,
        )  # fmt: skip
        if amount <= held:
            self.book.paid_out(self.day, amount, self.bank)
            self.met("payout")

    def can_open_dispute(self) -> bool:
        return any(sale.dispute is None for sale in self.kept.sales)

    def open_dispute(self) -> None:
        sale = self.pick([sale for sale in self.kept.sales if sale.dispute is None])
        sale.dispute, sale.disputed = sale.order_id, max(1, self.part_of(sale.amount))
        self._say_of_dispute(sale, "opened")
        self.book.dispute_opened(self.day, sale.disputed)
        self.met("dispute opened")

    def can_end_dispute(self) -> bool:
        return any(sale.dispute_is_open for sale in self.kept.sales)

    def end_dispute(self) -> None:
        sale = self.pick([sale for sale in self.kept.sales if sale.dispute_is_open])
        outcome = self.chance.choice(("won", "lost", "lost"))
        self._say_of_dispute(sale, outcome)
        sale.dispute_ended = True
        if outcome == "won":
            self.book.dispute_won(self.day, sale.disputed)
        else:
            self.book.dispute_lost(self.day, sale)
        self.met(f"dispute {outcome}")

    def _say_of_dispute(self, sale: Sale, outcome: str) -> None:
        said = (sale.payment_id, f"dp_{sale.order_id}", sale.disputed, outcome)
        self.do(lambda: disputes.record_dispute(*said, at=self.now))
