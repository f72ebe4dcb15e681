"""Pieces that cannot be sent: a refund is proposed, and they are not packed until finance has decided.

Some of a parcel's pieces are put into a parcel of their own first, so that the others can leave; if finance says no,
that parcel is to pack again.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.orders import ship
from storefront.orders.models import Order, Parcel, ParcelLine, ParcelState
from storefront.orders.ship import WrongParcelState
from storefront.orders.split import locked, split_parcel, spoken_of
from storefront.payments.models import Refund
from storefront.refunds import refunds
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refundable import refundable

REASON = "cannot_fulfil"


def cannot_fulfil(
    parcel_id: int,
    pieces: Mapping[int, int],
    *,
    back: Mapping[int, str] | None = None,
    with_shipping: bool,
    note: str,
    person_id: int,
    facility_id: int,
    request_key: str,
) -> Refund:
    """Propose to give back `pieces` (by order line) of a parcel that has not left. Never commits.

    `back`: what becomes of a line's pieces (`restock`, or `none`: there are none). Shipping goes back `with_shipping`
    where nothing of the parcel is left. A packed parcel is to pack again. The same key gives the refund that it made.
    Raises Invalid, WrongParcelState, NotFound, Disputed.
    """
    parcel = locked(parcel_id)
    made: Refund | None = db.session.scalar(select(Refund).where(Refund.request_key == request_key))
    if made is not None and made.order_id == parcel.order_id:
        return made
    if parcel.facility_id != facility_id or parcel.merged_at is not None:
        raise NotFound()
    if parcel.state == ParcelState.PACKED:
        ship.unpack(parcel.id, person_id)
    if parcel.state != ParcelState.TO_PACK:
        raise WrongParcelState()
    wanted = {line_id: quantity for line_id, quantity in pieces.items() if quantity}
    if not wanted:
        raise Invalid({"pieces": _("Tulis berapa buah yang tidak dapat dipenuhi.")})
    is_whole = wanted == _free(parcel)
    target = parcel if is_whole else split_parcel(parcel.id, wanted, person_id, request_key)
    shipping = _shipping(parcel) if is_whole and with_shipping else {}
    return refunds.propose(
        parcel.order_id,
        [
            LineWish(line_id, quantity, pieces=(back or {}).get(line_id, "none"), parcel_id=target.id)
            for line_id, quantity in sorted(wanted.items())
        ],
        shipping=shipping,
        reason=REASON,
        note=note,
        person_id=person_id,
        may_decide=False,
        facility_ids=[facility_id],
        request_key=request_key,
    )


def _free(parcel: Parcel) -> dict[int, int]:
    """Pieces of the parcel that no refund speaks of yet, by order line."""
    gone = spoken_of([parcel.id])
    rows = db.session.execute(
        select(ParcelLine.order_line_id, ParcelLine.quantity).where(ParcelLine.parcel_id == parcel.id)
    )
    free = {row.order_line_id: row.quantity - gone.get(row.order_line_id, 0) for row in rows}
    return {line_id: quantity for line_id, quantity in free.items() if quantity > 0}


def _shipping(parcel: Parcel) -> dict[int, int]:
    left = refundable(db.session.get_one(Order, parcel.order_id))
    amount = left.parcels[parcel.id].amount if left else 0
    return {parcel.id: amount} if amount else {}
