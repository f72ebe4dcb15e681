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


def format_number(number: int) -> str:
    """`1234567` as `1.234.567`, with a true minus sign."""
    sign = MINUS if number < 0 else ""
    return sign + f"{abs(number):,}".replace(",", ".")


def format_rupiah(amount: int) -> str:
    """`485000` as `Rp 485.000`, never broken over two lines; negative as `−Rp 620.000`."""
    sign = MINUS if amount < 0 else ""
    return f"{sign}Rp{NO_BREAK_SPACE}{format_number(abs(amount))}"
