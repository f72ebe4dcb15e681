"""What a new day changes for workshops: whose declaration begins or ends, and who is reminded that one will."""

from __future__ import annotations

import datetime

from sqlalchemy import Row, func, select, text, update

from storefront.days import today
from storefront.extensions import db, defer
from storefront.facilities.declaration_lists import SOON
from storefront.facilities.models import DeclarationReminder, Facility, Workshop
from storefront.mail.transport import send
from storefront.mail.write import address_of, letter
from storefront.people.models import Membership, Person, Role

#: An end is told once; while the office has the next declaration before it, there is nothing to be reminded of.
DUE = text(
    """
    INSERT INTO declaration_reminders (workshop_id, ends_on)
    SELECT w.id, e.ends_on FROM workshops w
      JOIN facilities f ON f.id = w.facility_id AND f.status = 'active'
     CROSS JOIN LATERAL (SELECT selling_ends_on(w.id, :today) AS ends_on) e
     WHERE e.ends_on <= CAST(:today AS date) + :days AND NOT EXISTS (
           SELECT FROM workshop_declarations p WHERE p.workshop_id = w.id AND p.state = 'proposed')
        ON CONFLICT DO NOTHING
    RETURNING workshop_id, ends_on"""
)


def refresh_listings() -> int:
    """List what may be sold since today, and take off what may not; returns how many products. Never commits."""
    return db.session.execute(text("SELECT refresh_declared_listings()")).scalar_one()


def refresh_paused() -> int:
    """Mark the listings of facilities that rest since today, and free those whose rest is over. Never commits."""
    return db.session.execute(text("SELECT refresh_paused_listings()")).scalar_one()


def queue_reminders() -> int:
    """Owe each facility a letter for every workshop that soon sells no more; returns how many. Never commits."""
    rows = db.session.execute(DUE, {"today": today(), "days": SOON}).all()
    for workshop_id, ends_on in rows:
        defer("catalogue.remind_of_declaration", workshop_id=workshop_id, ends_on=ends_on.isoformat())
    return len(rows)


def remind(workshop_id: int, ends_on: datetime.date) -> None:
    """Write to the facility's coordinators; commits. Raises MailNotTaken, and then writes to all of them again."""
    reminder = db.session.get(DeclarationReminder, (workshop_id, ends_on))
    if reminder is None or reminder.sent_at is not None:
        return
    found = db.session.execute(
        select(Workshop.name, Facility.code, Facility.name.label("facility"), Facility.id)
        .join(Facility, Facility.id == Workshop.facility_id)
        .where(Workshop.id == workshop_id)
    ).one()
    page = address_of(f"/seller/{found.code}/declarations")
    letters = [
        letter(
            "declaration_ends",
            f"declaration:{workshop_id}:{ends_on}:{person.id}",
            person.email,
            person.locale,
            workshop=found.name,
            facility=found.facility,
            ends_on=ends_on,
            page=page,
        )
        for person in _coordinators(found.id)
    ]
    db.session.rollback()  # nothing stays open while the mail server thinks
    for one in letters:
        send(one)
    db.session.execute(
        update(DeclarationReminder)
        .where(DeclarationReminder.workshop_id == workshop_id, DeclarationReminder.ends_on == ends_on)
        .values(sent_at=func.now())
    )
    db.session.commit()


def _coordinators(facility_id: int) -> list[Row[int, str, str]]:
    living = (Membership.valid_from <= func.now()) & (
        Membership.valid_until.is_(None) | (Membership.valid_until > func.now())
    )
    return list(
        db.session.execute(
            select(Person.id, Person.email, Person.locale)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.facility_id == facility_id, Membership.role == Role.COORDINATOR.value, living)
            .where(Person.is_active)
            .order_by(Person.id)
            .distinct()
        )
    )
