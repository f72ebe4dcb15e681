"""An order of a marketplace becomes one here: paid there, its fee kept there, its pieces gone from the shelf."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.books.fees import book_fee
from storefront.days import ACCOUNTING_ZONE
from storefront.errors import DomainError, ListingUnavailable, OutOfStock
from storefront.extensions import db
from storefront.ledger.split_rules import NoSplitRule
from storefront.marketplaces.judge import Judged
from storefront.marketplaces.models import Marketplace, MarketplaceFile, MarketplaceOrder
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Channel, Order
from storefront.orders.payment import open_payment
from storefront.orders.place import ParcelShipping, PricedLine, place
from storefront.shipping.rates import pickup_option

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('marketplace:' || :id || ':' || :number, 0))")


class NotBooked(DomainError):
    """The order cannot be booked; the sentence names the piece and says why."""

    code, status = "marketplace_not_booked", 409


def book(market: Marketplace, file: MarketplaceFile, sold: Judged) -> bool:
    """Book one order of the file, in the caller's transaction; False when its number is booked already.

    It was sold on the day that the marketplace says, at noon; where that month is closed it counts now. Shipping is
    the marketplace's own, and its parcels have left with it (`orders.hand_over`).

    Raises NotBooked, with nothing to be kept.
    """
    db.session.execute(ONE_AT_A_TIME, {"id": market.id, "number": sold.number})
    if booked(market.id, sold.number) is not None:
        return False
    assert sold.sold_on is not None
    sold_at = _moment(sold.sold_on)
    try:
        order = place(
            [PricedLine(line.variant_id, line.quantity, line.unit_price) for line in sold.lines],
            contact=None,
            address=None,
            shipping=_collected({line.facility_id for line in sold.lines}),
            channel=Channel.MARKETPLACE,
            gateway_name=market.gateway,
            placed_at=sold_at,
        )
    except OutOfStock as short:
        raise NotBooked(_said(short)) from None
    except ListingUnavailable as gone:
        names = ", ".join(str(line["sku"]) for line in gone.extra.get("lines", ()))
        raise NotBooked(_("Tidak dapat dijual pada tanggal itu: %(sku)s.", sku=names)) from None
    except NoSplitRule:
        raise NotBooked(_("Belum ada aturan pembagian hasil yang berlaku pada tanggal itu.")) from None
    payment = open_payment(order, market.gateway)
    result = record_payment(payment.id, reference=sold.number, amount=order.items_total, happened_at=sold_at)
    if result != "paid":
        raise RuntimeError(f"{market.code} {sold.number} came to {result}")
    book_fee(payment.id, sold.fee)
    db.session.add(
        MarketplaceOrder(
            order_id=order.id, marketplace_id=market.id, number=sold.number, file_id=file.id, sold_on=sold.sold_on
        )
    )
    db.session.flush()
    return True


def booked(marketplace_id: int, number: str) -> Order | None:
    """The order here that a marketplace's number was booked as."""
    return db.session.scalar(
        select(Order)
        .join(MarketplaceOrder, MarketplaceOrder.order_id == Order.id)
        .where(MarketplaceOrder.marketplace_id == marketplace_id, MarketplaceOrder.number == number)
    )


def _moment(day: datetime.date) -> datetime.datetime:
    noon = datetime.datetime.combine(day, datetime.time(12), ACCOUNTING_ZONE)
    now: datetime.datetime = db.session.execute(text("SELECT now()")).scalar_one()
    return min(noon, now)


def _collected(facility_ids: set[int]) -> dict[int, ParcelShipping]:
    method = pickup_option()
    if method is None:
        raise RuntimeError("there is no way to collect something")
    return {id_: ParcelShipping(method.method_id, True, 0, 0, 0) for id_ in facility_ids}


def _said(short: OutOfStock) -> str:
    return " ".join(
        _("Stok %(sku)s tinggal %(left)d, terjual %(wanted)d.", sku=line["sku"], left=line["available"],
          wanted=line["wanted"])
        for line in short.extra.get("lines", ())
    )  # fmt: skip
