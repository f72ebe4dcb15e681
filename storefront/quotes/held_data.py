"""Who accepted a quote: shown to them, and forgotten; that it was accepted, and the order, stay."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from storefront.extensions import db
from storefront.orders.held_data import order_ids
from storefront.people import personal_data
from storefront.people.personal_data import Subject, Waits
from storefront.quotes.models import Quote, QuoteAcceptance


@personal_data.holder
class Acceptances:
    """Names under accepted quotes, by the orders that came of them."""

    name = "quotes"
    title = _l("Penawaran yang Anda setujui")
    covers = frozenset(
        {"quote_acceptances.name", "quote_acceptances.position", "quote_acceptances.institution"}
    )

    def export(self, who: Subject) -> list[dict[str, Any]]:
        rows = db.session.execute(
            select(QuoteAcceptance, Quote.number)
            .join(Quote, Quote.id == QuoteAcceptance.quote_id)
            .where(QuoteAcceptance.order_id.in_(order_ids(who)), QuoteAcceptance.erased_at.is_(None))
            .order_by(QuoteAcceptance.quote_id)
        )
        return [
            {
                "number": number,
                "accepted_at": row.accepted_at.isoformat(),
                "name": row.name,
                "position": row.position,
                "institution": row.institution,
            }
            for row, number in rows
        ]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        gone = db.session.execute(
            update(QuoteAcceptance)
            .where(
                QuoteAcceptance.order_id.in_(set(order_ids(who)) - held), QuoteAcceptance.erased_at.is_(None)
            )
            .values(name=None, position=None, institution=None, erased_at=func.now())
        )
        return int(getattr(gone, "rowcount", 0))
