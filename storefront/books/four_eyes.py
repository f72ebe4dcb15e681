"""Who proposes does not approve (PRODUCT.md, money rule 8). The database refuses it too; here it is explained."""

from __future__ import annotations

import datetime
from typing import Any, Protocol, TypeVar

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from storefront.audit.record import dated_at
from storefront.errors import DomainError, NotFound
from storefront.extensions import db


class Proposed(Protocol):
    """What one person writes down and another decides on."""

    approved_at: Any
    rejected_at: Any


P = TypeVar("P", bound=Proposed)


class FourEyes(DomainError):
    """The same person would decide on what they did."""

    code, status = "four_eyes", 409
    message = _(
        "Yang mengusulkan tidak boleh menyetujui. Minta orang kedua yang berwenang untuk menyetujuinya."
    )


class Decided(DomainError):
    """Somebody has taken this step, or another one, before."""

    code, status = "decided", 409
    message = _("Ini sudah diputuskan sebelumnya. Muat ulang halaman untuk melihat keadaannya sekarang.")


def require_second(first_person: int | None, person_id: int, message: object = None) -> None:
    """Return only if `person_id` is somebody else than who took the first step. Raises FourEyes."""
    if first_person == person_id:
        raise FourEyes(message)


def undecided(kind: type[P], proposal_id: int) -> P:
    """A proposal that nobody has decided on, locked until the transaction ends. Raises NotFound, Decided."""
    found = db.session.get(kind, proposal_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    if found.approved_at is not None or found.rejected_at is not None:
        raise Decided()
    return found


def moment(at: datetime.datetime | None) -> datetime.datetime:
    """`at`, or now by the database's clock; history that is written down later names its own moment."""
    at = at or dated_at()
    if at is not None:
        return at
    now: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return now
