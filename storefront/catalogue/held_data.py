"""Addresses that wait for something to be back."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.catalogue import stock_alerts
from storefront.catalogue.models import StockAlert, Variant
from storefront.extensions import db
from storefront.people import personal_data
from storefront.people.personal_data import Subject, Waits


@personal_data.holder
class StockAlerts:
    """Deleted once the letter went, and when their owner wishes."""

    name = "stock_alerts"
    title = _l("Kabar stok yang Anda minta")
    covers = frozenset({"stock_alerts.email", "stock_alerts.network"})

    def export(self, who: Subject) -> list[dict[str, Any]]:
        rows = db.session.execute(
            select(Variant.sku, StockAlert.created_at)
            .join(Variant, Variant.id == StockAlert.variant_id)
            .where(StockAlert.email == who.email)
            .order_by(StockAlert.id)
        )
        return [{"sku": sku, "asked_at": asked_at.isoformat()} for sku, asked_at in rows]

    def waits(self, who: Subject) -> list[Waits]:
        return []

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        return stock_alerts.forget(who.email) if who.email else 0
