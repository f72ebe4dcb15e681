"""Orders that are paid at the sandbox provider, whose news reach the shop or do not: for tests of what follows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.ledger.book import clearing
from storefront.ledger.models import Account
from storefront.orders.payment import open_payment, start_payment
from storefront.payments.inbox import receive_fetched
from storefront.payments.said import RawEvent
from storefront.payments.sandbox_books import choose_outcome
from storefront.payments.sandbox_models import SandboxEvent
from storefront.reconciliation import runs
from storefront.reconciliation.compare import Explained, explained
from storefront.reconciliation.models import Difference, ReconciliationRun
from storefront.refunds.event_tries import try_event
from tests.factories import make_order


@dataclass(frozen=True)
class Taken:
    """An order that was placed, and its payment at the provider."""

    order_id: int
    payment_id: str
    amount: int


def placed(*wishes: tuple[Variant, int]) -> Taken:
    """An order with its payment page at the sandbox; committed."""
    order = make_order(*wishes)
    payment = open_payment(order)
    taken = Taken(order.id, payment.id, payment.amount)
    db.session.commit()
    start_payment(taken.payment_id)
    db.session.rollback()
    return taken


def paid_there(*wishes: tuple[Variant, int], fee: int = 0) -> Taken:
    """An order that is paid at the sandbox, of which the shop has not heard; committed."""
    taken = placed(*wishes)
    choose_outcome(taken.payment_id, "succeeded", fee=fee)
    db.session.commit()
    return taken


def hear(payment_id: str | None = None) -> list[str]:
    """Bring the provider's news that the shop has not heard, as webhooks would; what each came to."""
    rows = db.session.query(SandboxEvent).order_by(SandboxEvent.created_at, SandboxEvent.id).all()
    news = [
        RawEvent(row.id, row.type, row.body.encode(), row.created_at)
        for row in rows
        if payment_id is None or row.payment_id == payment_id
    ]
    fresh = [event.id for event in news if receive_fetched("sandbox", event)]
    db.session.commit()
    ids = db.session.scalars(
        text("SELECT id FROM payment_events WHERE event_id = ANY (:ids) ORDER BY id"), {"ids": fresh}
    ).all()
    db.session.rollback()
    return [try_event(row_id) for row_id in ids]


def reconciled(gateway: str = "sandbox") -> ReconciliationRun:
    """A run over the days that are open, carried out here."""
    run_id = runs.ask(gateway, None).id
    db.session.commit()
    runs.run(run_id)
    return db.session.get_one(ReconciliationRun, run_id, populate_existing=True)


def differences(state: str = "open") -> list[Difference]:
    """Differences in a state, the oldest first."""
    return list(db.session.query(Difference).filter_by(state=state).order_by(Difference.id))


def holds(gateway: str = "sandbox") -> Explained:
    """The clearing balance, part by part; every rupiah of it is explained."""
    found = explained(gateway)
    assert found.unexplained == 0, found
    return found


#: Payments and refunds that tests recorded without the sandbox's page.
UNKNOWN_TO_IT = (
    """INSERT INTO sandbox_payments (id, amount, description, return_url, locale, expires_at, state)
       SELECT p.id, COALESCE(p.taken_amount, p.amount), 'x', 'http://x', 'id', p.expires_at, 'succeeded' FROM payments p
        WHERE p.gateway = 'sandbox' AND p.state IN ('succeeded', 'held')
           ON CONFLICT (id) DO UPDATE SET state = 'succeeded'""",
    "UPDATE refunds SET reference = 're_' || id WHERE state = 'succeeded' AND reference IS NULL"
    " AND NOT EXISTS (SELECT FROM bank_returns b WHERE b.refund_id = refunds.id)",
    """INSERT INTO sandbox_refunds (id, payment_id, idempotency_key, amount)
       SELECT r.reference, r.payment_id, 'refund:' || r.id || CASE r.attempt WHEN 1 THEN '' ELSE ':' || r.attempt END,
              r.amount
         FROM refunds r JOIN payments p ON p.id = r.payment_id AND p.gateway = 'sandbox'
        WHERE r.state = 'succeeded' ON CONFLICT DO NOTHING""",
    "SELECT sandbox_fill_in()",
)


def agreed() -> ReconciliationRun:
    """What we booked of the sandbox stands in its own books too, and was compared with them; committed."""
    for statement in UNKNOWN_TO_IT:
        db.session.execute(text(statement))
    db.session.commit()
    return reconciled()


def know_clearing(gateway: str = "sandbox") -> None:
    """A clearing account that exists before anything was booked."""
    key = clearing(gateway)
    db.session.add(Account(code=key.code, kind=key.kind, gateway=gateway))
    db.session.flush()
