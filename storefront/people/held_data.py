"""What is kept of people with an account, and of who asked about their own data."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, func, or_, select, update

from storefront.extensions import db
from storefront.people import letter_choices, personal_data
from storefront.people.factor_models import SecondFactor
from storefront.people.models import DataRequest, Invitation, LetterChoice, MailedLink, Person, Session
from storefront.people.passwords import NO_PASSWORD
from storefront.people.personal_data import Subject, Waits
from storefront.people.policy import is_staff


def person_of(who: Subject) -> Person | None:
    """The account of an address; an order's link alone opens no account."""
    if who.email is None:
        return None
    return db.session.scalar(select(Person).where(Person.email == who.email))


@personal_data.holder
class Accounts:
    """The account itself and the devices that are signed in."""

    name = "account"
    title = _l("Akun")
    covers = frozenset(
        {"people.email", "people.email_proven_at", "people.name", "people.password_hash", "sessions.user_agent"}
    )

    def export(self, who: Subject) -> list[dict[str, Any]]:
        person = person_of(who)
        if person is None:
            return []
        devices = db.session.scalars(select(Session).where(Session.person_id == person.id).order_by(Session.id))
        return [
            {
                "email": person.email,
                "name": person.name,
                "language": person.locale,
                "created_at": person.created_at.isoformat(),
                "email_proven_at": person.email_proven_at.isoformat() if person.email_proven_at else None,
                "roles": [member.role for member in person.memberships],
                "devices": [
                    {
                        "device": device.user_agent,
                        "signed_in_at": device.created_at.isoformat(),
                        "last_seen_at": device.last_seen_at.isoformat(),
                    }
                    for device in devices
                ],
            }
        ]

    def waits(self, who: Subject) -> list[Waits]:
        person = person_of(who)
        if person is None:
            return []
        if is_staff(person):
            return [Waits(_("Akun petugas Anda: mintalah administrator mengakhiri peran Anda dulu."))]
        if person.is_demo:
            return [Waits(_("Akun contoh ini: dipakai bersama oleh semua yang mencoba toko contoh."))]
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        if person is None or self.waits(who):
            return 0
        db.session.execute(delete(Session).where(Session.person_id == person.id))
        # Of who worked here once: the phone's secret.
        ended = func.coalesce(SecondFactor.ended_at, func.clock_timestamp())
        db.session.execute(
            update(SecondFactor).where(SecondFactor.person_id == person.id).values(secret=b"", ended_at=ended)
        )
        # The row stays: what others decided with it, and its orders' sums, name it by its number.
        person.email, person.name = f"erased-{person.id}@erased.invalid", "–"
        person.password_hash, person.is_active, person.email_proven_at = NO_PASSWORD, False, None
        db.session.flush()
        return 1


@personal_data.holder
class Requests:
    """That somebody asked about their data. Its own row is forgotten by `data_requests` when all else is."""

    name = "data_requests"
    title = _l("Permintaan tentang data Anda")
    covers = frozenset({"data_requests.email"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        # Asking alone makes nobody known: a question about nothing is no data of anybody.
        if who.email is None:
            return []
        query = select(DataRequest).where(DataRequest.email == who.email, DataRequest.erase_at.is_not(None))
        return [
            {"erasing_asked_at": row.erase_at.isoformat()}
            for row in db.session.scalars(query.order_by(DataRequest.id))
            if row.erase_at
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        return 0


@personal_data.holder
class Links:
    """Links that were mailed, for a day, and which letters an address does not want."""

    name = "letters"
    title = _l("Tautan masuk dan pilihan surat")
    covers = frozenset({"mailed_links.email", "mailed_links.former_email", "letter_choices.email"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        if who.email is None:
            return []
        links = db.session.scalars(select(MailedLink).where(_of_address(who.email)).order_by(MailedLink.id))
        wanted = db.session.scalars(select(LetterChoice).where(LetterChoice.email == who.email))
        return [
            *({"link": link.purpose, "asked_at": link.created_at.isoformat()} for link in links),
            *({"letter": choice.kind, "wanted": choice.wanted} for choice in wanted),
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        if who.email is None:
            return 0
        person = person_of(who)
        own = _of_address(who.email) | (MailedLink.person_id == (person.id if person else -1))
        gone = db.session.execute(delete(MailedLink).where(own))
        return int(getattr(gone, "rowcount", 0)) + letter_choices.forget(who.email)


@personal_data.holder
class Invitations:
    """That somebody was invited to work for a facility."""

    name = "invitations"
    title = _l("Undangan menjadi koordinator")
    covers = frozenset({"invitations.email", "invitations.name"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        if who.email is None:
            return []
        rows = db.session.scalars(select(Invitation).where(Invitation.email == who.email).order_by(Invitation.id))
        return [{"name": row.name, "invited_at": row.invited_at.isoformat()} for row in rows]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        person = person_of(who)
        if who.email is None or (person is not None and is_staff(person)):
            return 0
        rows = db.session.scalars(select(Invitation).where(Invitation.email == who.email).with_for_update()).all()
        for row in rows:
            # That there was one stays; a link that was not used opens nothing any more.
            row.email, row.name = f"erased-{row.id}@erased.invalid", "–"
            if row.accepted_at is None and row.withdrawn_at is None:
                row.withdrawn_at = db.session.scalar(select(func.now()))
        db.session.flush()
        return len(rows)


def _of_address(email: str) -> ColumnElement[bool]:
    return or_(MailedLink.email == email, MailedLink.former_email == email)
