"""Take a movement by hand back: a counter-movement, told so in the history."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import aliased

from storefront.audit.record import record
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.stock import adjust
from storefront.stock.models import BY_HAND, StockLocation, StockMovement


class CannotUndo(DomainError):
    """The movement belongs to an order, a refund or a transfer, or is itself a counter-movement."""

    code, status = "cannot_undo", 409
    message = _("Perubahan ini tidak dicatat dengan tangan, jadi tidak dapat dibatalkan dari sini.")


#: Sources of movements that belong to something else, which would be wrong without them: money that went back, batches,
#: what was counted when it came to a stand or back from one.
OF_OTHERS = ("refund:", "recall:", "batch:", "arrival:")


def by_hand() -> ColumnElement[bool]:
    """Whether a movement was entered by a person and may be taken back."""
    return and_(
        StockMovement.reason.in_([reason.value for reason in BY_HAND]),
        StockMovement.undoes.is_(None),
        or_(StockMovement.source.is_(None), and_(*(not_(StockMovement.source.startswith(stem)) for stem in OF_OTHERS))),
    )


def undo(facility_id: int, movement_ids: Iterable[int], *, person_id: int) -> int:
    """Take these movements in the facility's store back; returns how many were, without those that already are.

    Raises NotFound for one that is not the facility's, CannotUndo, and NotEnoughStock when the pieces are gone:
    then none is to be kept.
    """
    ids = sorted(set(movement_ids))
    found = db.session.execute(
        select(StockMovement, by_hand())
        .join(StockLocation, StockLocation.id == StockMovement.location_id)
        .where(StockMovement.id.in_(ids), StockLocation.facility_id == facility_id)
        .order_by(StockMovement.variant_id, StockMovement.location_id, StockMovement.id)
    ).all()
    if len(found) != len(ids) or not ids:
        raise NotFound()
    done = 0
    for movement, may in found:
        if not may:
            raise CannotUndo()
        if not adjust.take_back(movement, person_id=person_id):
            continue
        done += 1
        details = {"movement": movement.id, "reason": movement.reason, "quantity": -movement.quantity}
        record(
            "stock.undone",
            "variant",
            movement.variant_id,
            person_id=person_id,
            facility_id=facility_id,
            details=details,
        )
    return done


def moved_together(facility_id: int, key: str) -> list[StockMovement]:
    """What one form with several variants (`adjust.move_several`) moved and nobody has taken back."""
    back = aliased(StockMovement)
    return list(
        db.session.scalars(
            select(StockMovement)
            .join(StockLocation, StockLocation.id == StockMovement.location_id)
            .outerjoin(back, back.undoes == StockMovement.id)
            .where(
                StockLocation.facility_id == facility_id,
                StockMovement.source.startswith(f"several:{key}:", autoescape=True),
                back.id.is_(None),
            )
            .order_by(StockMovement.id)
        )
    )
