"""What of an order shall go back, as somebody wishes it: its parts, or a sentence for each that is too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.books.taken_back_models import RefundLine
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.money import format_rupiah, split
from storefront.orders.models import OrderLine
from storefront.refunds.refundable import Refundable

REASONS = ("cannot_fulfil", "not_collected", "returned", "damaged", "lost", "goodwill")
PIECES = ("none", "restock", "write_off")
#: Pieces of a line that came back by any way; the database holds that none does twice.
PIECES_BACK = text("SELECT pieces_back(:id)")


@dataclass(frozen=True)
class LineWish:
    """What of a line shall go back: pieces, or (quantity 0) an amount out of goodwill."""

    order_line_id: int
    quantity: int = 0
    #: Rupiah; None: the price of the pieces.
    amount: int | None = None
    pieces: str = "none"
    #: The parcel whose pieces they are; None: of what has not left yet.
    parcel_id: int | None = None


def parts_of(
    left: Refundable, wishes: Sequence[LineWish], goodwill: int, errors: dict[str, str]
) -> list[RefundLine]:
    """One part for each line; goodwill is added to what its pieces bring, or (too much) put into `errors`."""
    parts: dict[int, RefundLine] = {}
    for wish in wishes:
        line = left.lines.get(wish.order_line_id)
        if line is None:
            raise NotFound()
        amount = wish.amount if wish.amount is not None else line.price_of(wish.quantity)
        if amount or wish.quantity:
            parts[line.id] = RefundLine(
                order_line_id=line.id,
                quantity=wish.quantity,
                amount=amount,
                pieces=wish.pieces,
                parcel_id=wish.parcel_id,
            )
    if goodwill > 0:
        rest = {
            line.id: line.amount - (parts[line.id].amount if line.id in parts else 0)
            for line in left.lines.values()
        }
        weights = [max(0, amount) for amount in rest.values()]
        if goodwill > sum(weights):
            most = format_rupiah(sum(weights))
            errors["goodwill"] = _("Paling banyak %(left)s yang masih dapat dikembalikan.", left=most)
            return list(parts.values())
        for line_id, amount in zip(rest, split(goodwill, weights), strict=True):
            if amount and line_id in parts:
                parts[line_id].amount += amount
            elif amount:
                parts[line_id] = RefundLine(order_line_id=line_id, quantity=0, amount=amount, pieces="none")
    return list(parts.values())


def refuse(
    left: Refundable,
    parts: Sequence[RefundLine],
    shipping: dict[int, int],
    reason: str,
    note: str,
    errors: dict[str, str],
) -> None:
    """Return only if all of it may go back; `errors` holds what is refused already. Raises Invalid by field."""
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
                "Antara Rp 1 dan %(left)s, sisa dari baris ini.", left=format_rupiah(line.amount)
            )
        if part.pieces not in PIECES or (part.quantity == 0 and part.pieces != "none"):
            errors[f"pieces-{line.id}"] = _("Pilih apa yang terjadi dengan barangnya.")
        if part.pieces != "none" and db.session.scalar(PIECES_BACK, {"id": line.id}) + part.quantity > sold(line.id):
            errors[f"pieces-{line.id}"] = _("Buah ini sudah dicatat kembali di kirimannya. Pilih tidak kembali.")
        if part.pieces == "restock" and line.location_id is None:
            errors[f"pieces-{line.id}"] = _("Barang pesanan khusus tidak punya stok. Pilih hapus buku.")
    for parcel_id, amount in shipping.items():
        most = left.parcels[parcel_id].amount
        if not 0 < amount <= most:
            errors[f"shipping-{parcel_id}"] = _(
                "Antara Rp 1 dan %(left)s, sisa ongkos kirim ini.", left=format_rupiah(most)
            )
    amount = sum(part.amount for part in parts) + sum(shipping.values())
    if not errors and left.at_once is not None and amount > left.at_once:
        errors["lines"] = _(
            "Pesanan ini dibayar dalam beberapa angsuran. Sekali usul paling banyak %(most)s, sisa dari satu angsuran; "
            "usulkan yang lain sesudah ini.",
            most=format_rupiah(left.at_once),
        )
    if not parts and not shipping and not errors:
        errors["lines"] = _("Pilih setidaknya satu barang, ongkos kirim, atau jumlah yang dikembalikan.")
    if errors:
        raise Invalid(errors)


def sold(order_line_id: int) -> int:
    """Pieces of a line as sold."""
    return int(db.session.scalars(select(OrderLine.quantity).where(OrderLine.id == order_line_id)).one())
