"""Which form a file of payments has: proposed by one person, approved by another, every one before it kept."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.bank.payment_models import PaymentFileShape
from storefront.bank.payment_shape import Shape, checked
from storefront.books.four_eyes import moment, require_second, undecided
from storefront.errors import DomainError, Invalid
from storefront.extensions import db


class NoShape(DomainError):
    """Nobody has agreed on how the file is written."""

    code, status = "no_payment_shape", 409
    message = _l("Bentuk berkas pembayaran belum disetujui. Usulkan dulu, lalu minta orang kedua menyetujuinya.")


class ShapeWaits(DomainError):
    """One proposal at a time."""

    code, status = "payment_shape_waits", 409
    message = _l("Usulan bentuk berkas yang lain masih menunggu. Putuskan itu dulu.")


def in_force() -> PaymentFileShape:
    """The shape that was approved last. Raises NoShape."""
    found = find_in_force()
    if found is None:
        raise NoShape()
    return found


def find_in_force() -> PaymentFileShape | None:
    """The same, or None."""
    return db.session.scalar(
        select(PaymentFileShape)
        .where(PaymentFileShape.approved_at.is_not(None))
        .order_by(PaymentFileShape.approved_at.desc(), PaymentFileShape.id.desc())
        .limit(1)
    )


def history() -> Sequence[PaymentFileShape]:
    """All that were ever proposed, the latest first."""
    return db.session.scalars(select(PaymentFileShape).order_by(PaymentFileShape.id.desc()).limit(50)).all()


def propose(shape: Shape, person_id: int) -> PaymentFileShape:
    """Propose another form. Raises Invalid by field, ShapeWaits."""
    checked(shape)
    before = find_in_force()
    if before is not None and before.shape == shape.kept():
        raise Invalid({"columns": _("Bentuk ini sudah berlaku.")})
    found = PaymentFileShape(shape=shape.kept(), proposed_by=person_id, proposed_at=moment(None))
    try:
        with db.session.begin_nested():
            db.session.add(found)
            db.session.flush()
    except IntegrityError as refusal:
        if "payment_file_shapes_open" not in str(refusal.orig):
            raise
        raise ShapeWaits() from None
    _record(found, "proposed", person_id, before)
    return found


def approve(shape_id: int, person_id: int) -> PaymentFileShape:
    """A second person agrees: files are written so from now on. Raises FourEyes, Decided, NotFound."""
    found, before = undecided(PaymentFileShape, shape_id), find_in_force()
    require_second(found.proposed_by, person_id)
    found.approved_by, found.approved_at = person_id, moment(None)
    db.session.flush()
    _record(found, "approved", person_id, before)
    return found


def reject(shape_id: int, person_id: int) -> PaymentFileShape:
    """Decide against it, or take one's own proposal back. Raises Decided, NotFound."""
    found = undecided(PaymentFileShape, shape_id)
    found.rejected_by, found.rejected_at = person_id, moment(None)
    db.session.flush()
    _record(found, "rejected", person_id, None)
    return found



def _record(found: PaymentFileShape, what: str, person_id: int, before: PaymentFileShape | None) -> None:
    record(
        f"payment_shape.{what}",
        "payment_shape",
        found.id,
        person_id=person_id,
        details={"before": before.shape if before else None, "after": found.shape},
    )
