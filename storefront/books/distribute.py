"""Premium that a facility passed on to makers: date, workshop, number of people, amount. Counted, never named.

Entered by the facility, approved by a second person. Never more than was paid to the facility.
"""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront import days
from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import PremiumDistribution, Settlement
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.closed import require_open
from storefront.ledger.models import Fund
from storefront.money import format_rupiah

MOST_PEOPLE = 10_000


class MoreThanPaid(Invalid):
    """More premium would be passed on than the facility was paid."""

    code, status = "more_than_paid", 409


def enter(
    facility_id: int,
    *,
    workshop_id: int,
    distributed_on: datetime.date,
    people: int,
    amount: int,
    person_id: int,
    at: datetime.datetime | None = None,
) -> PremiumDistribution:
    """Write down that premium was passed on in a workshop.

    Raises MoreThanPaid, Invalid by field (`workshop`, `distributed_on`, `people`, `amount`), PeriodClosed,
    NotFound.
    """
    # Those of one facility wait for each other, and for a settlement that is being undone.
    if db.session.get(Facility, facility_id, with_for_update={"key_share": True}) is None:
        raise NotFound()
    errors = {}
    if db.session.scalar(select(Workshop.facility_id).where(Workshop.id == workshop_id)) != facility_id:
        errors["workshop"] = _("Pilih bengkelnya.")
    if distributed_on > days.today():
        errors["distributed_on"] = _("Tanggal ini belum tiba.")
    if not 1 <= people <= MOST_PEOPLE:
        errors["people"] = _("Tulis jumlah orang, dari 1 sampai 10.000.")
    if amount <= 0:
        errors["amount"] = _("Tulis jumlahnya dalam rupiah, lebih dari nol.")
    if errors:
        raise Invalid(errors)
    require_open(distributed_on, "distributed_on")
    left = left_to_pass_on(facility_id)
    if amount > left:
        raise _too_much(left)
    distribution = PremiumDistribution(
        facility_id=facility_id,
        workshop_id=workshop_id,
        distributed_on=distributed_on,
        people=people,
        amount=amount,
        entered_by=person_id,
        entered_at=moment(at),
    )
    try:
        with db.session.begin_nested():
            db.session.add(distribution)
            db.session.flush()
    except IntegrityError as refusal:
        if "premium_distributions_within" not in str(refusal.orig.diag.constraint_name):  # type: ignore[union-attr]
            raise
        raise _too_much(left_to_pass_on(facility_id)) from None
    _record(distribution, "entered", person_id)
    return distribution


def approve(
    distribution_id: int, person_id: int, *, at: datetime.datetime | None = None
) -> PremiumDistribution:
    """A second person agrees. Raises FourEyes, PeriodClosed, Decided, NotFound."""
    distribution = _locked(distribution_id, "entered")
    require_second(distribution.entered_by, person_id)
    require_open(distribution.distributed_on)
    approved_at = moment(at)
    distribution.state, distribution.approved_by = "approved", person_id
    distribution.approved_at = approved_at
    db.session.flush()
    _record(distribution, "approved", person_id, was="entered")
    return distribution


def reject(distribution_id: int, person_id: int, reason: str = "") -> PremiumDistribution:
    """Take back a record that is wrong; one that was approved only by a second person, in an open month.

    Raises FourEyes, PeriodClosed, Decided, NotFound, and Invalid (`reason`) for an approved one without why.
    """
    distribution = _locked(distribution_id, "entered", "approved")
    if distribution.state == "approved":
        require_second(distribution.entered_by, person_id)
        require_open(distribution.distributed_on)
        if len(reason.strip()) < 10:
            raise Invalid({"reason": _("Tulis alasannya, paling sedikit 10 huruf.")})
    was, rejected_at = distribution.state, moment(None)
    distribution.state, distribution.rejected_by = "rejected", person_id
    distribution.rejected_at = rejected_at
    db.session.flush()
    _record(distribution, "rejected", person_id, was=was, reason=reason.strip()[:500])
    return distribution


def left_to_pass_on(facility_id: int) -> int:
    """Rupiah of premium that the facility was paid and has not recorded as passed on."""
    paid = db.session.scalar(
        select(func.coalesce(func.sum(Settlement.amount), 0))
        .join(Fund, Fund.id == Settlement.fund_id)
        .where(Settlement.facility_id == facility_id, Fund.code == "premium", Settlement.state == "paid")
    )
    passed_on = db.session.scalar(
        select(func.coalesce(func.sum(PremiumDistribution.amount), 0)).where(
            PremiumDistribution.facility_id == facility_id, PremiumDistribution.state != "rejected"
        )
    )
    return int(paid or 0) - int(passed_on or 0)


def _too_much(left: int) -> MoreThanPaid:
    return MoreThanPaid(
        {
            "amount": _(
                "Premi yang sudah dibayar ke UPT dan belum dibagikan tinggal %(left)s. "
                "Tulis paling banyak sebesar itu.",
                left=format_rupiah(max(0, left)),
            )
        }
    )


def _locked(distribution_id: int, *states: str) -> PremiumDistribution:
    distribution = db.session.get(
        PremiumDistribution, distribution_id, with_for_update=True, populate_existing=True
    )
    if distribution is None:
        raise NotFound()
    if distribution.state not in states:
        raise Decided()
    return distribution


def _record(
    distribution: PremiumDistribution, what: str, person_id: int, *, was: str | None = None, **more: str
) -> None:
    record(
        f"premium_distribution.{what}",
        "premium_distribution",
        distribution.id,
        person_id=person_id,
        facility_id=distribution.facility_id,
        details={
            "before": {"state": was} if was else None,
            "after": {"state": distribution.state, **more},
            "amount": distribution.amount,
            "people": distribution.people,
            "distributed_on": distribution.distributed_on.isoformat(),
            "workshop_id": distribution.workshop_id,
        },
    )
