"""A shopper calls parcels off that are paid and not packed yet: their money goes back, whole and by itself.

Either a parcel is packed or it is called off: both take its row's lock, and the database lets nothing go back by
itself but what was called off (`check_refund`). Pieces from the shelf are free again at once, whatever the money
takes; what becomes of it at the provider is `orders/refund.py` and `refunds/refund_outcome.py`, as for any refund.
"""

from __future__ import annotations

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.books.disputes import refuse_while_disputed
from storefront.books.taken_back_models import RefundLine, RefundParcel
from storefront.errors import DomainError, Invalid, OrderClosed
from storefront.extensions import db, defer
from storefront.mail.owe import owe
from storefront.orders.models import (
    Channel,
    Order,
    OrderLine,
    OrderState,
    Parcel,
    ParcelLine,
    ParcelState,
    RefundPieces,
)
from storefront.orders.progress import tell_soon
from storefront.orders.split import spoken_of
from storefront.payments.models import Refund
from storefront.refunds.refundable import Refundable, refundable
from storefront.stock.adjust import move
from storefront.stock.models import MovementReason

REASON = "cancelled"


class AlreadyPacked(DomainError):
    """A parcel was packed before it could be called off."""

    code, status = "already_packed", 409

    def __init__(self, positions: Collection[int]) -> None:
        named = ", ".join(str(position) for position in sorted(positions))
        super().__init__(
            _(
                "Kiriman %(numbers)s sudah dikemas, jadi tidak dapat dibatalkan lagi. "
                "Bila ada yang tidak sesuai setelah tiba, laporkan dari halaman pesanan.",
                numbers=named,
            )
        )


def cancel_parcels(order_id: int, positions: Collection[int]) -> Refund:
    """Call off the parcels at these positions of a paid order; the refund of all they hold, shipping included.

    Never commits. Raises Invalid (`parcels`) when none or an unknown one is named, AlreadyPacked when one of them
    is packed (then none is called off), OrderClosed for an order that is not paid, Disputed.
    """
    # The order first, as whoever records what became of its money does; a parcel's own steps lock the parcel alone.
    order = db.session.get_one(Order, order_id, with_for_update={"key_share": True}, populate_existing=True)
    if order.state != OrderState.PAID:
        raise OrderClosed()
    parcels = _locked(order_id, positions)
    left = refundable(order)
    if left is None:
        raise OrderClosed()
    if order.channel == Channel.QUOTE:
        raise OrderClosed(
            _("Pesanan dari penawaran dibuat khusus, jadi tidak dapat dibatalkan dari sini. Tulis ke lapasnya.")
        )
    refuse_while_disputed(left.payment_id)
    lines = _pieces(parcels, left)
    shipping = {parcel.id: left.parcels[parcel.id].amount for parcel in parcels if left.parcels[parcel.id].amount}
    for parcel in parcels:
        parcel.state = ParcelState.CANCELLED.value
    db.session.flush()
    refund = _refund(order, left.payment_id, lines, shipping)
    _put_back(refund, lines)
    for parcel in parcels:
        record(
            "parcel.cancelled",
            "parcel",
            parcel.id,
            facility_id=parcel.facility_id,
            details={"from": "to_pack", "to": "cancelled", "by": "shopper", "refund": refund.id},
        )
    owe("parcels_cancelled", order.id, key=f"refund:{refund.id}:parcels_cancelled")
    tell_soon(order.id)  # of what is left, all may have been sent by now
    return refund


def _locked(order_id: int, positions: Collection[int]) -> list[Parcel]:
    """The parcels, locked and still to pack."""
    wanted = set(positions)
    parcels = list(
        db.session.scalars(
            select(Parcel)
            .where(Parcel.order_id == order_id, Parcel.position.in_(wanted))
            .order_by(Parcel.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    if not wanted or len(parcels) != len(wanted):
        raise Invalid({"parcels": _("Pilih kiriman yang ingin Anda batalkan.")})
    packed = [
        parcel.position
        for parcel in parcels
        if parcel.state not in (ParcelState.TO_PACK, ParcelState.CANCELLED)
    ]
    if packed:
        raise AlreadyPacked(packed)
    if all(parcel.state == ParcelState.CANCELLED for parcel in parcels):
        raise OrderClosed(_("Kiriman ini sudah dibatalkan. Uangnya kembali lewat cara Anda membayar."))
    return [parcel for parcel in parcels if parcel.state == ParcelState.TO_PACK]


def _pieces(parcels: list[Parcel], left: Refundable) -> dict[int, tuple[int, int]]:
    """Pieces and rupiah of each line that lie in these parcels and were not given back otherwise."""
    pieces: dict[int, int] = {}
    for part in db.session.scalars(
        select(ParcelLine).where(ParcelLine.parcel_id.in_([parcel.id for parcel in parcels]))
    ):
        pieces[part.order_line_id] = pieces.get(part.order_line_id, 0) + part.quantity
    found = {}
    ids = [parcel.id for parcel in parcels]
    _refuse_while_decided(parcels[0].order_id, pieces, ids)
    gone = spoken_of(ids)
    for line_id, quantity in sorted(pieces.items()):
        line = left.lines[line_id]
        taken = min(quantity - gone.get(line_id, 0), line.quantity)
        if taken and (amount := line.price_of(taken)):
            found[line_id] = (taken, amount)
    return found


def _refund(
    order: Order, payment_id: str, lines: dict[int, tuple[int, int]], shipping: dict[int, int]
) -> Refund:
    amount = sum(part for _pieces, part in lines.values()) + sum(shipping.values())
    if not amount:
        raise OrderClosed(_("Uang untuk kiriman ini sudah dikembalikan. Hubungi kami bila belum Anda terima."))
    refund = Refund(payment_id=payment_id, order_id=order.id, amount=amount, reason=REASON, state="requested")
    db.session.add(refund)
    db.session.flush()
    db.session.add_all(
        RefundLine(refund_id=refund.id, order_line_id=line_id, quantity=quantity, amount=part, pieces="none")
        for line_id, (quantity, part) in lines.items()
    )
    db.session.add_all(
        RefundParcel(refund_id=refund.id, parcel_id=parcel_id, amount=part)
        for parcel_id, part in shipping.items()
    )
    db.session.flush()
    defer("orders.send_refund", refund_id=refund.id)
    details = {"after": {"state": "requested"}, "amount": amount, "reason": REASON}
    record("refund.requested", "refund", refund.id, details=details)
    return refund


def _put_back(refund: Refund, lines: dict[int, tuple[int, int]]) -> None:
    """Pieces from the shelf are there again. In the order of their levels, as every other movement of several."""
    rows = db.session.scalars(
        select(OrderLine)
        .where(OrderLine.id.in_(lines), OrderLine.location_id.is_not(None))
        .order_by(OrderLine.variant_id, OrderLine.location_id)
    )
    for line in rows:
        source = f"refund:{refund.id}:line:{line.id}:returned"
        assert line.location_id is not None
        move(line.variant_id, line.location_id, lines[line.id][0], MovementReason.RETURNED, source=source)


def _refuse_while_decided(order_id: int, line_ids: Collection[int], parcel_ids: Collection[int]) -> None:
    """Somebody has proposed to give back what lies in these parcels: their decision comes first."""
    pieces = select(RefundPieces.refund_id).where(RefundPieces.parcel_id.in_(parcel_ids))
    query = (
        select(Refund.id)
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .where(Refund.order_id == order_id, Refund.state == "proposed", RefundLine.order_line_id.in_(line_ids))
        .where((RefundLine.quantity == 0) | Refund.id.in_(pieces))
    )
    if db.session.scalar(query.limit(1)) is not None:
        raise OrderClosed(
            _("Bagian keuangan sedang memeriksa pengembalian uang untuk kiriman ini. Kabarnya datang lewat surel.")
        )
