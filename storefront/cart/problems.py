"""What is wrong with a line of a cart: a list of typed problems, one line at a time, never one error for all.

Each has a stable `code` (those of CONTRACT.md where an order would be refused), says what happened in a
sentence, and gives the members that a program needs.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.display import format_date, format_until
from storefront.money import format_rupiah


@dataclass(frozen=True)
class Problem(ABC):
    """Something about the line `sku` that the shopper must know before ordering."""

    code: ClassVar[str] = "problem"
    #: Whether an order with this line would be refused as it stands.
    blocks: ClassVar[bool] = True
    sku: str

    @property
    @abstractmethod
    def message(self) -> str:
        """One sentence in the language of the request."""

    def members(self) -> dict[str, Any]:
        """For problem+json: the SKU and what belongs to this kind."""
        return {"code": self.code, **asdict(self)}


@dataclass(frozen=True)
class PriceMoved(Problem):
    """The price is not the one that was shown when the line was added."""

    code: ClassVar[str] = "price_changed"
    #: The page shows today's price and orders at it; only a program without `expected_total` is refused.
    blocks: ClassVar[bool] = False
    shown: int
    price: int

    @property
    def message(self) -> str:
        prices = {"shown": format_rupiah(self.shown), "price": format_rupiah(self.price)}
        if self.price > self.shown:
            return _("Harganya naik dari %(shown)s menjadi %(price)s sejak Anda memasukkannya.", **prices)
        return _("Harganya turun dari %(shown)s menjadi %(price)s sejak Anda memasukkannya.", **prices)


@dataclass(frozen=True)
class HeldByYou(Problem):
    """The pieces are held by unpaid orders of the shopper's own: the new order may replace them."""

    code: ClassVar[str] = "held_by_you"
    blocks: ClassVar[bool] = False
    held: int
    number: str
    until: datetime.datetime

    @property
    def message(self) -> str:
        return ngettext(
            "Anda sedang menahan %(num)d, sampai %(until)s, di pesanan %(number)s yang belum dibayar.",
            "Anda sedang menahan %(num)d, sampai %(until)s, di pesanan %(number)s yang belum dibayar.",
            self.held,
            until=format_until(self.until),
            number=self.number,
        )


@dataclass(frozen=True)
class SoldOut(Problem):
    """Nothing is left."""

    code: ClassVar[str] = "out_of_stock"
    wanted: int
    available: int = 0

    @property
    def message(self) -> str:
        return _("Habis. Keluarkan dari keranjang untuk melanjutkan.")


@dataclass(frozen=True)
class FewerLeft(Problem):
    """Some are left, but fewer than wanted."""

    code: ClassVar[str] = "out_of_stock"
    wanted: int
    available: int

    @property
    def message(self) -> str:
        return ngettext("Tinggal %(num)d. Kurangi jumlahnya.", "Tinggal %(num)d. Kurangi jumlahnya.", self.available)


@dataclass(frozen=True)
class NotOnSale(Problem):
    """The product was taken from the shop."""

    code: ClassVar[str] = "listing_unavailable"

    @property
    def message(self) -> str:
        return _("Karya ini sedang tidak dijual. Keluarkan dari keranjang untuk melanjutkan.")


@dataclass(frozen=True)
class Resting(Problem):
    """Its facility rests until a day; it comes back by itself."""

    code: ClassVar[str] = "listing_unavailable"
    until: datetime.date

    @property
    def message(self) -> str:
        return _(
            "Lapasnya sedang istirahat sampai %(day)s. Simpan untuk nanti, atau keluarkan untuk melanjutkan.",
            day=format_date(self.until),
        )

    def members(self) -> dict[str, Any]:
        return {"code": self.code, "sku": self.sku}


@dataclass(frozen=True)
class NotSentThere(Problem):
    """The product is not delivered to the address; it may still be collected."""

    code: ClassVar[str] = "not_delivered_there"
    facility: str
    scope: str

    @property
    def message(self) -> str:
        return {
            "pickup": _("Karya ini hanya dapat diambil di galeri."),
            "same_city": _("Karya ini hanya dikirim di dalam kota yang sama dengan lapasnya."),
            "province": _("Karya ini hanya dikirim di dalam provinsi yang sama dengan lapasnya."),
        }.get(self.scope) or _("Tidak ada kurir yang mengantar kiriman ini ke alamat itu.")
