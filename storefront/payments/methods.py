"""Ways to pay, named with fee and limit before a shopper gives an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _

#: What a shopper pays beside the order's total: nothing, at every provider so far.
NO_FEE = _("tanpa biaya tambahan")


@dataclass(frozen=True)
class Method:
    """A way to pay at a gateway's page."""

    code: str
    #: What the page calls it.
    label: Any
    #: What it costs the shopper, in the words of the page.
    fee: Any = NO_FEE
    #: Rupiah: what can be paid with it at once.
    minimum: int = 1
    maximum: int | None = None
    #: Whether the provider can send money back the same way.
    can_refund: bool = True

    def takes(self, amount: int) -> bool:
        """Whether `amount` rupiah can be paid with it at once."""
        return self.minimum <= amount and (self.maximum is None or amount <= self.maximum)


def methods_of(gateway: str) -> Sequence[Method]:
    """What can be paid with at the gateway called `gateway`; nothing when it is not in use here."""
    found = current_app.extensions["gateways"].get(gateway)
    return found.methods if found is not None else ()


def payment_methods(gateway: str) -> Sequence[Any]:
    """What can be paid with at the gateway called `gateway`, in the words of the page."""
    return [method.label for method in methods_of(gateway)]


def least_amount(methods: Sequence[Method]) -> int:
    """The smallest total that any of `methods` takes, in rupiah."""
    return min((method.minimum for method in methods), default=1)


def largest_amount(methods: Sequence[Method]) -> int | None:
    """The largest total that any of `methods` takes, in rupiah; None: no limit."""
    limits = [method.maximum for method in methods]
    return None if not limits or None in limits else max(limit for limit in limits if limit is not None)
