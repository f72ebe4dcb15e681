"""What a bank and a provider say of the shop on the day of loading: transfers, a bank's files, money that must go back,
a payment on hold, and a comparison with the provider that found a difference.

Everything goes through the shop's own code and its own transactions, after the rest was committed.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text, update

from storefront.bank import automatic, files, match, return_batches, returns
from storefront.bank.models import BankLine
from storefront.demo.moments import days
from storefront.demo.settle import settle
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.numbers import use_random
from storefront.orders.payment import open_payment, start_payment
from storefront.orders.place import Contact, ParcelShipping, PricedLine, place
from storefront.payments.gateway import RawEvent
from storefront.payments.inbox import receive_fetched
from storefront.payments.models import PaymentEvent, SandboxEvent, SandboxPayment
from storefront.payments.sandbox_books import choose_outcome
from storefront.payments.sandbox_models import SandboxLine
from storefront.payments.transfer import NAME as TRANSFER
from storefront.payments.transfer_models import Transfer
from storefront.reconciliation import runs
from storefront.refunds import refunds
from storefront.refunds.event_tries import try_event
from storefront.refunds.refund_outcome import refund_failed
from storefront.refunds.refund_parts import LineWish
from storefront.shipping.rates import pickup_option

#: Days of the bank's first file.
SPAN = 40
#: One variant each of the products that have most left, so that nothing is sold out by these orders.
GOODS = text(
    """
    SELECT DISTINCT ON (p.id) v.id AS variant_id, v.price, p.facility_id
      FROM products p
      JOIN variants v ON v.product_id = p.id AND v.is_active AND NOT v.made_to_order
      JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
      JOIN stock_locations s ON s.facility_id = f.id
      JOIN stock_levels l ON l.variant_id = v.id AND l.location_id = s.id
     WHERE p.status = 'published' AND l.on_hand - l.reserved >= 8 AND v.price BETWEEN 30000 AND 400000
     ORDER BY p.id, v.id"""
)
#: What the books say of the account, as the bank would write it; names by which the bank calls each.
BOOKED = text(
    """
    SELECT p.effective_date AS day, p.amount,
           CASE e.kind WHEN 'payout' THEN 'SETTLEMENT ' || upper(o.gateway) WHEN 'settlement' THEN 'PENYALURAN UPT'
                       WHEN 'deposit' THEN 'MPN PENERIMAAN NEGARA' ELSE upper(e.kind) END AS words,
           COALESCE(o.reference, s.bank_reference, d.ntpn, '') AS name
      FROM postings p
      JOIN accounts a ON a.id = p.account_id AND a.bank_account_id = :account
      JOIN journal_entries e ON e.id = p.entry_id
      LEFT JOIN payouts o ON e.source = 'payout:' || o.id || '\\:received'
      LEFT JOIN settlements s ON e.source = 'settlement:' || s.id || '\\:paid'
      LEFT JOIN deposits d ON e.source = 'deposit:' || d.id || '\\:paid'
     WHERE p.effective_date BETWEEN :first AND :last
     ORDER BY p.effective_date, p.id"""
)
OPENING = text(
    """
    SELECT COALESCE(sum(p.amount), 0)::bigint FROM postings p JOIN accounts a ON a.id = p.account_id
     WHERE a.bank_account_id = :account AND p.effective_date < :first"""
)
#: Sales of which nothing has gone back and nothing is disputed, the latest first; a line of each.
SOLD = text(
    """
    SELECT o.id AS order_id, l.id AS line_id, l.net_amount FROM orders o
      JOIN order_lines l ON l.order_id = o.id AND l.position = 1
      JOIN payments p ON p.order_id = o.id AND p.counts AND p.gateway = 'sandbox'
     WHERE o.state = 'paid' AND l.net_amount BETWEEN 30000 AND 400000
       AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id)
       AND NOT EXISTS (SELECT FROM disputes d WHERE d.payment_id = p.id)
     ORDER BY o.paid_at DESC, l.id LIMIT 2"""
)
#: Of the provider's own lines the latest payment that has its fee.
CHARGED = text(
    """
    SELECT l.id FROM sandbox_lines l JOIN payments p ON p.id = l.payment_id
     WHERE l.kind = 'payment' AND l.fee > 0 AND p.fee IS NOT NULL ORDER BY l.created_at DESC, l.id LIMIT 1"""
)


PAID = text("SELECT count(*) FROM orders WHERE state = 'paid'")
LEAST = 100
DELIVERED = text(
    """UPDATE sandbox_events SET delivered_at = created_at + interval '1 second', deliveries = 1
        WHERE delivered_at IS NULL"""
)


@dataclass(frozen=True)
class Line:
    """A line of the bank's file; whole rupiah."""

    day: datetime.date
    amount: int
    words: str
    name: str = ""


class Banked:
    """`first` of finance works with the bank, `second` approves."""

    def __init__(self, first: int, second: int, today: datetime.date, seed: str) -> None:
        self.first, self.second, self.today = first, second, today
        self.rng = random.Random(f"{seed}:bank")
        self.goods = self._goods()

    def write(self) -> None:
        """All of it; nothing in a demo that sold little, which somebody made for one purpose."""
        account = next(iter(files.accounts()), None)
        if account is None or len(self.goods) < 5 or db.session.scalar(PAID) < LEAST:
            return
        with use_random(self.rng):
            self._hold_a_payment()
            self._lose_an_event()
            whole, short, waiting = (self._asked(wish) for wish in range(3))
        self._bank(account.id, account.number, whole, short, waiting)
        self._give_back()
        self._compare()
        # Letters and the provider's news of all this have gone out, and no job waits.
        settle()
        db.session.execute(DELIVERED)
        db.session.commit()

    def _goods(self) -> Sequence[tuple[int, int, int]]:
        found = [tuple(row) for row in db.session.execute(GOODS)]
        self.rng.shuffle(found)
        return found

    def _order(self, number: int, gateway_name: str | None) -> Order:
        """An order of one piece that its buyer will collect."""
        variant_id, price, facility_id = self.goods[number]
        pickup = pickup_option()
        assert pickup is not None
        return place(
            [PricedLine(variant_id, 1, price)],
            contact=Contact(f"Pembeli {number + 1}", f"transfer{number + 1}@example.test", "+628000009000"),
            address=None,
            shipping={facility_id: ParcelShipping(pickup.method_id, True, 0, 0, 0)},
            gateway_name=gateway_name,
        )

    def _asked(self, number: int) -> Transfer:
        """An order that is to be paid by transfer."""
        order = self._order(number, TRANSFER)
        payment_id = open_payment(order, TRANSFER).id
        db.session.commit()
        start_payment(payment_id)
        return db.session.get_one(Transfer, payment_id)

    def _hold_a_payment(self) -> None:
        """The provider took less than was asked for: finance decides."""
        payment_id = open_payment(self._order(3, None)).id
        db.session.commit()
        start_payment(payment_id)
        taken = SandboxPayment.amount - 1_000
        db.session.execute(update(SandboxPayment).where(SandboxPayment.id == payment_id).values(amount=taken))
        choose_outcome(payment_id, "succeeded")
        db.session.commit()
        said = db.session.scalars(select(SandboxEvent).where(SandboxEvent.payment_id == payment_id)).one()
        self._hear(RawEvent(said.id, said.type, said.body.encode(), said.created_at))

    def _lose_an_event(self) -> None:
        """A payment that is not ours: nobody knows what it was for, so finance is shown the event."""
        event_id = "evt_" + self.rng.randbytes(16).hex()
        body = (
            f'{{"id": "{event_id}", "type": "payment.succeeded",'
            ' "payment": {"id": "pay_tidakdikenal", "amount": 150000}}'
        )
        now = datetime.datetime.now(datetime.UTC)
        self._hear(RawEvent(event_id, "payment.succeeded", body.encode(), now))

    @staticmethod
    def _hear(event: RawEvent) -> None:
        receive_fetched("sandbox", event)
        db.session.commit()
        row = db.session.scalars(select(PaymentEvent.id).where(PaymentEvent.event_id == event.id)).one()
        try_event(row)

    def _bank(self, account: int, number: str, whole: Transfer, short: Transfer, waiting: Transfer) -> None:
        """A file of the last weeks, taken in and matched; and one that waits to be looked at."""
        since = self.today - days(SPAN)
        opening = db.session.execute(OPENING, {"account": account, "first": since}).scalar_one()
        lines = [Line(*row) for row in db.session.execute(BOOKED, {
            "account": account, "first": since, "last": self.today,
        })]  # fmt: skip
        arrived = [
            Line(self.today, whole.amount, f"TRSF E-BANKING CR {whole.code}"),
            Line(self.today, short.amount - 5_000, f"TRSF E-BANKING CR {short.code}"),
            # Its code was left out: proposed by its amount alone.
            Line(self.today, waiting.amount, "TRSF E-BANKING CR KARYA BINAAN"),
            Line(self.today, -6_500, "BIAYA ADM"),
        ]
        content = "\n".join(_csv(number, [*lines, *arrived], opening)).encode()
        file, _is_new = files.upload(account, f"mutasi-{self.today:%Y-%m}.csv", content, self.first)
        files.take_in(file.id, self.first)
        db.session.commit()
        automatic.match_lines(account)
        waiting_events = select(PaymentEvent.id).where(
            PaymentEvent.gateway == TRANSFER, PaymentEvent.handled_at.is_(None)
        )
        for event in db.session.scalars(waiting_events).all():
            db.session.rollback()
            try_event(event)
        charge = db.session.scalars(select(BankLine.id).where(BankLine.description == "BIAYA ADM")).one()
        match.set_aside(charge, "Biaya bulanan rekening, ditanggung kantor pusat", self.first)
        closing = opening + sum(line.amount for line in (*lines, *arrived))
        more = [Line(self.today, 75_000, "SETORAN TUNAI"), Line(self.today, -2_500, "BIAYA TRANSFER")]
        content = "\n".join(_csv(number, more, closing)).encode()
        files.upload(account, f"mutasi-{self.today:%Y-%m-%d}.csv", content, self.first)
        db.session.commit()

    def _give_back(self) -> None:
        """Two refunds of payments that cannot be refunded: one shopper gave an account, the other was asked for it."""
        asked = []
        for sold in db.session.execute(SOLD).all():
            wish = LineWish(sold.line_id, amount=min(10_000, sold.net_amount))
            refund = refunds.propose(sold.order_id, [wish], reason="goodwill", person_id=self.first)
            refund_failed(refund.id, "cannot_refund")
            asked.append((sold.order_id, returns.of_refund(refund.id)))
        db.session.commit()
        if not asked:
            return
        order_id, back = asked[0]
        order = db.session.get_one(Order, order_id)
        returns.give_account(order, back.id, bank="Bank Contoh", number="0000009001", holder="Pembeli Contoh")
        return_batches.propose([back.id], self.first)
        db.session.commit()

    def _compare(self) -> None:
        """The provider kept more of one payment than it told us."""
        charged = db.session.execute(CHARGED).scalar()
        db.session.execute(
            update(SandboxLine).where(SandboxLine.id == charged).values(fee=SandboxLine.fee + 500)
        )
        run = runs.ask("sandbox", None)
        db.session.commit()
        runs.run(run.id)


def _csv(account: str, lines: Sequence[Line], opening: int) -> Iterator[str]:
    """A bank's file with running balances."""
    yield "Account No;Date;Description;Reference No.;Debit;Credit;Balance"
    balance = opening
    for line in lines:
        balance += line.amount
        out, into = max(-line.amount, 0), max(line.amount, 0)
        yield f"{account};{line.day:%d/%m/%Y};{line.words};{line.name};{out},00;{into},00;{balance},00"
