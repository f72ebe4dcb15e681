"""Thanks to workshops in the curators' queue: the words and the city, no name and no order."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from storefront.aftercare.models import ThankYou
from storefront.extensions import db
from storefront.moderation.kinds import Kind, Shown, register
from storefront.orders.models import Order


def shown(ids: Iterable[int]) -> dict[int, Shown]:
    """Thanks with the first thing that was bought."""
    rows = db.session.execute(
        select(ThankYou, Order).join(Order, Order.id == ThankYou.order_id)
        .where(ThankYou.id.in_(list(ids)), ThankYou.erased_at.is_(None))
    )  # fmt: skip
    return {
        thanks.id: Shown(
            thanks.words or "",
            language=thanks.locale,
            product_title=order.lines[0].title,
            city=thanks.city,
            is_buyer=True,
            is_private=True,
        )
        for thanks, order in rows
    }


def apply(thanks_id: int, is_public: bool) -> None:
    """Let its workshops read it, or not."""
    thanks = db.session.get_one(ThankYou, thanks_id, with_for_update=True)
    thanks.is_shown = is_public and thanks.erased_at is None
    db.session.flush()


register(Kind("thank_you", shown, apply))
