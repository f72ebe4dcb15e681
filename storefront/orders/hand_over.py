"""What is bought at a stand is handed over on the spot, and what a marketplace has sold left with the marketplace: such
parcels are with the buyer the moment they are paid."""

from __future__ import annotations

import datetime

from sqlalchemy import update

from storefront.extensions import db
from storefront.orders.models import Parcel, ParcelState


def hand_over(order_id: int, at: datetime.datetime) -> None:
    """The parcels of an order that was just paid so are received, by the steps that every parcel takes."""
    db.session.flush()
    for state, known in (
        (ParcelState.PACKED, {"packed_at": at}),
        (ParcelState.READY, {"shipped_at": at}),
        (ParcelState.RECEIVED, {"received_at": at}),
    ):
        db.session.execute(
            update(Parcel).where(Parcel.order_id == order_id).values(state=state.value, **known),
            execution_options={"synchronize_session": "fetch"},
        )
