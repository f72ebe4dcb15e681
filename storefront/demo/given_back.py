"""What shoppers got back: returned, damaged or lost goods and goodwill, through the real rules and the provider.

Some wishes came to nothing: one was refused, one failed at the provider. Two wait for a second person.
"""

from __future__ import annotations

import dataclasses
import datetime
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import text

from storefront.audit.record import dated
from storefront.books.span import Span
from storefront.demo import provider
from storefront.demo.bulk import insert_rows
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.orders.refund import idempotency_key
from storefront.payments.models import PaymentAttempt, Refund, SandboxRefund
from storefront.refunds import refunds
from storefront.refunds.refund_limits import SHIPPED
from storefront.refunds.refund_outcome import refund_failed, refund_succeeded
from storefront.refunds.refund_parts import LineWish

#: Parcels with goods of the shelf that were received in a span, with the line that is worth most.
RECEIVED = text(
    """
    SELECT DISTINCT ON (p.id) p.id AS parcel_id, p.order_id, p.shipping_amount, p.received_at, f.code AS facility,
           l.id AS line_id, l.quantity, l.unit_price, l.net_amount,
           (SELECT count(*) FROM order_lines x WHERE x.order_id = p.order_id) AS lines
      FROM parcels p
      JOIN facilities f ON f.id = p.facility_id
      JOIN parcel_lines x ON x.parcel_id = p.id
      JOIN order_lines l ON l.id = x.order_line_id AND l.location_id IS NOT NULL
     WHERE p.state = 'received' AND accounting_date(p.received_at) BETWEEN :first AND :last
     ORDER BY p.id, l.net_amount DESC, l.id"""
)
#: Facilities whose coordinator is a demo account.
ASKING = ("PKL", "PLP", "BJB")


@dataclass(frozen=True)
class Received:
    """A parcel that reached its buyer, and its dearest line. Rupiah."""

    parcel_id: int
    order_id: int
    shipping_amount: int
    received_at: datetime.datetime
    facility: str
    line_id: int
    quantity: int
    unit_price: int
    net_amount: int
    #: Lines of the whole order.
    lines: int


@dataclass(frozen=True)
class Wish:
    """A refund to be, as `refunds.propose` takes it."""

    order_id: int
    at: datetime.datetime
    reason: str
    note: str
    lines: tuple[LineWish, ...] = ()
    shipping: tuple[tuple[int, int], ...] = ()
    goodwill: int = 0
    #: The coordinator who asks; None: finance itself.
    asked_by: int | None = None


class GivenBack:
    """Chooses by `seed` what goes back, and lets it go: `first` decides, `second` where two are needed."""

    def __init__(self, first: int, second: int, seed: str, spared: set[int]) -> None:
        """`spared` are orders of which nothing goes back."""
        self.first, self.second = first, second
        self.used = set(spared)
        self.rng = random.Random(f"{seed}:refunds")

    def wishes(self, months: list[Span]) -> Iterator[Wish]:
        """For each month one of each kind, as far as parcels were received in it."""
        for span in months:
            found = self._received(span.first, span.last - days(6))
            for choose in (self._returned, self._lost, self._damaged, self._goodwill):
                wish = self._first(found, choose)
                if wish is not None:
                    yield wish

    def _received(self, first: datetime.date, last: datetime.date) -> list[Received]:
        found = [
            Received(**row) for row in db.session.execute(RECEIVED, {"first": first, "last": last}).mappings()
        ]
        self.rng.shuffle(found)
        return found

    def _first(self, found: list[Received], choose: Callable[[Received], Wish | None]) -> Wish | None:
        """The wish about the first parcel that `choose` finds fit, of an order that nothing went back of."""
        for parcel in found:
            wish = choose(parcel) if parcel.order_id not in self.used else None
            if wish is not None:
                self.used.add(parcel.order_id)
                return wish
        return None

    def _after(self, parcel: Received, most: int) -> datetime.datetime:
        day = parcel.received_at.date() + days(self.rng.randrange(1, most))
        return at(day, self.rng.randrange(9, 12), self.rng.randrange(60))

    def _returned(self, parcel: Received) -> Wish | None:
        """One piece of several comes back whole and goes on the shelf again."""
        if parcel.quantity < 2:
            return None
        line = LineWish(parcel.line_id, 1, pieces="restock")
        return Wish(
            parcel.order_id, self._after(parcel, 5), "returned", "Ukuran tidak cocok, barang utuh.", (line,)
        )

    def _lost(self, parcel: Received) -> Wish | None:
        """A whole parcel that the courier lost after all, shipping included."""
        if parcel.lines > 1 or not parcel.shipping_amount:
            return None
        line = LineWish(parcel.line_id, parcel.quantity, pieces="write_off")
        shipping = ((parcel.parcel_id, parcel.shipping_amount),)
        note = "Kurir mengakui paket hilang; bukti tanda terima keliru."
        return Wish(parcel.order_id, self._after(parcel, 5), "lost", note, (line,), shipping)

    def _damaged(self, parcel: Received) -> Wish | None:
        if parcel.quantity > 1 or parcel.lines < 2:
            return None
        line = LineWish(parcel.line_id, 1, pieces="write_off")
        return Wish(parcel.order_id, self._after(parcel, 4), "damaged", "Pecah di jalan, ada foto.", (line,))

    def _goodwill(self, parcel: Received) -> Wish | None:
        amount = parcel.net_amount // 10 // 1000 * 1000
        if not 3_000 <= amount <= 100_000:
            return None
        note = "Kiriman terlambat; 10 persen dikembalikan."
        return Wish(parcel.order_id, self._after(parcel, 4), "goodwill", note, goodwill=amount)

    def give(self, wish: Wish) -> None:
        """Propose, let a second person agree where one is needed, and the provider confirm."""
        refund, sent = self._agreed(wish)
        answered = sent + datetime.timedelta(seconds=self.rng.randrange(5, 40))
        reference = "re_" + self.rng.randbytes(12).hex()
        self._send(refund, sent, reference)
        key = idempotency_key(refund)
        insert_rows(
            SandboxRefund,
            [{"id": reference, "payment_id": refund.payment_id, "amount": refund.amount, "idempotency_key": key,
              "created_at": sent}],
        )  # fmt: skip
        told = {"id": reference, "key": key, "amount": refund.amount}
        provider.say(refund.payment_id, "refund.succeeded", answered, self.rng, refund=told)
        with dated(answered):
            refund_succeeded(refund.id, at=answered)

    def fail(self, today: datetime.date) -> None:
        """One that finance decided and the provider refused: somebody must look at it."""
        wish = self._first(self._received(today - days(30), today - days(6)), self._goodwill)
        if wish is None:
            return
        refund, sent = self._agreed(dataclasses.replace(wish, at=at(today - days(4), 11, 20)))
        answered, reference = sent + datetime.timedelta(minutes=2), "re_" + self.rng.randbytes(12).hex()
        self._send(refund, sent, reference)
        why = "Rekening pembeli sudah ditutup"
        told = {"id": reference, "key": idempotency_key(refund), "amount": refund.amount, "failure": why}
        provider.say(refund.payment_id, "refund.failed", answered, self.rng, refund=told)
        with dated(answered):
            refund_failed(refund.id, why)

    def refuse(self, today: datetime.date, coordinators: dict[str, int]) -> None:
        """A facility asked finance to give money back, and finance decided against it."""
        asked = self._ask(self._received(today - days(45), today - days(6)), coordinators, today - days(4))
        if asked is not None:
            with dated(at(today - days(3), 9, 40)):
                refunds.reject(asked.id, self.first)

    def leave(self, today: datetime.date, coordinators: dict[str, int]) -> None:
        """A facility asked finance to give money back, and nobody has decided on it.

        Beside it waits one of finance's own that is dear enough to need a second person.
        """
        self._ask(self._received(today - days(25), today - days(2)), coordinators, today - days(1))
        dear = self._first(self._received(today - days(120), today - days(2)), self._dear)
        if dear is not None:
            moment = at(today - days(1), 10, 15)
            with dated(moment):
                self._propose(dear, self.first, moment)

    def _ask(self, found: list[Received], coordinators: dict[str, int], day: datetime.date) -> Refund | None:
        """A coordinator of the demo asks for a piece of a parcel of their own."""

        def wish_of(parcel: Received) -> Wish | None:
            if parcel.facility not in ASKING or parcel.facility not in coordinators:
                return None
            note = "Pembeli mengembalikan satu barang; sudah kami terima."
            line = LineWish(parcel.line_id, 1, pieces="restock")
            return Wish(
                parcel.order_id,
                at(day, 15, 20),
                "returned",
                note,
                (line,),
                asked_by=coordinators[parcel.facility],
            )

        wish = self._first(found, wish_of)
        if wish is None or wish.asked_by is None:
            return None
        with dated(wish.at):
            return self._propose(wish, wish.asked_by, wish.at, may_decide=False)

    def _dear(self, parcel: Received) -> Wish | None:
        if parcel.net_amount < SHIPPED:
            return None
        line = LineWish(parcel.line_id, parcel.quantity, pieces="restock")
        note = "Pesanan khusus yang salah ukuran; barang sudah kembali ke bengkel."
        return Wish(parcel.order_id, parcel.received_at, "returned", note, (line,))

    def _agreed(self, wish: Wish) -> tuple[Refund, datetime.datetime]:
        """The refund that finance proposed, and when it was decided; by a second person where one is needed."""
        with dated(wish.at):
            refund = self._propose(wish, self.first, wish.at)
        if refund.state != "proposed":
            return refund, wish.at
        moment = wish.at + datetime.timedelta(hours=3)
        with dated(moment):
            return refunds.approve(refund.id, self.second, at=moment), moment

    def _propose(
        self, wish: Wish, person_id: int, moment: datetime.datetime, *, may_decide: bool = True
    ) -> Refund:
        return refunds.propose(
            wish.order_id,
            wish.lines,
            shipping=dict(wish.shipping),
            goodwill=wish.goodwill,
            reason=wish.reason,
            note=wish.note,
            person_id=person_id,
            may_decide=may_decide,
            at=moment,
        )

    def _send(self, refund: Refund, sent: datetime.datetime, reference: str) -> None:
        """The provider was asked, and keeps the refund under its `reference`."""
        refund.state, refund.reference = "pending", reference
        db.session.flush()
        insert_rows(
            PaymentAttempt,
            [
                {
                    "payment_id": refund.payment_id,
                    "action": "refund",
                    "outcome": "asked",
                    "detail": "",
                    "at": sent,
                }
            ],
        )
