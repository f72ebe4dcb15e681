"""How each parcel of a cart goes to its buyer: what may be chosen, and what is chosen."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask_babel import lazy_gettext as _

from storefront.cart.problems import NotSentThere
from storefront.cart.view import CartView, ParcelGoods
from storefront.days import today
from storefront.errors import Invalid, NotDeliveredThere
from storefront.facilities.working_days import calendars
from storefront.shipping import stand_offers, stands
from storefront.shipping.addresses import MISSING, DeliveryAddress
from storefront.shipping.destinations import destination_for
from storefront.shipping.quote import Option, ParcelQuote
from storefront.shipping.rates import pickup_only, quote


def quotes(view: CartView, address: DeliveryAddress | None) -> dict[int, ParcelQuote]:
    """For each facility of the cart what may be chosen. Without an address that is what is collected alone.

    Raises `Invalid` on `address.province` when there is no such province.
    """
    if address is None:
        return with_stands(view, pickup_only(view.pieces))
    destination = destination_for(address.province, address.city, address.district, address.postal_code)
    return with_stands(view, quote(view.pieces, destination))


def with_stands(view: CartView, quotes: Mapping[int, ParcelQuote]) -> dict[int, ParcelQuote]:
    """The same with the fairs at whose stand the goods can be on its last day, if they are paid today."""
    day = today()
    found = stand_offers.offered(view.pieces, day)
    days = calendars(found, day) if found else {}
    offered = dict(quotes)
    for parcel in view.parcels:
        facility_id = parcel.facility.id
        if facility_id in found:
            leaves = parcel.leaves_on(day, days[facility_id])
            in_time = tuple(option for option in found[facility_id] if _is_in_time(option, leaves))
            offered[facility_id] = replace(quotes[facility_id], stands=in_time)
    return offered


def arrives_on(option: Option, leaves: datetime.date) -> datetime.date:
    """The day by which a parcel that leaves on a day is there or ready; at a stand not before the fair begins."""
    there = leaves + datetime.timedelta(days=option.days_max)
    return max(there, option.stand.starts_on) if option.stand else there


def _is_in_time(option: Option, leaves: datetime.date) -> bool:
    return option.stand is not None and arrives_on(option, leaves) <= option.stand.ends_on


def choose(
    view: CartView, offered: Mapping[int, ParcelQuote], chosen: Mapping[str, str], *, has_address: bool = True
) -> dict[int, Option]:
    """The option for each facility: the chosen one, else the cheapest delivery.

    Raises `NotDeliveredThere` with the lines that cannot go there while pickup is not chosen, and `Invalid`
    on `shipping.<code>` for a facility that is not in the cart or a method that is not offered; on the
    address's fields when a delivery is wanted and there is no address.
    """
    wrong: dict[str, Any] = {
        f"shipping.{code[:20]}": _("Tidak ada karya dari lapas ini di keranjang.")
        for code in chosen
        if code not in {parcel.facility.code for parcel in view.parcels}
    }
    refused: list[NotSentThere] = []
    options: dict[int, Option] = {}
    for parcel in view.parcels:
        parcel_quote, code = offered[parcel.facility.id], chosen.get(parcel.facility.code)
        option = parcel_quote.option(code) if code is not None else parcel_quote.cheapest
        if option is not None:
            options[parcel.facility.id] = option
        elif code is not None and code.startswith(stands.PREFIX):
            wrong[f"shipping.{parcel.facility.code}"] = _(
                "Kiriman ini tidak sempat lagi diambil di stan pameran itu. Pilih cara kirim lain."
            )
        elif parcel_quote.refused:
            refused += not_sent(parcel, parcel_quote)
        elif not has_address:
            wrong |= {f"address.{name}": sentence for name, sentence in MISSING.items() if name != "name"}
        else:
            wrong[f"shipping.{parcel.facility.code}"] = _("Cara kirim ini tidak tersedia untuk kiriman ini.")
    if wrong:
        raise Invalid(wrong)
    if refused:
        raise NotDeliveredThere([problem.members() for problem in refused])
    return options


def not_sent(parcel: ParcelGoods, parcel_quote: ParcelQuote) -> list[NotSentThere]:
    """The lines of a parcel that are not delivered to the quote's address."""
    code = parcel.facility.code
    return [
        NotSentThere(line.sku, code, line.scope) for line in parcel.lines if line.sku in parcel_quote.refused
    ]
