"""A bank's statement as it was read: its lines, what could not be read, and whether its balances agree.

Amounts are hundredths of a rupiah, money in above zero.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from flask_babel import gettext as _

from storefront.money import format_exact as money

#: More lines than a year of a busy account has.
MOST_LINES = 50_000
#: Faults that are told one by one; a file with more is the wrong file.
MOST_FAULTS = 100


@dataclass(frozen=True)
class ReadLine:
    """One movement of the account."""

    #: Of the line in the file, from 1.
    number: int
    day: datetime.date
    amount: int
    text: str
    reference: str = ""
    #: The account's balance after it, where the bank says so.
    balance: int | None = None


@dataclass(frozen=True)
class Fault:
    """What cannot be read, in a sentence; `line` None: of the file as a whole."""

    sentence: str
    line: int | None = None


@dataclass
class Statement:
    """What was read of a file, in the order in which the bank booked it."""

    lines: list[ReadLine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: What was passed over on purpose, in sentences.
    notes: list[Fault] = field(default_factory=list)
    opening: int | None = None
    closing: int | None = None
    #: Digits of the account that the file says it is of.
    account: str | None = None

    def fault(self, sentence: str, line: int | None = None) -> None:
        """Note what cannot be read."""
        self.faults.append(Fault(sentence, line))

    @property
    def is_whole(self) -> bool:
        """Nothing stands in the way of taking it in."""
        return not self.faults and bool(self.lines)

    @property
    def sum(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def sum_in(self) -> int:
        return sum(line.amount for line in self.lines if line.amount > 0)

    @property
    def sum_out(self) -> int:
        return sum(line.amount for line in self.lines if line.amount < 0)

    @property
    def first_day(self) -> datetime.date | None:
        return min((line.day for line in self.lines), default=None)

    @property
    def last_day(self) -> datetime.date | None:
        return max((line.day for line in self.lines), default=None)


def check(statement: Statement, account_number: str, today: datetime.date) -> None:
    """Add to the faults what does not agree: whose account it is, its days, opening + sum = closing."""
    if statement.account and not same_account(statement.account, account_number):
        statement.fault(
            _(
                "Berkas ini milik rekening %(found)s, bukan rekening yang dipilih (…%(wanted)s). "
                "Pilih rekening yang benar, lalu unggah lagi.",
                found=statement.account,
                wanted=account_number[-4:],
            )
        )
    for line in statement.lines:
        if line.day > today:
            statement.fault(
                _("Tanggalnya belum tiba. Periksa susunan hari dan bulan pada pengaturan kolom."), line.number
            )
    if not statement.lines and not statement.faults:
        statement.fault(
            _("Tidak ada satu pun transaksi di berkas ini. Periksa apakah ini berkas yang benar.")
        )
    if len(statement.lines) > MOST_LINES:
        statement.fault(
            _("Berkas ini terlalu panjang: paling banyak %(most)d baris. Unduh per bulan.", most=MOST_LINES)
        )
    opening, closing = statement.opening, statement.closing
    if opening is None or closing is None or statement.faults:
        return
    if opening + statement.sum != closing:
        statement.fault(
            _(
                "Saldo tidak cocok: saldo awal %(opening)s ditambah transaksi %(sum)s menjadi %(found)s, "
                "tetapi saldo akhirnya %(closing)s. Selisih %(difference)s. Ada baris yang hilang; "
                "unduh lagi berkasnya.",
                opening=money(opening),
                sum=money(statement.sum),
                found=money(opening + statement.sum),
                closing=money(closing),
                difference=money(closing - opening - statement.sum),
            )
        )


def same_account(found: str, registered: str) -> bool:
    """Whether two numbers name one account: banks add zeros, a branch or a currency around it."""
    short, long = sorted((found.lstrip("0"), registered.lstrip("0")), key=len)
    return len(short) >= 5 and short in long


def in_order(lines: Sequence[ReadLine]) -> tuple[list[ReadLine], ReadLine | None]:
    """The lines in the order in which their running balance makes sense, and the first that fits in neither.

    Banks list the newest line first or last. Without a balance on every line they stay as they are.
    """
    if any(line.balance is None for line in lines):
        return list(lines), None
    forward, backward = _first_break(lines), _first_break(lines[::-1])
    if forward is None or backward is not None:
        return list(lines), forward
    return list(lines[::-1]), None


def _first_break(lines: Sequence[ReadLine]) -> ReadLine | None:
    for before, line in pairwise(lines):
        assert before.balance is not None
        if before.balance + line.amount != line.balance:
            return line
    return None
