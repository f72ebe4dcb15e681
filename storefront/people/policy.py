"""Who may do what: roles × actions × facilities, in one table. Nothing else in the house decides this.

A person's rights are the sum of their living memberships. A membership with a facility reaches that facility
alone; one without reaches all of them. What lies outside a person's reach does not exist for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from storefront.errors import Forbidden, NotFound
from storefront.people.models import Role


class Action(StrEnum):
    """What a route lets a person do, named `<thing>.<doing>`."""

    #: A facility's profile, workshops, listings, stock and imports.
    LISTINGS_READ = "listings.read"
    LISTINGS_WRITE = "listings.write"
    #: Pieces on the shelf: the part of listings that no curator touches.
    STOCK_READ = "stock.read"
    STOCK_WRITE = "stock.write"
    REVIEW_ASK = "review.ask"
    PUBLISH = "listings.publish"
    PARCELS_READ = "parcels.read"
    PARCELS_WRITE = "parcels.write"
    #: A buyer's name, address and phone, while the parcel needs them.
    BUYERS_READ = "buyers.read"
    #: The same after they are masked; each look is recorded.
    BUYERS_UNMASK = "buyers.unmask"
    REVENUE_READ = "revenue.read"
    #: Certificates of sale for the archive.
    CERTIFICATES_ISSUE = "certificates.issue"
    REFUNDS_READ = "refunds.read"
    REFUNDS_ASK = "refunds.ask"
    REFUNDS_WRITE = "refunds.write"
    DEPOSITS_READ = "deposits.read"
    DEPOSITS_WRITE = "deposits.write"
    DEPOSITS_APPROVE = "deposits.approve"
    SETTLEMENTS_READ = "settlements.read"
    SETTLEMENTS_WRITE = "settlements.write"
    SETTLEMENTS_APPROVE = "settlements.approve"
    #: Registered accounts with their whole numbers; elsewhere numbers are masked.
    BANK_ACCOUNTS_READ = "bank_accounts.read"
    BANK_ACCOUNTS_WRITE = "bank_accounts.write"
    BANK_ACCOUNTS_APPROVE = "bank_accounts.approve"
    #: A facility asks for another account; finance agrees. Shows numbers masked.
    BANK_ACCOUNTS_PROPOSE = "bank_accounts.propose"
    #: The bank's files and lines: their words name payers.
    BANK_READ = "bank.read"
    BANK_WRITE = "bank.write"
    #: Shoppers' own accounts, for money that goes back by bank: nobody else ever sees them.
    RETURNS_READ = "returns.read"
    RETURNS_WRITE = "returns.write"
    PREMIUM_READ = "premium.read"
    PREMIUM_ENTER = "premium.enter"
    PREMIUM_APPROVE = "premium.approve"
    #: Have exports made, shared and saved; whoever makes one must be allowed to read what is in it.
    EXPORTS_WRITE = "exports.write"
    BOOKS_READ = "books.read"
    #: Payouts and corrections: what is written into the books by hand.
    BOOKS_WRITE = "books.write"
    BOOKS_CLOSE = "books.close"
    BOOKS_REOPEN = "books.reopen"
    RULES_READ = "rules.read"
    RULES_PROPOSE = "rules.propose"
    RULES_APPROVE = "rules.approve"
    ENQUIRIES_READ = "enquiries.read"
    ENQUIRIES_WRITE = "enquiries.write"
    TRAINING_READ = "training.read"
    TRAINING_WRITE = "training.write"
    EXHIBITIONS_READ = "exhibitions.read"
    EXHIBITIONS_BRING = "exhibitions.bring"
    EXHIBITIONS_WRITE = "exhibitions.write"
    EXHIBITION_PAGES = "exhibitions.pages"
    TILLS_CLOSE = "tills.close"
    COUNTER_SELL = "counter.sell"
    PAGES_WRITE = "pages.write"
    #: Workshops' fair-work declarations: the facility proposes, the office approves.
    DECLARATIONS_READ = "declarations.read"
    DECLARATIONS_PROPOSE = "declarations.propose"
    DECLARATIONS_APPROVE = "declarations.approve"
    #: What the public reports to the office (Laporkan); never for the people of a facility.
    CASES_READ = "cases.read"
    CASES_WRITE = "cases.write"
    #: Which facilities there are: admitted, changed, suspended.
    FACILITIES_READ = "facilities.read"
    FACILITIES_WRITE = "facilities.write"
    PEOPLE_READ = "people.read"
    #: The coordinators of one's own facility.
    COORDINATORS_WRITE = "people.coordinators"
    PEOPLE_WRITE = "people.write"
    SETTINGS_WRITE = "settings.write"
    #: Jobs, backups, disks; and a failed job tried again.
    SYSTEM_READ = "system.read"
    SYSTEM_WRITE = "system.write"
    #: What shipping costs.
    RATES_READ = "rates.read"
    RATES_WRITE = "rates.write"
    SETTINGS_READ = "settings.read"
    #: The office's other systems: tokens that read, and where news is sent.
    INTEGRATIONS_READ = "integrations.read"
    INTEGRATIONS_WRITE = "integrations.write"
    #: Who did what; acts on people and what auditors looked at only with PEOPLE_READ.
    AUDIT_READ = "audit.read"


_COORDINATOR, _HEAD, _FINANCE = Role.COORDINATOR, Role.HEAD, Role.FINANCE
_CURATOR, _ADMIN, _AUDITOR = Role.CURATOR, Role.ADMINISTRATOR, Role.AUDITOR
_FACILITY = (_COORDINATOR, _HEAD)

#: PRODUCT.md, "Who may do what", row by row. A role missing from an action's entry may not do it.
GRANTS: Mapping[Action, frozenset[Role]] = {
    action: frozenset(roles)
    for action, roles in {
        Action.LISTINGS_READ: (*_FACILITY, _CURATOR, _ADMIN, _AUDITOR),
        Action.LISTINGS_WRITE: (_COORDINATOR, _CURATOR, _ADMIN),
        Action.STOCK_READ: (*_FACILITY, _ADMIN, _AUDITOR),
        Action.STOCK_WRITE: (_COORDINATOR, _ADMIN),
        Action.REVIEW_ASK: (_COORDINATOR,),
        Action.PUBLISH: (_CURATOR, _ADMIN),
        Action.PARCELS_READ: (*_FACILITY, _FINANCE, _ADMIN, _AUDITOR),
        Action.PARCELS_WRITE: (_COORDINATOR, _ADMIN),
        Action.BUYERS_READ: (_COORDINATOR, _ADMIN),
        Action.BUYERS_UNMASK: (_ADMIN,),
        Action.REVENUE_READ: (*_FACILITY, _FINANCE, _ADMIN, _AUDITOR),
        Action.CERTIFICATES_ISSUE: (_COORDINATOR,),
        Action.REFUNDS_READ: (_COORDINATOR, _FINANCE, _AUDITOR),
        Action.REFUNDS_ASK: (_COORDINATOR,),
        Action.REFUNDS_WRITE: (_FINANCE,),
        Action.DEPOSITS_READ: (_HEAD, _FINANCE, _AUDITOR),
        Action.DEPOSITS_WRITE: (_FINANCE,),
        Action.DEPOSITS_APPROVE: (_HEAD, _FINANCE),
        Action.SETTLEMENTS_READ: (_HEAD, _FINANCE, _AUDITOR),
        Action.SETTLEMENTS_WRITE: (_FINANCE,),
        Action.SETTLEMENTS_APPROVE: (_HEAD, _FINANCE),
        Action.BANK_ACCOUNTS_READ: (_HEAD, _FINANCE, _AUDITOR),
        Action.BANK_ACCOUNTS_WRITE: (_FINANCE,),
        Action.BANK_ACCOUNTS_APPROVE: (_HEAD, _FINANCE),
        Action.BANK_ACCOUNTS_PROPOSE: _FACILITY,
        Action.BANK_READ: (_FINANCE, _AUDITOR),
        Action.BANK_WRITE: (_FINANCE,),
        Action.RETURNS_READ: (_FINANCE,),
        Action.RETURNS_WRITE: (_FINANCE,),
        Action.PREMIUM_READ: (*_FACILITY, _FINANCE, _AUDITOR),
        Action.PREMIUM_ENTER: (_COORDINATOR, _FINANCE),
        Action.PREMIUM_APPROVE: (_HEAD, _FINANCE),
        Action.EXPORTS_WRITE: (_FINANCE, _ADMIN, _AUDITOR),
        Action.BOOKS_READ: (_FINANCE, _ADMIN, _AUDITOR),
        Action.BOOKS_WRITE: (_FINANCE,),
        Action.BOOKS_CLOSE: (_FINANCE,),
        Action.BOOKS_REOPEN: (_ADMIN,),
        Action.RULES_READ: (*_FACILITY, _FINANCE, _ADMIN, _AUDITOR),
        Action.RULES_PROPOSE: (_FINANCE,),
        Action.RULES_APPROVE: (_ADMIN,),
        Action.ENQUIRIES_READ: (*_FACILITY, _FINANCE, _ADMIN, _AUDITOR),
        Action.ENQUIRIES_WRITE: (_COORDINATOR, _ADMIN),
        Action.TRAINING_READ: (*_FACILITY, _FINANCE, _ADMIN, _AUDITOR),
        Action.TRAINING_WRITE: (_COORDINATOR, _ADMIN),
        Action.EXHIBITIONS_READ: (*_FACILITY, _FINANCE, _CURATOR, _ADMIN, _AUDITOR),
        Action.EXHIBITIONS_BRING: (_COORDINATOR,),
        Action.EXHIBITIONS_WRITE: (_ADMIN,),
        Action.EXHIBITION_PAGES: (_CURATOR, _ADMIN),
        Action.TILLS_CLOSE: (_FINANCE,),
        Action.COUNTER_SELL: (Role.CASHIER,),
        Action.PAGES_WRITE: (_CURATOR, _ADMIN),
        Action.DECLARATIONS_READ: (*_FACILITY, _CURATOR, _ADMIN, _AUDITOR),
        Action.DECLARATIONS_PROPOSE: (_COORDINATOR,),
        Action.DECLARATIONS_APPROVE: (_CURATOR, _ADMIN),
        Action.CASES_READ: (_ADMIN, _AUDITOR),
        Action.CASES_WRITE: (_ADMIN,),
        Action.FACILITIES_READ: (_ADMIN, _AUDITOR),
        Action.FACILITIES_WRITE: (_ADMIN,),
        Action.PEOPLE_READ: (_HEAD, _ADMIN, _AUDITOR),
        Action.COORDINATORS_WRITE: (_HEAD, _ADMIN),
        Action.PEOPLE_WRITE: (_ADMIN,),
        Action.SETTINGS_WRITE: (_ADMIN,),
        Action.SYSTEM_READ: (_ADMIN, _AUDITOR),
        Action.SYSTEM_WRITE: (_ADMIN,),
        Action.RATES_READ: (_ADMIN, _AUDITOR),
        Action.RATES_WRITE: (_ADMIN,),
        Action.SETTINGS_READ: (_ADMIN, _AUDITOR),
        Action.INTEGRATIONS_READ: (_ADMIN, _AUDITOR),
        Action.INTEGRATIONS_WRITE: (_ADMIN,),
        Action.AUDIT_READ: (_FINANCE, _ADMIN, _AUDITOR),
    }.items()
}

#: What moves money, roles or bank accounts, or lets a program read: whoever does it has shown who they are a short
#: while ago.
PROVEN = frozenset(
    {
        *(Action.REFUNDS_WRITE, Action.DEPOSITS_WRITE, Action.DEPOSITS_APPROVE, Action.SETTLEMENTS_WRITE),
        *(Action.SETTLEMENTS_APPROVE, Action.BANK_ACCOUNTS_WRITE, Action.BANK_ACCOUNTS_APPROVE),
        *(Action.BANK_ACCOUNTS_PROPOSE, Action.BANK_WRITE, Action.RETURNS_WRITE, Action.PREMIUM_APPROVE),
        *(Action.BOOKS_WRITE, Action.BOOKS_CLOSE, Action.BOOKS_REOPEN, Action.RULES_PROPOSE, Action.RULES_APPROVE),
        *(Action.COORDINATORS_WRITE, Action.PEOPLE_WRITE, Action.RATES_WRITE, Action.SETTINGS_WRITE),
        *(Action.INTEGRATIONS_WRITE, Action.TILLS_CLOSE),
    }
)

#: Which roles may enter each face at all (CONTRACT.md, "Pages").
FACES: Mapping[str, frozenset[Role]] = {
    "seller": frozenset(_FACILITY),
    "finance": frozenset({_FINANCE, _ADMIN, _AUDITOR}),
    "admin": frozenset({_ADMIN, _CURATOR, _AUDITOR}),
    "counter": frozenset({Role.CASHIER}),
}


class MembershipLike(Protocol):
    """What the policy reads of a membership."""

    @property
    def role(self) -> str: ...
    @property
    def facility_id(self) -> int | None: ...
    @property
    def exhibition_id(self) -> int | None: ...
    @property
    def valid_from(self) -> datetime: ...
    @property
    def valid_until(self) -> datetime | None: ...


class PersonLike(Protocol):
    """What the policy reads of a person: a row, or who is signed in."""

    @property
    def is_active(self) -> bool: ...
    @property
    def memberships(self) -> Sequence[MembershipLike]: ...


@dataclass(frozen=True)
class Reach:
    """The facilities in which a person may do something: all of them, or the ones named; or at a fair alone."""

    everywhere: bool
    facility_ids: frozenset[int]
    #: At some fair: which one, `may_sell_at` says. It opens no facility.
    at_fair: bool = False

    def __bool__(self) -> bool:
        return self.everywhere or self.at_fair or bool(self.facility_ids)

    def __contains__(self, facility_id: object) -> bool:
        return self.everywhere or facility_id in self.facility_ids


def living(person: PersonLike | None, at: datetime | None = None) -> list[MembershipLike]:
    """The memberships of `person` that hold `at` a moment (default: now); none for an inactive person."""
    if person is None or not person.is_active:
        return []
    moment = at or datetime.now(UTC)
    return [
        m
        for m in person.memberships
        if m.valid_from <= moment and (m.valid_until is None or moment < m.valid_until)
    ]


def roles(person: PersonLike | None) -> frozenset[Role]:
    """The roles that `person` holds now, anywhere."""
    return frozenset(Role(m.role) for m in living(person))


def is_staff(person: PersonLike | None) -> bool:
    """Whether `person` holds any role now; a shopper holds none."""
    return bool(living(person))


def reach(person: PersonLike | None, action: Action, *, face: str | None = None) -> Reach:
    """Where `person` may do `action`; with `face` only by roles that may enter that face."""
    allowed = GRANTS[action] if face is None else GRANTS[action] & FACES[face]
    return _reach(m for m in living(person) if m.role in allowed)


def presence(person: PersonLike | None, face: str) -> Reach:
    """The facilities that exist for `person` on `face`, whatever they may do there."""
    return _reach(m for m in living(person) if m.role in FACES[face])


def _reach(memberships: Iterable[MembershipLike]) -> Reach:
    found = list(memberships)
    everywhere = any(m.facility_id is None and m.exhibition_id is None for m in found)
    at_fair = any(m.exhibition_id is not None for m in found)
    return Reach(everywhere, frozenset(m.facility_id for m in found if m.facility_id is not None), at_fair)


def may(person: PersonLike | None, action: Action, facility_id: int | None = None) -> bool:
    """Whether `person` may do `action` in the facility; without one: in at least one place.

    A page over several facilities must still keep to `reach(person, action)`.
    """
    where = reach(person, action)
    return bool(where) if facility_id is None else facility_id in where


def may_sell_at(person: PersonLike | None, exhibition_id: int) -> bool:
    """Whether `person` is named a cashier of the exhibition. Nothing else opens its counter."""
    return any(
        m.exhibition_id == exhibition_id and Role(m.role) in GRANTS[Action.COUNTER_SELL]
        for m in living(person)
    )


def require(
    person: PersonLike | None, action: Action, facility_id: int | None = None, *, face: str | None = None
) -> None:
    """Return only if `person` may do `action`.

    Raises `NotFound` when the facility (or the face) does not exist for them, `Forbidden` when it does but
    their role does not do this.
    """
    where = reach(person, action, face=face)
    if bool(where) if facility_id is None else facility_id in where:
        return
    there = presence(person, face) if face else _reach(living(person))
    exists = bool(there) if facility_id is None else facility_id in there
    raise Forbidden() if exists else NotFound()
