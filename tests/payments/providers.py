"""Providers as the contract suite uses them: a gateway, and the people and banks on its other side.

A new gateway joins the suite with a class here, a line in `PROVIDERS` and one in the fixture `provider`.
"""

from __future__ import annotations

import datetime
import itertools
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import select

from storefront.books import bank_accounts
from storefront.extensions import db
from storefront.payments import sandbox_books
from storefront.payments.gateway import Gateway, Item, ParcelOfGoods, PaymentRequest, gateway
from storefront.payments.models import PaymentEvent, SandboxEvent
from storefront.payments.sandbox import SandboxGateway
from storefront.payments.transfer import TransferGateway, announce
from storefront.payments.transfer_models import Transfer
from tests.factories import make_person
from tests.stripe_fake.run import FakeStripe

Post = tuple[Mapping[str, str], bytes]


def request_for(amount: int = 805_001, **values: object) -> PaymentRequest:
    """A wish to be paid, for two parcels when the amount is theirs."""
    parcels = (
        ParcelOfGoods("TGG", "Lapas Tenggarong", (Item("Kursi kayu", 3, 100_000),), 10_000),
        ParcelOfGoods("PKB", "Lapas Pangkalan Bun", (Item("Tas rotan, besar", 1, 485_001),), 10_000),
    )
    fields = {
        "id": f"pay_{secrets.token_urlsafe(18)}",
        "amount": amount,
        "description": "KB-7Q2M-4XPA",
        "return_url": "http://localhost/orders/KB-7Q2M-4XPA?token=abc&waited=0",
        "locale": "id",
        "expires_at": datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=60),
        "email": "ratna@contoh.id",
        "parcels": parcels,
    }
    return PaymentRequest(**(fields | values))  # type: ignore[arg-type]


class Provider(Protocol):
    """The other side of a gateway. A payment is named by the reference that `start` gave."""

    gateway: Gateway
    #: What this provider can do beside taking money: keep `fees`, give `refunds`, `refuse` some of them, know
    #: ways of paying `without_refunds`, bring money `later`, have `disputes` and `payouts` of many payments.
    knows: frozenset[str]

    def pays(self, reference: str) -> None:
        """The shopper pays; the provider has the money."""

    def pays_without_refunds(self, reference: str) -> None:
        """The shopper pays in a way that cannot give money back."""

    def does_their_part(self, reference: str) -> None:
        """The shopper is done; the money is on its way."""

    def money_arrives(self, reference: str) -> None:
        """It arrives."""

    def money_stays_away(self, reference: str) -> None:
        """It never does."""

    def refund_comes_back(self, refund_reference: str) -> None:
        """The shopper's bank does not take a refund."""

    def disputes(self, reference: str, amount: int) -> str:
        """The shopper's bank takes `amount` back for now; the dispute's id."""

    def decides(self, reference: str, dispute_reference: str, outcome: str) -> None:
        """The bank has decided: `won` or `lost`."""

    def pays_out(self) -> str:
        """All that lies there arrives at our bank; the payout's id."""

    def payout_comes_back(self, payout_reference: str) -> None:
        """Our bank does not take it."""

    def posts(self) -> list[Post]:
        """Every webhook so far as it would be posted now, oldest first."""

    def signs(self, body: bytes) -> Mapping[str, str]:
        """The headers for a body of one's own, signed now with the right secret."""


class SandboxProvider:
    """The sandbox: whoever plays the shopper does it all. Needs an app context."""

    knows = frozenset({"fees", "refunds", "refuse", "without_refunds", "later", "disputes", "payouts"})

    def __init__(self) -> None:
        found = gateway("sandbox")
        assert isinstance(found, SandboxGateway)
        self.gateway = self._sandbox = found

    def pays(self, reference: str) -> None:
        sandbox_books.choose_outcome(reference, "succeeded", fee=4_000)
        db.session.commit()

    def pays_without_refunds(self, reference: str) -> None:
        sandbox_books.choose_outcome(reference, "succeeded", can_refund=False)
        db.session.commit()

    def does_their_part(self, reference: str) -> None:
        sandbox_books.choose_outcome(reference, "pending")
        db.session.commit()

    def money_arrives(self, reference: str) -> None:
        self.pays(reference)

    def money_stays_away(self, reference: str) -> None:
        sandbox_books.choose_outcome(reference, "failed")
        db.session.commit()

    def refund_comes_back(self, refund_reference: str) -> None:
        sandbox_books.fail_refund(refund_reference)
        db.session.commit()

    def disputes(self, reference: str, amount: int) -> str:
        dispute = sandbox_books.dispute(reference, "opened", amount=amount)
        db.session.commit()
        return dispute

    def decides(self, reference: str, dispute_reference: str, outcome: str) -> None:
        sandbox_books.dispute(reference, outcome)
        db.session.commit()

    def pays_out(self) -> str:
        payout = sandbox_books.pay_out()
        assert payout is not None
        db.session.commit()
        return payout.id

    def payout_comes_back(self, payout_reference: str) -> None:
        sandbox_books.fail_payout(payout_reference)
        db.session.commit()

    def posts(self) -> list[Post]:
        bodies = db.session.scalars(select(SandboxEvent.body).order_by(SandboxEvent.created_at)).all()
        return [(self.signs(body.encode()), body.encode()) for body in bodies]

    def signs(self, body: bytes) -> Mapping[str, str]:
        return self._sandbox.signed_headers(body)


class StripeProvider:
    """Stripe's fake; the money of card payments is there at once, that of bank transfers later."""

    knows = frozenset({"fees", "refunds", "refuse", "without_refunds", "later", "disputes", "payouts"})

    def __init__(self, gateway: Gateway, fake: FakeStripe) -> None:
        self.gateway = gateway
        self.fake = fake

    def pays(self, reference: str) -> None:
        self.fake.tell("pay", session=reference, method="card")

    def pays_without_refunds(self, reference: str) -> None:
        self.fake.tell("pay", session=reference, method="qris")

    def does_their_part(self, reference: str) -> None:
        self.fake.tell("pay", session=reference, method="id_bank_transfer")

    def money_arrives(self, reference: str) -> None:
        self.fake.tell("settle", session=reference, outcome="succeeded")

    def money_stays_away(self, reference: str) -> None:
        self.fake.tell("settle", session=reference, outcome="failed")

    def refund_comes_back(self, refund_reference: str) -> None:
        self.fake.tell("refunds/fail", refund=refund_reference)

    def disputes(self, reference: str, amount: int) -> str:
        intent = self.fake.tell("object", id=reference)["payment_intent"]
        dispute = self.fake.tell("disputes/open", intent=intent, amount=amount * 100)
        return str(dispute["id"])

    def decides(self, reference: str, dispute_reference: str, outcome: str) -> None:
        self.fake.tell("disputes/close", dispute=dispute_reference, outcome=outcome)

    def pays_out(self) -> str:
        payout = self.fake.tell("payouts/send")["id"]
        self.fake.tell("payouts/arrive", payout=payout)
        return str(payout)

    def payout_comes_back(self, payout_reference: str) -> None:
        self.fake.tell("payouts/fail", payout=payout_reference)

    def posts(self) -> list[Post]:
        return [(event["headers"], event["body"].encode()) for event in self.fake.tell("events")]

    def signs(self, body: bytes) -> Mapping[str, str]:
        return dict(self.fake.tell("sign", body=body.decode("latin-1")))


class TransferProvider:
    """The bank's file: a line of it is all that the other side ever says. Needs an app context."""

    knows = frozenset({"without_refunds"})

    def __init__(self) -> None:
        found = gateway("transfer")
        assert isinstance(found, TransferGateway)
        self.gateway = self._transfer = found
        people = make_person().id, make_person().id
        account = bank_accounts.propose(
            None, bank="Bank Contoh", number="1110001112", holder="RPL Contoh", permission_letter="S-12",
            valid_from=datetime.date(2020, 1, 1), person_id=people[0],
        )  # fmt: skip
        bank_accounts.approve(account.id, people[1])
        db.session.commit()
        self._account_id = account.id
        self._lines = itertools.count(1)

    def pays(self, reference: str) -> None:
        payment_id = db.session.execute(select(Transfer.id).where(Transfer.code == reference)).scalar_one()
        announce(self._transfer, payment_id, self._account_id, f"bank_line:{next(self._lines)}")
        db.session.commit()

    def pays_without_refunds(self, reference: str) -> None:
        self.pays(reference)

    def posts(self) -> list[Post]:
        bodies = db.session.scalars(
            select(PaymentEvent.body).where(PaymentEvent.gateway == "transfer").order_by(PaymentEvent.id)
        ).all()
        return [(self.signs(body), body) for body in bodies]

    def signs(self, body: bytes) -> Mapping[str, str]:
        return self._transfer.signed_headers(body)


PROVIDERS: dict[str, Any] = {
    "sandbox": SandboxProvider,
    "stripe": StripeProvider,
    "transfer": TransferProvider,
}


def that_know(*abilities: str) -> list[str]:
    """The providers that can do all of these."""
    return [name for name, kind in PROVIDERS.items() if set(abilities) <= kind.knows]
