"""Try to handle an event; what fails is tried again with growing pauses, then shown to finance with its error."""

from __future__ import annotations

import datetime

import structlog
from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront import metrics
from storefront.audit.record import record
from storefront.books.four_eyes import Decided
from storefront.crash_points import reach
from storefront.errors import Invalid, NotFound
from storefront.extensions import db, defer
from storefront.orders.ask import ask_provider
from storefront.orders.payment_events import UnknownCapture
from storefront.payments.gateway import GatewayUnavailable
from storefront.payments.models import PaymentEvent
from storefront.refunds.provider_events import NotYet, handle

log = structlog.get_logger("storefront.books")

#: Seconds before the second try, the third, and so on; after the last, only a person tries again.
PAUSES = (1, 10, 60, 300, 1800, 2 * 3600, 6 * 3600, 24 * 3600, 24 * 3600)
#: Tries after which a person is shown it, a quarter of an hour of trouble at most; trying goes on.
SHOWN_AFTER = 4
SHORTEST_REASON, LONGEST_REASON = 10, 1000


def try_event(event_row_id: int) -> str:
    """Handle a stored event and commit; what it came to, in a word: `waits` or `failed` when it did not work.

    A failure is noted on the event together with the job for its next try. What it waits for is asked of the
    provider at once, so that a missed webhook heals here.
    """
    try:
        return _try(event_row_id)
    except NotYet as early:
        db.session.rollback()
        if _heal(early.payment_id):
            return try_event(event_row_id)
        _note(event_row_id, early, waits_for=early.what)
        return "waits"
    except Exception as error:
        db.session.rollback()
        metrics.JOBS.labels("orders.handle_payment_event", "failed").inc()
        log.error("event not handled", event_row=event_row_id, error=type(error).__name__, exc_info=error)
        _note(event_row_id, error)
        return "failed"


def _try(event_row_id: int) -> str:
    try:
        done = handle(event_row_id)
    except UnknownCapture as unknown:
        db.session.rollback()
        done = handle(event_row_id, unknown.ask())
    reach("event.before_commit")
    db.session.commit()
    reach("event.after_commit")
    return done.result


def _heal(payment_id: str) -> bool:
    """Ask the provider for the payment that an event waits for; whether its money is recorded now."""
    try:
        return ask_provider(payment_id) in ("paid", "part_paid", "paid_twice", "paid_too_late", "held")
    except (GatewayUnavailable, LookupError):
        return False


def _note(event_row_id: int, error: Exception, *, waits_for: str | None = None) -> None:
    """Write down why an event could not be handled, and queue the next try; one transaction."""
    row = db.session.get_one(PaymentEvent, event_row_id, with_for_update=True, populate_existing=True)
    if row.handled_at is not None:  # by another worker meanwhile
        db.session.rollback()
        return
    row.attempts += 1
    row.last_error = f"{type(error).__name__}: {error}"[:1000]
    row.waits_for = waits_for
    row.needs_person = row.needs_person or row.attempts >= SHOWN_AFTER
    row.next_try_at = None
    if row.attempts <= len(PAUSES):
        now = db.session.execute(select(func.now())).scalar_one()
        row.next_try_at = now + datetime.timedelta(seconds=PAUSES[row.attempts - 1])
        defer(
            "orders.handle_payment_event", event_row_id=event_row_id, options={"schedule_at": row.next_try_at}
        )
    db.session.commit()


def retry(event_row_id: int, person_id: int) -> PaymentEvent:
    """Have an event that a person was shown handled anew, by a job at once. Raises Decided, NotFound."""
    row = _shown(event_row_id)
    row.handled_at = row.result = None
    row.next_try_at = db.session.execute(select(func.now())).scalar_one()
    db.session.flush()
    defer("orders.handle_payment_event", event_row_id=row.id)
    _record(row, "retried", person_id)
    return row


def set_aside(event_row_id: int, person_id: int, reason: str) -> PaymentEvent:
    """Leave an event be that will never fit, with a reason. Raises Invalid, Decided, NotFound."""
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid({"reason": _("Tulis alasannya, 10 sampai 1.000 huruf.")})
    row = _shown(event_row_id)
    now = db.session.execute(select(func.now())).scalar_one()
    row.needs_person, row.next_try_at, row.waits_for = False, None, None
    row.set_aside_by, row.set_aside_at, row.set_aside_reason = person_id, now, reason
    if row.handled_at is None:
        row.handled_at, row.result = now, "set_aside"
    db.session.flush()
    _record(row, "set_aside", person_id, reason=reason)
    return row


def _shown(event_row_id: int) -> PaymentEvent:
    row = db.session.get(PaymentEvent, event_row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    if not row.needs_person:
        raise Decided()
    return row


def _record(row: PaymentEvent, what: str, person_id: int, **more: str) -> None:
    record(
        f"payment_event.{what}",
        "payment_event",
        row.id,
        person_id=person_id,
        details={"gateway": row.gateway, "event": row.event_id, "type": row.type, **more},
    )
