"""What shoppers got back: returned, damaged or lost goods and goodwill, through the real rules and the provider.

One wish of a facility waits for a second person.
"""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.audit.record import dated
from storefront.books import refunds
from storefront.books.refund_outcome import refund_succeeded
from storefront.books.refunds import LineWish
from storefront.books.span import Span
from storefront.demo.bulk import insert_rows
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.orders.refund import idempotency_key
from storefront.payments.models import PaymentAttempt, PaymentEvent, Refund, SandboxEvent, SandboxRefund

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


class GivenBack:
    """Chooses by `seed` what goes back, and lets it go: `first` decides, `second` where two are needed."""

    def __init__(self, first: int, second: int, seed: str) -> None:
        self.first, self.second = first, second
        self.rng = random.Random(f"{seed}:refunds")

    def wishes(self, months: list[Span]) -> Iterator[Wish]:
        """For each month one of each kind, as far as parcels were received in it."""
        used: set[int] = set()
        for span in months:
            early = Span(span.first, span.last - days(6))
            found = [Received(**row) for row in db.session.execute(RECEIVED, vars(early)).mappings()]
            self.rng.shuffle(found)
            for choose in (self._returned, self._lost, self._damaged, self._goodwill):
                for parcel in found:
                    wish = choose(parcel) if parcel.order_id not in used else None
                    if wish is not None:
                        used.add(parcel.order_id)
                        yield wish
                        break

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
        with dated(wish.at):
            refund = self._propose(wish, self.first, wish.at)
        sent = wish.at
        if refund.state == "proposed":
            sent = wish.at + datetime.timedelta(hours=3)
            with dated(sent):
                refunds.approve(refund.id, self.second, at=sent)
        answered = sent + datetime.timedelta(seconds=self.rng.randrange(5, 40))
        self._through_provider(refund, sent, answered)
        with dated(answered):
            refund_succeeded(refund.id, at=answered)

    def ask(self, today: datetime.date, coordinators: dict[str, int]) -> None:
        """A facility asks finance to give money back; nobody has decided yet."""
        span = Span(today - days(25), today - days(2))
        found = [Received(**row) for row in db.session.execute(RECEIVED, vars(span)).mappings()]
        asking = [parcel for parcel in found if parcel.facility in ASKING and parcel.facility in coordinators]
        taken = set(db.session.scalars(text("SELECT order_id FROM refunds")))
        for parcel in (parcel for parcel in asking if parcel.order_id not in taken):
            moment = at(today - days(1), 15, 20)
            line = LineWish(parcel.line_id, 1, pieces="restock")
            wish = Wish(
                parcel.order_id,
                moment,
                "returned",
                "Pembeli mengembalikan satu barang; sudah kami terima.",
                (line,),
            )
            with dated(moment):
                self._propose(wish, coordinators[parcel.facility], moment, may_decide=False)
            return

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

    def _through_provider(self, refund: Refund, sent: datetime.datetime, answered: datetime.datetime) -> None:
        """What the provider wrote down and told us, handled as its events are."""
        reference, event_id = ("re_" + self.rng.randbytes(12).hex(), "evt_" + self.rng.randbytes(16).hex())
        key, delay = idempotency_key(refund), datetime.timedelta(seconds=1)
        refund.state, refund.reference = "pending", reference
        db.session.flush()
        payment, kind = refund.payment_id, "refund.succeeded"
        body: dict[str, Any] = {
            "id": event_id,
            "type": kind,
            "payment": {"id": payment, "amount": refund.amount},
        }
        body["refund"] = {"id": reference, "key": key, "amount": refund.amount}
        insert_rows(
            SandboxRefund,
            [{"id": reference, "payment_id": payment, "amount": refund.amount, "idempotency_key": key,
              "created_at": sent}],
        )  # fmt: skip
        insert_rows(
            SandboxEvent,
            [{"id": event_id, "payment_id": payment, "type": kind, "body": json.dumps(body),
              "created_at": answered, "delivered_at": answered + delay, "deliveries": 1}],
        )  # fmt: skip
        insert_rows(
            PaymentEvent,
            [{"gateway": "sandbox", "event_id": event_id, "type": kind, "body": json.dumps(body).encode(),
              "received_at": answered, "handled_at": answered + delay, "result": "handed_on", "attempts": 1}],
        )  # fmt: skip
        insert_rows(
            PaymentAttempt,
            [{"payment_id": payment, "action": "refund", "outcome": "asked", "detail": "", "at": sent}],
        )
