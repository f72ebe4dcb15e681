"""What a piece costs at a fair's stand on a day: the special price of the day, else what it costs anyway."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from sqlalchemy import and_, select

from storefront.catalogue.models import Variant
from storefront.exhibitions.models import ExhibitionPrice
from storefront.extensions import db

#: Rupiah for one piece, and the last day of a special price; None: its ordinary price.
StandPrice = tuple[int, datetime.date | None]


def stand_price(exhibition_id: int, variants: Iterable[int], day: datetime.date) -> dict[int, StandPrice]:
    """The price at the stand on `day`, by variant id, and until when a special one holds.

    A variant that does not exist is left out. A special price may also be above the ordinary one.
    """
    rows = db.session.execute(
        select(
            Variant.id, Variant.price, ExhibitionPrice.price.label("special"), ExhibitionPrice.to_day
        )
        .outerjoin(
            ExhibitionPrice,
            and_(
                ExhibitionPrice.exhibition_id == exhibition_id,
                ExhibitionPrice.variant_id == Variant.id,
                ExhibitionPrice.from_day <= day,
                ExhibitionPrice.to_day >= day,
            ),
        )
        .where(Variant.id.in_(list(variants)))
    )
    return {
        row.id: (row.price, None) if row.special is None else (row.special, row.to_day) for row in rows
    }
