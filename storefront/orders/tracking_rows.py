"""Tracking numbers, many at once: read from pasted lines or a file, tried out, then written down row by row.

A row names a parcel (`KB-7Q2M-4XPA/1`), a courier and a tracking number, in the usual separators. Trying it out says
for each row what would happen; nothing that was written is lost, and the same again changes nothing.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from python_calamine import CalamineError, load_workbook
from sqlalchemy import select

from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.orders import ship
from storefront.orders.models import Order, Parcel, ParcelState

#: Rows of one paste or file, and its size in bytes.
MOST_ROWS, MOST_BYTES = 500, 1_000_000
#: Bytes that a spreadsheet may hold once it is unpacked.
MOST_UNPACKED = 50_000_000
NUMBER = re.compile(r"\s*#?\s*(?:KB)?[-\s]?([0-9A-Za-z]{4})[-\s]?([0-9A-Za-z]{4})\s*(?:[/\\#.]\s*([0-9]{1,4}))?\s*")
SEPARATORS = ("\t", ";", "|", ",")
#: Letters that are read wrongly in an order's number.
MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})


@dataclass(frozen=True)
class Row:
    """A line as it was written: the name of a parcel, a courier, a tracking number."""

    written: str
    name: str
    courier: str
    tracking: str


@dataclass(frozen=True)
class Verdict:
    """What becomes of a row, or would become."""

    row: Row
    #: `sent`, `corrected`, `already` or `refused`.
    result: str
    why: str = ""
    parcel_id: int | None = None
    #: The parcel by its full name.
    name: str = ""

    @property
    def is_good(self) -> bool:
        return self.result != "refused"


def rows_of(text: str, courier: str = "") -> list[Row]:
    """The rows of pasted lines; `courier` counts where a line names none. Empty lines and a heading are passed over.

    Raises Invalid for too many.
    """
    lines = [line for line in text.replace("\u00a0", " ").splitlines() if line.strip()]
    if len(lines) > MOST_ROWS:
        raise Invalid({"rows": _("Paling banyak %(most)d baris sekali tempel. Bagi menjadi dua.", most=MOST_ROWS)})
    found = [_row(line, courier) for line in lines]
    return [row for place, row in enumerate(found) if place or NUMBER.fullmatch(row.name) or not _is_heading(row)]


def text_of_file(content: bytes) -> str:
    """A CSV or spreadsheet file as lines to paste: its first three cells, tabs between. Raises Invalid."""
    if len(content) > MOST_BYTES:
        raise Invalid({"file": _("Berkas ini lebih besar dari 1 MB. Simpan hanya kolom kiriman, kurir, dan resi.")})
    cells = _sheet(content) if content[:2] == b"PK" or content[:4] == b"\xd0\xcf\x11\xe0" else _csv(content)
    lines = ["\t".join(_cell(cell) for cell in row[:3]).rstrip("\t") for row in cells[: MOST_ROWS + 1]]
    return "\n".join(line for line in lines if line.strip())


def check(facility_id: int, rows: Sequence[Row]) -> list[Verdict]:
    """What each row would do, with nothing changed."""
    parcels = _parcels(facility_id, rows)
    seen: set[int] = set()
    return [_verdict(row, parcels, seen) for row in rows]


def save(facility_id: int, rows: Sequence[Row], person_id: int) -> list[Verdict]:
    """Write down every row that is good; the others are told. Never commits.

    A parcel to pack is packed and sent, one that is packed is sent, and the number of one that was sent is put right.
    """
    verdicts = check(facility_id, rows)
    # In the order of the parcels, so that two people who do this at once do not wait for each other in a circle.
    places = sorted(range(len(rows)), key=lambda place: verdicts[place].parcel_id or 0)
    for place in places:
        verdict = verdicts[place]
        if verdict.parcel_id is None or not verdict.is_good or verdict.result == "already":
            continue
        try:
            with db.session.begin_nested():
                _write(verdict.parcel_id, verdict.row, person_id)
        except DomainError as refusal:
            words = refusal.extra.get("errors")
            why = " ".join(map(str, words.values())) if isinstance(words, dict) else str(refusal.message)
            verdicts[place] = Verdict(verdict.row, "refused", why, verdict.parcel_id, verdict.name)
    return verdicts


def _write(parcel_id: int, row: Row, person_id: int) -> None:
    parcel = db.session.get_one(Parcel, parcel_id, with_for_update=True, populate_existing=True)
    if parcel.state == ParcelState.SHIPPED:
        ship.correct_tracking(parcel_id, row.courier, row.tracking, person_id)
        return
    if parcel.state == ParcelState.TO_PACK:
        ship.mark_packed(parcel_id, person_id)
    ship.mark_shipped(parcel_id, row.courier, row.tracking, person_id)


def _row(line: str, courier: str) -> Row:
    separator = next((mark for mark in SEPARATORS if mark in line), None)
    if separator is None:
        cells = re.split(r" {2,}", line.strip())
        if len(cells) == 1:
            # Only single spaces: the first word is the parcel, the last one the number, what is between the courier.
            words = line.split()
            cells = [words[0], " ".join(words[1:-1]), words[-1]] if len(words) > 1 else words
    else:
        cells = next(csv.reader([line], delimiter=separator), [])
    cells = [_tidy(cell) for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) == 2:
        cells.insert(1, "")
    cells = [*cells, "", "", ""][:3] if len(cells) <= 3 else [cells[0], cells[1], " ".join(cells[2:])]
    return Row(line, cells[0], cells[1] or courier, cells[2])


def _tidy(cell: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in cell)
    return " ".join(shown.split()).removeprefix("'")


def _is_heading(row: Row) -> bool:
    return not any(letter.isdigit() for letter in row.written)


def _sheet(content: bytes) -> list[list[object]]:
    wrong = _("Berkas ini tidak terbaca. Simpan sebagai XLSX atau CSV, atau tempel barisnya di bawah.")
    try:
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as file:
                if sum(part.file_size for part in file.infolist()) > MOST_UNPACKED:
                    raise Invalid({"file": wrong})
        book = load_workbook(io.BytesIO(content))
        return [list(row) for row in book.get_sheet_by_index(0).to_python(nrows=MOST_ROWS + 1)]
    except (CalamineError, ValueError, IndexError, OSError, zipfile.BadZipFile):
        raise Invalid({"file": wrong}) from None


def _csv(content: bytes) -> list[list[object]]:
    wrong = Invalid({"file": _("Berkas ini bukan CSV atau XLSX. Simpan dari lembar sebar Anda sebagai CSV.")})
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in content and not is_wide:
        raise wrong
    text = None
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            text = text if text is not None else content.decode(encoding)
    if text is None:
        raise wrong
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count) if any(mark in first for mark in SEPARATORS) else ","
    try:
        return [list(row) for row in csv.reader(io.StringIO(text), delimiter=separator)]
    except csv.Error:
        raise wrong from None


def _cell(value: object) -> str:
    """A number of a spreadsheet without the `.0` that it is kept with."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value if value is not None else "").split())


def _key(name: str) -> tuple[str, int | None] | None:
    """An order's number and the parcel's position in it; None for what is no parcel's name."""
    found = NUMBER.fullmatch(name)
    if found is None:
        return None
    code = f"{found[1]}-{found[2]}".upper().translate(MISREAD)
    return f"KB-{code}", int(found[3]) if found[3] else None


def _parcels(facility_id: int, rows: Sequence[Row]) -> dict[str, dict[int, Parcel]]:
    numbers = {key[0] for row in rows if (key := _key(row.name))}
    found: dict[str, dict[int, Parcel]] = {}
    for number, parcel in db.session.execute(
        select(Order.number, Parcel)
        .join(Parcel, Parcel.order_id == Order.id)
        .where(
            Order.number.in_(numbers),
            Parcel.facility_id == facility_id,
            Parcel.state != ParcelState.WAITING.value,
            Parcel.merged_at.is_(None),
        )
        .execution_options(populate_existing=True)
    ):
        found.setdefault(number, {})[parcel.position] = parcel
    return found


def _verdict(row: Row, parcels: dict[str, dict[int, Parcel]], seen: set[int]) -> Verdict:
    key = _key(row.name)
    if key is None:
        return Verdict(row, "refused", _("Tulis kirimannya seperti KB-7Q2M-4XPA/1."))
    number, position = key
    own = parcels.get(number, {})
    if position is None and len(own) > 1:
        names = ", ".join(f"{number}/{place}" for place in sorted(own))
        why = _("Pesanan ini punya beberapa kiriman. Tulis yang mana: %(names)s.", names=names)
        return Verdict(row, "refused", why)
    parcel = own.get(position) if position is not None else next(iter(own.values()), None)
    if parcel is None:
        return Verdict(row, "refused", _("Tidak ada kiriman dengan nomor ini di lapas Anda."))
    name = f"{number}/{parcel.position}"
    if parcel.id in seen:
        return Verdict(row, "refused", _("Kiriman ini sudah ada di baris sebelumnya."), None, name)
    seen.add(parcel.id)
    result, why = _result(row, parcel)
    return Verdict(row, result, why, parcel.id, name)


def _result(row: Row, parcel: Parcel) -> tuple[str, str]:
    if parcel.is_pickup:
        if parcel.exhibition_id is not None:
            return "refused", _("Kiriman ini diambil di stan pameran, jadi tidak punya resi.")
        return "refused", _("Kiriman ini diambil di galeri, jadi tidak punya resi.")
    if not 2 <= len(row.courier) <= 60:
        return "refused", _("Tulis kurirnya, atau pilih satu untuk semua baris yang tanpa kurir.")
    if not row.tracking or len(row.tracking) > 60:
        return "refused", _("Tulis nomor resinya, paling panjang 60 karakter.")
    if (parcel.courier, parcel.tracking) == (row.courier, row.tracking):
        return "already", ""
    if parcel.state == ParcelState.SHIPPED:
        return "corrected", ""
    if parcel.state in (ParcelState.TO_PACK, ParcelState.PACKED):
        return "sent", ""
    return "refused", _("Kiriman ini tidak sedang dikemas atau dikirim, jadi resinya tidak dicatat.")
