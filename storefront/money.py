"""Whole rupiah: splitting and writing them. Pure functions; nothing here imports from the house."""

from __future__ import annotations

from collections.abc import Sequence

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide `amount` rupiah by `weights` so that the parts add up to it exactly.

    Largest remainder: each part is first rounded down, then the rupiah left over go one each to the parts
    with the largest remainders, ties to the first in order (PRODUCT.md, money rule 3). A negative amount is
    divided as its positive one and the signs turned.

    Raises ValueError when a weight is negative or all are zero.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    if amount < 0:
        return [-part for part in split(-amount, weights)]
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    left = amount - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[:left]:
        parts[place] += 1
    return parts


def take_back(amount: int, shares: Sequence[int], taken: Sequence[int]) -> list[int]:
    """What each of a line's `shares` gives back of a refund of `amount`, after `taken` went back before.

    In proportion to what is left of each share, by largest remainder. So no share ever gives back more than
    it got, and refunds in any number of pieces end exactly at the original shares. Raises ValueError when
    `amount` is more than is left.
    """
    left = [share - gone for share, gone in zip(shares, taken, strict=True)]
    if amount < 0 or any(part < 0 for part in left) or amount > sum(left):
        raise ValueError("a refund is at most what is left of the line")
    return split(amount, left) if amount else [0] * len(left)


def format_number(number: int) -> str:
    """`1234567` as `1.234.567`, with a true minus sign."""
    sign = MINUS if number < 0 else ""
    return sign + f"{abs(number):,}".replace(",", ".")


def format_rupiah(amount: int) -> str:
    """`485000` as `Rp 485.000`, never broken over two lines; negative as `−Rp 620.000`."""
    sign = MINUS if amount < 0 else ""
    return f"{sign}Rp{NO_BREAK_SPACE}{format_number(abs(amount))}"


def format_exact(hundredths: int) -> str:
    """Hundredths of a rupiah, as banks write them: `Rp 1.234`, and `Rp 1.234,56` only where there are any."""
    whole, rest = divmod(abs(hundredths), 100)
    sign = MINUS if hundredths < 0 else ""
    return sign + format_rupiah(whole) + (f",{rest:02d}" if rest else "")
