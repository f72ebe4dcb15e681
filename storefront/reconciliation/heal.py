"""Facts that the provider's books have and ours do not: recorded as their events would have been.

Each in a transaction of its own. What cannot be recorded stays as it was, and becomes a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from storefront.books.connect_models import FacilityTransfer, TransferReversal
from storefront.books.disputes import DisputeDiffers, record_dispute
from storefront.books.fees import book_fee
from storefront.books.transfer_back import reversal_made
from storefront.books.transfer_send import transfer_made
from storefront.days import today
from storefront.extensions import db
from storefront.ledger.closed import is_closed
from storefront.ledger.provider_fees import book_provider_fee
from storefront.orders.ask import ask_provider
from storefront.orders.refund import look_up_refunds
from storefront.orders.taken import believed
from storefront.payments.models import Payment
from storefront.payments.provider_books import LineKind
from storefront.payments.said import CURRENCY
from storefront.reconciliation.models import ProviderLine
from storefront.refunds.provider_events import TAKEN_STATES
from storefront.refunds.refund_outcome import record_outcome

log = structlog.get_logger("storefront.books")

#: Lines that no entry of ours answers, in their amount or in their fee.
ALONE = text(
    """
    SELECT id FROM provider_lines
     WHERE gateway = :gateway AND currency = :currency
       AND ((entry_id IS NULL AND pair_id IS NULL AND amount <> 0) OR (fee <> 0 AND fee_entry_id IS NULL))
     ORDER BY at, id"""
)


def heal(gateway_name: str) -> int:
    """Record what the provider's lines say and we do not know; how many facts. Commits each.

    Asks the provider where a line alone does not say enough. Raises GatewayUnavailable.
    """
    ids = db.session.scalars(ALONE, {"gateway": gateway_name, "currency": CURRENCY}).all()
    db.session.rollback()
    return sum(_heal_line(line_id) for line_id in ids)


def _heal_line(line_id: int) -> int:
    line = db.session.get_one(ProviderLine, line_id, populate_existing=True)
    kind, is_alone = LineKind(line.kind), line.entry_id is None and line.pair_id is None
    healed = 0
    if is_alone and kind in BY_KIND:
        healed += _attempt(line_id, BY_KIND[kind])
    if line.fee:
        healed += _attempt(line_id, _fee_of)
    db.session.rollback()
    return healed


def _attempt(line_id: int, act: Callable[[ProviderLine], bool]) -> bool:
    """Do it and commit, or leave all as it was: a person then sees the difference."""
    line = db.session.get_one(ProviderLine, line_id, populate_existing=True)
    try:
        done = act(line)
        db.session.commit()
        return done
    except (DisputeDiffers, LookupError, ValueError, DBAPIError) as error:
        db.session.rollback()
        log.warning("line not recorded", line=line_id, error=type(error).__name__, reason=str(error)[:200])
        return False


def _payment(line: ProviderLine) -> bool:
    payment_id = line.payment_id
    if payment_id is None or _state(line.gateway, payment_id) in (*TAKEN_STATES, None):
        return False
    return ask_provider(payment_id) in ("paid", "part_paid", "paid_twice", "paid_too_late", "held")


def _refund(line: ProviderLine) -> bool:
    payment_id = line.payment_id
    if payment_id is None or _state(line.gateway, payment_id) not in TAKEN_STATES:
        return False
    return look_up_refunds(payment_id, record_outcome) > 0


def _dispute(line: ProviderLine) -> bool:
    payment_id, reference = line.payment_id, line.dispute_reference
    if payment_id is None or reference is None or _state(line.gateway, payment_id) not in TAKEN_STATES:
        return False
    outcome = "opened" if line.amount < 0 else "won"
    happened_at = believed(payment_id, line.at)
    result = record_dispute(payment_id, reference, abs(line.amount), outcome, happened_at=happened_at)
    return result in ("opened", "won")


def _transfer(line: ProviderLine) -> bool:
    """A transfer of ours whose answer never reached us, or a part of one that came back."""
    if line.transfer_key is None or line.transfer_reference is None:
        return False
    made = transfer_made if line.amount < 0 else reversal_made
    kind: Any = FacilityTransfer if line.amount < 0 else TransferReversal
    ours = db.session.scalar(
        select(kind.id).where(
            kind.key == line.transfer_key,
            kind.amount == abs(line.amount),
            kind.state.in_(("planned", "failed")),
        )
    )
    return ours is not None and made(ours, line.transfer_reference, line.at)


def _charge(line: ProviderLine) -> bool:
    """A charge of its own."""
    on = today() if is_closed(line.day) else line.day
    book_provider_fee(
        line.id, line.gateway, -line.amount, is_of_line=False, on=on, description=line.description[:200]
    )
    return True


def _fee_of(line: ProviderLine) -> bool:
    """What was kept of a line: of a payment as its own fee, else as a charge."""
    if line.fee_entry_id is not None:
        return False
    if line.kind == LineKind.PAYMENT:
        payment_id = line.payment_id
        if payment_id is None or _state(line.gateway, payment_id) not in TAKEN_STATES:
            return False
        return book_fee(payment_id, line.fee) == "booked"
    source = f"provider_line:{line.id}:fee"
    if db.session.scalar(text("SELECT id FROM journal_entries WHERE source = :source"), {"source": source}):
        return False
    on = today() if is_closed(line.day) else line.day
    book_provider_fee(line.id, line.gateway, line.fee, is_of_line=True, on=on, description=line.description[:200])
    return True


def _state(gateway_name: str, payment_id: str) -> str | None:
    query = select(Payment.state).where(Payment.id == payment_id, Payment.gateway == gateway_name)
    return db.session.scalar(query)


BY_KIND: dict[LineKind, Callable[[ProviderLine], bool]] = {
    LineKind.PAYMENT: _payment,
    LineKind.REFUND: _refund,
    LineKind.DISPUTE: _dispute,
    LineKind.FEE: _charge,
    LineKind.TRANSFER: _transfer,
}
