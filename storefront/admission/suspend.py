"""Suspend a facility and take it back. Nothing of it can be ordered meanwhile; what is paid is packed and settled.

`ledger.split_rules.hold_rules` is what every sale holds from before it looks at its goods. Whoever suspends waits for
those sales and keeps later ones waiting: an order is placed either before the suspension, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from storefront.admission import admit
from storefront.audit.record import record
from storefront.books import owed
from storefront.days import today
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility, Suspension
from storefront.ledger.split_rules import change_rules
from storefront.mail.owe import owe_about
from storefront.people.memberships import holds
from storefront.people.models import Membership, Person, Role
from storefront.written import one_line

SHORTEST, LONGEST = 5, 300
#: What letters about a suspension are about.
SUBJECT = "suspension"

EFFECTS = text(
    """
    SELECT (SELECT count(*) FROM products WHERE facility_id = :id AND status = 'published') AS published,
           (SELECT count(*) FROM listing_drafts d WHERE d.facility_id = :id AND d.state = 'in_review') AS in_review,
           (SELECT count(DISTINCT l.cart_id) FROM cart_lines l JOIN carts c ON c.id = l.cart_id AND c.order_id IS NULL
              JOIN variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id AND p.facility_id = :id)
           AS carts,
           (SELECT count(*) FROM parcels p JOIN orders o ON o.id = p.order_id AND o.state = 'awaiting_payment'
             WHERE p.facility_id = :id) AS unpaid,
           (SELECT COALESCE(sum(l.net_amount), 0) FROM order_lines l
              JOIN orders o ON o.id = l.order_id AND o.state = 'awaiting_payment' WHERE l.facility_id = :id)::bigint
           AS unpaid_amount,
           (SELECT count(*) FROM parcels WHERE facility_id = :id AND state IN ('to_pack', 'packed')) AS to_send,
           (SELECT count(*) FROM parcels WHERE facility_id = :id AND state IN ('shipped', 'ready')) AS under_way,
           (SELECT count(*) FROM exhibition_facilities x JOIN exhibitions e ON e.id = x.exhibition_id
             WHERE x.facility_id = :id AND e.ends_on >= CAST(:today AS date)) AS exhibitions,
           (SELECT count(DISTINCT m.person_id) FROM memberships m WHERE m.facility_id = :id AND m.valid_from <= now()
               AND (m.valid_until IS NULL OR m.valid_until > now()) AND m.role IN ('coordinator', 'head')) AS people"""
)


class NotSuspended(DomainError):
    """It sells, or waits for something else."""

    code, status = "not_suspended", 409
    message = lazy_gettext("UPT ini tidak sedang dihentikan. Muat ulang untuk melihat keadaannya sekarang.")


class NotSelling(DomainError):
    """It sells nothing that could be stopped."""

    code, status = "not_selling", 409
    message = lazy_gettext("UPT ini sudah tidak berjualan. Muat ulang untuk melihat keadaannya sekarang.")


@dataclass(frozen=True)
class Effects:
    """What hangs on a facility at this moment. Amounts in rupiah."""

    published: int
    #: Drafts that wait for a curator.
    in_review: int
    #: Carts that hold something of it.
    carts: int
    #: Parcels of orders that are not paid yet; they can be paid until their time is over.
    unpaid: int
    unpaid_amount: int
    #: Paid, and to be packed or handed over.
    to_send: int
    #: On their way, or waiting to be collected.
    under_way: int
    #: Running or coming.
    exhibitions: int
    #: Who is told.
    people: int
    owed: int


def effects(facility: Facility) -> Effects:
    """What a suspension would meet, counted now."""
    row = db.session.execute(EFFECTS, {"id": facility.id, "today": today()}).mappings().one()
    return Effects(**row, owed=sum(one.total for one in owed.balances([facility.id])))


def suspend(code: str, reason: str, by: int) -> Suspension:
    """Stop a facility: from now nothing of it can be ordered, and its people are told. Never commits.

    Waits for sales that are being placed. Raises NotFound, NotSelling, Invalid (`reason`).
    """
    reason = one_line(reason)
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Invalid({"reason": _("Tulis alasannya, 5 sampai 300 huruf: orang di UPT itu membacanya.")})
    change_rules()
    facility = admit.locked(code)
    if facility.status != "active":
        raise NotSelling()
    row = Suspension(facility_id=facility.id, reason=reason, suspended_by=by)
    facility.status = "suspended"
    db.session.add(row)
    db.session.flush()
    _note("facility.suspended", facility, by, {"reason": reason})
    _tell("facility_suspended", row)
    return row


def take_back(code: str, why: str, by: int) -> Suspension:
    """Let a suspended facility sell again, and tell its people. Never commits.

    Raises NotFound, NotSuspended, Invalid (`why`).
    """
    why = one_line(why)
    if not SHORTEST <= len(why) <= LONGEST:
        raise Invalid({"why": _("Tulis apa yang sudah beres, 5 sampai 300 huruf.")})
    facility = admit.locked(code)
    row = of(facility.id)
    if row is None:
        raise NotSuspended()
    row.lifted_by, row.lifted_at, row.lifted_why = by, func.now(), why
    facility.status = "active"
    db.session.flush()
    db.session.refresh(row)
    _note("facility.taken_back", facility, by, {"reason": why})
    _tell("facility_taken_back", row)
    return row


def of(facility_id: int) -> Suspension | None:
    """The suspension that a facility is under; None while it is under none."""
    query = select(Suspension).where(Suspension.facility_id == facility_id, Suspension.lifted_at.is_(None))
    return db.session.scalar(query.execution_options(populate_existing=True))


def history(facility_id: int) -> list[tuple[Suspension, str | None, str | None]]:
    """A facility's suspensions, the latest first, with who stopped it and who took it back."""
    stopper, lifter = aliased(Person), aliased(Person)
    rows = db.session.execute(
        select(Suspension, stopper.name, lifter.name)
        .outerjoin(stopper, stopper.id == Suspension.suspended_by)
        .outerjoin(lifter, lifter.id == Suspension.lifted_by)
        .where(Suspension.facility_id == facility_id)
        .order_by(Suspension.id.desc())
        .limit(20)
    )
    return [(row, by, lifted_by) for row, by, lifted_by in rows]


def _tell(kind: str, row: Suspension) -> None:
    people = (
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.facility_id == row.facility_id, holds(), Person.is_active)
        .where(Membership.role.in_([Role.COORDINATOR.value, Role.HEAD.value]))
    )
    for person_id in db.session.scalars(people.order_by(Person.id).distinct()):
        owe_about(kind, SUBJECT, row.id, key=f"suspension:{row.id}:{kind}:{person_id}")


def _note(action: str, facility: Facility, by: int, details: dict[str, object]) -> None:
    record(action, "facility", facility.code, person_id=by, facility_id=facility.id, details=details)
