"""Those who take part in a soak: shoppers who pay in every way, their banks, and finance."""

from __future__ import annotations

import datetime
import enum
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3
from flask import Flask
from sqlalchemy import select, text

from storefront import days
from storefront.books import bank_accounts
from storefront.books.payouts import record_payout
from storefront.catalogue.models import Variant
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.orders.models import Order, OrderLine
from storefront.payments.models import Refund
from storefront.reconciliation.differences import record_refund_made_there
from storefront.refunds import refunds
from storefront.refunds.refund_parts import LineWish
from storefront.stock.adjust import move
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason
from tests.drills.shoppers import Client, GaveUp, Purchase
from tests.drills.soak_judge import STOCK, Told
from tests.factories import make_person, make_variant
from tests.stripe_fake.run import FakeStripe

#: Of these there are just enough, so that they are gone when late money comes.
RARE = "DRA-RARE"
RARE_PIECES = 200


class Way(enum.StrEnum):
    """What a shopper does about paying."""

    CARD = "card"
    GOPAY = "gopay"
    QRIS = "qris"
    #: By a method whose money comes later.
    LATER = "later"
    #: Such money never comes; the shopper leaves it at that.
    STAYS_AWAY = "stays away"
    PAYS_AGAIN = "pays again after that"
    NEVER = "never pays"
    TWICE = "pays on two pages"
    AFTER_EXPIRY = "money comes after the order has expired"
    TOO_LATE = "and the goods are gone"


#: Thirty orders; more are the same again.
DECK = (
    [Way.CARD] * 9 + [Way.GOPAY] * 4 + [Way.QRIS] * 2 + [Way.LATER] * 3 + [Way.STAYS_AWAY] + [Way.PAYS_AGAIN] * 2
    + [Way.NEVER] * 3 + [Way.TWICE] * 3 + [Way.AFTER_EXPIRY] * 2 + [Way.TOO_LATE]
)  # fmt: skip
#: Ways that begin with a method whose money comes later.
DELAYED = (Way.LATER, Way.STAYS_AWAY, Way.PAYS_AGAIN, Way.AFTER_EXPIRY, Way.TOO_LATE)
#: Whose time runs out before any money came.
RUN_OUT = (Way.NEVER, Way.STAYS_AWAY, Way.AFTER_EXPIRY, Way.TOO_LATE)
#: What becomes of paid orders, one after the other.
LATER_LIFE = {
    Way.CARD: (
        "goes back", "won", "comes back", "lost", "made there", "restocked", "inquiry", "open", "escalated",
        "made there", "sent again", "kept",
    ),
    Way.GOPAY: ("goes back", "comes back", "kept", "sent again"),
    Way.QRIS: ("goes back", "kept"),
}  # fmt: skip


@dataclass
class Sale:
    """One order, and the ids of its payment pages at the provider."""

    way: Way
    number: str
    token: str
    wishes: dict[str, int]
    pages: list[str]
    #: What becomes of it once it is paid.
    life: str = "kept"


class Shoppers:
    """Place the orders of a list of ways, several at once, and pay them as each says."""

    def __init__(self, address: str, fake: FakeStripe, told: Told, seed: int) -> None:
        self.address, self.fake, self.told, self.seed = address, fake, told, seed
        self.sales: list[Sale] = []
        self.failures: list[str] = []
        self.asked_again = 0
        self._lock = threading.Lock()

    def buy(self, ways: list[Way], at_once: int = 4) -> None:
        """Return when all have ordered and done their part."""
        left = iter(enumerate(ways, len(self.sales)))
        threads = [threading.Thread(target=self._shop, args=(left,), daemon=True) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _shop(self, left: Iterator[tuple[int, Way]]) -> None:
        client = Client(self.address)
        while True:
            with self._lock:
                number, way = next(left, (0, None))
            if way is None:
                break
            try:
                self._buy_one(client, way, random.Random(f"{self.seed}:{number}"))
            except (GaveUp, ValueError, urllib3.exceptions.HTTPError) as error:
                self.failures.append(f"{way}: {error!r}"[:300])
        with self._lock:
            self.asked_again += client.failures

    def _buy_one(self, client: Client, way: Way, chance: random.Random) -> None:
        skus = chance.sample(["DRA-1", "DRA-2", "DRB-1", "DRB-2"], chance.randint(1, 3))
        wishes = {sku: chance.choice((1, 1, 2, 3, 9)) for sku in skus}
        if way is Way.TOO_LATE:
            wishes = {RARE: 1}
        made = client.buy(wishes, pay=False)
        if not isinstance(made, Purchase):
            raise GaveUp(f"checkout refused: {made.json}")
        sale = Sale(way, made.number, made.token, wishes, [])
        with self._lock:
            self.told.wishes[made.number] = wishes
            self.sales.append(sale)
        sale.pages.append(made.page.rsplit("/", 1)[1] if made.page else self.new_page(client, sale))
        if way is Way.TWICE:
            sale.pages.append(self.new_page(client, sale))
            self.fake.tell("pay", session=sale.pages[1], method=chance.choice(("card", "gopay", "qris")))
        if way is not Way.NEVER:
            method = "id_bank_transfer" if way in DELAYED else way if way in LATER_LIFE else "card"
            self.fake.tell("pay", session=sale.pages[0], method=method)

    def new_page(self, client: Client, sale: Sale) -> str:
        """A further payment page for an unpaid order."""
        for _ in range(20):
            answer = client.insist("POST", f"/api/v1/orders/{sale.number}/payments?token={sale.token}")
            if answer.status == 201 and answer.json["url"]:
                return str(answer.json["url"].rsplit("/", 1)[1])
            time.sleep(0.2)
        raise GaveUp(f"no payment page for {sale.number}: {answer.status} {answer.json}")

    def of(self, *ways: Way) -> list[Sale]:
        """Orders of these ways, in the order in which they were placed."""
        return [sale for sale in self.sales if sale.way in ways]


@dataclass
class Finance:
    """Two people of finance, the shoppers' banks, and the provider's own pages."""

    app: Flask
    fake: FakeStripe
    told: Told
    #: What was done how often.
    done: Counter[str] = field(default_factory=Counter)
    #: What is to be tried again when the shop knows more.
    waiting: list[Callable[[], None]] = field(default_factory=list)
    #: What the shop refused though it is true.
    refused: list[str] = field(default_factory=list)
    first: int = 0
    second: int = 0

    def __post_init__(self) -> None:
        with self._acting():
            self.first, self.second = (
                make_person(name=name).id for name in ("Bendahara Satu", "Bendahara Dua")
            )
            account = bank_accounts.propose(
                None, bank="Bank Contoh", number="1110001112", holder="RPL Contoh", permission_letter="S-12",
                valid_from=datetime.date(2020, 1, 1), person_id=self.first,
            )  # fmt: skip
            bank_accounts.approve(account.id, self.second)
            beside = db.session.scalars(select(Variant).where(Variant.sku == "DRA-1")).one()
            make_variant(beside.product, sku=RARE, stock=RARE_PIECES, price=75_000)
            db.session.commit()
            self.told.stock = dict(map(tuple, db.session.execute(text(STOCK))))

    @contextmanager
    def _acting(self) -> Iterator[None]:
        with self.app.app_context():
            try:
                yield
            finally:
                db.session.rollback()

    def lives_on(self, sale: Sale) -> None:
        """What becomes of a paid order; tried again later where the shop does not know yet that it is paid."""
        life = sale.life
        if life in ("goes back", "restocked", "comes back", "sent again"):
            self._give_back(sale)
        elif life == "made there":
            self._refund_there(sale)
        elif life != "kept":
            self._dispute(sale)

    def _give_back(self, sale: Sale) -> None:
        with self._acting():
            order = db.session.scalars(select(Order).where(Order.number == sale.number)).one()
            lines = db.session.scalars(
                select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id)
            )
            line = lines.first()
            assert line is not None
            is_back, sku, pieces = sale.life == "restocked", line.sku, line.quantity
            wish = LineWish(line.id, pieces, pieces="restock" if is_back else "none")
            try:
                refund = refunds.propose(order.id, [wish], reason="returned", person_id=self.first)
                refund_id, waits = refund.id, refund.state == "proposed"
                db.session.commit()
                if waits:
                    refunds.approve(refund_id, self.second)
                    db.session.commit()
            except DomainError as refusal:
                self.done[f"refunds refused: {refusal.code}"] += 1
                self.waiting.append(lambda: self._give_back(sale))
                return
        self.done["refunds decided"] += 1
        if is_back:
            self.told.restocked[refund_id] = (sku, pieces)

    def send_again(self, sales: list[Sale]) -> None:
        """Refunds that came back are sent once more."""
        numbers = [sale.number for sale in sales if sale.life == "sent again"]
        with self._acting():
            failed = db.session.scalars(
                select(Refund.id)
                .join(Order, Order.id == Refund.order_id)
                .where(Order.number.in_(numbers), Refund.state == "failed")
            ).all()
            for refund_id in failed:
                refunds.try_again(refund_id, self.first)
                db.session.commit()
                self.done["refunds sent again"] += 1

    def _refund_there(self, sale: Sale) -> None:
        """Somebody refunds a part in the provider's own pages, of which the shop knows nothing."""
        intent = self.fake.tell("object", id=sale.pages[0])["payment_intent"]
        answer = urllib3.request(
            "POST",
            f"{self.fake.address}/v1/refunds",
            body=f"payment_intent={intent}&amount=1000000",
            headers={
                "Authorization": f"Bearer {self.fake.key}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        assert answer.status == 200, answer.data
        self.done["refunds made there"] += 1

    def _dispute(self, sale: Sale) -> None:
        session = self.fake.tell("object", id=sale.pages[0])
        inquiry = sale.life in ("inquiry", "escalated")
        # Of half of them the bank takes only a part.
        part = session["amount_total"] // 200 * 100 if sale.life in ("won", "escalated") else None
        found = self.fake.tell(
            "disputes/open", intent=session["payment_intent"], amount=part, inquiry=inquiry
        )["id"]
        self.done["disputes"] += 1
        if sale.life == "escalated":
            self.fake.tell("disputes/escalate", dispute=found)
        outcome = {"inquiry": "warning_closed", "won": "won", "lost": "lost"}.get(sale.life)
        if outcome:
            self.fake.tell("disputes/close", dispute=found, outcome=outcome)

    def refunds_arrive(self, sales: list[Sale]) -> None:
        """The slow refunds arrive, and what shoppers' banks do not take comes back."""
        lives = {sale.number: sale.life for sale in sales}
        for refund in self.fake.tell("objects", kind="refund"):
            returns = lives.get(refund["metadata"].get("order", "")) in ("comes back", "sent again")
            is_first = refund["metadata"].get("key", "").count(":") == 1
            if returns and is_first and refund["status"] != "failed":
                self.fake.tell("refunds/fail", refund=refund["id"], why="lost_or_stolen_card")
                self.done["refunds come back"] += 1
            elif refund["status"] == "pending":
                self.fake.tell("refunds/finish", refund=refund["id"])

    def goods_are_gone(self, sales: list[Sale]) -> None:
        """All pieces that late money would have paid are written off."""
        with self._acting():
            rare = db.session.scalars(select(Variant).where(Variant.sku == RARE)).one()
            level = db.session.execute(
                text("SELECT on_hand - reserved FROM stock_levels WHERE variant_id = :id"), {"id": rare.id}
            ).scalar_one()
            move(rare.id, store_location_id(rare.product.facility_id), -level, MovementReason.DAMAGED)
            db.session.commit()
        self.told.stock[RARE] -= level
        self.told.sold_out |= {sale.number for sale in sales}

    def pay_out(self, how: str) -> None:
        """The provider sends all that lies there to our bank: it `arrives`, `fails`, or stays `under way`."""
        try:
            payout = self.fake.tell("payouts/send")["id"]
        except ValueError:
            return  # disputes and refunds have eaten it
        self.done["payouts"] += 1
        if how != "under way":
            self.fake.tell({"arrives": "payouts/arrive", "fails": "payouts/fail"}[how], payout=payout)

    def write_down_payouts(self) -> None:
        """What the bank shows is recorded."""
        for payout in self.fake.tell("objects", kind="payout"):
            if payout["status"] == "paid":
                amount = (payout["amount"] + 50) // 100
                try:
                    with self._acting():
                        record_payout(
                            gateway="stripe", reference=payout["id"], amount=amount, arrived_on=days.today(),
                            person_id=self.first,
                        )  # fmt: skip
                        db.session.commit()
                except Invalid as refusal:
                    self.refused.append(f"payout {payout['id']} of {amount}: {refusal.errors}")
                self.done["payouts written down"] += 1

    def write_down_refunds_made_there(self) -> None:
        """Every other refund that reconciliation showed is written down; the others stay open differences."""
        query = """SELECT d.id FROM reconciliation_differences d JOIN provider_lines l ON l.id = d.line_id
                    WHERE d.state = 'open' AND l.kind = 'refund' AND l.refund_key IS NULL ORDER BY d.id"""
        with self._acting():
            for found in db.session.scalars(text(query)).all()[::2]:
                refund = record_refund_made_there(found, self.first, "Dibuat di halaman penyedia.")
                refunds.approve(refund.id, self.second)
                db.session.commit()
                self.done["refunds made there written down"] += 1

    def try_what_waited(self) -> None:
        """Once more what the shop was not ready for."""
        waiting, self.waiting = self.waiting, []
        for act in waiting:
            act()
