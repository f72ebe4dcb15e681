"""What a reconciliation asks of the provider: events, open payments, payouts, the lines of its books.

Every call stands between transactions, and what it brought is committed in small parts. All of it may be asked
again: events and lines are kept once, by the provider's own ids.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import structlog
from sqlalchemy import func, select, text

from storefront.extensions import db
from storefront.orders.ask import ask_provider
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive_fetched
from storefront.payments.models import LIVING_STATES, Payment, PaymentEvent
from storefront.reconciliation.lines import keep_lines, keep_payouts
from storefront.reconciliation.models import ReconciliationRun
from storefront.refunds.event_tries import try_event

log = structlog.get_logger("storefront.books")
T = TypeVar("T")
#: Rows kept in one transaction.
BATCH = 200
#: Clocks differ, and a provider may list an event a little late.
OVERLAP = datetime.timedelta(hours=1)
#: As far back as events are asked for when nobody has asked before; providers keep about a month.
FIRST_LOOK = datetime.timedelta(days=30)
#: A payment page younger than this is still being paid.
OPEN_FOR = datetime.timedelta(minutes=5)
#: Payouts are looked at again for so many days: one may fail after it was sent.
PAYOUTS_BACK = datetime.timedelta(days=30)

#: Now, and until when the provider was asked last.
ASKED_UNTIL = text(
    "SELECT now(), max(events_until) FROM reconciliation_runs WHERE gateway = :gateway AND state = 'done'"
)


def fetch_events(gateway_name: str) -> tuple[int, datetime.datetime]:
    """Keep and handle the events that no webhook has brought; how many, and until when the provider was asked."""
    until, asked = db.session.execute(ASKED_UNTIL, {"gateway": gateway_name}).one()
    since = (asked or until - FIRST_LOOK) - OVERLAP
    db.session.rollback()
    found = 0
    for batch in _batches(gateway(gateway_name).events(since)):
        missed = [event.id for event in batch if receive_fetched(gateway_name, event)]
        db.session.commit()
        found += len(missed)
        for row_id in _rows(gateway_name, missed):
            try_event(row_id)
    return found, until


def _rows(gateway_name: str, event_ids: list[str]) -> list[int]:
    rows = db.session.scalars(
        select(PaymentEvent.id)
        .where(PaymentEvent.gateway == gateway_name, PaymentEvent.event_id.in_(event_ids))
        .order_by(PaymentEvent.id)
    ).all()
    db.session.rollback()
    return list(rows)


def ask_about_open_payments(gateway_name: str) -> int:
    """Ask about every payment that may still be paid and has been open for a while; how many had news."""
    ids = db.session.scalars(
        select(Payment.id)
        .where(
            Payment.gateway == gateway_name,
            Payment.state.in_(LIVING_STATES),
            Payment.created_at < func.now() - OPEN_FOR,
        )
        .order_by(Payment.created_at)
    ).all()
    db.session.rollback()
    quiet = ("nothing_changed", "unknown_there", "already_recorded")
    return sum(ask_provider(payment_id) not in quiet for payment_id in ids)


def fetch_payouts(gateway_name: str, since: datetime.date) -> None:
    """Keep what the provider says of the payouts it has sent since a day."""
    for batch in _batches(gateway(gateway_name).payouts(since - PAYOUTS_BACK)):
        keep_payouts(gateway_name, batch)
        db.session.commit()


def fetch_lines(run: ReconciliationRun, first: datetime.date, last: datetime.date) -> int:
    """Keep the lines of some days that are not known yet; how many were new."""
    run_id, gateway_name, found = run.id, run.gateway, 0
    db.session.rollback()
    for batch in _batches(gateway(gateway_name).balance_lines(first, last)):
        found += keep_lines(run_id, gateway_name, batch)
        db.session.commit()
    return found


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """Some rows at a time. Whoever takes them commits before the next are asked for."""
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        yield batch
