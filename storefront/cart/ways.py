"""Ways to pay that a shopper may choose: each gateway in use, with what it takes, its fee and its limits.

The first is the shop's own gateway. Bank transfer stands beside it where it is switched on and the central office
has an account to send money to.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront import days
from storefront.books.bank_accounts import find_in_force
from storefront.cart import payable
from storefront.cart.payable import NotPayable
from storefront.errors import Invalid
from storefront.money import format_rupiah
from storefront.orders.holding_times import HoldingTimes, holding_times
from storefront.payments.gateway import Gateway, gateway
from storefront.payments.methods import Method
from storefront.payments.transfer import NAME as TRANSFER

#: A limit as high as this is none to anybody who shops.
BEYOND_ANY_CART = 1_000_000_000


@dataclass(frozen=True)
class Way:
    """A gateway as a shopper chooses it. `open` can pay the total, `closed` cannot, and says why."""

    code: str
    open: Sequence[Method]
    closed: Sequence[Method]
    hold: datetime.timedelta
    #: Why each closed method is closed, in sentences.
    reasons: Sequence[str]

    @property
    def is_open(self) -> bool:
        return bool(self.open)

    @property
    def is_transfer(self) -> bool:
        return self.code == TRANSFER

    @property
    def label(self) -> str:
        """What it takes, in the words of the page."""
        return ", ".join(str(method.label) for method in self.open or self.closed)

    @property
    def notes(self) -> list[str]:
        """Fee and limits of each method, and how long the pieces are held."""
        several = len(self.open) > 1
        found = []
        for method in self.open:
            words = ", ".join(part for part in (str(method.fee), limits(method)) if part)
            found.append(f"{method.label}: {words}" if several else words)
        return [*found, held_for(self.hold)]


def offered() -> list[Gateway]:
    """The gateways that new orders may be paid through, the shop's own first."""
    settings = current_app.extensions["settings"]
    found = [gateway(settings.payment_gateway)]
    if settings.bank_transfer and find_in_force(None, days.today()) is not None:
        found.append(gateway(TRANSFER))
    return found


def ways(total: int | None, *, may_grow: bool = False) -> list[Way]:
    """What can be chosen for a total in rupiah, or (None) for any; what cannot is there with its reason.

    With `may_grow` shipping is still to come, so that a total that is too small today closes nothing.
    """
    times = holding_times()
    return [_way(found, total, may_grow, times) for found in offered()]


def chosen(code: str | None, total: int) -> str:
    """The gateway for a total: the one that was chosen, by default the first that takes it.

    Raises NotPayable when none takes it, Invalid for `payment_method`: one that is not offered, or does not take
    this total, saying why.
    """
    found = ways(total)
    refusal = not_payable(total)
    if refusal is not None:
        raise refusal
    if code is None:
        return next(way.code for way in found if way.is_open)
    way = next((way for way in found if way.code == code), None)
    if way is None:
        codes = ", ".join(way.code for way in found)
        raise Invalid({"payment_method": _("Pilih salah satu cara membayar: %(codes)s.", codes=codes)})
    if not way.is_open:
        raise Invalid({"payment_method": " ".join(way.reasons)})
    return way.code


def not_payable(total: int) -> NotPayable | None:
    """Why a total cannot be paid in any way that is offered, if so."""
    return payable.not_payable(total, [method for found in offered() for method in found.methods])


def limits(method: Method) -> str:
    """`Rp 10.000 sampai Rp 10.000.000`; empty where there is no limit that anybody meets."""
    least = format_rupiah(method.minimum) if method.minimum > 1 else ""
    is_limited = method.maximum is not None and method.maximum < BEYOND_ANY_CART
    most = format_rupiah(method.maximum or 0) if is_limited else ""
    if least and most:
        return _("%(least)s sampai %(most)s", least=least, most=most)
    if least:
        return _("mulai %(least)s", least=least)
    return _("paling banyak %(most)s", most=most) if most else ""


def held_for(hold: datetime.timedelta) -> str:
    """How long pieces are held for an order that is paid that way."""
    minutes = int(hold.total_seconds() // 60)
    if minutes >= 48 * 60:
        return ngettext("karya ditahan %(num)d hari", "karya ditahan %(num)d hari", minutes // (24 * 60))
    return ngettext("karya ditahan %(num)d menit", "karya ditahan %(num)d menit", minutes)


def _way(found: Gateway, total: int | None, may_grow: bool, times: HoldingTimes) -> Way:
    closed = [method for method in found.methods if total is not None and not _takes(method, total, may_grow)]
    return Way(
        found.name,
        [method for method in found.methods if method not in closed],
        closed,
        times.of(found),
        [_reason(method, total or 0) for method in closed],
    )


def _takes(method: Method, total: int, may_grow: bool) -> bool:
    return method.takes(max(total, method.minimum) if may_grow else total)


def _reason(method: Method, total: int) -> str:
    label: Any = str(method.label)
    if total < method.minimum:
        return _(
            "%(method)s baru dapat dipakai mulai %(least)s.",
            method=label,
            least=format_rupiah(method.minimum),
        )
    return _(
        "%(method)s hanya dapat dipakai sampai %(most)s.",
        method=label,
        most=format_rupiah(method.maximum or 0),
    )
