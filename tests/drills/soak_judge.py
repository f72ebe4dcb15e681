"""After a soak: what the provider's fake did, by its own record, beside what the shop made of it.

The judging functions are plain and ask nobody, so that a unit test can show each of them a fault. Amounts of the
fake are hundredths of a rupiah, ours are rupiah.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from storefront.payments.stripe_events import TYPES
from storefront.reconciliation.compare import Explained
from tests.stripe_fake.money import WITHOUT_REFUNDS
from tests.stripe_fake.run import FakeStripe

Object = Mapping[str, Any]
CLEARING = "clearing:stripe"


@dataclass(frozen=True)
class Theirs:
    """Everything that happened at the fake, oldest first."""

    sessions: list[Object]
    charges: list[Object]
    refunds: list[Object]
    disputes: list[Object]
    payouts: list[Object]
    lines: list[Object]
    events: list[Object]

    @classmethod
    def of(cls, fake: FakeStripe) -> Theirs:
        """The record of a fake."""
        kinds = ("checkout.session", "charge", "refund", "dispute", "payout", "balance_transaction", "event")
        return cls(*(fake.tell("objects", kind=kind)[::-1] for kind in kinds))

    def paid(self) -> dict[str, list[str]]:
        """Our ids of the payments that were paid there, by the order's number."""
        found = defaultdict(list)
        for session in self.sessions:
            if session["payment_status"] == "paid":
                found[session["metadata"]["order"]].append(session["client_reference_id"])
        return found

    def sent_again(self, payment_id: str) -> bool:
        """Whether all the money of a payment went back there."""
        charge = next(each for each in self.charges if each["metadata"]["payment"] == payment_id)
        back = sum(
            refund["amount"]
            for refund in self.refunds
            if refund["charge"] == charge["id"] and refund["status"] == "succeeded"
        )
        return bool(back == charge["amount"])

    def method(self, payment_id: str) -> str:
        """How a payment was paid there."""
        charge = next(each for each in self.charges if each["metadata"]["payment"] == payment_id)
        return str(charge["payment_method_details"]["type"])

    def lying(self) -> int:
        """Hundredths that lie there: the sum of its own books."""
        return sum(int(line["net"]) for line in self.lines)


@dataclass(frozen=True)
class OurPayment:
    order: str
    counts: bool


@dataclass(frozen=True)
class OurRefund:
    payment: str
    state: str
    attempt: int
    amount: int
    reference: str | None
    is_made_there: bool

    def key(self, refund_id: int) -> str:
        """What the provider knows its last try by."""
        return f"refund:{refund_id}" if self.attempt == 1 else f"refund:{refund_id}:{self.attempt}"


@dataclass(frozen=True)
class Ours:
    """What the shop's database holds in the end."""

    orders: Mapping[str, str]
    payments: Mapping[str, OurPayment]
    refunds: Mapping[int, OurRefund]
    #: Id and state by the provider's id.
    disputes: Mapping[str, tuple[int, str]]
    #: Id and amount by the provider's id.
    payouts: Mapping[str, tuple[int, int]]
    #: Our ids of the provider's lines, by its own.
    lines: Mapping[str, int]
    #: What each journal entry that moves the provider's balance, or tells of it, does to that balance; by source.
    entries: Mapping[str, int]
    #: Result of each kept event by the provider's id; None: not handled, or a person must look.
    events: Mapping[str, str | None]
    #: The provider's lines, or our entries' sources, about which a difference is open.
    differences: frozenset[str]
    balance: Explained
    #: On hand by SKU.
    stock: Mapping[str, int]

    @classmethod
    def of(cls, connection: psycopg.Connection[Any], balance: Explained) -> Ours:
        """Read with one connection; `balance` is what the books themselves say of it."""

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()  # type: ignore[call-overload]

        return cls(
            orders=dict(rows("SELECT number, state FROM orders")),
            payments={
                key: OurPayment(*rest)
                for key, *rest in rows(
                    "SELECT p.id, o.number, p.counts FROM payments p JOIN orders o ON o.id = p.order_id"
                )
            },
            refunds={
                key: OurRefund(*rest)
                for key, *rest in rows(
                    "SELECT id, payment_id, state, attempt, amount, reference, is_made_there FROM refunds"
                )
            },
            disputes={key: (found, state) for key, found, state in rows(DISPUTES)},
            payouts={key: (found, amount) for key, found, amount in rows(PAYOUTS)},
            lines=dict(rows("SELECT reference, id FROM provider_lines WHERE gateway = 'stripe'")),
            entries=dict(rows(ENTRIES)),
            events=dict(rows(EVENTS)),
            differences=frozenset(found for (found,) in rows(DIFFERENCES)),
            balance=balance,
            stock=dict(rows(STOCK)),
        )


DISPUTES = "SELECT reference, id, state FROM disputes"
PAYOUTS = "SELECT reference, id, amount FROM payouts WHERE gateway = 'stripe'"
#: An entry without a source, or with that of another, would show as one too many.
ENTRIES = f"""
    SELECT COALESCE(e.source, 'entry ' || e.id),
           COALESCE(sum(p.amount) FILTER (WHERE a.code = '{CLEARING}'), 0)::bigint
      FROM journal_entries e JOIN postings p ON p.entry_id = e.id JOIN accounts a ON a.id = p.account_id
     GROUP BY e.id"""
EVENTS = """SELECT event_id, CASE WHEN NOT needs_person THEN result END FROM payment_events
             WHERE gateway = 'stripe'"""
DIFFERENCES = """
    SELECT COALESCE(l.reference, e.source) FROM reconciliation_differences d
      LEFT JOIN provider_lines l ON l.id = d.line_id LEFT JOIN journal_entries e ON e.id = d.entry_id
     WHERE d.state IN ('open', 'proposed')"""
STOCK = """SELECT v.sku, sum(s.on_hand)::int FROM stock_levels s JOIN variants v ON v.id = s.variant_id
            GROUP BY v.sku"""


@dataclass
class Told:
    """What those who took part know themselves."""

    #: Pieces by SKU before anybody ordered.
    stock: dict[str, int] = field(default_factory=dict)
    #: What each order consists of, by its number.
    wishes: dict[str, dict[str, int]] = field(default_factory=dict)
    #: Orders of goods that were gone when their money came.
    sold_out: set[str] = field(default_factory=set)
    #: SKU and pieces that come back on the shelf when a refund goes through, by its id.
    restocked: dict[int, tuple[str, int]] = field(default_factory=dict)


def judge(theirs: Theirs, ours: Ours, told: Told) -> list[str]:
    """All that is wrong, in words; empty when nothing was lost and nothing was done twice."""
    rooms = (
        _orders(theirs, ours, told),
        _second_payments(theirs, ours),
        _refunds(theirs, ours),
        _entries(theirs, ours),
        _balance(theirs, ours),
        _differences(theirs, ours),
        _events(theirs, ours),
        _stock(theirs, ours, told),
    )
    return [words for room in rooms for words in room]


def _orders(theirs: Theirs, ours: Ours, told: Told) -> Iterator[str]:
    paid = theirs.paid()
    counting = defaultdict(list)
    for payment_id, payment in ours.payments.items():
        if payment.counts:
            counting[payment.order].append(payment_id)
    for number in told.wishes.keys() | paid.keys() | ours.orders.keys():
        state, pays = ours.orders.get(number, "unknown"), counting[number]
        if number not in told.wishes:
            yield f"order {number}: nobody was told of it"
        if number in paid and state == "paid":
            if len(pays) != 1 or pays[0] not in paid[number]:
                yield f"order {number}: paid by {pays}, at the provider by {paid[number]}"
        elif number in paid and not (number in told.sold_out and state == "expired" and not pays):
            yield f"order {number}: paid at the provider, {state} here"
        elif number not in paid and (state == "paid" or pays):
            yield f"order {number}: {state} here, not paid at the provider"


def _second_payments(theirs: Theirs, ours: Ours) -> Iterator[str]:
    by_bank = defaultdict(int)
    for refund in ours.refunds.values():
        by_bank[refund.payment] += refund.amount * (refund.state == "by_bank")
    amounts = {each["metadata"]["payment"]: each["amount"] for each in theirs.charges}
    for payment_id in (each for pages in theirs.paid().values() for each in pages):
        payment = ours.payments.get(payment_id)
        if payment is None:
            yield f"payment {payment_id}: paid at the provider, unknown here"
        elif not payment.counts and not theirs.sent_again(payment_id):
            asked = by_bank[payment_id] * 100 == amounts[payment_id]
            if not (asked and theirs.method(payment_id) in WITHOUT_REFUNDS):
                yield f"payment {payment_id}: pays nothing, and was not given back"


def _refunds(theirs: Theirs, ours: Ours) -> Iterator[str]:
    by_key = defaultdict(list)
    for there in theirs.refunds:
        if key := there["metadata"].get("key"):
            by_key[key].append(there)
    for key, found in by_key.items():
        if len(found) > 1:
            yield f"{key}: given back {len(found)} times"
    for refund_id, refund in ours.refunds.items():
        if refund.state in ("proposed", "rejected") or refund.is_made_there:
            continue
        last = by_key.get(refund.key(refund_id))
        refused = "by_bank" if refund.state == "by_bank" else "failed"
        said = last[0]["status"] if last else refused
        if said != refund.state or (last and last[0]["amount"] != refund.amount * 100):
            yield f"refund {refund_id}: {refund.state} of {refund.amount} here, at the provider {said}"
    known = {refund.key(refund_id) for refund_id, refund in ours.refunds.items()}
    for key in by_key:
        if key not in known and not any(each.startswith(key + ":") for each in known):
            yield f"{key}: given back at the provider, unknown here"


def _entries(theirs: Theirs, ours: Ours) -> Iterator[str]:
    """Every entry once: the facts of the provider say which there must be, and with what amount."""
    wanted = dict(_wanted(theirs, ours))
    refunds = {source: amount for source, amount in ours.entries.items() if source.startswith("refund:")}
    found = {source: amount for source, amount in ours.entries.items() if source not in refunds}
    for source in sorted(wanted.keys() | found.keys()):
        if wanted.get(source) != found.get(source):
            yield f"entry {source}: {found.get(source)} here, by the provider {wanted.get(source)}"
    # One that went through and came back is two entries, or none when nobody heard of it in between.
    for refund_id, refund in ours.refunds.items():
        amounts = [amount for source, amount in refunds.items() if source.split(":")[1] == str(refund_id)]
        stays = -refund.amount if refund.state == "succeeded" else 0
        if sum(amounts) != stays or any(abs(amount) != refund.amount for amount in amounts):
            yield f"entries of refund {refund_id}, {refund.state}: {amounts} instead of {stays} in all"
    for source in refunds:
        if int(source.split(":")[1]) not in ours.refunds:
            yield f"entry {source}: of no refund"


def _wanted(theirs: Theirs, ours: Ours) -> Iterator[tuple[str, int]]:
    lines = {line["id"]: line for line in theirs.lines}
    for charge in theirs.charges:
        payment_id = charge["metadata"]["payment"]
        payment = ours.payments.get(payment_id)
        how = "captured" if payment and payment.counts else "held"
        yield f"payment:{payment_id}:{how}", charge["amount"] // 100
        yield f"payment:{payment_id}:fee", -_rupiah(lines[charge["balance_transaction"]]["fee"])
    for dispute in theirs.disputes:
        if not dispute["balance_transactions"]:
            continue  # an inquiry only asks
        number, _ = ours.disputes.get(dispute["id"], (f"of {dispute['id']}", ""))
        yield f"dispute:{number}:opened", -_rupiah(dispute["amount"])
        if dispute["status"] in ("won", "lost"):
            yield (
                f"dispute:{number}:{dispute['status']}",
                _rupiah(dispute["amount"]) * (dispute["status"] == "won"),
            )
        for line in dispute["balance_transactions"]:
            if line["fee"]:
                yield f"provider_line:{ours.lines.get(line['id'], line['id'])}:fee", -_rupiah(line["fee"])
    for reference, (number, _) in ours.payouts.items():
        amounts = [
            each["amount"] for each in theirs.payouts if each["id"] == reference and each["status"] == "paid"
        ]
        yield f"payout:{number}:received", -_rupiah(sum(amounts))


def _balance(theirs: Theirs, ours: Ours) -> Iterator[str]:
    """Explained to the rupiah, by the shop's own reckoning and beside the provider's sum."""
    said = ours.balance
    if said.unexplained or said.not_compared:
        yield f"clearing balance not explained: {said}"
    if said.theirs * 100 + said.hundredths != theirs.lying():
        yield f"the provider holds {theirs.lying()} hundredths, the shop believes {said}"
    if said.ours != sum(ours.entries.values()):
        yield f"entries sum to {sum(ours.entries.values())}, the balance is {said.ours}"
    under_way = sum(
        _rupiah(payout["amount"])
        for payout in theirs.payouts
        if payout["status"] != "failed" and payout["id"] not in ours.payouts
    )
    if said.under_way != under_way:
        yield f"payouts under way: {said.under_way} here, {under_way} at the provider"


def _differences(theirs: Theirs, ours: Ours) -> Iterator[str]:
    """The only true cause of a difference is a refund that somebody made in the provider's own pages."""
    written_down = {refund.reference for refund in ours.refunds.values() if refund.state == "succeeded"}
    caused = {
        refund["balance_transaction"]
        for refund in theirs.refunds
        if "key" not in refund["metadata"] and refund["id"] not in written_down
    }
    for line in sorted(ours.differences ^ caused):
        yield f"difference about {line}: {'no cause for it' if line in ours.differences else 'not shown'}"


def _events(theirs: Theirs, ours: Ours) -> Iterator[str]:
    there = {event["id"]: event["type"] for event in theirs.events}
    for event_id, kind in there.items():
        if event_id in ours.events and ours.events[event_id] is None:
            yield f"event {event_id}, {kind}: not handled, or a person must look"
        elif event_id not in ours.events and kind in TYPES:
            yield f"event {event_id}, {kind}: never came"
    for event_id in ours.events.keys() - there.keys():
        yield f"event {event_id}: never happened"


def _stock(theirs: Theirs, ours: Ours, told: Told) -> Iterator[str]:
    left, paid = dict(told.stock), theirs.paid()
    for number, wishes in told.wishes.items():
        if number in paid and number not in told.sold_out:
            for sku, pieces in wishes.items():
                left[sku] -= pieces
    went_through = {each["metadata"].get("key") for each in theirs.refunds if each["status"] == "succeeded"}
    for refund_id, (sku, pieces) in told.restocked.items():
        left[sku] += pieces * (f"refund:{refund_id}" in went_through)
    for sku, pieces in left.items():
        if ours.stock.get(sku) != pieces:
            yield f"{sku}: {ours.stock.get(sku)} pieces, {pieces} by what was paid and came back"


def _rupiah(hundredths: int) -> int:
    """The nearest rupiah, a half away from zero."""
    nearest = (abs(hundredths) + 50) // 100
    return nearest if hundredths >= 0 else -nearest
