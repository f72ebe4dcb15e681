"""Settlements that the bank has sent: written down with its reference, undone only by a counter-entry."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront.books import bank_accounts
from storefront.books.booking_day import require_booking_day
from storefront.books.four_eyes import Decided, require_second
from storefront.books.models import PremiumDistribution, Settlement
from storefront.books.settle import locked, owed_to, record_step, require_account, sum_in
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import passing_on
from storefront.ledger.models import Fund

LONGEST_REFERENCE = 80
SHORTEST_REASON = 10


class GoesByTransfer(DomainError):
    """Nobody writes down or undoes by hand what goes by the provider's transfers."""

    code, status = "goes_by_transfer", 409
    message = _l("Penyaluran ini ditransfer lewat Stripe dan dibukukan dengan sendirinya.")


@dataclass(frozen=True)
class Paid:
    """What the bank says of one settlement."""

    settlement_id: int
    bank_reference: str
    paid_on: datetime.date


def mark_paid(paid: Paid, person_id: int, *, at: datetime.datetime | None = None) -> Settlement:
    """The bank has sent the money: book it on that day.

    Raises Invalid by field (`bank_reference`, `paid_on`), PeriodClosed, NoBankAccount, Decided, NotFound.
    """
    (settlement,) = locked([paid.settlement_id], "approved")
    _refuse_transfers(settlement)
    assert settlement.approved_at is not None  # an approved settlement says when
    reference = paid.bank_reference.strip()
    if not 3 <= len(reference) <= LONGEST_REFERENCE:
        raise Invalid({"bank_reference": _("Tulis nomor referensi bank, 3 sampai 80 karakter.")})
    require_booking_day(paid.paid_on, field="paid_on", since=accounting_day(settlement.approved_at))
    require_account(settlement, paid.paid_on)
    central = bank_accounts.in_force(None, paid.paid_on)
    of = owed_to(settlement.facility_id, settlement.fund_id)
    passing_on.lock([of])
    try:
        with db.session.begin_nested():
            settlement.state, settlement.bank_reference = "paid", reference
            settlement.paid_on, settlement.paid_by = paid.paid_on, person_id
            db.session.flush()
    except IntegrityError as refusal:
        if "settlements_bank_reference" not in str(refusal.orig):
            raise
        raise Invalid(
            {"bank_reference": _("Nomor referensi ini sudah dipakai untuk penyaluran lain.")}
        ) from None
    passing_on.book_settlement(
        settlement.id,
        of,
        settlement.amount,
        central.id,
        on=paid.paid_on,
        person_id=person_id,
        posted_at=at,
    )
    paid_on = paid.paid_on.isoformat()
    record_step(settlement, "paid", person_id, was="approved", reference=reference, paid_on=paid_on)
    return settlement


def mark_many_paid(
    rows: Sequence[Paid], person_id: int, *, at: datetime.datetime | None = None
) -> list[Settlement]:
    """The same for many, all or none. Raises Invalid with a sentence for each row (`row-0`, `row-1`, …)."""
    if not rows:
        raise Invalid({"rows": _("Tempel setidaknya satu baris.")})
    waiting = db.session.scalars(
        select(Settlement)
        .where(Settlement.id.in_([row.settlement_id for row in rows]))
        .order_by(Settlement.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    # All accounts at once and in one order, so that two such lists never wait for each other crosswise.
    passing_on.lock([owed_to(settlement.facility_id, settlement.fund_id) for settlement in waiting])
    errors: dict[str, str] = {}
    done = []
    for place, row in enumerate(rows):
        try:
            done.append(mark_paid(row, person_id, at=at))
        except NotFound:
            errors[f"row-{place}"] = _("Penyaluran %(number)d tidak ada.", number=row.settlement_id)
        except Decided:
            errors[f"row-{place}"] = _(
                "Penyaluran %(number)d tidak sedang menunggu pembayaran.", number=row.settlement_id
            )
        except Invalid as refusal:
            errors[f"row-{place}"] = " ".join(str(sentence) for sentence in refusal.errors.values())
        except DomainError as refusal:
            errors[f"row-{place}"] = str(refusal.message)
    if errors:
        raise Invalid(errors)
    return done


def reverse(
    settlement_id: int,
    *,
    on: datetime.date,
    reason: str,
    person_id: int,
    at: datetime.datetime | None = None,
) -> Settlement:
    """Undo a payment by a counter-entry on the day `on`, for example when the bank sent the money back.

    By somebody else than who wrote it down as paid. Raises FourEyes, Invalid by field (`on`, `reason`),
    PeriodClosed, Decided, NotFound.
    """
    (settlement,) = locked([settlement_id], "paid")
    _refuse_transfers(settlement)
    require_second(settlement.paid_by, person_id, reverser_is_second())
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= 500:
        raise Invalid({"reason": _("Tulis alasannya, 10 sampai 500 huruf.")})
    require_booking_day(on, field="on", since=settlement.paid_on)
    _refuse_if_passed_on(settlement)
    passing_on.lock([owed_to(settlement.facility_id, settlement.fund_id)])
    settlement.state, settlement.reversed_on = "reversed", on
    settlement.reversed_by, settlement.reversal_reason = person_id, reason
    db.session.flush()
    passing_on.book_counter_entry(
        f"settlement:{settlement.id}:reversed",
        f"settlement:{settlement.id}:paid",
        on=on,
        person_id=person_id,
        posted_at=at,
    )
    record_step(settlement, "reversed", person_id, was="paid", reason=reason, on=on.isoformat())
    return settlement


def _refuse_transfers(settlement: Settlement) -> None:
    """What the provider transfers is booked as it says so, and comes back by its reversals alone."""
    if settlement.goes_by_transfer:
        raise GoesByTransfer()


def reverser_is_second() -> object:
    """Why who wrote a payment down does not undo it."""
    return _("Yang mencatat pembayaran tidak boleh membatalkannya. Minta orang kedua yang berwenang.")


def _refuse_if_passed_on(settlement: Settlement) -> None:
    """Premium that makers have received is not taken back from the books of their facility."""
    premium = db.session.scalar(select(Fund.id).where(Fund.code == "premium"))
    if settlement.fund_id != premium:
        return
    db.session.get_one(Facility, settlement.facility_id, with_for_update={"key_share": True})
    passed_on = db.session.scalar(
        select(func.coalesce(func.sum(PremiumDistribution.amount), 0)).where(
            PremiumDistribution.facility_id == settlement.facility_id, PremiumDistribution.state != "rejected"
        )
    )
    left = sum_in(settlement.facility_id, settlement.fund_id, ("paid",)) - settlement.amount
    if passed_on and int(passed_on) > left:
        raise Invalid(
            {
                "reason": _(
                    "Sebagian premi ini sudah tercatat dibagikan kepada pembuatnya. "
                    "Batalkan dulu catatan pembagiannya bila memang salah."
                )
            }
        )
