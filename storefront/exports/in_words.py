"""Amounts in words (*terbilang*), as an Indonesian receipt says them."""

from __future__ import annotations

ONES = (
    "nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas",
)  # fmt: skip
SCALES = ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"), (10**3, "ribu"))


def in_words(number: int) -> str:
    """`1250000` as *satu juta dua ratus lima puluh ribu*. Raises ValueError below 0 and from 10^15 on."""
    if not 0 <= number < 10**15:
        raise ValueError(number)
    return " ".join(_words(number)) or ONES[0]


def _words(number: int) -> list[str]:
    for scale, name in SCALES:
        if number >= scale:
            many, rest = divmod(number, scale)
            head = ["seribu"] if many == 1 and scale == 1000 else [*_words(many), name]
            return head + _words(rest)
    if number >= 100:
        many, rest = divmod(number, 100)
        return (["seratus"] if many == 1 else [ONES[many], "ratus"]) + _words(rest)
    if number >= 20:
        return [ONES[number // 10], "puluh", *_words(number % 10)]
    if number >= 12:
        return [ONES[number - 10], "belas"]
    return [ONES[number]] if number else []
