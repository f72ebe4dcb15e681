"""Makes planned orders true, one after the other, through the shop's own code: placed, paid, or let go."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from storefront.audit.record import dated
from storefront.books.fees import book_fee
from storefront.days import accounting_day
from storefront.demo import files, offers
from storefront.demo.bulk import insert_rows
from storefront.demo.moments import JAKARTA
from storefront.demo.places import Places
from storefront.demo.plan import PlannedOrder
from storefront.demo.shelves import Month, Shelves
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.expire import end_locked_order
from storefront.orders.mark_paid import record_other_outcome, record_payment
from storefront.orders.models import Order, OrderState
from storefront.orders.numbers import use_random
from storefront.orders.payment import open_payment, order_link
from storefront.orders.place import Address, Notes, ParcelShipping, PricedLine, place
from storefront.payments.gateway import current_gateway
from storefront.payments.models import (
    Payment,
    PaymentAttempt,
    PaymentEvent,
    PaymentState,
    SandboxEvent,
    SandboxPayment,
)
from storefront.shipping import rates
from storefront.shipping.destinations import destination_for, meet
from storefront.shipping.quote import Destination, Origin, Piece, quote_parcel

#: How long an order that still waits may be paid after loading.
LONG_HOLD = datetime.timedelta(hours=48)
#: What the provider keeps of a payment, in basis points; invented, like all sums here.
FEE = 70


class History:
    """Writes the orders of a plan. All ids come from the seed."""

    def __init__(
        self, places: Places, shelves: Shelves, shopper_id: int, seed: str, *, fees_from: datetime.date
    ) -> None:
        """From the day `fees_from` on the provider says what it keeps of each payment."""
        self.fees_from = fees_from
        self.places = places
        self.shelves = shelves
        self.shopper_id = shopper_id
        self.rng = random.Random(f"{seed}:ids")
        self.drawn = random.Random(f"{seed}:notes")
        self.words = files.buyer_words()
        self.shipping = _Shipping(list(places.facilities.values()), shelves.today)
        self.gateway = current_gateway()
        self.sandbox: list[dict[str, Any]] = []
        self.said: list[dict[str, Any]] = []
        self.attempts: list[dict[str, Any]] = []

    def write(self, orders: Sequence[PlannedOrder], progress: Callable[[int], None]) -> None:
        """Place and pay (or end) `orders`, the oldest first; each month's goods are made before its first."""
        month: Month | None = None
        with use_random(self.rng):
            for number, planned in enumerate(orders, start=1):
                day = planned.placed_at.astimezone(JAKARTA)
                if (day.year, day.month) != month:
                    month = (day.year, day.month)
                    self.shelves.make_for(month)
                self._one(planned)
                if number % 50 == 0:
                    # Nothing written is looked at again: the session stays small and quick.
                    db.session.flush()
                    db.session.expunge_all()
                    progress(number)
        self._write_provider()

    def _one(self, planned: PlannedOrder) -> None:
        order = self._place(planned)
        payment = open_payment(order)
        payment.created_at = planned.placed_at
        payment.expires_at = order.expires_at  # not counted from the moment of loading
        payment.reference = payment.id
        payment.url = f"{current_gateway().base_url}/sandbox/payments/{payment.id}"  # type: ignore[attr-defined]
        payment.state = PaymentState.PENDING.value
        db.session.flush()
        self._attempt(payment, "start", "started", planned.placed_at)
        state = "open"
        if planned.paid_at:
            state = "succeeded"
            if planned.failed_before:
                early = planned.placed_at + (planned.paid_at - planned.placed_at) / 2
                self._say(payment, "failed", early, record_other_outcome(payment.id, PaymentState.FAILED))
            result = record_payment(
                payment.id, reference=payment.id, amount=payment.amount, at=planned.paid_at
            )
            fee = payment.amount * FEE // 10_000 if accounting_day(planned.paid_at) >= self.fees_from else 0
            self._say(payment, "succeeded", planned.paid_at, result, fee)
            if fee:
                with dated(planned.paid_at):
                    book_fee(payment.id, fee, at=planned.paid_at)
        elif not planned.is_open:
            state = "expired"
            end_locked_order(order, OrderState.EXPIRED)
            order.closed_at = order.expires_at + datetime.timedelta(seconds=self.rng.randrange(5, 60))
            self._attempt(payment, "expire", "expired", order.closed_at)
        self.sandbox.append(
            {
                "id": payment.id,
                "amount": payment.amount,
                "description": order.number,
                "return_url": order_link(order),
                "locale": order.locale,
                "state": state,
                "created_at": planned.placed_at,
                "expires_at": payment.expires_at,
            }
        )

    def _place(self, planned: PlannedOrder) -> Order:
        shipping = self.shipping.for_order(planned)
        delivered = any(not part.is_pickup for part in shipping.values())
        return place(
            [PricedLine(item.variant_id, quantity, item.price) for item, quantity in planned.lines],
            contact=planned.buyer.contact,
            address=planned.buyer.address if delivered else None,
            shipping=shipping,
            notes=self._notes(),
            person_id=self.shopper_id if planned.buyer.is_shopper else None,
            locale=planned.buyer.locale,
            expires_at=planned.placed_at + (LONG_HOLD if planned.is_open else self.gateway.hold),
            placed_at=planned.placed_at,
        )

    def _notes(self) -> Notes:
        """What one buyer in eight writes on a card, and one in ten to whoever sends the goods."""
        draw, words = self.drawn, self.words
        return Notes(
            draw.choice(words.gift_notes) if draw.random() < 0.12 else None,
            draw.choice(words.notes) if draw.random() < 0.1 else None,
        )

    def _say(self, payment: Payment, outcome: str, at: datetime.datetime, result: str, fee: int = 0) -> None:
        """The provider's event of an outcome, as it was posted, kept and handled."""
        event_id = "evt_" + self.rng.randbytes(16).hex()
        kind = f"payment.{outcome}"
        told = {"id": payment.id, "amount": payment.amount, **({"fee": fee} if fee else {})}
        body = json.dumps({"id": event_id, "type": kind, "payment": told})
        self.said.append(
            {"id": event_id, "payment_id": payment.id, "type": kind, "body": body, "at": at, "result": result}
        )

    def _attempt(self, payment: Payment, action: str, outcome: str, at: datetime.datetime) -> None:
        self.attempts.append(
            {"payment_id": payment.id, "action": action, "outcome": outcome, "detail": "", "at": at}
        )

    def _write_provider(self) -> None:
        """The provider's own books, its events, and our inbox with all of them handled."""
        delay = datetime.timedelta(seconds=1)
        insert_rows(SandboxPayment, self.sandbox)
        insert_rows(PaymentAttempt, self.attempts)
        insert_rows(
            SandboxEvent,
            [
                {name: said[name] for name in ("id", "payment_id", "type", "body")}
                | {"created_at": said["at"], "delivered_at": said["at"] + delay, "deliveries": 1}
                for said in self.said
            ],
        )
        insert_rows(
            PaymentEvent,
            [
                {
                    "gateway": "sandbox",
                    "event_id": said["id"],
                    "type": said["type"],
                    "body": said["body"].encode(),
                    "received_at": said["at"],
                    "handled_at": said["at"] + delay,
                    "result": said["result"],
                    "attempts": 1,
                }
                for said in self.said
            ],
        )


class _Shipping:
    """The shop's own quote, with its tables read once."""

    def __init__(self, facilities: Sequence[Facility], today: datetime.date) -> None:
        self.free_since = offers.free_since(today)
        self.facilities = {facility.code: facility.id for facility in facilities}
        self.origins = rates.load_origins(self.facilities.values())
        self.rates = rates.load_rates({origin.zone_id for origin in self.origins.values()}, None)
        self.pickup = rates.pickup_option()
        self.known: dict[Address, tuple[dict[int, Origin], Destination]] = {}

    def for_order(self, planned: PlannedOrder) -> dict[int, ParcelShipping]:
        """For each facility's id how its parcel travels: collected, or the cheapest delivery."""
        origins, destination = self._met(planned.buyer.address)
        pieces: dict[str, list[Piece]] = {}
        for item, quantity in planned.lines:
            piece = Piece(item.sku, "nationwide", item.row.weight_g, quantity, item.price * quantity)
            pieces.setdefault(item.row.facility, []).append(piece)
        chosen = {}
        for code, parcel in pieces.items():
            origin = origins[self.facilities[code]]
            if accounting_day(planned.placed_at) < self.free_since:
                origin = origin._replace(free=())
            quote = quote_parcel(origin, destination, parcel, self.rates, self.pickup)
            option = (quote.pickup if code in planned.collected else None) or quote.deliveries[0]
            chosen[origin.facility_id] = ParcelShipping(
                option.method_id, option.is_pickup, option.amount, option.days_min, option.days_max, option.waived
            )
        return chosen

    def _met(self, address: Address) -> tuple[dict[int, Origin], Destination]:
        if address not in self.known:
            destination = destination_for(address.province, address.city, address.district, address.postal_code)
            self.known[address] = meet(self.origins, destination)
        return self.known[address]
