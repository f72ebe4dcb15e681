"""The buyer's data of orders: kept for the order's sake, forgotten without touching a sum."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select, update

from storefront.days import accounting_day
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.orders.models import (
    Order,
    OrderAddress,
    OrderContact,
    OrderNote,
    OrderState,
    Parcel,
    ParcelState,
)
from storefront.orders.report_window import Windows
from storefront.orders.views import OrderView, order_view
from storefront.payments.models import Refund
from storefront.people import personal_data
from storefront.people.held_data import person_of
from storefront.people.personal_data import Subject, Waits
from storefront.shipping.addresses import ADDRESS_FIELDS

#: A parcel in one of these needs nobody's address any more.
ENDED = (ParcelState.RECEIVED, ParcelState.RETURNED, ParcelState.CANCELLED)
#: Refunds that are not through: their shopper must be reached.
OPEN_REFUNDS = ("proposed", "requested", "pending", "by_bank", "failed")


def order_ids(who: Subject) -> list[int]:
    """The orders of somebody: placed with their address, or signed in with it; or the one order that they hold."""
    if who.order_id is not None:
        return [who.order_id]
    person = person_of(who)
    own = or_(OrderContact.email == who.email, Order.person_id == (person.id if person else -1))
    query = select(Order.id).outerjoin(OrderContact, OrderContact.order_id == Order.id).where(own)
    return list(db.session.scalars(query.order_by(Order.id)))


@personal_data.holder
class Orders:
    """Contact and address of each order, and what it says of its buyer."""

    name = "orders"
    title = _l("Pesanan")
    covers = frozenset(
        {
            *(f"order_contacts.{column}" for column in ("name", "email", "phone", "network")),
            *(f"order_addresses.{column}" for column in ADDRESS_FIELDS),
            *("order_notes.gift_note", "order_notes.note"),
            "orders.person_id",
        }
    )

    def export(self, who: Subject) -> list[dict[str, Any]]:
        orders = db.session.scalars(select(Order).where(Order.id.in_(order_ids(who))).order_by(Order.id))
        return [_written(order_view(order, locale=order.locale)) for order in orders]

    def waits(self, who: Subject) -> list[Waits]:
        ids = _unerased(order_ids(who))
        return [*_unpaid(ids), *_under_way(ids), *_refunds(ids)]

    def forget(self, who: Subject, held: frozenset[int]) -> int:
        ids = [order_id for order_id in _unerased(order_ids(who)) if order_id not in held]
        nothing = dict.fromkeys(("name", "email", "phone", "network"))
        db.session.execute(
            update(OrderContact)
            .where(OrderContact.order_id.in_(ids), OrderContact.erased_at.is_(None))
            .values(**nothing, erased_at=func.now())
        )
        db.session.execute(
            update(OrderAddress)
            .where(OrderAddress.order_id.in_(ids), OrderAddress.erased_at.is_(None))
            .values(**dict.fromkeys(ADDRESS_FIELDS), erased_at=func.now())
        )
        db.session.execute(
            update(OrderNote)
            .where(OrderNote.order_id.in_(ids), OrderNote.erased_at.is_(None))
            .values(gift_note=None, note=None, erased_at=func.now())
        )
        db.session.execute(update(Order).where(Order.id.in_(ids)).values(person_id=None))
        db.session.expire_all()
        return len(ids)


def _unerased(ids: Iterable[int]) -> list[int]:
    """Those of which anything is left."""
    query = (
        select(Order.id)
        .outerjoin(OrderContact, OrderContact.order_id == Order.id)
        .outerjoin(OrderAddress, OrderAddress.order_id == Order.id)
        .where(Order.id.in_(list(ids)))
        .where(
            or_(
                (OrderContact.order_id.is_not(None)) & (OrderContact.erased_at.is_(None)),
                (OrderAddress.order_id.is_not(None)) & (OrderAddress.erased_at.is_(None)),
                Order.person_id.is_not(None),
            )
        )
    )
    return list(db.session.scalars(query.order_by(Order.id)))


def _unpaid(ids: list[int]) -> list[Waits]:
    rows = db.session.scalars(
        select(Order).where(Order.id.in_(ids), Order.state == OrderState.AWAITING_PAYMENT.value)
    )
    return [
        Waits(
            _("Pesanan %(number)s menunggu pembayaran.", number=order.number),
            accounting_day(order.expires_at),
            order.id,
        )
        for order in rows
    ]


def _under_way(ids: list[int]) -> list[Waits]:
    """Orders with a parcel that still needs its address."""
    rows = db.session.execute(
        select(Parcel, Order.number)
        .join(Order, Order.id == Parcel.order_id)
        .where(
            Order.id.in_(ids),
            Order.state == OrderState.PAID.value,
            Parcel.state.not_in([state.value for state in ENDED]),
        )
        .order_by(Parcel.order_id, Parcel.position)
    ).all()
    latest: dict[tuple[int, str], datetime.date | None] = {}
    for parcel, number in rows:
        until, key = _needed_until(parcel), (parcel.order_id, number)
        known = latest.get(key, datetime.date.min)
        latest[key] = None if until is None or known is None else max(until, known)
    return [
        Waits(
            _("Pesanan %(number)s masih dikirim, dan kurir memerlukan nama dan alamatnya.", number=number),
            until,
            order_id,
        )
        for (order_id, number), until in latest.items()
    ]


def _needed_until(parcel: Parcel) -> datetime.date | None:
    """The day after which a parcel's address is not needed any more, as it looks now; None for a pickup."""
    if parcel.is_pickup:
        return None
    windows = Windows.load()
    if parcel.shipped_at is not None and parcel.state == ParcelState.SHIPPED:
        return windows.counts_as_received_on(parcel.shipped_at, parcel.days_max)
    if parcel.ready_by is None:
        return None
    after = windows.on(parcel.ready_by).received_after
    return parcel.ready_by + datetime.timedelta(days=parcel.days_max + after)


def _refunds(ids: list[int]) -> list[Waits]:
    rows = db.session.execute(
        select(Refund.order_id, Order.number)
        .join(Order, Order.id == Refund.order_id)
        .where(Refund.order_id.in_(ids), Refund.state.in_(OPEN_REFUNDS))
        .distinct()
    )
    return [
        Waits(_("Uang dari pesanan %(number)s sedang dikembalikan kepada Anda.", number=number), None, order_id)
        for order_id, number in rows
    ]


def _written(view: OrderView) -> dict[str, Any]:
    contact, address = view.contact, view.address
    told = db.session.scalars(select(Message).where(Message.order_id == view.id).order_by(Message.id))
    return {
        "number": view.number,
        "placed_at": view.placed_at.isoformat(),
        "paid_at": view.paid_at.isoformat() if view.paid_at else None,
        "status": view.status,
        "total": view.total,
        "refunded": view.refunded,
        "language": view.locale,
        "contact": {"name": contact.name, "email": contact.email, "phone": contact.phone} if contact else None,
        "address": {name: getattr(address, name) for name in ADDRESS_FIELDS} if address else None,
        "notes": {"gift": view.note.gift_note, "delivery": view.note.note} if view.note else None,
        "wants_news": view.wants_news,
        "parcels": [
            {
                "facility": parcel.facility_name,
                "status": parcel.status,
                "method": parcel.method_name,
                "shipping": parcel.shipping_amount,
                "courier": parcel.courier,
                "tracking": parcel.tracking,
                "lines": [
                    {
                        "title": line.title,
                        "variant": line.variant_title,
                        "quantity": line.quantity,
                        "price": line.unit_price,
                    }
                    for line in parcel.lines
                ],
            }
            for parcel in view.parcels
        ],
        "letters": [{"kind": message.kind, "at": message.created_at.isoformat()} for message in told],
    }
