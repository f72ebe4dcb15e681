"""The number by which a second person says yes on somebody else's phone: six digits, kept as a hash, tries counted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.counter.models import CounterPin
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.people import attempts
from storefront.people.models import Membership, Person, Role
from storefront.people.passwords import hash_password, matches

PIN = re.compile(r"[0-9]{6}")


class SecondPersonNeeded(DomainError):
    """Whoever asked cannot agree; somebody else does, with their own PIN."""

    code, status = "second_person_needed", 403

    def __init__(self) -> None:
        super().__init__(_("Orang kedua harus orang lain: kasir lain di stan ini, atau keuangan."))


@dataclass(frozen=True)
class Agreeing:
    """Somebody who may agree, if they have set a PIN."""

    id: int
    name: str


def set_pin(person_id: int, pin: str, again: str) -> None:
    """Keep a person's PIN, typed twice; a new one takes the place of an old one. Raises Invalid."""
    if not PIN.fullmatch(pin):
        raise Invalid({"pin": _("PIN terdiri dari enam angka.")})
    if len(set(pin)) < 3 or pin in "01234567890 09876543210":
        raise Invalid({"pin": _("PIN ini terlalu mudah ditebak. Pilih angka lain.")})
    if pin != again:
        raise Invalid({"again": _("Kedua PIN tidak sama. Tulis lagi.")})
    known = upsert(CounterPin).values(person_id=person_id, pin_hash=hash_password(pin))
    db.session.execute(
        known.on_conflict_do_update(index_elements=["person_id"], set_={"pin_hash": known.excluded.pin_hash})
    )
    record("counter.pin_set", "person", person_id, person_id=person_id)


def has_pin(person_id: int) -> bool:
    """Whether a person has set one."""
    return db.session.get(CounterPin, person_id) is not None


def agreeing(exhibition_id: int, besides: int) -> list[Agreeing]:
    """Who may agree at this fair and has a PIN: its other cashiers, and finance; by name."""
    living = (Membership.valid_from <= db.func.now()) & (
        Membership.valid_until.is_(None) | (Membership.valid_until > db.func.now())
    )
    reaches = or_(
        (Membership.role == Role.CASHIER.value) & (Membership.exhibition_id == exhibition_id),
        (Membership.role == Role.FINANCE.value) & Membership.facility_id.is_(None),
    )
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(CounterPin, CounterPin.person_id == Person.id)
        .where(
            Person.id != besides,
            Person.is_active,
            select(Membership.id).where(Membership.person_id == Person.id, living, reaches).exists(),
        )
        .order_by(Person.name, Person.id)
    )
    return [Agreeing(row.id, row.name or "") for row in rows]


def agree(exhibition_id: int, asked_by: int, person_id: int | None, pin: str, network: str | None) -> int:
    """The id of the second person, once their PIN was right. Commits the try before it is judged.

    Raises SecondPersonNeeded for oneself or whoever may not agree here, Invalid for a wrong PIN, TooManyTries.
    """
    allowed = {one.id for one in agreeing(exhibition_id, asked_by)}
    if person_id is None or person_id not in allowed:
        raise SecondPersonNeeded()
    attempt = attempts.begin("pin", str(person_id), network)
    db.session.commit()
    attempts.check(attempt)
    kept = db.session.get(CounterPin, person_id)
    if kept is None or not matches(kept.pin_hash, pin):
        raise Invalid({"pin": _("PIN ini salah. Orang kedua menulisnya sendiri.")})
    attempts.succeed(attempt)
    return person_id
