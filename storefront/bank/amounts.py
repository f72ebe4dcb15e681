"""Amounts as banks write them, in hundredths of a rupiah: `1.234.567,00`, `1,234,567.00`, `150000.00 CR`.

Banks write rupiah with two decimals although nobody pays them. They are read exactly, so that balances can be
checked; what is then matched to the books is whole rupiah.
"""

from __future__ import annotations

import re

#: Digits before the decimals: more is no amount of money.
MOST_DIGITS = 15
#: Words beside an amount that say which way the money went.
IN_WORDS = frozenset({"CR", "C", "K", "KR", "KREDIT", "CREDIT", "+"})
OUT_WORDS = frozenset({"DB", "D", "DR", "DEBET", "DEBIT", "-"})

CURRENCY = re.compile(r"^(?:RP|IDR)\.?\s*|\s*(?:RP|IDR)\.?$", re.IGNORECASE)
#: Digits in plain or in groups of three by one sign, then one or two decimals by the other sign.
PLAIN = re.compile(r"(\d+)(?:[.,](\d{1,2}))?", re.ASCII)
GROUPED = re.compile(r"([1-9]\d{0,2})((?:([.,' ])\d{3})(?:\3\d{3})*)(?:([.,])(\d{1,2}))?", re.ASCII)
MARKED = re.compile(r"(.*?)[\s\u00a0]*(CR|DB|DR|C|D|K)\.?", re.IGNORECASE)


class NotAnAmount(ValueError):
    """The text is no amount of money, or could be two different ones."""


def hundredths(text: str) -> int:
    """The signed amount in `text`, in hundredths of a rupiah.

    A sign stands before or after it, or it stands in brackets, or a mark such as `DB` follows it. Three digits
    after a single point or comma are thousands, one or two are decimals: rupiah never has three decimals.
    Raises NotAnAmount.
    """
    plain = _without_noise(text)
    sign = 1
    if marked := MARKED.fullmatch(plain):
        plain, sign = marked[1], direction(marked[2])
    plain, other = _signed(plain)
    if other < 0 and sign < 0:
        raise NotAnAmount(text)
    return sign * other * _unsigned(plain, text)


def direction(mark: str) -> int:
    """1 for a mark that says that money came in, -1 for one that says that it went out. Raises NotAnAmount."""
    word = mark.strip().rstrip(".").upper()
    if word in IN_WORDS:
        return 1
    if word in OUT_WORDS:
        return -1
    raise NotAnAmount(mark)


def is_zero(text: str) -> bool:
    """Whether a column that may stay empty says nothing: empty, a dash, or zero."""
    plain = _without_noise(text)
    return not re.search(r"[1-9]", plain) and re.fullmatch(r"[-–\s.,0]*", plain) is not None


def whole_and_rest(amount: int) -> tuple[int, int]:
    """Whole rupiah and the hundredths beyond them, both with the sign of `amount`."""
    sign = -1 if amount < 0 else 1
    return sign * (abs(amount) // 100), sign * (abs(amount) % 100)


def _without_noise(text: str) -> str:
    # Some banks put an apostrophe first, so that spreadsheets leave the cell alone.
    plain = text.replace("\u00a0", " ").replace("\u2212", "-").strip().lstrip("'").strip()
    return CURRENCY.sub("", plain).strip()


def _signed(plain: str) -> tuple[str, int]:
    if plain.startswith("(") and plain.endswith(")"):
        return plain[1:-1].strip(), -1
    for sign, factor in (("-", -1), ("+", 1)):
        if plain.startswith(sign):
            return CURRENCY.sub("", plain[1:].strip()), factor
        if plain.endswith(sign):
            return plain[:-1].strip(), factor
    return plain, 1


def _unsigned(plain: str, text: str) -> int:
    if found := PLAIN.fullmatch(plain):
        whole, decimals = found[1], found[2]
    elif (found := GROUPED.fullmatch(plain)) and found[4] != found[3]:
        whole, decimals = re.sub(r"\D", "", found[1] + found[2]), found[5]
    else:
        raise NotAnAmount(text)
    if len(whole.lstrip("0")) > MOST_DIGITS:
        raise NotAnAmount(text)
    return int(whole) * 100 + int((decimals or "").ljust(2, "0"))
