"""Read a bank's CSV by its shape: rows above and below the table, balances, and a sentence for each fault."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.bank.amounts import NotAnAmount, direction, hundredths, is_zero
from storefront.bank.dates import NotADay, read_day
from storefront.bank.shape import Shape, find_header, guess, names_of
from storefront.bank.statement import MOST_FAULTS, Fault, ReadLine, Statement, in_order
from storefront.bank.text import Row
from storefront.money import format_exact as money
from storefront.written import one_line

LONGEST_TEXT, LONGEST_REFERENCE = 1_000, 100
OPENING = re.compile(r"^(saldo awal|opening balance|beginning balance|saldo sebelumnya)\b", re.IGNORECASE)
CLOSING = re.compile(r"^(saldo akhir|closing balance|ending balance)\b", re.IGNORECASE)
#: Rows below the table that add it up.
TOTALS = re.compile(
    r"^(total|jumlah|mutasi (debet|debit|kredit)|kredit|debet|debit|credit|saldo)\b", re.IGNORECASE
)
ACCOUNT = re.compile(r"(rekening|account|norek)[^0-9]{0,20}([0-9][0-9 .\-]{4,30})", re.IGNORECASE)
#: The bank has not booked it yet; it comes with its day in a later file.
PENDING = re.compile(r"^(pend|pending)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A CSV cut into what stands above its table and the table; `names` are those of its columns."""

    above: Sequence[Row]
    rows: Sequence[Row]
    names: Sequence[str]
    #: The shape that it is read by: the account's, or a guess.
    shape: Shape
    is_guess: bool


def table_of(rows: Sequence[Row], kept: Shape | None) -> Table:
    """Find the table: by the shape that was kept for the account, or, when it does not fit, by a guess."""
    if kept is not None:
        place = find_header(rows, kept)
        if place is not None:
            return Table(rows[:place], rows[place + 1 :], names_of(rows[place].cells), kept, is_guess=False)
        if all(name.startswith("#") for name in kept.columns):
            return Table((), rows, _numbered(rows), kept, is_guess=False)
    place = find_header(rows)
    if place is None:
        return Table((), rows, _numbered(rows), Shape(), is_guess=True)
    header = rows[place].cells
    return Table(rows[:place], rows[place + 1 :], names_of(header), guess(header), is_guess=True)


def read(table: Table, today: datetime.date) -> Statement:
    """What the table holds. Nothing is raised: what cannot be read is a fault of the statement."""
    statement = Statement()
    shape = table.shape
    missing = [name for name in shape.columns if name not in table.names]
    if not shape.day or not shape.texts or missing or "" in shape.columns:
        statement.fault(_("Kolomnya belum dikenali. Pilih dahulu kolom mana yang berisi apa."))
        return statement
    for row in table.above:
        _read_balance(statement, row)
        _read_account(statement, row)
    reader = _Reader(table, today)
    for row in table.rows:
        if len(statement.faults) >= MOST_FAULTS:
            statement.fault(_("Dan masih ada lagi. Periksa pengaturan kolomnya dahulu."))
            return statement
        _read_row(statement, reader, row)
    _put_in_order(statement)
    return statement


class _Reader:
    """Cells of a row by what they hold."""

    def __init__(self, table: Table, today: datetime.date) -> None:
        self.shape = table.shape
        self.places = {name: place for place, name in enumerate(table.names)}
        days = [day for row in table.above for day in _days_in(row)]
        #: A day without a year is at most the last one that the file speaks of.
        self.latest = max(days, default=today)

    def cell(self, row: Row, name: str) -> str:
        return row.cell(self.places.get(name))

    def day(self, row: Row) -> datetime.date:
        return read_day(self.cell(row, self.shape.day), self.shape.day_order, latest=self.latest)

    def amount(self, row: Row) -> int:
        """Raises NotAnAmount, with the text that is none."""
        shape = self.shape
        if shape.style == "two_columns":
            out, into = self.cell(row, shape.out), self.cell(row, shape.into)
            given = [(text, sign) for text, sign in ((out, -1), (into, 1)) if not is_zero(text)]
            if len(given) != 1:
                raise NotAnAmount(f"{out} | {into}")
            return given[0][1] * abs(hundredths(given[0][0]))
        text = self.cell(row, shape.amount)
        if shape.style == "marked":
            return direction(self.cell(row, shape.mark)) * abs(hundredths(text))
        return hundredths(text)

    def text(self, row: Row) -> str:
        parts = (one_line(self.cell(row, name)) for name in self.shape.texts)
        return " ".join(part for part in parts if part)[:LONGEST_TEXT]


def _read_row(statement: Statement, reader: _Reader, row: Row) -> None:
    written = reader.cell(row, reader.shape.day)
    moves = _has_amount(reader, row)
    if not (written and moves) and (_read_balance(statement, row) or not written):
        if moves:
            statement.fault(_("Baris ini berisi jumlah tetapi tidak bertanggal."), row.line)
        return
    if PENDING.match(written):
        statement.notes.append(
            Fault(
                _("Belum dibukukan bank (%(word)s); akan terbaca di berkas berikutnya.", word=written),
                row.line,
            )
        )
        return
    try:
        day = reader.day(row)
    except NotADay:
        if _read_balance(statement, row) or any(TOTALS.match(cell) for cell in row.cells):
            return
        statement.fault(_("Tanggal %(text)s tidak terbaca sebagai tanggal.", text=_quoted(written)), row.line)
        return
    try:
        amount = reader.amount(row)
    except NotAnAmount as wrong:
        statement.fault(
            _("Jumlah %(text)s tidak terbaca sebagai uang masuk atau keluar.", text=_quoted(str(wrong))),
            row.line,
        )
        return
    if amount == 0:
        statement.notes.append(Fault(_("Jumlahnya nol; dilewati."), row.line))
        return
    try:
        balance = _balance_of(reader, row)
    except NotAnAmount as wrong:
        statement.fault(_("Saldo %(text)s tidak terbaca sebagai angka.", text=_quoted(str(wrong))), row.line)
        return
    reference = one_line(reader.cell(row, reader.shape.reference))[:LONGEST_REFERENCE]
    statement.lines.append(ReadLine(row.line, day, amount, reader.text(row), reference, balance))


def _has_amount(reader: _Reader, row: Row) -> bool:
    shape = reader.shape
    return any(not is_zero(reader.cell(row, name)) for name in (shape.out, shape.into, shape.amount) if name)


def _balance_of(reader: _Reader, row: Row) -> int | None:
    text = reader.cell(row, reader.shape.balance)
    return hundredths(text) if text else None


def _put_in_order(statement: Statement) -> None:
    """Order by the running balance, which also gives opening and closing where no row names them."""
    lines, broken = in_order(statement.lines)
    if broken is not None:
        statement.fault(
            _(
                "Saldo di baris ini (%(balance)s) tidak sama dengan saldo sebelumnya ditambah jumlahnya. "
                "Ada baris yang hilang atau terbaca salah.",
                balance=money(broken.balance or 0),
            ),
            broken.number,
        )
        return
    statement.lines = lines
    if lines and lines[0].balance is not None and lines[-1].balance is not None:
        first = lines[0].balance - lines[0].amount
        statement.opening = first if statement.opening is None else statement.opening
        statement.closing = lines[-1].balance if statement.closing is None else statement.closing


def _read_balance(statement: Statement, row: Row) -> bool:
    """Whether the row names the opening or the closing balance, which is then noted."""
    for place, cell in enumerate(row.cells):
        if not cell:
            continue
        name = "opening" if OPENING.match(cell) else "closing" if CLOSING.match(cell) else None
        if name is None:
            continue
        # "Saldo Awal : 1.000.000,00" in one cell, or the amount in one that follows.
        candidates = [re.sub(r"^[^:]*:", "", cell)] if ":" in cell else []
        candidates += row.cells[place + 1 :]
        for text in candidates:
            try:
                setattr(statement, name, hundredths(text))
            except NotAnAmount:
                continue
            return True
    return False


def _read_account(statement: Statement, row: Row) -> None:
    found = ACCOUNT.search(" ".join(row.cells))
    if found and statement.account is None:
        digits = re.sub(r"\D", "", found[2])
        statement.account = digits if len(digits) >= 6 else None


def _days_in(row: Row) -> list[datetime.date]:
    found = []
    for text in re.findall(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}|\d{1,2} [A-Za-z]{3,9} \d{4}", " ".join(row.cells)):
        try:
            found.append(read_day(text))
        except NotADay:
            continue
    return found


def _numbered(rows: Sequence[Row]) -> list[str]:
    width = max((len(row.cells) for row in rows), default=0)
    return [f"#{place}" for place in range(1, width + 1)]


def _quoted(text: str) -> str:
    return f"“{one_line(text)[:60]}”"
