"""Beginning anew with the second factor: one administrator asks, another agrees, the owner is told.

Nobody asks or agrees for themselves; the database refuses it too. Nothing here commits.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, select

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.people import second_factor
from storefront.people.factor_models import FactorReset
from storefront.people.models import Person
from storefront.written import one_line

SHORTEST, LONGEST = 5, 300


class OwnReset(DomainError):
    """Somebody would ask or agree for their own phone, or agree to what they asked."""

    code, status = "four_eyes", 403
    message = _("Ini perlu dua administrator selain pemilik akun: minta rekan Anda.")


def waiting(person_id: int) -> FactorReset | None:
    """The reset that was asked for somebody and waits."""
    return db.session.scalar(_open().where(FactorReset.person_id == person_id))


def people_waiting() -> Select[int]:
    """Whose phone is asked to be set up anew, as a query."""
    return _open().with_only_columns(FactorReset.person_id)


def ask(person_id: int, reason: str, by: int) -> FactorReset:
    """Ask that somebody may set up a phone anew; asked once more it is the same.

    Raises Invalid (`reason`), OwnReset.
    """
    if person_id == by:
        raise OwnReset()
    reason = one_line(reason)
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Invalid({"reason": _("Tulis alasannya dengan 5 sampai 300 huruf, misalnya: ponsel hilang.")})
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    asked = waiting(person_id)
    if asked is None:
        asked = FactorReset(person_id=person_id, reason=reason, proposed_by=by)
        db.session.add(asked)
        db.session.flush()
        record("second_factor.reset_asked", "person", person_id, person_id=by, details={"reason": reason})
    return asked


def approve(person_id: int, reset_id: int, by: int) -> FactorReset:
    """A second person agrees: phone and paper end, and all sessions. Raises NotFound, OwnReset."""
    reset = _locked(person_id, reset_id)
    if by in (reset.proposed_by, reset.person_id):
        raise OwnReset()
    reset.approved_by, reset.approved_at = by, func.now()
    db.session.flush()
    second_factor.end(reset.person_id, by=by)
    return reset


def reject(person_id: int, reset_id: int, by: int) -> FactorReset:
    """It is not done; whoever asked may say so too. Raises NotFound."""
    reset = _locked(person_id, reset_id)
    reset.rejected_by, reset.rejected_at = by, func.now()
    db.session.flush()
    record("second_factor.reset_refused", "person", reset.person_id, person_id=by)
    return reset


def _locked(person_id: int, reset_id: int) -> FactorReset:
    own = _open().where(FactorReset.id == reset_id, FactorReset.person_id == person_id)
    reset = db.session.scalar(own.with_for_update())
    if reset is None:
        raise NotFound()
    return reset


def _open() -> Select[FactorReset]:
    return select(FactorReset).where(FactorReset.approved_at.is_(None), FactorReset.rejected_at.is_(None))
