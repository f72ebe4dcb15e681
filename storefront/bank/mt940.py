"""Read an MT940 statement: tags 25, 60, 61, 86 and 62, with a sentence and its line for each fault.

Read by hand rather than by a library: finance is told which line of the file is wrong, amounts never pass through
a decimal or a float, and a reversal (`RC`, `RD`) has its true sign. The layout is SWIFT's (Standards MT, category
9); banks around it may use a point for the comma and leave the transport's envelope (`{1:…}{4:` … `-}`) in place.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from storefront.bank.csv_file import LONGEST_REFERENCE, LONGEST_TEXT
from storefront.bank.statement import MOST_FAULTS, ReadLine, Statement
from storefront.money import format_exact as money
from storefront.written import one_line

TAG = re.compile(r"(?:\{4:)?:(\d{2}[A-Z]?):(.*)")
ENVELOPE = re.compile(r"^-\}?$|^\{[1-5]:")
BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15})(?:[,.](\d{0,2}))?\s*", re.ASCII)
#: Value day, entry's month and day, mark, third letter of the currency, amount, type, references.
LINE = re.compile(
    r"(?P<day>\d{6})(?P<entry>\d{4})?(?P<mark>R?[CD])[A-Z]?\s?(?P<whole>\d{1,15})(?:[,.](?P<decimals>\d{0,2}))?"
    r"(?P<type>[SNF][A-Z0-9 ]{3})?(?P<own>(?:(?!//).)*)(?://(?P<bank>.*))?",
    re.ASCII,
)
#: References that say that there is none.
NO_REFERENCE = {"", "NONREF", "NOREF"}
#: Subfields of a structured tag 86, as `?20` or `/REMI/`.
SUBFIELD = re.compile(r"\?\d{2}|/(?:REMI|ORDP|BENM|NAME|EREF|OCMT|ISDT|TRCD|IBAN|PREF)/")


@dataclass(frozen=True)
class Field:
    """A tag with its content, lines of it between newlines, and where it stands in the file."""

    line: int
    tag: str
    content: str


def read(text: str) -> Statement:
    """What the file holds, of one account; several statements in it follow on each other."""
    statement = Statement()
    closing: int | None = None
    before = ""
    for field in _fields(text):
        if len(statement.faults) >= MOST_FAULTS:
            statement.fault(_("Dan masih ada lagi. Berkas ini rusak; unduh lagi dari bank."))
            return statement
        if field.tag == "25":
            _read_account(statement, field)
        elif field.tag[:2] == "60":
            opening = _balance(statement, field)
            if closing is not None and opening is not None and opening != closing:
                statement.fault(_gap(opening, closing), field.line)
            if statement.opening is None:
                statement.opening = opening
        elif field.tag == "61":
            _read_line(statement, field)
        elif field.tag == "86" and before in ("61", "86"):
            _read_text(statement, field)
        elif field.tag[:2] == "62":
            closing = statement.closing = _balance(statement, field)
        before = field.tag
    if statement.opening is None and not statement.faults:
        statement.fault(_("Tidak ada saldo awal (:60F:). Berkas ini tidak lengkap; unduh lagi dari bank."))
    elif statement.closing is None and not statement.faults:
        statement.fault(_("Tidak ada saldo akhir (:62F:). Berkas ini terpotong; unduh lagi dari bank."))
    return statement


def _gap(opening: int, closing: int) -> str:
    sentence: str = _(
        "Saldo awal di sini %(opening)s, padahal laporan sebelumnya berakhir dengan %(closing)s. "
        "Ada laporan yang hilang di antaranya.",
        opening=money(opening),
        closing=money(closing),
    )
    return sentence


def _fields(text: str) -> Iterator[Field]:
    current: Field | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.rstrip()
        found = TAG.match(plain)
        if found:
            if current is not None:
                yield current
            current = Field(number, found[1], found[2])
        elif ENVELOPE.match(plain):
            if current is not None:
                yield current
            current = None
        elif current is not None and plain:
            current = replace(current, content=f"{current.content}\n{plain}")
    if current is not None:
        yield current


def _read_account(statement: Statement, field: Field) -> None:
    # The account stands behind the bank's code: `BANKCODE/ACCOUNT`.
    digits = re.sub(r"\D", "", field.content.partition("\n")[0].rpartition("/")[2])
    if statement.account is not None and digits and digits != statement.account:
        statement.fault(
            _("Berkas ini memuat dua rekening. Unduh setiap rekening sebagai berkas sendiri."), field.line
        )
    statement.account = statement.account or digits or None


def _balance(statement: Statement, field: Field) -> int | None:
    found = BALANCE.fullmatch(field.content.partition("\n")[0])
    if found is None or _day(found[2]) is None:
        statement.fault(_("Saldo ini tidak terbaca (:%(tag)s:).", tag=field.tag), field.line)
        return None
    if found[3] != "IDR":
        statement.fault(
            _("Mata uangnya %(currency)s; toko hanya mengenal rupiah (IDR).", currency=found[3]), field.line
        )
    amount = _hundredths(found[4], found[5])
    return -amount if found[1] == "D" else amount


def _read_line(statement: Statement, field: Field) -> None:
    first, _newline, more = field.content.partition("\n")
    found = LINE.fullmatch(first)
    value_day = _day(found["day"]) if found else None
    if found is None or value_day is None:
        statement.fault(_("Transaksi ini tidak terbaca (:61:). Unduh lagi berkasnya dari bank."), field.line)
        return
    booked_on = _entry_day(value_day, found["entry"])
    if booked_on is None:
        statement.fault(_("Tanggal pembukuan transaksi ini tidak ada di kalender (:61:)."), field.line)
        return
    amount = _hundredths(found["whole"], found["decimals"])
    # RC takes a credit back, RD a debit.
    sign = 1 if found["mark"] in ("C", "RD") else -1
    if amount == 0:
        return
    references = [(found["bank"] or "").strip(), (found["own"] or "").strip()]
    reference = next((one for one in references if one.upper() not in NO_REFERENCE), "")
    words = [one for one in references if one.upper() not in NO_REFERENCE and one != reference]
    statement.lines.append(
        ReadLine(
            field.line,
            booked_on,
            sign * amount,
            one_line(" ".join([*words, *more.split("\n")])),
            one_line(reference)[:LONGEST_REFERENCE],
        )
    )


def _read_text(statement: Statement, field: Field) -> None:
    """The words of the transaction above it; one that follows a balance is of the whole statement."""
    if not statement.lines:
        return
    # Lines of 65 signs are cut anywhere, also within a word: what was cut is put together again.
    whole = "".join(
        line if len(line) >= 65 else f"{line} " for line in SUBFIELD.sub(" ", field.content).split("\n")
    )
    last = statement.lines[-1]
    text = " ".join(part for part in (last.text, one_line(whole)) if part)
    statement.lines[-1] = replace(last, text=text[:LONGEST_TEXT])


def _hundredths(whole: str, decimals: str | None) -> int:
    return int(whole) * 100 + int((decimals or "").ljust(2, "0"))


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def _entry_day(value_day: datetime.date, entry: str | None) -> datetime.date | None:
    """The day on which the bank booked it: in the year that lies nearest to the value day."""
    if entry is None:
        return value_day
    found = []
    for year in (value_day.year - 1, value_day.year, value_day.year + 1):
        try:
            found.append(datetime.date(year, int(entry[:2]), int(entry[2:])))
        except ValueError:
            continue
    return min(found, key=lambda day: abs((day - value_day).days), default=None)
