"""The columns of both kinds of files, what holds now in them, and how an uploaded one is read into cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import aliased

from storefront.extensions import db
from storefront.listing_files.columns import SCOPES, guarded
from storefront.listing_files.keeping import format_of
from storefront.listing_files.reading import open_sheet
from storefront.listing_files.sheet import BadListingFile
from storefront.listing_files.written_file import Table, file_of
from storefront.shipping.models import Province, ShippingMethod, ShippingRate, ShippingZone
from storefront.written import one_line

#: Part of the files' format, so in no other language; the codes are read too.
RATES = {
    "method": "Cara kirim", "origin": "Zona asal", "destination": "Zona tujuan", "reach": "Jangkauan",
    "first_kg": "Kg pertama", "next_kg": "Kg berikutnya", "minimum_kg": "Minimal kg", "days_min": "Hari tercepat",
    "days_max": "Hari terlama", "bulk_above_kg": "Di atas kg", "bulk_kg": "Kg borongan",
}  # fmt: skip
ZONES = {"province": "Provinsi", "zone": "Zona"}
COLUMNS = {"rates": RATES, "zones": ZONES}
#: How many of the columns say which row it is.
KEYS = {"rates": 4, "zones": 1}
REACH_WORDS = {code: word for code, word in SCOPES.items() if code != "pickup"}
HEAD_ROWS = 10
MOST_ROWS = 5000

Cells = list[str]


def present(kind: str) -> list[Cells]:
    """What holds now, row by row, in the order of the files."""
    if kind == "zones":
        rows = db.session.execute(
            select(Province.name, ShippingZone.code)
            .join(ShippingZone, ShippingZone.id == Province.zone_id)
            .order_by(Province.name)
        )
        return [[name, zone] for name, zone in rows]
    origin, destination, rate = aliased(ShippingZone), aliased(ShippingZone), ShippingRate
    query = (
        select(
            ShippingMethod.code, origin.code, destination.code, rate.reach, rate.first_kg, rate.next_kg,
            rate.minimum_kg, rate.days_min, rate.days_max, rate.bulk_above_kg, rate.bulk_kg,
        )
        .join(ShippingMethod, ShippingMethod.id == rate.method_id)
        .join(origin, origin.id == rate.origin_zone_id)
        .join(destination, destination.id == rate.destination_zone_id)
        .order_by(ShippingMethod.position, origin.id, destination.id, rate.reach)
    )  # fmt: skip
    return [["" if cell is None else str(cell) for cell in row] for row in db.session.execute(query)]


def download(kind: str, format: str) -> bytes:
    """What holds now as a file that can be changed and uploaded."""
    rows = [_as_written(kind, cells) for cells in present(kind)]
    return file_of([Table("Tarif" if kind == "rates" else "Zona", list(COLUMNS[kind].values()), rows)], format)


def read(content: bytes, name: str) -> tuple[str, list[list[Any]], list[list[Any]]]:
    """The kind of a file, its rows ([number, cell …]) and what is wrong with single cells. Raises BadListingFile."""
    sheet = open_sheet(content, format_of(content, name))
    kind, places = "", list[int | None]()
    rows: list[list[Any]] = []
    for place, (number, cells) in enumerate(sheet.rows):
        if not kind:
            kind, places = _heading(cells)
            if not kind and place >= HEAD_ROWS:
                break
            continue
        found = [one_line(cells[at]) if at is not None and at < len(cells) else "" for at in places]
        if any(found):
            rows.append([number, *(cell.removeprefix("'") for cell in found)])
        if len(rows) > MOST_ROWS:
            raise BadListingFile(_("Berkas ini memuat lebih dari 5.000 baris. Tarif tidak sebanyak itu."))
    if not kind or not rows:
        raise BadListingFile(
            _("Judul kolomnya tidak ditemukan, atau tidak ada baris di bawahnya. Pakai berkas yang diunduh dari sini.")
        )
    wrong = [[number, mark.text] for (number, _column), mark in sorted(sheet.marks.items()) if mark.is_fault]
    wrong += [
        [number, _("Ada pecahan, persen, atau tanggal pada baris ini. Tulis bilangan bulat.")]
        for (number, column), odd in sorted(sheet.odd.items())
        if column in places and odd in ("fraction", "percent", "date")
    ]
    return kind, rows, wrong


def _heading(cells: Sequence[str]) -> tuple[str, list[int | None]]:
    """Which kind these headings are of, and where each column stands; empty when they are none."""
    plain = [_plain(cell) for cell in cells]
    for kind, columns in COLUMNS.items():
        places: list[int | None] = [
            next((at for at, cell in enumerate(plain) if cell in (_plain(key), _plain(heading))), None)
            for key, heading in columns.items()
        ]
        # The last two columns of rates may be left out.
        needed = places[:-2] if kind == "rates" else places
        if None not in needed:
            return kind, places
    return "", []


def _as_written(kind: str, cells: Cells) -> list[str | int]:
    keys = KEYS[kind] if kind == "rates" else len(ZONES)
    texts = [guarded(REACH_WORDS.get(cell, cell)) for cell in cells[:keys]]
    return [*texts, *(int(cell) if cell else "" for cell in cells[keys:])]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())
