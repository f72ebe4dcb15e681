"""How the bank wants its file of payments: columns, fixed texts, amounts, a first and a last line.

The file is read by the bank's machine, not by a spreadsheet. So an account number stands as it is, its leading zeros
too, and nothing is put before it; of free text that a spreadsheet would run as a formula the first signs are left
out instead, since a bank would not know a name with a `'` before it.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import gettext as _

from storefront.errors import Invalid
from storefront.written import one_line

#: What a column may hold; `text` is the same in every line.
SOURCES = (
    "number", "account", "holder", "bank", "amount", "note", "reference", "facility_code", "facility_name", "day",
    "own_account", "text",
)  # fmt: skip
#: Exactly one column each: without them nobody is paid.
NEEDED = ("account", "amount")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
AMOUNTS = ("plain", "cents")
DAYS = {"iso": "%Y-%m-%d", "compact": "%Y%m%d", "slashed": "%d/%m/%Y"}
#: What may stand in a first or last line, in braces.
PLACES = ("rekening", "tanggal", "banyak", "jumlah")
PLACE = re.compile(r"\{(\w*)\}")
MOST_COLUMNS, LONGEST_TEXT = 15, 120
#: Signs by which a spreadsheet knows a formula.
FORMULA = "=+-@'"


@dataclass(frozen=True)
class Payment:
    """One payment as a line of the file; `amount` in whole rupiah."""

    account: str
    holder: str
    bank: str
    amount: int
    note: str
    reference: str
    facility_code: str = ""
    facility_name: str = ""


@dataclass(frozen=True)
class FileColumn:
    """A column: what it holds, its heading, and its text when it is the same everywhere."""

    source: str
    heading: str = ""
    text: str = ""


@dataclass(frozen=True)
class Shape:
    """The form of a file."""

    columns: tuple[FileColumn, ...]
    delimiter: str = "comma"
    amount: str = "plain"
    day: str = "compact"
    #: A line of headings before the payments.
    headings: bool = True
    #: Every cell in quotation marks, not only those that need them.
    quoted: bool = False
    #: Cells of a line before and after all others, parted by `|`; empty: none.
    first: str = ""
    last: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Shape:
        """The shape as it was kept."""
        return cls(**{**kept, "columns": tuple(FileColumn(**one) for one in kept["columns"])})

    def kept(self) -> dict[str, Any]:
        """The shape as it is kept."""
        return asdict(self) | {"columns": [asdict(one) for one in self.columns]}


#: What the form begins with where nothing was ever proposed.
USUAL = Shape(
    columns=(
        FileColumn("number", "NO"),
        FileColumn("account", "REKENING TUJUAN"),
        FileColumn("holder", "NAMA PENERIMA"),
        FileColumn("bank", "BANK"),
        FileColumn("text", "MATA UANG", "IDR"),
        FileColumn("amount", "JUMLAH"),
        FileColumn("note", "BERITA"),
        FileColumn("reference", "RUJUKAN"),
    ),
    first="H|{rekening}|{tanggal}|{banyak}|{jumlah}",
    last="T|{banyak}|{jumlah}",
)


def checked(shape: Shape) -> Shape:
    """The same shape, if files can be written by it. Raises Invalid by field."""
    errors = {}
    sources = [column.source for column in shape.columns]
    if not 1 <= len(sources) <= MOST_COLUMNS:
        errors["columns"] = _("Pilih satu sampai %(most)s kolom.", most=MOST_COLUMNS)
    elif any(sources.count(name) != 1 for name in NEEDED):
        errors["columns"] = _("Nomor rekening dan jumlah harus ada, masing-masing satu kolom.")
    elif any(source not in SOURCES for source in sources):
        errors["columns"] = _("Pilih isi kolom dari daftarnya.")
    for place, column in enumerate(shape.columns):
        if len(column.heading) > LONGEST_TEXT or len(column.text) > LONGEST_TEXT:
            errors[f"heading-{place}"] = _("Paling panjang %(most)s huruf.", most=LONGEST_TEXT)
    for name, among in (("delimiter", DELIMITERS), ("amount", AMOUNTS), ("day", DAYS)):
        if getattr(shape, name) not in among:
            errors[name] = _("Pilih salah satu.")
    for name in ("first", "last"):
        errors |= _wrong_line(name, getattr(shape, name))
    if errors:
        raise Invalid(errors)
    return shape


def _wrong_line(name: str, line: str) -> dict[str, str]:
    unknown = [place for place in PLACE.findall(line) if place not in PLACES]
    if unknown or "{" in PLACE.sub("", line) or "}" in PLACE.sub("", line):
        among = ", ".join(f"{{{place}}}" for place in PLACES)
        return {name: _("Yang dapat disebut di sini: %(among)s.", among=among)}
    return {name: _("Paling panjang %(most)s huruf.", most=300)} if len(line) > 300 else {}


def write(shape: Shape, payments: Sequence[Payment], *, own_account: str, pay_on: datetime.date) -> bytes:
    """The file: UTF-8, lines ended by CR and LF; the same for the same payments, always."""
    sink = io.StringIO()
    writer = csv.writer(
        sink,
        delimiter=DELIMITERS[shape.delimiter],
        quoting=csv.QUOTE_ALL if shape.quoted else csv.QUOTE_MINIMAL,
        lineterminator="\r\n",
    )
    writer.writerows(lines(shape, payments, own_account=own_account, pay_on=pay_on))
    return sink.getvalue().encode()


def lines(
    shape: Shape, payments: Sequence[Payment], *, own_account: str, pay_on: datetime.date
) -> Iterable[list[str]]:
    """The cells of the file, line by line."""
    day = pay_on.strftime(DAYS[shape.day])
    told = {
        "rekening": own_account,
        "tanggal": day,
        "banyak": str(len(payments)),
        "jumlah": _amount(shape, sum(payment.amount for payment in payments)),
    }
    if shape.first:
        yield _told(shape.first, told)
    if shape.headings:
        yield [plain(column.heading) for column in shape.columns]
    for number, payment in enumerate(payments, start=1):
        cells = {
            "number": str(number),
            "account": payment.account,
            "amount": _amount(shape, payment.amount),
            "day": day,
            "own_account": own_account,
            **{
                name: plain(getattr(payment, name))
                for name in ("holder", "bank", "note", "reference", "facility_code", "facility_name")
            },
        }
        yield [
            plain(column.text) if column.source == "text" else cells[column.source] for column in shape.columns
        ]
    if shape.last:
        yield _told(shape.last, told)


def plain(text: str) -> str:
    """Free text on one line, without signs before it that a spreadsheet would take for a formula."""
    return one_line(text).lstrip(FORMULA + " ")


def _told(line: str, told: Mapping[str, str]) -> list[str]:
    return [plain(PLACE.sub(lambda found: told[found[1]], cell)) for cell in line.split("|")]


def _amount(shape: Shape, amount: int) -> str:
    return f"{amount}.00" if shape.amount == "cents" else str(amount)
