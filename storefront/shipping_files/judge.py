"""The dry run: what each row of a file would change, and why a file is not taken.

A file says everything: a row that holds now and is missing would leave a gap, so it is a fault too. One fault, and
nothing of the file is applied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.extensions import db
from storefront.shipping.models import Province, ShippingMethod, ShippingZone
from storefront.shipping_files.models import RateFile
from storefront.shipping_files.sheets import COLUMNS, KEYS, REACH_WORDS, Cells, present
from storefront.written import whole_number

#: Rupiah and days beyond which a number is a slip of the keyboard.
MOST_RUPIAH, MOST_DAYS, MOST_KG = 10_000_000, 90, 1000


@dataclass
class Judged:
    """One row: `new`, `changed`, `same`, `wrong`, or `missing` (its number is 0)."""

    number: int
    verdict: str
    #: As the database names them; as written where it is wrong.
    cells: Cells
    #: What holds now; empty for a new row.
    old: Cells = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """All rows of a file, those that say something first."""

    rows: Sequence[Judged]
    #: Of what would change: two people who see the same hold the same in their hands.
    digest: str

    def count(self, verdict: str) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def changes(self) -> list[Judged]:
        return [row for row in self.rows if row.verdict in ("new", "changed")]

    @property
    def is_sound(self) -> bool:
        return not any(row.verdict in ("wrong", "missing") for row in self.rows)


def judge(file: RateFile) -> Verdict:
    """The rows of a file against what holds now."""
    keys = KEYS[file.kind]
    now = {tuple(cells[:keys]): cells for cells in present(file.kind)}
    known = _Known()
    said: dict[int, list[str]] = {}
    for number, sentence in file.remarks:
        said.setdefault(number, []).append(sentence)
    first_at: dict[tuple[str, ...], int] = {}
    rows = [_judged(file.kind, row, known, said, first_at, now) for row in file.rows]
    for key, cells in now.items():
        if key not in first_at:
            gap = _("Baris ini ada sekarang dan hilang dari berkas. Tanpanya ada tempat yang tidak punya ongkos.")
            if file.kind == "zones":
                gap = _("Provinsi ini hilang dari berkas. Setiap provinsi punya satu zona.")
            rows.append(Judged(0, "missing", cells, cells, [gap]))
    order = {"wrong": 0, "missing": 1, "changed": 2, "new": 3, "same": 4}
    rows.sort(key=lambda row: (order[row.verdict], row.number))
    told = json.dumps([(row.cells, row.old) for row in rows if row.verdict in ("new", "changed")])
    return Verdict(rows, hashlib.sha256(told.encode()).hexdigest()[:32])


class _Known:
    """Names that rows may use, by how people write them."""

    def __init__(self) -> None:
        zones = db.session.scalars(select(ShippingZone)).all()
        methods = db.session.scalars(select(ShippingMethod).where(ShippingMethod.kind == "delivery")).all()
        self.zones = {name.casefold(): row.code for row in zones for name in (row.name, row.name_en, row.code)}
        self.methods = {name.casefold(): row.code for row in methods for name in (row.name, row.name_en, row.code)}
        self.provinces = {name.casefold(): name for name in db.session.scalars(select(Province.name))}
        self.reaches = {name.casefold(): code for code, word in REACH_WORDS.items() for name in (code, word)}


def _judged(
    kind: str,
    row: Sequence[Any],
    known: _Known,
    said: dict[int, list[str]],
    first_at: dict[tuple[str, ...], int],
    now: dict[tuple[str, ...], Cells],
) -> Judged:
    number, *cells = row
    faults = list(said.get(number, ()))
    read = _zone_row(cells, known, faults) if kind == "zones" else _rate_row(cells, known, faults)
    key = tuple(read[: KEYS[kind]])
    if all(key):
        if key in first_at:
            faults.append(_("Sama dengan baris %(row)d. Hapus salah satunya.", row=first_at[key]))
        first_at.setdefault(key, number)
    if faults:
        return Judged(number, "wrong", cells, now.get(key, []), faults)
    old = now.get(key)
    verdict = "new" if old is None else "same" if old == read else "changed"
    return Judged(number, verdict, read, old or [])


def _zone_row(cells: Cells, known: _Known, faults: list[str]) -> Cells:
    return [
        _named(cells[0], known.provinces, _("Provinsi ini tidak dikenal: %(name)s.", name=cells[0][:60]), faults),
        _named(cells[1], known.zones, _("Zona ini tidak dikenal: %(name)s.", name=cells[1][:60]), faults),
    ]


def _rate_row(cells: Cells, known: _Known, faults: list[str]) -> Cells:
    method = _named(cells[0], known.methods, _("Cara kirim ini tidak dikenal: %(name)s.", name=cells[0][:60]), faults)
    zones = [
        _named(cell, known.zones, _("Zona ini tidak dikenal: %(name)s.", name=cell[:60]), faults) for cell in cells[1:3]
    ]
    wrong = _("Jangkauan ini tidak dikenal: %(name)s. Tulis %(known)s.", name=cells[3][:60],
              known=", ".join(REACH_WORDS.values()))  # fmt: skip
    reach = _named(cells[3], known.reaches, wrong, faults)
    headings = list(COLUMNS["rates"].values())
    rupiah, days, kg = (0, MOST_RUPIAH), (0, MOST_DAYS), (1, MOST_KG)
    limits = (rupiah, rupiah, kg, days, days, kg, rupiah)
    numbers: list[int | None] = []
    for place, (least, most) in enumerate(limits, start=4):
        may_lack = place >= 9
        number = whole_number(cells[place]) if cells[place] else None
        if (number is None and not (may_lack and not cells[place])) or (
            number is not None and not least <= number <= most
        ):
            faults.append(
                _("%(column)s: tulis bilangan bulat dari %(least)d sampai %(most)d.", column=headings[place],
                  least=least, most=most)
            )  # fmt: skip
            number = None
        numbers.append(number)
    _first, _next, minimum, fastest, slowest, above, _bulk = numbers
    if fastest is not None and slowest is not None and slowest < fastest:
        faults.append(_("Hari terlama tidak boleh kurang dari hari tercepat."))
    if bool(cells[9]) != bool(cells[10]):
        faults.append(_("Isi “Di atas kg” dan “Kg borongan” berdua, atau kosongkan berdua."))
    elif above is not None and minimum is not None and above < minimum:
        faults.append(_("“Di atas kg” tidak boleh kurang dari “Minimal kg”."))
    if reach and reach != "nationwide" and all(zones) and zones[0] != zones[1]:
        faults.append(_("Dalam satu kota atau provinsi, zona asal dan tujuannya sama."))
    return [method, *zones, reach, *("" if number is None else str(number) for number in numbers)]


def _named(written: str, known: dict[str, str], sentence: str, faults: list[str]) -> str:
    found = known.get(written.casefold(), "")
    if not found:
        faults.append(sentence)
    return found
