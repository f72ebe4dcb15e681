"""What finance must look at: money that gateways hold, money that goes back, events that could not be handled."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import text

from storefront.extensions import db
from storefront.keyset import FIRST, PAGE, Keyed, Order, Paged, Turn

GATEWAYS = text(
    """
    SELECT g.gateway, captured.amount AS captured, captured.count AS payments, refunded.amount AS refunded,
           disputed.amount AS disputed, fees.amount AS fees, paid_out.amount AS paid_out,
           transferred.amount AS transferred, corrected.amount AS corrected, booked.amount AS balance
      FROM (SELECT DISTINCT gateway FROM accounts WHERE code = 'clearing:' || gateway) g
     CROSS JOIN LATERAL (SELECT COALESCE(sum(COALESCE(taken_amount, amount)), 0)::bigint AS amount,
                                count(*) AS count FROM payments
                          WHERE gateway = g.gateway AND state IN ('succeeded', 'held')
                            AND COALESCE(taken_currency, 'IDR') = 'IDR') captured
     CROSS JOIN LATERAL (SELECT COALESCE(sum(r.amount), 0)::bigint AS amount FROM refunds r
                           JOIN payments p ON p.id = r.payment_id
                          WHERE p.gateway = g.gateway AND r.state = 'succeeded' AND NOT EXISTS (
                                SELECT FROM bank_returns b WHERE b.refund_id = r.id)) refunded
     CROSS JOIN LATERAL (SELECT COALESCE(sum(d.amount), 0)::bigint AS amount FROM disputes d
                           JOIN payments p ON p.id = d.payment_id
                          WHERE p.gateway = g.gateway AND d.state <> 'won') disputed
     CROSS JOIN LATERAL (SELECT COALESCE((SELECT sum(fee) FROM payments WHERE gateway = g.gateway), 0)::bigint
                              - COALESCE((SELECT sum(x.amount) FROM postings x JOIN accounts a ON a.id = x.account_id
                                            JOIN journal_entries e ON e.id = x.entry_id AND e.kind = 'fee'
                                           WHERE a.code = 'clearing:' || g.gateway
                                             AND e.source LIKE 'provider_line:%'), 0)::bigint AS amount) fees
     CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0)::bigint AS amount FROM payouts
                          WHERE gateway = g.gateway) paid_out
     CROSS JOIN LATERAL (SELECT COALESCE(sum(t.amount - t.reversed), 0)::bigint AS amount FROM facility_transfers t
                           JOIN payments p ON p.id = t.payment_id
                          WHERE p.gateway = g.gateway AND t.state = 'made') transferred
     CROSS JOIN LATERAL (SELECT COALESCE(sum(x.amount), 0)::bigint AS amount FROM postings x
                           JOIN accounts a ON a.id = x.account_id
                           JOIN journal_entries e ON e.id = x.entry_id AND e.kind = 'correction'
                          WHERE a.code = 'clearing:' || g.gateway) corrected
     CROSS JOIN LATERAL (SELECT COALESCE(sum(x.amount), 0)::bigint AS amount FROM postings x
                           JOIN accounts a ON a.id = x.account_id WHERE a.code = 'clearing:' || g.gateway) booked
     ORDER BY g.gateway"""
)

REFUNDS = """
    SELECT r.id, r.amount, r.reason, r.state, r.requested_at, r.finished_at, o.number AS order_number, p.gateway,
           p.reference AS payment_reference, {keys}
      FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN orders o ON o.id = r.order_id"""
LATEST = Order((("r.id", "bigint"),))

TROUBLED_EVENTS = text(
    """
    SELECT id, gateway, event_id, type, received_at, attempts, last_error, waits_for, next_try_at, needs_person,
           result FROM payment_events
     WHERE needs_person OR (handled_at IS NULL AND last_error IS NOT NULL)
     ORDER BY NOT needs_person, received_at, id LIMIT :limit"""
)


@dataclass(frozen=True)
class GatewayBalance:
    """What a gateway holds for us, by our books; amounts in rupiah."""

    gateway: str
    captured: int
    payments: int
    refunded: int
    #: Taken back by payers' banks, unless the dispute was won.
    disputed: int
    #: Kept by the provider.
    fees: int
    #: Arrived on our bank account.
    paid_out: int
    #: To facilities' own accounts there, less what came back.
    transferred: int
    #: Debits less credits of corrections.
    corrected: int
    #: Balance of its clearing account.
    balance: int

    @property
    def difference(self) -> int:
        """Zero while the books and the payments say the same."""
        gone = self.refunded + self.disputed + self.fees + self.paid_out + self.transferred
        return self.balance - (self.captured - gone + self.corrected)


@dataclass(frozen=True)
class RefundRow:
    """Money that goes back to a shopper, and why."""

    id: int
    amount: int
    #: `paid_too_late` or `paid_twice` by itself, or a person's.
    reason: str
    state: str
    requested_at: datetime.datetime
    finished_at: datetime.datetime | None
    order_number: str
    gateway: str
    payment_reference: str | None


ALL_REFUNDS = Paged(RefundRow, REFUNDS, "SELECT count(*), sum(r.amount)::bigint FROM refunds r", {"": LATEST})


@dataclass(frozen=True)
class TroubledEvent:
    """A provider's event that could not be handled yet, or about money that we cannot place."""

    id: int
    gateway: str
    event_id: str
    type: str
    received_at: datetime.datetime
    attempts: int
    last_error: str | None
    #: What it speaks of and is not known yet, such as `payment:<id>`.
    waits_for: str | None
    #: None: only a person tries again.
    next_try_at: datetime.datetime | None
    needs_person: bool
    #: What it came to, of one that was handled and never fits.
    result: str | None


def gateway_balances() -> list[GatewayBalance]:
    """Each gateway that has an account, with what it captured, gave back and holds."""
    return [GatewayBalance(**row) for row in db.session.execute(GATEWAYS).mappings()]


def refunds(turn: Turn = FIRST) -> Keyed[RefundRow]:
    """Refunds of whatever state, the latest first."""
    return ALL_REFUNDS.page({}, turn)


def refund_totals() -> dict[str, tuple[int, int]]:
    """Number and sum of refunds by state."""
    rows = db.session.execute(text("SELECT state, count(*), sum(amount)::bigint FROM refunds GROUP BY state"))
    return {state: (count, amount) for state, count, amount in rows}


def troubled_events() -> list[TroubledEvent]:
    """Events that a person must look at, then those that are tried again by themselves, the oldest first."""
    return [TroubledEvent(**row) for row in db.session.execute(TROUBLED_EVENTS, {"limit": PAGE}).mappings()]
