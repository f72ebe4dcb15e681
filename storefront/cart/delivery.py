"""How each parcel of a cart goes to its buyer: what may be chosen, and what is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from storefront.cart.problems import NotSentThere
from storefront.cart.view import CartView, ParcelGoods
from storefront.errors import Invalid, NotDeliveredThere
from storefront.shipping.addresses import MISSING, DeliveryAddress
from storefront.shipping.destinations import destination_for
from storefront.shipping.quote import Option, ParcelQuote
from storefront.shipping.rates import pickup_only, quote


def quotes(view: CartView, address: DeliveryAddress | None) -> dict[int, ParcelQuote]:
    """For each facility of the cart what may be chosen. Without an address that is pickup alone.

    Raises `Invalid` on `address.province` when there is no such province.
    """
    if address is None:
        return pickup_only(view.pieces)
    destination = destination_for(address.province, address.city, address.district, address.postal_code)
    return quote(view.pieces, destination)


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
