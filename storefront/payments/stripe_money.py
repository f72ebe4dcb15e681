"""Rupiah as Stripe counts them: in hundredths. Nothing outside Stripe's modules sees these numbers.

https://docs.stripe.com/currencies: IDR is not among the currencies without decimals, so Rp 150.000 is 15000000.
"""

from __future__ import annotations

CURRENCY = "idr"
HUNDREDTHS = 100
#: Stripe takes no less than 50 US cents, about Rp 8.500; some more, because it converts at the rate of the day.
LEAST_CHARGE = 10_000
#: Twelve digits, the hundredths among them.
LARGEST_CHARGE = 9_999_999_999


def to_stripe(rupiah: int) -> int:
    """`rupiah` as Stripe wants them."""
    return rupiah * HUNDREDTHS


def whole(amount: int, currency: str) -> int:
    """Rupiah of what was asked for in whole rupiah; another currency's amount stays as it is.

    Raises ValueError where a part of a rupiah is left: what we asked for never has one.
    """
    if currency.lower() != CURRENCY:
        return amount
    rupiah, rest = divmod(amount, HUNDREDTHS)
    if rest:
        raise ValueError(f"{amount} hundredths are no whole rupiah")
    return rupiah


def nearest(amount: int) -> int:
    """The nearest rupiah of what Stripe reckoned itself, such as a fee in per cent; a half away from zero."""
    rupiah = (abs(amount) + HUNDREDTHS // 2) // HUNDREDTHS
    return rupiah if amount >= 0 else -rupiah
