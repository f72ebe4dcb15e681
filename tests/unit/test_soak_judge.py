"""The judge of the payments soak sees each thing that may be wrong: a drill that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from storefront.reconciliation.compare import Explained
from tests.drills.soak_judge import OurPayment, OurRefund, Ours, Theirs, Told, judge


def session(payment: str, order: str, *, paid: bool = True) -> dict[str, Any]:
    status = "paid" if paid else "unpaid"
    return {"client_reference_id": payment, "metadata": {"order": order}, "payment_status": status}


def charge(payment: str, method: str = "card") -> dict[str, Any]:
    return {
        "id": f"ch_{payment}",
        "amount": 1_000_000,
        "metadata": {"payment": payment},
        "payment_method_details": {"type": method},
        "balance_transaction": f"txn_{payment}",
    }


def refund(key: str | None, payment: str, amount: int, status: str = "succeeded") -> dict[str, Any]:
    return {
        "id": f"re_{key}",
        "charge": f"ch_{payment}",
        "amount": amount,
        "status": status,
        "metadata": {"key": key} if key else {},
        "balance_transaction": f"txn_re_{key}",
    }


def line(reference: str, net: int, fee: int = 0) -> dict[str, Any]:
    return {"id": reference, "net": net, "fee": fee}


#: Order A is paid on two pages; the second goes back, and of the first a piece. B, by QRIS, came when the goods were
#: gone, and goes back by bank. C is disputed; D nobody paid. A payout has arrived, the next is under way.
THEIRS = Theirs(
    sessions=[
        session("a1", "A"), session("a2", "A"), session("b", "B"), session("c", "C"), session("d", "D", paid=False),
    ],
    charges=[charge("a1"), charge("a2", "gopay"), charge("b", "qris"), charge("c")],
    refunds=[
        refund("refund:1", "a2", 1_000_000),
        refund("refund:2", "a1", 400_000, "failed"),
        refund("refund:2:2", "a1", 400_000),
        refund(None, "a1", 100_000),
    ],
    disputes=[
        {
            "id": "du_1", "amount": 500_000, "status": "won",
            "balance_transactions": [line("txn_du", -600_000, 100_000), line("txn_won", 500_000)],
        },
        {"id": "du_2", "amount": 1_000_000, "status": "warning_closed", "balance_transactions": []},
    ],
    payouts=[
        {"id": "po_1", "amount": 500_040, "status": "paid"}, {"id": "po_2", "amount": 300_000, "status": "in_transit"},
    ],
    lines=[
        *(line(f"txn_{payment}", 979_955, 20_045) for payment in ("a1", "a2", "b", "c")),
        line("txn_du", -600_000, 100_000), line("txn_won", 500_000),
        line("txn_re_refund:1", -1_000_000), line("txn_re_refund:2", -400_000), line("txn_back", 400_000),
        line("txn_re_refund:2:2", -400_000), line("txn_re_None", -100_000),
        line("txn_po_1", -500_040), line("txn_po_2", -300_000),
    ],
    events=[
        {"id": "evt_1", "type": "checkout.session.completed"},
        {"id": "evt_2", "type": "payout.created"},  # none that we ask for
    ],
)  # fmt: skip
FEES = {f"payment:{payment}:fee": -200 for payment in ("a1", "a2", "b", "c")}
ENTRIES = {
    "payment:a1:captured": 10_000, "payment:a2:held": 10_000, "payment:b:held": 10_000, "payment:c:captured": 10_000,
    **FEES,
    "refund:1:succeeded": -10_000,
    "refund:2:succeeded": -4_000, "refund:2:taken_back": 4_000, "refund:2:succeeded:2": -4_000,
    "dispute:7:opened": -5_000, "dispute:7:won": 5_000, "provider_line:5:fee": -1_000,
    "payout:3:received": -5_000,
}  # fmt: skip
OURS = Ours(
    orders={"A": "paid", "B": "expired", "C": "paid", "D": "expired"},
    payments={
        "a1": OurPayment("A", True), "a2": OurPayment("A", False), "b": OurPayment("B", False),
        "c": OurPayment("C", True), "d": OurPayment("D", False),
    },
    refunds={
        1: OurRefund("a2", "succeeded", 1, 10_000, "re_refund:1", False),
        2: OurRefund("a1", "succeeded", 2, 4_000, "re_refund:2:2", False),
        3: OurRefund("b", "by_bank", 1, 10_000, None, False),
    },
    disputes={"du_1": (7, "won")},
    payouts={"po_1": (3, 5_000)},
    lines={"txn_du": 5},
    entries=ENTRIES,
    events={"evt_1": "paid"},
    differences=frozenset({"txn_re_None"}),
    balance=Explained(
        "stripe", ours=sum(ENTRIES.values()), theirs=15_200, hundredths=-220, under_way=3_000, differences=1_000,
        explained=0, not_compared=0,
    ),
    stock={"X": 97, "RARE": 0},
)  # fmt: skip
TOLD = Told(
    stock={"X": 100, "RARE": 0},
    wishes={"A": {"X": 3}, "B": {"RARE": 1}, "C": {"X": 1}, "D": {"X": 5}},
    sold_out={"B"},
    # It went through at its first try, and did not come back.
    restocked={1: ("X", 1)},
)


def ours(**changed: Any) -> Ours:
    return replace(OURS, **changed)


def entries(**changed: int | None) -> Ours:
    """Our entries with some changed, or (None) missing; the balance is what they sum to."""
    by_source = {name.replace("__", ":"): amount for name, amount in changed.items()}
    left = {source: amount for source, amount in {**ENTRIES, **by_source}.items() if amount is not None}
    moved = sum(left.values()) - OURS.balance.ours
    return ours(
        entries=left,
        balance=replace(
            OURS.balance, ours=OURS.balance.ours + moved, differences=OURS.balance.differences + moved
        ),
    )


def test_nothing_is_wrong_where_nothing_is() -> None:
    assert judge(THEIRS, OURS, TOLD) == []


FAULTS: dict[str, tuple[Callable[[], Ours], str]] = {
    "a paid order that is not": (
        lambda: ours(orders={**OURS.orders, "C": "awaiting_payment"}),
        "order C: paid at the provider, awaiting_payment here",
    ),
    "an order paid twice": (
        lambda: ours(payments={**OURS.payments, "a2": OurPayment("A", True)}),
        "order A: paid by ['a1', 'a2']",
    ),
    "an order paid by nobody": (
        lambda: ours(orders={**OURS.orders, "D": "paid"}),
        "order D: paid here, not paid at the provider",
    ),
    "an order of nobody": (lambda: ours(orders={**OURS.orders, "E": "expired"}), "order E: nobody was told"),
    "late money that is kept": (
        lambda: ours(refunds={k: v for k, v in OURS.refunds.items() if k != 3}),
        "payment b: pays nothing, and was not given back",
    ),
    "a refund that did not come back for us": (
        lambda: ours(refunds={**OURS.refunds, 2: replace(OURS.refunds[2], attempt=1)}),
        "refund 2: succeeded of 4000 here, at the provider failed",
    ),
    "a refund of which we know nothing": (
        lambda: ours(refunds={k: v for k, v in OURS.refunds.items() if k != 1}),
        "refund:1: given back at the provider, unknown here",
    ),
    "a missing entry": (lambda: entries(payment__c__captured=None), "entry payment:c:captured: None here"),
    "a missing fee": (lambda: entries(provider_line__5__fee=None), "entry provider_line:5:fee: None here"),
    "an entry of another amount": (lambda: entries(dispute__7__won=4_999), "entry dispute:7:won: 4999 here"),
    "an entry too many": (lambda: entries(payment__d__captured=1), "entry payment:d:captured: 1 here"),
    "a refund booked twice": (lambda: entries(refund__1__succeeded__2=-10_000), "entries of refund 1"),
    "a refund that came back once only": (lambda: entries(refund__2__taken_back=None), "entries of refund 2"),
    "an unexplained rupiah": (
        lambda: ours(balance=replace(OURS.balance, differences=999)),
        "clearing balance not explained",
    ),
    "a line fetched twice": (
        lambda: ours(
            balance=replace(OURS.balance, theirs=OURS.balance.theirs + 1, ours=OURS.balance.ours + 1)
        ),
        "the provider holds",
    ),
    "a payout forgotten": (lambda: ours(payouts={}), "payouts under way"),
    "a difference without a cause": (
        lambda: ours(differences=frozenset({"txn_re_None", "txn_a1"})),
        "difference about txn_a1: no cause for it",
    ),
    "a difference that nobody is shown": (lambda: ours(differences=frozenset()), "txn_re_None: not shown"),
    "an event that never came": (
        lambda: ours(events={}),
        "event evt_1, checkout.session.completed: never came",
    ),
    "an event that nobody handled": (lambda: ours(events={"evt_1": None}), "event evt_1"),
    "pieces lost": (lambda: ours(stock={"X": 96, "RARE": 0}), "X: 96 pieces, 97 by what was paid"),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_is_seen(fault: str) -> None:
    wrong, words = FAULTS[fault]
    found = judge(THEIRS, wrong(), TOLD)
    assert any(words in each for each in found), found


def test_money_given_back_twice_is_seen() -> None:
    twice = replace(THEIRS, refunds=[*THEIRS.refunds, refund("refund:1", "a2", 1_000_000)])
    assert "refund:1: given back 2 times" in judge(twice, OURS, TOLD)
