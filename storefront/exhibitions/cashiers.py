"""Who sells at a fair's stand: one administrator proposes somebody, another names them. Nothing here commits.

Who has no account yet is invited by mail (`people.office_invitations`): the role begins when they accept.

A cashier's role begins with the fair's first day; it is ended by hand, when the tills are settled.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from storefront.audit.record import record
from storefront.days import begins, today
from storefront.errors import Invalid, NotFound
from storefront.exhibitions.fairs import When, when
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.mail.address import is_email
from storefront.people import memberships, office_invitations, roles
from storefront.people.memberships import OwnRole, holds
from storefront.people.models import Invitation, Membership, Person, Role, RoleProposal
from storefront.people.roles import TwoPeople


@dataclass(frozen=True)
class Cashier:
    """Somebody who is named, was, or is proposed for a fair."""

    person_id: int
    name: str
    email: str
    valid_from: datetime.datetime | None = None
    valid_until: datetime.datetime | None = None
    membership_id: int | None = None
    proposal_id: int | None = None
    proposed_by: int | None = None
    proposed_by_name: str = ""
    #: Named, and not ended; it may begin later.
    is_living: bool = False


def named(fair: Exhibition) -> list[Cashier]:
    """All cashiers that the fair has or had, those who still are first."""
    ended = (Membership.valid_until.is_not(None)) & (Membership.valid_until <= func.clock_timestamp())
    rows = db.session.execute(
        select(Membership, Person.name, Person.email, ended)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.exhibition_id == fair.id, Membership.role == Role.CASHIER.value)
        .order_by(ended, func.lower(Person.name), Membership.id)
    )
    return [
        Cashier(m.person_id, name, email, m.valid_from, m.valid_until, m.id, is_living=not over)
        for m, name, email, over in rows
    ]


def proposed(fair: Exhibition) -> list[Cashier]:
    """Who waits for a second administrator."""
    by = aliased(Person)
    rows = db.session.execute(
        _open()
        .with_only_columns(RoleProposal, Person.name, Person.email, by.name)
        .join(Person, Person.id == RoleProposal.person_id)
        .join(by, by.id == RoleProposal.proposed_by)
        .where(RoleProposal.exhibition_id == fair.id)
        .order_by(RoleProposal.id)
    )
    return [
        Cashier(p.person_id, name, email, proposal_id=p.id, proposed_by=p.proposed_by, proposed_by_name=by_name)
        for p, name, email, by_name in rows
    ]


def waiting() -> Sequence[tuple[str, int]]:
    """Fairs with proposals that wait, and how many there are."""
    rows = db.session.execute(
        _open()
        .with_only_columns(Exhibition.slug, func.count())
        .select_from(RoleProposal)
        .join(Exhibition, Exhibition.id == RoleProposal.exhibition_id)
        .group_by(Exhibition.id)
        .order_by(Exhibition.starts_on, Exhibition.id)
    )
    return [(slug, count) for slug, count in rows]


def propose(
    fair: Exhibition, email: str, name: str = "", *, person_id: int, locale: str = "id"
) -> RoleProposal | Invitation:
    """Propose somebody by the address of their account, once more is the same; or by `name` that they be invited.

    Either waits for a second administrator. Raises Invalid (`email`, `cashier_name`), OwnRole.
    """
    email = email.strip().lower()
    if when(fair, today()) is When.PAST:
        raise Invalid({"email": _("Pameran ini sudah selesai: kasir baru tidak ditunjuk lagi.")})
    person = db.session.scalar(select(Person).where(Person.email == email, Person.is_active).with_for_update())
    if person is None:
        if is_email(email) and not name.strip():
            sentence = _("Belum ada akun dengan alamat ini. Tulis namanya, supaya undangan dapat dikirim.")
            raise Invalid({"cashier_name": sentence})
        try:
            return office_invitations.invite_cashier(fair.id, email, name, person_id, locale=locale)
        except Invalid as wrong:  # the fair has a name too, in another form of its page
            errors = {"cashier_name" if key == "name" else key: said for key, said in wrong.errors.items()}
            raise Invalid(errors) from wrong
    if person.id == person_id:
        raise OwnRole()
    is_named = select(Membership.id).where(
        Membership.person_id == person.id,
        Membership.exhibition_id == fair.id,
        Membership.role == Role.CASHIER.value,
        Membership.valid_until.is_(None) | (Membership.valid_until > func.now()),
    )
    if db.session.scalar(is_named) is not None:
        raise Invalid({"email": _("Orang ini sudah kasir pameran ini.")})
    of_it = (RoleProposal.person_id == person.id, RoleProposal.exhibition_id == fair.id)
    found: RoleProposal | None = db.session.scalar(_open().where(*of_it))
    if found is None:
        found = RoleProposal(
            person_id=person.id, role=Role.CASHIER.value, exhibition_id=fair.id, proposed_by=person_id
        )
        db.session.add(found)
        db.session.flush()
        details = {"role": Role.CASHIER.value, "exhibition": fair.slug}
        record("role.proposed", "person", person.id, person_id=person_id, details=details)
    return found


def approve(fair: Exhibition, proposal_id: int, *, person_id: int) -> Membership:
    """A second administrator names the cashier; their sessions end. Raises NotFound, TwoPeople."""
    found = _locked(fair, proposal_id)
    if person_id in (found.proposed_by, found.person_id):
        raise TwoPeople()
    person = db.session.get_one(Person, found.person_id)
    now = db.session.execute(select(func.now())).scalar_one()
    membership = memberships.grant(
        person,
        Role.CASHIER,
        exhibition_id=fair.id,
        valid_from=max(now, begins(fair.starts_on)),
        granted_by=found.proposed_by,
    )
    found.approved_by, found.approved_at, found.membership_id = person_id, now, membership.id
    db.session.flush()
    details = {"role": Role.CASHIER.value, "exhibition": fair.slug, "proposed_by": found.proposed_by}
    record("role.given", "person", person.id, person_id=person_id, details=details)
    return membership


def reject(fair: Exhibition, proposal_id: int, *, person_id: int) -> RoleProposal:
    """Somebody is not named; whoever proposed them may say so too. Raises NotFound."""
    found = _locked(fair, proposal_id)
    found.rejected_by, found.rejected_at = person_id, func.now()
    db.session.flush()
    details = {"role": Role.CASHIER.value, "exhibition": fair.slug}
    record("role.rejected", "person", found.person_id, person_id=person_id, details=details)
    return found


def end(fair: Exhibition, membership_id: int, *, person_id: int) -> Membership:
    """A cashier sells here no more, and their sessions end. Raises NotFound, OwnRole."""
    found = db.session.get(Membership, membership_id)
    if found is None or found.exhibition_id != fair.id:
        raise NotFound()
    if not db.session.scalar(select(holds()).where(Membership.id == membership_id)) and found.valid_until is None:
        # Named, and not begun yet.
        if found.person_id == person_id:
            raise OwnRole()
        memberships.revoke(membership_id)
        record("role.ended", "person", found.person_id, person_id=person_id, details={"role": found.role})
        return found
    return roles.end(found.person_id, membership_id, person_id)


def _open() -> Select[RoleProposal]:
    return select(RoleProposal).where(
        RoleProposal.approved_at.is_(None),
        RoleProposal.rejected_at.is_(None),
        RoleProposal.exhibition_id.is_not(None),
    )


def _locked(fair: Exhibition, proposal_id: int) -> RoleProposal:
    found = db.session.scalar(
        _open().where(RoleProposal.id == proposal_id, RoleProposal.exhibition_id == fair.id).with_for_update()
    )
    if found is None:
        raise NotFound()
    return found
