"""What is offered at what price: changes that show at once, also on a published product."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from storefront.catalogue.models import Variant
from storefront.errors import Invalid

#: Rupiah; the database checks the same.
MOST = 1_000_000_000
LONGEST_LEAD = 365


@dataclass(frozen=True)
class OfferChange:
    """What a change did: before and after, for the audit trail."""

    before: dict[str, int | None]
    after: dict[str, int | None]

    def __bool__(self) -> bool:
        return self.before != self.after


def change_offer(variant: Variant, *, price: int, lead_time_days: int | None) -> OfferChange:
    """Set a variant's price (rupiah) and, for one made to order, its lead time in days.

    Orders already placed keep the price they were placed at. Raises `Invalid` with the field at fault.
    """
    if not 1 <= price <= MOST:
        raise Invalid({"price": _("Tulis harga dalam rupiah, dari 1 sampai satu miliar.")})
    if variant.made_to_order and (lead_time_days is None or not 1 <= lead_time_days <= LONGEST_LEAD):
        raise Invalid({"lead_time_days": _("Tulis lama pengerjaan dalam hari, dari 1 sampai 365.")})
    before: dict[str, int | None] = {"price": variant.price, "lead_time_days": variant.lead_time_days}
    variant.price = price
    if variant.made_to_order:
        variant.lead_time_days = lead_time_days
    return OfferChange(before, {"price": variant.price, "lead_time_days": variant.lead_time_days})
