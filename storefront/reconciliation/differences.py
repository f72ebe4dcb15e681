"""What is done about a difference with a provider: a correction, the missing fact, or a reason to leave it.

Corrections and refunds need a second person, as everywhere. Leaving a difference is one person's act, with a
reason that stays in the trail and on the list.
"""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.audit.record import record
from storefront.books import corrections
from storefront.books.bank_accounts import find_in_force
from storefront.books.four_eyes import Decided, moment
from storefront.books.models import Correction
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.book import bank, books_difference, clearing, fees_of_operator
from storefront.ledger.closed import is_closed
from storefront.payments.models import Payment, Refund
from storefront.payments.provider_books import LineKind
from storefront.reconciliation.models import Difference, ProviderLine
from storefront.reconciliation.refund_elsewhere import write_down

SHORTEST_REASON, LONGEST_REASON = 10, 1000


class NotProposable(DomainError):
    """This difference is not put right by a correction."""

    code, status = "not_proposable", 409


def proposal(difference: Difference) -> list[tuple[str, int]]:
    """The legs of the correction that would settle it: our balance moves by what it lacks.

    The other side is who bears it: the operator for fees, our bank for payouts, else the account of corrections.
    """
    line = db.session.get(ProviderLine, difference.line_id) if difference.line_id else None
    other = books_difference().code
    if difference.what == "fee" or (line is not None and line.kind == LineKind.FEE):
        other = fees_of_operator().code
    elif line is not None and line.kind == LineKind.PAYOUT:
        account = find_in_force(None, difference.day)
        other = bank(account.id).code if account is not None else other
    return [(clearing(difference.gateway).code, difference.amount), (other, -difference.amount)]


def propose_correction(difference_id: int, person_id: int, why: str) -> Correction:
    """Propose the correction that settles it; a second person books it. Raises Invalid, Decided, NotFound."""
    difference = _open(difference_id)
    reason = _reason(why)
    if is_missing_payout(difference):
        raise NotProposable(
            _("Catat pencairan ini dari rekening koran, bukan dengan koreksi: uangnya harus terlihat di bank.")
        )
    day = days.today() if is_closed(difference.day) else difference.day
    told = _("Rekonsiliasi %(gateway)s, selisih %(number)d.", gateway=difference.gateway, number=difference.id)
    correction = corrections.propose(
        reason=f"{told} {reason}"[: corrections.LONGEST_REASON],
        effective_date=day,
        legs=proposal(difference),
        person_id=person_id,
    )
    difference.state, difference.correction_id = "proposed", correction.id
    db.session.flush()
    _record(difference, "proposed", person_id, reason=reason)
    return correction


def record_refund_made_there(difference_id: int, person_id: int, why: str) -> Refund:
    """Write down a refund that somebody made in the provider's own pages; a second person books it.

    Raises Invalid, Decided, NotFound, and NotProposable for what is no such refund.
    """
    difference = _open(difference_id)
    reason = _reason(why)
    line = refund_made_there(difference)
    if line is None:
        raise NotProposable(_("Selisih ini bukan pengembalian dana yang dibuat di halaman penyedia."))
    refund = write_down(line, person_id, reason)
    difference.state, difference.refund_id = "proposed", refund.id
    db.session.flush()
    _record(difference, "proposed", person_id, reason=reason)
    return refund


def explain(difference_id: int, person_id: int, why: str) -> Difference:
    """Leave a difference as it is, for a reason. Raises Invalid, Decided, NotFound."""
    difference = _open(difference_id)
    difference.reason = _reason(why)
    difference.state, difference.closed_by, difference.closed_at = "explained", person_id, moment(None)
    db.session.flush()
    _record(difference, "explained", person_id, reason=difference.reason)
    return difference


def reopen(difference_id: int, person_id: int) -> Difference:
    """Look again at a difference that was left. Raises Decided, NotFound."""
    difference = db.session.get(Difference, difference_id, with_for_update=True, populate_existing=True)
    if difference is None:
        raise NotFound()
    if difference.state != "explained":
        raise Decided()
    before = difference.reason or ""
    difference.state, difference.reason = "open", None
    difference.closed_by = difference.closed_at = None
    db.session.flush()
    _record(difference, "reopened", person_id, reason=before)
    return difference


def is_missing_payout(difference: Difference) -> bool:
    """Whether it is a payout that our bank should have shown by now."""
    line = db.session.get(ProviderLine, difference.line_id) if difference.line_id else None
    return line is not None and line.kind == LineKind.PAYOUT and line.amount < 0 and difference.ours is None


def refund_made_there(difference: Difference) -> ProviderLine | None:
    """The line of a refund that nobody of ours asked for, of a payment that paid an order."""
    line = db.session.get(ProviderLine, difference.line_id) if difference.line_id else None
    if line is None or line.kind != LineKind.REFUND or line.amount >= 0 or difference.ours is not None:
        return None
    if line.refund_key is not None or line.refund_reference is None or line.payment_id is None:
        return None
    counts = db.session.scalar(select(Payment.counts).where(Payment.id == line.payment_id))
    return line if counts else None


def _open(difference_id: int) -> Difference:
    difference = db.session.get(Difference, difference_id, with_for_update=True, populate_existing=True)
    if difference is None:
        raise NotFound()
    if difference.state != "open":
        raise Decided()
    return difference


def _reason(why: str) -> str:
    why = " ".join(why.split())
    if not SHORTEST_REASON <= len(why) <= LONGEST_REASON - 100:
        raise Invalid({"reason": _("Tulis apa sebabnya dan apa buktinya, 10 sampai 900 huruf.")})
    return why


def _record(difference: Difference, what: str, person_id: int, *, reason: str) -> None:
    day: datetime.date = difference.day
    record(
        f"difference.{what}",
        "difference",
        difference.id,
        person_id=person_id,
        details={
            "gateway": difference.gateway,
            "day": day.isoformat(),
            "theirs": difference.theirs,
            "ours": difference.ours,
            "reason": reason,
        },
    )
