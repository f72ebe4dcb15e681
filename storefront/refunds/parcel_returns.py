"""What came back of a parcel, or was never collected: each piece on the shelf again or written off, at once and once.

A refund may be asked for with it, and is for what nobody collected; what of the pieces is done here is not done again
by the refund.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.books.taken_back_models import RefundLine
from storefront.days import today
from storefront.display import format_date
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.orders import pickups
from storefront.orders.models import (
    Order,
    OrderLine,
    Parcel,
    ParcelLine,
    ParcelReturn,
    ParcelReturnLine,
    ParcelState,
    RefundPieces,
)
from storefront.orders.pickups import TooEarly
from storefront.orders.progress import tell_soon
from storefront.orders.ship import WrongParcelState
from storefront.orders.split import locked
from storefront.payments.models import Refund
from storefront.refunds import refunds
from storefront.refunds.refund_parts import LineWish
from storefront.refunds.refundable import refundable
from storefront.stock.adjust import move
from storefront.stock.models import MovementReason

REASON, NOT_COLLECTED = "returned", "not_collected"


@dataclass(frozen=True)
class Back:
    """Pieces of a line that came back: to the shelf, and written off."""

    restock: int = 0
    write_off: int = 0

    @property
    def pieces(self) -> int:
        return self.restock + self.write_off


@dataclass(frozen=True)
class Out:
    """A line of a parcel that has left, and how many of its pieces are still out."""

    order_line_id: int
    title: str
    variant_title: str
    sku: str
    pieces: int
    #: Made to order: there is no shelf for it.
    has_stock: bool


def still_out(parcel: Parcel) -> list[Out]:
    """The lines of a parcel with the pieces that have not come back."""
    returned = _sums(
        db.session.execute(
            select(ParcelReturnLine.order_line_id, func.sum(ParcelReturnLine.restock + ParcelReturnLine.write_off))
            .join(ParcelReturn, ParcelReturn.id == ParcelReturnLine.return_id)
            .where(ParcelReturn.parcel_id == parcel.id)
            .group_by(ParcelReturnLine.order_line_id)
        )
    )
    by_refund = _sums(
        db.session.execute(
            select(RefundPieces.order_line_id, func.sum(RefundPieces.quantity))
            .join(
                RefundLine,
                (RefundLine.refund_id == RefundPieces.refund_id)
                & (RefundLine.order_line_id == RefundPieces.order_line_id),
            )
            .join(Refund, Refund.id == RefundPieces.refund_id)
            .where(RefundPieces.parcel_id == parcel.id, RefundLine.pieces != "none", Refund.state != "rejected")
            .group_by(RefundPieces.order_line_id)
        )
    )
    rows = db.session.execute(
        select(OrderLine, ParcelLine.quantity)
        .join(ParcelLine, ParcelLine.order_line_id == OrderLine.id)
        .where(ParcelLine.parcel_id == parcel.id)
        .order_by(OrderLine.position)
    )
    return [
        Out(
            line.id,
            line.title,
            line.variant_title,
            line.sku,
            max(0, quantity - returned.get(line.id, 0) - by_refund.get(line.id, 0)),
            line.location_id is not None,
        )
        for line, quantity in rows
    ]


def _sums(rows: Iterable[Any]) -> dict[int, int]:
    return {row[0]: int(row[1]) for row in rows}


def receive_return(
    parcel_id: int,
    backs: Mapping[int, Back],
    *,
    note: str,
    ask_refund: bool,
    person_id: int,
    facility_id: int,
    request_key: str,
) -> ParcelReturn:
    """Write down what came back, move the stock, and (`ask_refund`) propose to give the money back. Never commits.

    The parcel counts as returned once all of it is back. The same key gives what it wrote down before. Raises
    Invalid, WrongParcelState, NotFound.
    """
    parcel = locked(parcel_id)
    made = _made_before(parcel, facility_id, request_key)
    if made is not None:
        return made
    if parcel.state not in (ParcelState.SHIPPED, ParcelState.RECEIVED):
        raise WrongParcelState()
    out = {line.order_line_id: line for line in still_out(parcel)}
    came = {line_id: back for line_id, back in backs.items() if back.pieces}
    _refuse(came, out, note)
    noted = _noted(parcel, came, note, person_id, request_key)
    if ask_refund and not _ask(parcel, came, REASON, note, person_id, facility_id, request_key):
        raise Invalid({"ask_refund": _("Uang untuk buah ini sudah dikembalikan atau sedang diproses.")})
    _note(parcel, came, out, person_id, "returned")
    return noted


def not_collected(
    parcel_id: int, backs: Mapping[int, Back], *, note: str, person_id: int, facility_id: int, request_key: str
) -> ParcelReturn:
    """Give up a parcel that lies ready: all its pieces back, and a refund of them proposed. Never commits.

    The same key gives what it wrote down before. Raises Invalid, WrongParcelState, NotFound, TooEarly.
    """
    parcel = locked(parcel_id)
    made = _made_before(parcel, facility_id, request_key)
    if made is not None:
        return made
    if parcel.state != ParcelState.READY:
        raise WrongParcelState()
    first = pickups.given_up_from(parcel)
    if today() < first:
        raise TooEarly(_("Pembelinya masih dapat datang. Catat tidak diambil mulai %(day)s.", day=format_date(first)))
    out = {line.order_line_id: line for line in still_out(parcel)}
    came = {line_id: back for line_id, back in backs.items() if back.pieces}
    _refuse(came, out, note)
    missing = {
        f"restock-{line_id}": _("Tulis untuk semua %(count)d buah: ke stok, atau dihapus.", count=line.pieces)
        for line_id, line in out.items()
        if line.pieces and (line_id not in came or came[line_id].pieces < line.pieces)
    }
    if missing:
        raise Invalid(missing)
    noted = _noted(parcel, came, note, person_id, request_key)
    _ask(parcel, came, NOT_COLLECTED, note, person_id, facility_id, request_key)
    _note(parcel, came, out, person_id, "not_collected")
    return noted


def _made_before(parcel: Parcel, facility_id: int, request_key: str) -> ParcelReturn | None:
    """What the same form wrote down. Raises NotFound for a parcel that is not the facility's."""
    made: ParcelReturn | None = db.session.scalar(select(ParcelReturn).where(ParcelReturn.request_key == request_key))
    if made is not None and made.parcel_id == parcel.id:
        return made
    if parcel.facility_id != facility_id or parcel.merged_at is not None:
        raise NotFound()
    return None


def _noted(parcel: Parcel, came: Mapping[int, Back], note: str, person_id: int, request_key: str) -> ParcelReturn:
    """Written down, and moved."""
    noted = ParcelReturn(parcel_id=parcel.id, noted_by=person_id, note=note.strip(), request_key=request_key)
    db.session.add(noted)
    db.session.flush()
    db.session.add_all(
        ParcelReturnLine(return_id=noted.id, order_line_id=line_id, restock=back.restock, write_off=back.write_off)
        for line_id, back in sorted(came.items())
    )
    db.session.flush()
    _move(noted.id, came, person_id)
    return noted


def _refuse(came: Mapping[int, Back], out: Mapping[int, Out], note: str) -> None:
    errors = {}
    if not came.keys() <= out.keys():
        raise NotFound()
    for line_id, back in came.items():
        line = out[line_id]
        if min(back.restock, back.write_off) < 0 or back.pieces > line.pieces:
            errors[f"restock-{line_id}"] = _("Paling banyak %(left)d buah yang masih di luar.", left=line.pieces)
        elif back.restock and not line.has_stock:
            errors[f"restock-{line_id}"] = _("Barang pesanan khusus tidak punya stok. Pilih hapus buku.")
    if not came:
        errors["pieces"] = _("Tulis berapa buah yang kembali.")
    if len(note) > 500:
        errors["note"] = _("Catatan paling panjang 500 huruf.")
    if errors:
        raise Invalid(errors)


def _move(return_id: int, came: Mapping[int, Back], person_id: int) -> None:
    """In the order of their levels, as every other movement of several."""
    lines = db.session.scalars(
        select(OrderLine)
        .where(OrderLine.id.in_(came), OrderLine.location_id.is_not(None))
        .order_by(OrderLine.variant_id, OrderLine.location_id)
    )
    for line in lines:
        assert line.location_id is not None
        source, where, back = f"return:{return_id}:line:{line.id}", (line.variant_id, line.location_id), came[line.id]
        move(*where, back.pieces, MovementReason.RETURNED, person_id=person_id, source=f"{source}:returned")
        move(*where, -back.write_off, MovementReason.DAMAGED, person_id=person_id, source=f"{source}:written_off")


def _ask(
    parcel: Parcel,
    came: Mapping[int, Back],
    reason: str,
    note: str,
    person_id: int,
    facility_id: int,
    request_key: str,
) -> bool:
    """Propose to give back what of these pieces was not given back before; whether there was any."""
    left = refundable(db.session.get_one(Order, parcel.order_id))
    wishes = []
    for line_id, back in sorted(came.items()):
        line = left.lines[line_id] if left else None
        pieces = min(back.pieces, line.quantity) if line and line.amount else 0
        if pieces:
            wishes.append(LineWish(line_id, pieces, parcel_id=parcel.id))
    if not wishes:
        return False
    refunds.propose(
        parcel.order_id,
        wishes,
        reason=reason,
        note=note,
        person_id=person_id,
        may_decide=False,
        facility_ids=[facility_id],
        request_key=f"{request_key[:60]}-r",
    )
    return True


def _note(parcel: Parcel, came: Mapping[int, Back], out: Mapping[int, Out], person_id: int, what: str) -> None:
    before = parcel.state
    is_whole = all(line.pieces == (came[line_id].pieces if line_id in came else 0) for line_id, line in out.items())
    if is_whole:
        parcel.state = ParcelState.RETURNED.value
        db.session.flush()
        tell_soon(parcel.order_id)
    details = {
        "from": before,
        "to": parcel.state,
        "restock": sum(back.restock for back in came.values()),
        "write_off": sum(back.write_off for back in came.values()),
    }
    record(
        f"parcel.{what}", "parcel", parcel.id, person_id=person_id, facility_id=parcel.facility_id, details=details
    )
