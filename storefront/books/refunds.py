"""Refunds that a person decides: by line and quantity, shipping, goodwill. `orders/refund.py` sends them.

Proposed by one person; above a limit, or asked for by a facility, approved by another. Sent by a job through
the gateway. Only when the provider confirms are the shares taken back, in the proportion in which they were
given (`money.take_back`), and the pieces put back or written off.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.books.disputes import refuse_while_disputed
from storefront.books.four_eyes import moment
from storefront.books.models import RefundLine, RefundParcel
from storefront.books.refundable import Refundable, refundable
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db, defer
from storefront.money import split
from storefront.orders.models import Order
from storefront.payments.models import Refund

#: From this many rupiah on, a second person approves.
SECOND_PERSON_FROM = 500_000
REASONS = ("cannot_fulfil", "returned", "damaged", "lost", "goodwill")
PIECES = ("none", "restock", "write_off")


class FourEyes(DomainError):
    code, status = "four_eyes", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Yang mengusulkan tidak boleh menyetujui. Minta orang kedua yang berwenang untuk menyetujuinya."
            )
        )


class RefundDecided(DomainError):
    code, status = "refund_decided", 409

    def __init__(self) -> None:
        super().__init__(_("Pengembalian ini sudah diputuskan. Muat ulang halaman untuk melihat keadaannya."))


@dataclass(frozen=True)
class LineWish:
    """What of a line shall go back: pieces, or (quantity 0) an amount out of goodwill."""

    order_line_id: int
    quantity: int = 0
    #: Rupiah; None: the price of the pieces.
    amount: int | None = None
    pieces: str = "none"


def propose(
    order_id: int,
    lines: Sequence[LineWish],
    *,
    shipping: dict[int, int] | None = None,
    goodwill: int = 0,
    reason: str,
    note: str = "",
    person_id: int,
    may_decide: bool = True,
    at: datetime.datetime | None = None,
) -> Refund:
    """Write a refund down, in the caller's transaction; it is sent at once when nobody else must approve.

    `shipping` maps parcels' ids to rupiah, `goodwill` is spread over the lines by what is left of each.
    `may_decide` is False for whoever may only ask (a facility); `at` is when it was written down, by default
    now. Raises Invalid, saying for each part what is
    left, and NotFound for an order that is not paid.
    """
    order = db.session.get(Order, order_id, with_for_update=True, populate_existing=True)
    left = refundable(order) if order is not None else None
    if order is None or left is None:
        raise NotFound()
    refuse_while_disputed(left.payment_id)
    parts = _parts(left, lines, goodwill)
    shipping = {parcel: amount for parcel, amount in (shipping or {}).items() if amount}
    _refuse(left, parts, shipping, reason, note)
    amount = sum(part.amount for part in parts) + sum(shipping.values())
    decided = may_decide and amount < SECOND_PERSON_FROM
    refund = Refund(
        payment_id=left.payment_id,
        order_id=order.id,
        amount=amount,
        reason=reason,
        note=note.strip(),
        state="requested" if decided else "proposed",
        proposed_by=person_id,
        requested_at=moment(at),
    )
    db.session.add(refund)
    db.session.flush()
    for part in parts:
        part.refund_id = refund.id
    db.session.add_all(parts)
    db.session.add_all(
        RefundParcel(refund_id=refund.id, parcel_id=parcel, amount=given)
        for parcel, given in shipping.items()
    )
    db.session.flush()
    if decided:
        defer("orders.send_refund", refund_id=refund.id)
    _record(refund, "proposed", person_id)
    return refund


def approve(refund_id: int, person_id: int, *, at: datetime.datetime | None = None) -> Refund:
    """A second person agrees; the money is sent. Raises FourEyes, RefundDecided, NotFound."""
    refund = _waiting(refund_id)
    if refund.proposed_by == person_id:
        raise FourEyes()
    refuse_while_disputed(refund.payment_id)
    refund.approved_by = person_id
    refund.approved_at = moment(at)
    refund.state = "requested"
    db.session.flush()
    defer("orders.send_refund", refund_id=refund.id)
    _record(refund, "approved", person_id)
    return refund


def reject(refund_id: int, person_id: int) -> Refund:
    """A second person, or who proposed it, decides against it. Raises RefundDecided, NotFound."""
    refund = _waiting(refund_id)
    refund.state, refund.finished_at = "rejected", moment(None)
    db.session.flush()
    _record(refund, "rejected", person_id)
    return refund


def try_again(refund_id: int, person_id: int) -> Refund:
    """Send a refund once more that the provider had refused. Raises RefundDecided, NotFound."""
    refund = db.session.get(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund is None:
        raise NotFound()
    if refund.state != "failed":
        raise RefundDecided()
    refuse_while_disputed(refund.payment_id)
    # The refused try keeps its reference at the provider; this one gets its own.
    refund.state, refund.finished_at, refund.reference, refund.failure = "requested", None, None, None
    refund.attempt += 1
    db.session.flush()
    defer("orders.send_refund", refund_id=refund.id)
    _record(refund, "sent_again", person_id)
    return refund


def _waiting(refund_id: int) -> Refund:
    refund = db.session.get(Refund, refund_id, with_for_update=True, populate_existing=True)
    if refund is None:
        raise NotFound()
    if refund.state != "proposed":
        raise RefundDecided()
    return refund


def _parts(left: Refundable, wishes: Sequence[LineWish], goodwill: int) -> list[RefundLine]:
    """One part for each line; goodwill is added to what its pieces bring."""
    parts: dict[int, RefundLine] = {}
    for wish in wishes:
        line = left.lines.get(wish.order_line_id)
        if line is None:
            raise NotFound()
        amount = wish.amount if wish.amount is not None else line.price_of(wish.quantity)
        if amount or wish.quantity:
            parts[line.id] = RefundLine(
                order_line_id=line.id, quantity=wish.quantity, amount=amount, pieces=wish.pieces
            )
    if goodwill > 0:
        rest = {
            line.id: line.amount - (parts[line.id].amount if line.id in parts else 0)
            for line in left.lines.values()
        }
        weights = [max(0, amount) for amount in rest.values()]
        if goodwill > sum(weights):
            raise Invalid(
                {
                    "goodwill": _(
                        "Paling banyak %(left)d rupiah yang masih dapat dikembalikan.", left=sum(weights)
                    )
                }
            )
        for line_id, amount in zip(rest, split(goodwill, weights), strict=True):
            if amount and line_id in parts:
                parts[line_id].amount += amount
            elif amount:
                parts[line_id] = RefundLine(order_line_id=line_id, quantity=0, amount=amount, pieces="none")
    return list(parts.values())


def _refuse(
    left: Refundable, parts: Sequence[RefundLine], shipping: dict[int, int], reason: str, note: str
) -> None:
    errors: dict[str, str] = {}
    if reason not in REASONS:
        errors["reason"] = _("Pilih alasan pengembalian.")
    if len(note) > 1000:
        errors["note"] = _("Catatan paling panjang 1.000 huruf.")
    for part in parts:
        line = left.lines[part.order_line_id]
        if not 0 <= part.quantity <= line.quantity:
            errors[f"quantity-{line.id}"] = _(
                "Paling banyak %(left)d buah yang belum dikembalikan.", left=line.quantity
            )
        if not 0 < part.amount <= line.amount:
            errors[f"amount-{line.id}"] = _(
                "Antara 1 dan %(left)d rupiah, sisa dari baris ini.", left=line.amount
            )
        if part.pieces not in PIECES or (part.quantity == 0 and part.pieces != "none"):
            errors[f"pieces-{line.id}"] = _("Pilih apa yang terjadi dengan barangnya.")
        if part.pieces == "restock" and line.location_id is None:
            errors[f"pieces-{line.id}"] = _("Barang pesanan khusus tidak punya stok. Pilih hapus buku.")
    for parcel_id, amount in shipping.items():
        most = left.shipping.get(parcel_id, 0)
        if not 0 < amount <= most:
            errors[f"shipping-{parcel_id}"] = _(
                "Antara 1 dan %(left)d rupiah, sisa ongkos kirim ini.", left=most
            )
    if not parts and not shipping and not errors:
        errors["lines"] = _("Pilih setidaknya satu barang, ongkos kirim, atau jumlah yang dikembalikan.")
    if errors:
        raise Invalid(errors)


def _record(refund: Refund, what: str, person_id: int) -> None:
    record(
        f"refund.{what}",
        "refund",
        refund.id,
        person_id=person_id,
        details={"amount": refund.amount, "reason": refund.reason, "state": refund.state},
    )
