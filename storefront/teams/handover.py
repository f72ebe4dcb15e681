"""Hand a coordinator's work over: one act that ends one role, names what passes on, and can be undone for a day.

Open parcels, questions, reports, drafts and proposals belong to the facility; whoever is its coordinator has them.
Nothing of it is addressed to a person, so that nothing is lost when somebody goes: the minute counts what there is.
Proposals keep who made them, as four eyes need that. What was kept for the person alone ends with the role: sessions,
and notices on their devices (`notices.tell` asks who is a coordinator now). Views that they saved are copied.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass, field

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.books import owed
from storefront.enquiries.inbox import open_since
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.notices.models import SavedView
from storefront.people import coordinators, invitations, memberships
from storefront.people.models import Invitation, Membership, Person, Role
from storefront.teams.models import Handover

#: So long a handover can be undone.
UNDO = datetime.timedelta(days=1)

COUNTS = text(
    """
    SELECT (SELECT count(*) FROM parcels WHERE facility_id = :id AND state = 'to_pack') AS to_pack,
           (SELECT count(*) FROM parcels WHERE facility_id = :id AND state = 'packed') AS packed,
           (SELECT count(*) FROM parcels WHERE facility_id = :id AND state = 'ready') AS ready,
           (SELECT count(*) FROM listing_drafts WHERE facility_id = :id AND state = 'approved') AS scheduled,
           (SELECT count(*) FROM stock_takes WHERE facility_id = :id AND state = 'counting') AS stock_takes,
           (SELECT count(*) FROM listing_imports WHERE facility_id = :id AND ended_at IS NULL
               AND state <> 'refused') AS imports,
           (SELECT count(*) FROM label_batches WHERE facility_id = :id AND closed_at IS NULL) AS label_batches,
           (SELECT count(DISTINCT r.id) FROM refunds r JOIN refund_lines x ON x.refund_id = r.id
              JOIN order_lines l ON l.id = x.order_line_id
             WHERE l.facility_id = :id AND r.state = 'proposed') AS refunds,
           (SELECT count(*) FROM problems WHERE facility_id = :id AND state = 'open') AS problems,
           (SELECT count(*) FROM listing_drafts WHERE facility_id = :id AND state <> 'approved') AS drafts,
           (SELECT count(*) FROM workshop_declarations d JOIN workshops w ON w.id = d.workshop_id
             WHERE w.facility_id = :id AND d.state = 'proposed') AS declarations,
           (SELECT count(*) FROM bank_accounts WHERE facility_id = :id AND approved_at IS NULL
               AND rejected_at IS NULL) AS bank_accounts,
           (SELECT COALESCE(sum(s.on_hand), 0) FROM stock_levels s JOIN stock_locations l ON l.id = s.location_id
             WHERE l.facility_id = :id) AS pieces,
           (SELECT COALESCE(sum(s.on_hand * v.price), 0) FROM stock_levels s
              JOIN stock_locations l ON l.id = s.location_id JOIN variants v ON v.id = s.variant_id
             WHERE l.facility_id = :id) AS pieces_value"""
)


class CannotBeUndone(DomainError):
    """Too late, undone already, or the team has changed since."""

    code, status = "cannot_be_undone", 409
    message = _l("Serah terima ini tidak dapat dibatalkan lagi: lewat sehari, atau timnya sudah berubah sejak itu.")


@dataclass(frozen=True)
class Counts:
    """What passes on. Amounts in rupiah, at selling prices and as the books stand."""

    to_pack: int
    packed: int
    questions: int
    problems: int
    drafts: int
    declarations: int
    bank_accounts: int
    pieces: int
    pieces_value: int
    #: Since these are counted; minutes of before do not know them.
    ready: int = 0
    scheduled: int = 0
    stock_takes: int = 0
    imports: int = 0
    label_batches: int = 0
    refunds: int = 0
    views: int = 0
    #: What the facility is owed, by column of its statement.
    owed: dict[str, int] = field(default_factory=dict)


def counts(facility_id: int, person_id: int | None = None) -> Counts:
    """What there is to hand over now; `person_id`: whose saved views are among it."""
    row = db.session.execute(COUNTS, {"id": facility_id}).mappings().one()
    balances = {code: amount for one in owed.balances([facility_id]) for code, (_a, amount) in one.amounts.items()}
    questions, _since = open_since(facility_id)
    numbers = {name: int(value) for name, value in row.items()}
    return Counts(**numbers, questions=questions, views=len(_views(facility_id, person_id)), owed=balances)


def hand_over(facility_id: int, membership_id: int, to_membership_id: int, person_id: int) -> Handover:
    """From one coordinator to another who is there already: at once. Never commits.

    Raises NotFound for another facility's, Invalid (`to`).
    """
    coordinators.lock(facility_id)
    before, after = (coordinators.find(facility_id, one) for one in (membership_id, to_membership_id))
    done = _done_already(before, after)
    if done is not None:
        return done
    _check(before)
    if before.person_id == after.person_id or coordinators.living(facility_id, after.person_id) is None:
        raise Invalid({"to": _l("Pilih koordinator lain yang masih bertugas.")})
    row = _row(facility_id, before, person_id, to=db.session.get_one(Person, after.person_id))
    return _complete(row, before, None)


def hand_over_to_new(facility_id: int, membership_id: int, email: str, name: str, person_id: int) -> Handover:
    """From a coordinator to somebody who is invited: when they accept; until then the one before works on.

    Asked for again, it is the same. Never commits. Raises NotFound, Invalid by field (`email`, `name`, `to`).
    """
    coordinators.lock(facility_id)
    before = coordinators.find(facility_id, membership_id)
    _check(before)
    invitation = invitations.invite(facility_id, email, name, person_id)
    waits = _waiting(facility_id, before.person_id)
    if waits is not None and waits.invitation_id == invitation.id:
        return waits
    if waits is not None:
        waits_for = _l("Serah terima dari orang ini sudah menunggu undangan lain. Tarik dahulu undangan itu.")
        raise Invalid({"email": waits_for})
    row = _row(facility_id, before, person_id, name=invitation.name)
    row.invitation_id = invitation.id
    db.session.flush()
    _note("handover.begun", row, person_id)
    return row


def accept(invitation: Invitation, name: str, password: str, address: str | None = None) -> Person:
    """Accept an invitation (`invitations.accept`), and with it the work that waits for that. Never commits."""
    person, membership = invitations.accept(invitation, name, password, address)
    row = db.session.scalar(
        select(Handover)
        .where(Handover.invitation_id == invitation.id, Handover.done_at.is_(None), Handover.undone_at.is_(None))
        .with_for_update()
    )
    if row is not None:
        before = coordinators.living(row.facility_id, row.from_person)
        row.to_person, row.to_name = person.id, person.name
        if before is None or row.from_person == person.id:
            # Who would hand over is gone already: nothing is left to end.
            row.undone_at, row.undone_by = _now(), row.made_by
            db.session.flush()
        else:
            _complete(row, before, membership)
    return person


def undo(facility_id: int, handover_id: int, person_id: int) -> Handover:
    """Within a day: the one before is coordinator again; a role that began with the handover ends. Never commits.

    Raises NotFound, CannotBeUndone.
    """
    coordinators.lock(facility_id)
    row = find(facility_id, handover_id)
    db.session.refresh(row, with_for_update=True)
    if row.undone_at is not None:
        return row
    if not may_be_undone(row):
        raise CannotBeUndone()
    person = db.session.get_one(Person, row.from_person)
    if not person.is_active or person.id == person_id or coordinators.living(facility_id, person.id) is not None:
        raise CannotBeUndone()
    membership = memberships.grant(person, Role.COORDINATOR, facility_id=facility_id, granted_by=person_id)
    if row.given_role is not None:
        memberships.revoke(row.given_role)
    row.undone_at, row.undone_by = _now(), person_id
    db.session.flush()
    _note("handover.undone", row, person_id)
    coordinators.tell_office("coordinator_handover_undone", membership)
    return row


def drop_waiting(invitation_id: int, person_id: int) -> None:
    """An invitation was taken back: so is the handover that waits for it. Never commits."""
    row = db.session.scalar(
        select(Handover).where(Handover.invitation_id == invitation_id, Handover.done_at.is_(None)).with_for_update()
    )
    if row is not None and row.undone_at is None:
        row.undone_at, row.undone_by = _now(), person_id
        db.session.flush()
        _note("handover.withdrawn", row, person_id)


def withdraw(facility_id: int, invitation_id: int, person_id: int) -> Invitation:
    """Take an invitation back, and the handover that waits for it. Never commits. Raises as `invitations.withdraw`."""
    row = invitations.withdraw(facility_id, invitation_id, person_id)
    drop_waiting(invitation_id, person_id)
    return row


def may_be_undone(row: Handover) -> bool:
    """Whether it is done and not older than a day."""
    return row.done_at is not None and row.undone_at is None and _now() - row.done_at < UNDO


def find(facility_id: int, handover_id: int) -> Handover:
    """One of the facility's. Raises NotFound for another's."""
    row = db.session.get(Handover, handover_id)
    if row is None or row.facility_id != facility_id:
        raise NotFound()
    return row


def handovers(facility_id: int, limit: int = 20) -> list[Handover]:
    """The facility's, the latest first."""
    query = select(Handover).where(Handover.facility_id == facility_id).order_by(Handover.id.desc())
    return list(db.session.scalars(query.limit(limit)))


def counts_of(row: Handover) -> Counts:
    """What passed on with a handover that is done; of one that waits: what there is now."""
    return Counts(**row.counts) if row.counts else counts(row.facility_id, row.from_person)


def _check(before: Membership) -> None:
    if coordinators.living(before.facility_id or 0, before.person_id) is None:
        raise Invalid({"to": _l("Koordinator ini sudah tidak bertugas di sini.")})


def _row(facility_id: int, before: Membership, made_by: int, *, to: Person | None = None, name: str = "") -> Handover:
    row = Handover(
        facility_id=facility_id,
        from_person=before.person_id,
        from_name=db.session.get_one(Person, before.person_id).name,
        to_person=to.id if to else None,
        to_name=to.name if to else name,
        made_by=made_by,
    )
    db.session.add(row)
    return row


def _complete(row: Handover, before: Membership, given: Membership | None) -> Handover:
    row.counts = asdict(counts(row.facility_id, row.from_person)) | {"views": _pass_views_on(row)}
    row.done_at, row.ended_role, row.given_role = _now(), before.id, given.id if given else None
    memberships.revoke(before.id)
    db.session.flush()
    _note("handover.done", row, row.made_by)
    coordinators.tell_office("coordinator_handed_over", before)
    return row


def _views(facility_id: int, person_id: int | None) -> list[SavedView]:
    own = select(SavedView).where(SavedView.facility_id == facility_id, SavedView.person_id == person_id)
    return list(db.session.scalars(own.where(SavedView.deleted_at.is_(None)).order_by(SavedView.id)))


def _pass_views_on(row: Handover) -> int:
    """Whoever goes on has the views too, but for names that they gave themselves; how many. What is their own stays."""
    assert row.to_person is not None
    theirs = _views(row.facility_id, row.to_person)
    taken = {(view.list, view.name.lower()) for view in theirs}
    defaults = {view.list for view in theirs if view.is_default}
    passed = [view for view in _views(row.facility_id, row.from_person) if (view.list, view.name.lower()) not in taken]
    db.session.add_all(
        SavedView(
            person_id=row.to_person,
            facility_id=row.facility_id,
            list=view.list,
            name=view.name,
            query=view.query,
            is_default=view.is_default and view.list not in defaults,
        )
        for view in passed
    )
    db.session.flush()
    return len(passed)


def _done_already(before: Membership, after: Membership) -> Handover | None:
    """The handover that a repeated request asks for once more."""
    return db.session.scalar(
        select(Handover).where(
            Handover.ended_role == before.id, Handover.to_person == after.person_id, Handover.undone_at.is_(None)
        )
    )


def _waiting(facility_id: int, person_id: int) -> Handover | None:
    return db.session.scalar(
        select(Handover).where(
            Handover.facility_id == facility_id,
            Handover.from_person == person_id,
            Handover.done_at.is_(None),
            Handover.undone_at.is_(None),
        )
    )


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _note(action: str, row: Handover, person_id: int) -> None:
    details = {"from": row.from_person, "to": row.to_person, "counts": row.counts}
    record(action, "handover", row.id, person_id=person_id, facility_id=row.facility_id, details=details)
