"""What a cashier's phone sends for a sale: read once, checked field by field."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _

from storefront.errors import Invalid
from storefront.payments.said import CASH

LONGEST_KEY = 255
MOST_LINES = 200
MOST_PIECES = 10_000
MOST_RUPIAH = 10**12
GATEWAY = "gateway"


@dataclass(frozen=True)
class WishedLine:
    """Pieces of a code, at the price that the buyer was told (rupiah); None: whatever it costs here."""

    sku: str
    quantity: int
    unit_price: int | None = None


@dataclass(frozen=True)
class SaleWish:
    """A sale as it was made at the stand."""

    lines: tuple[WishedLine, ...]
    #: `cash` or `gateway`.
    payment: str
    #: Rupiah that the buyer gave; None unless in cash.
    tendered: int | None = None
    #: Id (a number) or name of the till; None: the cashier's own.
    till: int | str | None = None
    #: When, by the phone's clock; None: now, with a line.
    phone_at: datetime.datetime | None = None

    def digest(self) -> bytes:
        """SHA-256 of what was sold and paid.

        Not of when and where it was sent from: a sale whose answer got lost comes again out of the queue.
        """
        sold = [[line.sku, line.quantity, line.unit_price] for line in self.lines]
        return hashlib.sha256(json.dumps([sold, self.payment, self.tendered]).encode()).digest()


def read_key(header: str | None) -> str:
    """The idempotency key. Raises Invalid for one that is too long."""
    key = header or ""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Invalid({"Idempotency-Key": _("Kunci ini terlalu panjang: paling banyak 255 huruf.")})
    return key


def read_wish(data: Any) -> SaleWish:
    """The sale in `data` (CONTRACT.md). Raises Invalid naming every field that is wrong."""
    if not isinstance(data, Mapping):
        raise Invalid({"body": _("Kirim penjualannya sebagai objek JSON.")})
    errors: dict[str, Any] = {}
    lines = _lines(data.get("lines"), errors)
    payment = data.get("payment")
    if payment not in (CASH, GATEWAY):
        errors["payment"] = _("Pilih tunai atau kode bayar.")
    tendered = data.get("tendered")
    if payment == CASH and not _whole(tendered, 0, MOST_RUPIAH):
        errors["tendered"] = _("Tulis uang yang diterima, dalam rupiah bulat.")
    till = data.get("till")
    if till is not None and not isinstance(till, str) and not _whole(till, 1, 10**15):
        errors["till"] = _("Pilih kasnya.")
    phone_at = _moment(data.get("sold_at"), errors)
    if phone_at is not None and payment == GATEWAY:
        errors["payment"] = _("Tanpa sambungan hanya tunai yang dapat diterima.")
    if errors:
        raise Invalid(errors)
    return SaleWish(
        lines=lines,
        payment=str(payment),
        tendered=tendered if payment == CASH else None,
        till=till,
        phone_at=phone_at,
    )


def _lines(data: Any, errors: dict[str, Any]) -> tuple[WishedLine, ...]:
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_LINES:
        errors["lines"] = _("Masukkan setidaknya satu barang.")
        return ()
    found = []
    for number, line in enumerate(data):
        line = line if isinstance(line, Mapping) else {}
        sku, quantity, price = line.get("sku"), line.get("quantity"), line.get("unit_price")
        if not isinstance(sku, str) or not 1 <= len(sku) <= 100 or "\x00" in sku:
            errors[f"lines.{number}.sku"] = _("Kode barang (SKU) ini tidak kami kenal.")
        elif not _whole(quantity, 1, MOST_PIECES):
            errors[f"lines.{number}.quantity"] = _("Jumlah harus angka bulat, paling sedikit satu.")
        elif price is not None and not _whole(price, 1, MOST_RUPIAH):
            errors[f"lines.{number}.unit_price"] = _("Harga harus rupiah bulat.")
        else:
            found.append(WishedLine(sku, int(quantity or 0), price))
    return tuple(found)


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _moment(value: Any, errors: dict[str, Any]) -> datetime.datetime | None:
    if value is None:
        return None
    try:
        read = datetime.datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError
        return read.astimezone(datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        errors["sold_at"] = _("Waktu penjualan harus lengkap dengan zonanya, seperti 2026-11-30T14:05:00+07:00.")
        return None
