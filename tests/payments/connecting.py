"""A shop whose ministry allows transfers, a fake of its own, and what is bought and settled there."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront.books import connected_accounts, settle, transfer_send
from storefront.books.fees import learn_fee
from storefront.books.models import Settlement
from storefront.books.settle import Wish
from storefront.extensions import db
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.payments.gateway import gateway
from storefront.refunds import refunds
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from tests.clones import Clone
from tests.factories import make_order
from tests.money_out import LONG_AGO, Books, open_unsold
from tests.stripe_fake.run import FakeStripe, fake_stripe

#: Of two batik cloths at 100,000, of which 35 % are working capital.
CAPITAL = 70_000


@pytest.fixture(scope="session")
def running_own_fake() -> Iterator[FakeStripe]:
    """A fake beside the shared one: its books are compared with ours, so nobody else may write in them."""
    with fake_stripe() as fake:
        yield fake


@pytest.fixture
def own_fake(running_own_fake: FakeStripe) -> Iterator[FakeStripe]:
    """The same, empty, and well again after the test."""
    for what in ("forget", "calls/forget"):
        running_own_fake.tell(what)
    yield running_own_fake
    running_own_fake.tell("faults", faults=[])
    running_own_fake.tell("balance", is_paid_out=False)


@pytest.fixture(scope="session")
def shared_connect_app(running_own_fake: FakeStripe, make_app: Callable[..., Flask]) -> Flask:
    """A shop whose ministry allows transfers."""
    return make_app(**running_own_fake.settings(STRIPE_CONNECT="on"))


@pytest.fixture
def connect_app(shared_connect_app: Flask, own_fake: FakeStripe, database: Clone) -> Flask:
    """That shop on a clean database; a module that wants it calls it `app`."""
    return shared_connect_app


@dataclass(frozen=True)
class Shop:
    """A shop that has sold nothing yet, and Pekalongan's account at Stripe."""

    books: Books
    fake: FakeStripe
    account: str

    def buy(self, *wishes: tuple[Any, int]) -> int:
        """Goods are paid by card, and the fee is known; the order's id."""
        order = make_order(*wishes or ((self.books.shop.batik, 2),))
        payment_id, order_id = open_payment(order).id, order.id
        db.session.commit()
        reference = str(start_payment(payment_id).reference)
        db.session.commit()
        self.fake.tell("pay", session=reference)
        status = gateway("stripe").look_up(reference)
        record_payment(
            payment_id,
            reference=reference,
            amount=status.amount,
            capture_reference=status.capture_reference,
        )
        db.session.commit()
        learn_fee(payment_id)
        return order_id

    def wish(self, amount: int) -> Wish:
        return Wish(self.books.pekalongan, self.books.funds["working_capital"], amount)

    def proposed(self, amount: int = CAPITAL) -> list[Settlement]:
        found = settle.propose([self.wish(amount)], person_id=self.books.first)
        db.session.commit()
        return found

    def approved(self, amount: int = CAPITAL) -> int:
        """A settlement by transfer that two people agreed on; its id."""
        (found,) = self.proposed(amount)
        assert found.goes_by_transfer
        settle.approve([found.id], self.books.second)
        db.session.commit()
        return found.id

    def sent(self, amount: int = CAPITAL) -> int:
        """The same, transferred."""
        settlement_id = self.approved(amount)
        db.session.rollback()
        transfer_send.send_transfers(settlement_id)
        return settlement_id

    def give_back(self, order_id: int, pieces: int = 1) -> int:
        """Pieces of the order's first line are refunded, as if the provider had said so; the refund's id."""
        line = db.session.get_one(Order, order_id).lines[0]
        refund = refunds.propose(
            order_id, [LineWish(line.id, pieces)], reason="damaged", person_id=self.books.first
        )
        refund.reference = f"re_{secrets.token_hex(6)}"
        refund_succeeded(refund.id)
        db.session.commit()
        return refund.id

    def there(self) -> int:
        """Rupiah in Pekalongan's account at Stripe."""
        return int(self.fake.tell("object", id=self.account)["balance"]) // 100


@pytest.fixture
def shop(connect_app: Flask, own_fake: FakeStripe, db_session: Session) -> Shop:
    """With accounts for all, at the bank and (Pekalongan) at Stripe."""
    books = open_unsold()
    account = str(own_fake.tell("accounts/open")["id"])
    register(books, books.pekalongan, account)
    db_session.commit()
    return Shop(books, own_fake, account)


def register(books: Books, facility_id: int, account: str, **values: Any) -> int:
    """An account at Stripe that two people have registered."""
    values = {"permission_letter": "S-7/PB/2026", "valid_from": LONG_AGO, **values}
    found = connected_accounts.propose(facility_id, account=account, person_id=books.first, **values)
    connected_accounts.approve(found.id, books.second)
    return found.id
