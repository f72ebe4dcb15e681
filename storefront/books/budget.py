"""Premium and capital that return as budget, where a rule sends everything to the treasury first.

Proposed by one person from the disbursement order (SP2D), approved by another, who books it.
"""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.books import bank_accounts
from storefront.books.booking_day import require_booking_day
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import BudgetReturn, Deposit
from storefront.books.settle import owed_to
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import passing_on
from storefront.ledger.closed import require_open
from storefront.money import format_rupiah


def propose(
    facility_id: int,
    fund_id: int,
    *,
    amount: int,
    reference: str,
    returned_on: datetime.date,
    person_id: int,
    at: datetime.datetime | None = None,
) -> BudgetReturn:
    """Write down budget that arrived at the central account; a second person books it.

    Never more than the facility has deposited. Raises Invalid by field (`amount`, `reference`,
    `returned_on`, the fund's), PeriodClosed, NoBankAccount, NotFound.
    """
    owed_to(facility_id, fund_id)  # a fund that is owed to the facility, not to the state
    reference = reference.strip()
    if not 3 <= len(reference) <= 80:
        raise Invalid({"reference": _("Tulis nomor SP2D, 3 sampai 80 karakter.")})
    if amount <= 0:
        raise Invalid({"amount": _("Tulis jumlahnya dalam rupiah, lebih dari nol.")})
    require_booking_day(returned_on, field="returned_on")
    central = bank_accounts.in_force(None, returned_on)
    db.session.get(Facility, facility_id, with_for_update={"key_share": True})
    left = left_to_return(facility_id)
    if amount > left:
        raise Invalid(
            {
                "amount": _(
                    "Yang sudah disetor UPT ini dan belum kembali tinggal %(left)s.",
                    left=format_rupiah(max(0, left)),
                )
            }
        )
    returned = BudgetReturn(
        facility_id=facility_id,
        fund_id=fund_id,
        amount=amount,
        reference=reference,
        returned_on=returned_on,
        bank_account_id=central.id,
        proposed_by=person_id,
        proposed_at=moment(at),
    )
    try:
        with db.session.begin_nested():
            db.session.add(returned)
            db.session.flush()
    except IntegrityError as refusal:
        if "budget_returns_reference" not in str(refusal.orig):
            raise
        raise Invalid({"reference": _("SP2D ini sudah dicatat untuk UPT dan dana yang sama.")}) from None
    _record(returned, "proposed", person_id)
    return returned


def approve(return_id: int, person_id: int, *, at: datetime.datetime | None = None) -> BudgetReturn:
    """A second person agrees, and it is booked. Raises FourEyes, PeriodClosed, Decided, NotFound."""
    returned = _waiting(return_id)
    require_second(returned.proposed_by, person_id)
    require_open(returned.returned_on)
    returned.state, returned.approved_by, returned.approved_at = "booked", person_id, moment(at)
    db.session.flush()
    passing_on.book_budget_return(
        returned.id,
        owed_to(returned.facility_id, returned.fund_id),
        returned.amount,
        returned.bank_account_id,
        on=returned.returned_on,
        person_id=person_id,
        posted_at=at,
    )
    _record(returned, "booked", person_id, was="proposed")
    return returned


def reject(return_id: int, person_id: int) -> BudgetReturn:
    """Decide against it, or take one's own back. Raises Decided, NotFound."""
    returned = _waiting(return_id)
    returned.state, returned.rejected_by, returned.rejected_at = "rejected", person_id, moment(None)
    db.session.flush()
    _record(returned, "rejected", person_id, was="proposed")
    return returned


def left_to_return(facility_id: int) -> int:
    """Rupiah that the facility has deposited and that has not come back as budget."""
    deposited = db.session.scalar(
        select(func.coalesce(func.sum(Deposit.amount), 0)).where(
            Deposit.facility_id == facility_id, Deposit.state == "paid"
        )
    )
    returned = db.session.scalar(
        select(func.coalesce(func.sum(BudgetReturn.amount), 0)).where(
            BudgetReturn.facility_id == facility_id, BudgetReturn.state != "rejected"
        )
    )
    return int(deposited or 0) - int(returned or 0)


def _waiting(return_id: int) -> BudgetReturn:
    returned = db.session.get(BudgetReturn, return_id, with_for_update=True, populate_existing=True)
    if returned is None:
        raise NotFound()
    if returned.state != "proposed":
        raise Decided()
    return returned


def _record(returned: BudgetReturn, what: str, person_id: int, *, was: str | None = None) -> None:
    record(
        f"budget_return.{what}",
        "budget_return",
        returned.id,
        person_id=person_id,
        facility_id=returned.facility_id,
        details={
            "before": {"state": was} if was else None,
            "after": {"state": returned.state},
            "amount": returned.amount,
            "fund_id": returned.fund_id,
            "reference": returned.reference,
            "returned_on": returned.returned_on.isoformat(),
        },
    )
