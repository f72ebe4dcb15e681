"""Sell at a stand: an order whole on the spot, once for each key of the cashier's phone.

All of it is one transaction that the caller commits. Of two calls with one key the second waits for the first. A sale
in cash is paid, its pieces are sold and handed over in the same transaction; for one by code the caller starts the
payment after the commit (`orders.payment.start_payment`). A sale that was made without a line is never refused for
what has changed meanwhile: it becomes a conflict, kept whole until a person decides (`counter.conflicts`).
"""

from __future__ import annotations

import datetime
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.audit.record import dated_at
from storefront.catalogue.models import Product, Variant
from storefront.counter import tills
from storefront.counter.models import CounterConflict, CounterSale, Till
from storefront.counter.when import Moment, in_time
from storefront.counter.wish import SaleWish, WishedLine
from storefront.days import accounting_day
from storefront.display import format_day
from storefront.errors import (
    DomainError,
    IdempotencyMismatch,
    Invalid,
    ListingUnavailable,
    OutOfStock,
    PriceChanged,
)
from storefront.exhibitions.models import Exhibition
from storefront.exhibitions.prices import stand_price
from storefront.extensions import db
from storefront.ledger.book import AccountKey
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Channel, Order
from storefront.orders.numbers import new_payment_id
from storefront.orders.payment import open_payment
from storefront.orders.place import ParcelShipping, PricedLine, place
from storefront.payments.gateway import current_gateway
from storefront.payments.models import Payment
from storefront.payments.said import CASH
from storefront.shipping.models import ShippingMethod
from storefront.stock.levels import stand_location_id

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('counter.sale:' || :fair || ':' || :key, 0))")


class FairNotRunning(DomainError):
    """Nothing is sold at a stand before the first or after the last day of its fair."""

    code, status = "fair_not_running", 409

    def __init__(self, fair: Exhibition) -> None:
        super().__init__(
            _(
                "Pameran ini berlangsung %(first)s sampai %(last)s; di luar itu tidak ada penjualan di stan.",
                first=format_day(fair.starts_on),
                last=format_day(fair.ends_on),
            )
        )


@dataclass(frozen=True)
class Item:
    """A code of the stand: what it is, and what it costs there on the day."""

    variant_id: int
    facility_id: int
    made_to_order: bool
    price: int


@dataclass(frozen=True)
class Sold:
    """A sale and its order; `payment` while it is to be paid by code."""

    sale: CounterSale
    order: Order
    payment: Payment | None


def sell(
    exhibition: Exhibition, wish: SaleWish, key: str, cashier_id: int, *, locale: str = "id"
) -> Sold | CounterConflict:
    """Sell what the phone says, or give what the same key made before. Never commits.

    Raises IdempotencyMismatch; TillClosed; Invalid; and for a sale with a line OutOfStock, PriceChanged,
    ListingUnavailable, FairNotRunning. After any of them the caller rolls back.
    """
    db.session.execute(ONE_AT_A_TIME, {"fair": exhibition.id, "key": key})
    before = sold_before(exhibition.id, key, wish.digest())
    if before is not None:
        return before
    moment = in_time(
        exhibition, tills.sessions_for(exhibition.id, wish.till, cashier_id), wish.phone_at, dated_at()
    )
    if wish.phone_at is None:
        if moment.session.closed_at is not None:
            raise tills.TillClosed()
        if not exhibition.starts_on <= accounting_day(moment.at) <= exhibition.ends_on:
            raise FairNotRunning(exhibition)
        return _sell(exhibition, wish, key, cashier_id, moment, locale)
    try:
        with db.session.begin_nested():
            return _sell(exhibition, wish, key, cashier_id, moment, locale)
    except Misfit as misfit:
        return _keep(exhibition, wish, key, cashier_id, moment, misfit.reason)
    except PriceChanged:
        return _keep(exhibition, wish, key, cashier_id, moment, "price")
    except OutOfStock:
        return _keep(exhibition, wish, key, cashier_id, moment, "stock")
    except ListingUnavailable:
        return _keep(exhibition, wish, key, cashier_id, moment, "unavailable")


class Misfit(Exception):
    """A queued sale does not fit what is known here."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def sold_before(exhibition_id: int, key: str, digest: bytes) -> Sold | CounterConflict | None:
    """What the key made before. Raises IdempotencyMismatch when that was something else."""
    sale = db.session.scalar(
        select(CounterSale).where(CounterSale.exhibition_id == exhibition_id, CounterSale.key == key)
    )
    conflict = None if sale else db.session.scalar(
        select(CounterConflict).where(CounterConflict.exhibition_id == exhibition_id, CounterConflict.key == key)
    )
    found: CounterSale | CounterConflict | None = sale or conflict
    if found is None:
        return None
    if not hmac.compare_digest(found.request_hash, digest):
        raise IdempotencyMismatch()
    if isinstance(found, CounterConflict):
        return found
    order = db.session.get_one(Order, found.order_id)
    newest = select(Payment).where(Payment.order_id == order.id).order_by(Payment.created_at.desc()).limit(1)
    return Sold(found, order, None if found.payment == CASH else db.session.execute(newest).scalar_one())


def items(exhibition_id: int, skus: Sequence[str], day: datetime.date) -> dict[str, Item]:
    """What the codes are, with the stand's prices of a day; an unknown one is left out."""
    rows = db.session.execute(
        select(Variant.sku, Variant.id, Product.facility_id, Variant.made_to_order)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.sku.in_(set(skus)))
    ).all()
    prices = stand_price(exhibition_id, [row.id for row in rows], day)
    return {row.sku: Item(row.id, row.facility_id, row.made_to_order, prices[row.id][0]) for row in rows}


def write_sale(
    exhibition: Exhibition,
    lines: Sequence[tuple[WishedLine, Item]],
    *,
    moment: Moment,
    cashier_id: int,
    key: str,
    digest: bytes,
    payment: str,
    tendered: int | None,
    phone_at: datetime.datetime | None,
    locale: str = "id",
) -> Sold:
    """The order of a sale at the prices of its lines, paid and handed over when in cash; and the sale itself.

    Raises OutOfStock, ListingUnavailable.
    """
    stand = stand_location_id(exhibition.id)
    if made := [line for line, item in lines if item.made_to_order]:
        # Nothing is made on the spot: there is none of it here.
        raise OutOfStock([{"sku": line.sku, "wanted": line.quantity, "available": 0} for line in made])
    by_cash = payment == CASH
    order = place(
        [PricedLine(item.variant_id, line.quantity, line.unit_price or item.price, stand) for line, item in lines],
        contact=None,
        address=None,
        shipping=_handed_over({item.facility_id for _line, item in lines}),
        channel=Channel.COUNTER,
        exhibition_id=exhibition.id,
        locale=locale,
        gateway_name=None if by_cash else current_gateway().name,
        placed_at=moment.at,
    )
    total = order.items_total + order.shipping_total
    sale = CounterSale(
        order_id=order.id,
        exhibition_id=exhibition.id,
        session_id=moment.session.id,
        cashier_id=cashier_id,
        key=key,
        request_hash=digest,
        payment=payment,
        tendered=tendered,
        change=max(0, (tendered or 0) - total) if by_cash else None,
        sold_at=moment.at,
        phone_at=phone_at,
        received_at=moment.now,
        is_late=moment.session.closed_at is not None,
    )
    db.session.add(sale)
    db.session.flush()
    if not by_cash:
        return Sold(sale, order, open_payment(order, current_gateway().name))
    _take_cash(order, total, moment)
    return Sold(sale, order, None)


def _sell(
    exhibition: Exhibition, wish: SaleWish, key: str, cashier_id: int, moment: Moment, locale: str
) -> Sold:
    known = items(exhibition.id, [line.sku for line in wish.lines], accounting_day(moment.at))
    lines = _known_lines(wish, known)
    changed = [
        {"sku": line.sku, "shown": line.unit_price, "price": item.price}
        for line, item in lines
        if line.unit_price not in (None, item.price)
    ]
    if changed:
        sentence = _("Harga di stan berubah. Muat ulang daftar harganya, lalu periksa jumlahnya.")
        raise PriceChanged(sentence, lines=changed)
    total = sum(item.price * line.quantity for line, item in lines)
    if wish.tendered is not None and wish.tendered < total:
        if wish.phone_at is not None:
            raise Misfit("price")
        raise Invalid({"tendered": _("Uang yang diterima kurang dari jumlahnya.")})
    return write_sale(
        exhibition,
        lines,
        moment=moment,
        cashier_id=cashier_id,
        key=key,
        digest=wish.digest(),
        payment=wish.payment,
        tendered=wish.tendered,
        phone_at=wish.phone_at,
        locale=locale,
    )


def _known_lines(wish: SaleWish, known: Mapping[str, Item]) -> list[tuple[WishedLine, Item]]:
    unknown = {
        f"lines.{number}.sku": _("Kode barang (SKU) ini tidak kami kenal.")
        for number, line in enumerate(wish.lines)
        if line.sku not in known
    }
    if unknown:
        raise Misfit("unknown_sku") if wish.phone_at is not None else Invalid(unknown)
    return [(line, known[line.sku]) for line in wish.lines]


def _handed_over(facility_ids: set[int]) -> dict[int, ParcelShipping]:
    method = db.session.scalars(
        select(ShippingMethod.id).where(ShippingMethod.kind == "pickup").order_by(ShippingMethod.position)
    ).first()
    if method is None:
        raise RuntimeError("there is no way to collect something")
    return {id_: ParcelShipping(method, True, 0, 0, 0) for id_ in facility_ids}


def _take_cash(order: Order, total: int, moment: Moment) -> None:
    payment = Payment(
        id=new_payment_id(),
        order_id=order.id,
        instalment_id=order.instalments[0].id,
        gateway=CASH,
        amount=total,
        expires_at=order.expires_at,
        created_at=moment.now,
    )
    db.session.add(payment)
    db.session.flush()
    till = db.session.get_one(Till, moment.session.till_id)
    result = record_payment(
        payment.id,
        reference=order.number,
        amount=total,
        happened_at=moment.at,
        at=dated_at(),
        paid_into=AccountKey(till.account, "asset"),
    )
    if result != "paid":
        raise RuntimeError(f"cash for {order.number} came to {result}")


def _keep(
    exhibition: Exhibition, wish: SaleWish, key: str, cashier_id: int, moment: Moment, reason: str
) -> CounterConflict:
    known = items(exhibition.id, [line.sku for line in wish.lines], accounting_day(moment.at))
    prices = {sku: item.price for sku, item in known.items()}
    asked = [(line, line.unit_price or prices.get(line.sku)) for line in wish.lines]
    lines = [{"sku": line.sku, "quantity": line.quantity, "unit_price": price} for line, price in asked]
    conflict = CounterConflict(
        exhibition_id=exhibition.id,
        session_id=moment.session.id,
        cashier_id=cashier_id,
        key=key,
        request_hash=wish.digest(),
        reason=reason,
        sold={"lines": lines, "tendered": wish.tendered},
        total=sum((price or 0) * line.quantity for line, price in asked),
        sold_at=moment.at,
        phone_at=wish.phone_at,
        received_at=moment.now,
        is_late=moment.session.closed_at is not None,
    )
    db.session.add(conflict)
    db.session.flush()
    return conflict


def of_order(order_id: int) -> Sold:
    """The sale of an order that is paid."""
    sale = db.session.get_one(CounterSale, order_id)
    return Sold(sale, db.session.get_one(Order, order_id), None)
