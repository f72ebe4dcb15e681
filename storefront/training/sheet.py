"""Programmes in a spreadsheet: its columns, the template, how a file is read into cells, and a cell into a value.

Reading is the listings' own (`listing_files`): XLSX, ODS and CSV with their limits. A cell that reads like a person is
never kept: it is empty from here on, and its row says why.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.listing_files.columns import guarded, unguarded
from storefront.listing_files.keeping import format_of
from storefront.listing_files.reading import open_sheet
from storefront.listing_files.sheet import BadListingFile, Sheet
from storefront.listing_files.written_file import Table, file_of
from storefront.training.models import Kind
from storefront.training.no_person import looks_like_a_number_of_a_person, looks_like_a_person
from storefront.written import day, one_line, whole_number

#: Key → heading, English heading. Part of the file's format, so in no other language; both, and the keys, are read.
COLUMNS: dict[str, tuple[str, str]] = {
    "workshop": ("Bengkel", "Workshop"), "kind": ("Jenis", "Kind"), "skill": ("Keterampilan", "Skill"),
    "skill_en": ("Keterampilan (Inggris)", "Skill (English)"), "partner": ("Mitra", "Partner"),
    "started_on": ("Mulai", "Started"), "ended_on": ("Selesai", "Ended"), "hours": ("Jam", "Hours"),
    "participants": ("Peserta", "Participants"), "women": ("Perempuan", "Women"), "passed": ("Lulus", "Passed"),
    "certified": ("Bersertifikat", "Certified"), "scheme": ("Skema", "Scheme"), "batch": ("Nomor batch", "Batch"),
}  # fmt: skip
KEYS = tuple(COLUMNS)
#: Without these columns a file is none of programmes; the others may be left out.
NEEDED = {"workshop", "kind", "skill", "started_on", "ended_on", "hours", "participants", "women"}
DAYS, NUMBERS = ("started_on", "ended_on"), ("hours", "participants", "women", "passed", "certified")
KIND_WORDS = {
    Kind.VOCATIONAL: "Pelatihan kerja", Kind.APPRENTICESHIP: "Magang", Kind.CERTIFICATION: "Sertifikasi kompetensi",
}  # fmt: skip
REASONS = "Alasan"
HEAD_ROWS = 10
MOST_ROWS = 1000
#: What each column holds, for whoever fills it in; with an example.
EXPLAINED = {
    "workshop": ("Nama bengkel persis seperti di profil UPT", "Batik"),
    "kind": ("Pelatihan kerja, Magang, atau Sertifikasi kompetensi", "Pelatihan kerja"),
    "skill": ("Keterampilannya, 3 sampai 80 huruf; tidak pernah nama orang", "Membatik cap dan tulis"),
    "skill_en": ("Boleh kosong", "Batik making"),
    "partner": ("Lembaga yang mengajar; boleh kosong", "Balai Latihan Kerja"),
    "started_on": ("Hari pertama, tahun-bulan-hari", "2026-03-02"),
    "ended_on": ("Hari terakhir", "2026-03-20"),
    "hours": ("Jumlah jam", "80"),
    "participants": ("Jumlah orang", "20"),
    "women": ("Berapa di antaranya perempuan; tulis 0 bila tidak ada", "12"),
    "passed": ("Kosong bila belum diketahui", "18"),
    "certified": ("Kosong bila belum diketahui; 0 bila tidak ada sertifikat", "0"),
    "scheme": ("Nama skema sertifikat, bila ada yang bersertifikat", ""),
    "batch": ("Nomor batch sertifikat, bila ada yang bersertifikat", "LSP/2026/014"),
}  # fmt: skip

#: A row of a file: its number, then its cells in the order of `KEYS`.
Row = list[Any]
#: What is wrong with a cell: the row's number, the column, a sentence.
Remark = list[Any]


def template(workshops: Sequence[str], format: str) -> bytes:
    """An empty file with the headings, what may be chosen, and on a second sheet what belongs into each column."""
    headings = [heading for heading, _english in COLUMNS.values()]
    choices: dict[str, Sequence[str]] = {"Bengkel": list(workshops), "Jenis": list(KIND_WORDS.values())}
    told = [(COLUMNS[key][0], *EXPLAINED[key]) for key in KEYS]
    tables = [
        Table("Pelatihan", headings, [], choices),
        Table("Petunjuk", ["Kolom", "Isi", "Contoh"], told),
    ]
    return file_of(tables, format)


def with_reasons(rows: Iterable[tuple[Sequence[str], str]], format: str) -> bytes:
    """Rows as they were uploaded, with why each was not stored in the first column."""
    headings = [REASONS, *(heading for heading, _english in COLUMNS.values())]
    return file_of([Table("Pelatihan", headings, [_written(cells, reason) for cells, reason in rows])], format)


def read(content: bytes, name: str, workshops: Iterable[str] = ()) -> tuple[str, list[Row], list[Remark]]:
    """The format of a file, its rows, and what is wrong with single cells. Raises BadListingFile.

    `workshops` are the facility's own, which may be named after somebody.
    """
    known = {workshop.casefold() for workshop in workshops}
    format = format_of(content, name)
    sheet = open_sheet(content, format)
    places: list[int | None] = []
    rows: list[Row] = []
    remarks: list[Remark] = []
    for place, (number, cells) in enumerate(sheet.rows):
        if not places:
            places = _places(cells)
            if not places and place >= HEAD_ROWS:
                break
            continue
        row = _row(number, cells, places, sheet, remarks, known)
        if row is not None:
            rows.append(row)
        if len(rows) > MOST_ROWS:
            raise BadListingFile(_("Berkas ini memuat lebih dari 1.000 program. Bagi menjadi beberapa berkas."))
    if not places:
        raise BadListingFile(
            _("Judul kolom tidak ditemukan. Pakai templat, dan biarkan baris judulnya (Bengkel, Jenis, Keterampilan).")
        )
    if not rows:
        raise BadListingFile(_("Berkas ini tidak memuat satu program pun di bawah judul kolomnya."))
    return format, rows, remarks


def kind_of(text: str) -> str:
    """The code of a kind as people write it; empty for anything else."""
    return _KINDS.get(_plain(text), "")


def _places(cells: Sequence[str]) -> list[int | None]:
    """Where each column stands; empty when these are no headings."""
    plain = [_plain(cell) for cell in cells]
    places = [
        next((at for at, cell in enumerate(plain) if cell in map(_plain, (key, *names))), None)
        for key, names in COLUMNS.items()
    ]
    found = {key for key, at in zip(KEYS, places, strict=True) if at is not None}
    return places if found >= NEEDED else []


def _row(
    number: int,
    cells: Sequence[str],
    places: Sequence[int | None],
    sheet: Sheet,
    remarks: list[Remark],
    known: set[str],
) -> Row | None:
    row: Row = [number]
    told: list[Remark] = []
    for key, at in zip(KEYS, places, strict=True):
        text = one_line(unguarded(cells[at])) if at is not None and at < len(cells) else ""
        mark = sheet.marks.get((number, at)) if at is not None else None
        if mark is not None and mark.is_fault:
            told.append([number, key, mark.text])
        odd = sheet.odd.get((number, at), "") if at is not None else ""
        if text and (odd in ("fraction", "percent") or (odd == "date" and key not in DAYS)):
            told.append([number, key, _("Sel ini pecahan, persen, atau tanggal. Tulis bilangan bulat atau teks.")])
        is_own = key == "workshop" and text.casefold() in known
        if not is_own and (why := _speaks_of_a_person(key, text)):
            told.append([number, key, _("%(why)s Isi selnya tidak disimpan.", why=why)])
            text = ""
        row.append(text[:300])
    if not any(row[1:]) and not told:
        return None
    remarks += told
    return row


def _speaks_of_a_person(key: str, text: str) -> str | None:
    """Why a cell may hold a person, whatever belongs into its column."""
    if not text or (key in DAYS and day(text)):
        return None
    if key in NUMBERS and whole_number(text) is not None:
        # A number of a person is a whole number as well.
        return looks_like_a_person(text, digits=9)
    if key == "batch":
        return looks_like_a_number_of_a_person(text) or looks_like_a_person(text, digits=14)
    return looks_like_a_person(text, digits=7 if key == "scheme" else 5)


def _written(cells: Sequence[str], reason: str) -> list[str | int]:
    texts: list[str | int] = [guarded(reason)]
    for key, cell in zip(KEYS, cells, strict=True):
        number = whole_number(cell) if key in NUMBERS else None
        texts.append(guarded(cell) if number is None else number)
    return texts


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())


_KINDS: Mapping[str, str] = {
    _plain(name): kind.value
    for kind, words in KIND_WORDS.items()
    for name in (kind.value, words, {
        Kind.VOCATIONAL: "Vocational training", Kind.APPRENTICESHIP: "Apprenticeship",
        Kind.CERTIFICATION: "Competence certification",
    }[kind])
}  # fmt: skip


def as_day(text: str) -> datetime.date | None:
    """A day as people and spreadsheets write it; None for anything else."""
    return day(text)
