"""The sheet of a stock-take on A4: the rows with their numbers, and room for the pen. No buyer in it.

A tagged PDF, set by Typst from data alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import pgettext

from storefront.display import format_datetime, language
from storefront.exports.manifest import demo_note
from storefront.exports.typeset import typeset
from storefront.facilities.models import Facility
from storefront.stock.take_rows import TakeRow
from storefront.stock.takes import TakeShown

TEMPLATE = Path(__file__).with_name("stock_take_sheet.typ")


def sheet_pdf(
    facility: Facility, take: TakeShown, rows: Sequence[TakeRow], aside: Mapping[int, int], *, expected: bool
) -> bytes:
    """The PDF. `aside`: pieces that are sold and not packed, by variant; `expected`: print what should be there."""
    data = json.dumps(document(facility, take, rows, aside, expected=expected), ensure_ascii=False)
    return typeset(TEMPLATE, data, timestamp=int(take.begun_at.timestamp()))


def document(
    facility: Facility, take: TakeShown, rows: Sequence[TakeRow], aside: Mapping[int, int], *, expected: bool
) -> dict[str, Any]:
    """Everything that the paper says, as texts."""
    shop = current_app.extensions["settings"].shop_name
    columns = [_("No."), _("Karya"), "SKU"]
    if expected:
        columns.append(_("Menurut catatan"))
    return {
        "lang": language(),
        "shop": shop,
        "demo": demo_note(),
        "title": _("Lembar hitung stok nomor %(number)d", number=take.number),
        "about": [
            [_("UPT"), f"{facility.name} ({facility.code})"],
            [_("Bagian"), take.workshop or take.category or _("Seluruh gudang")],
            [_("Dimulai"), f"{format_datetime(take.begun_at, facility.time_zone)}, {take.begun_by}"],
        ],
        "help": _(
            "Tulis jumlah yang ada di rak; 0 bila tidak ada, kosong bila tidak dihitung. Barang yang sudah dibayar "
            "pembeli dan menunggu dikemas tidak ikut dihitung."
        ),
        "columns": [*columns, pgettext("pieces", "Dihitung"), _("Catatan")],
        "rows": [_row(row, aside.get(row.piece.variant_id, 0), expected) for row in rows],
        "write": [_("Dihitung oleh:"), _("Tanggal dan jam:")],
        "words": {"page": _("Halaman"), "of": _("dari")},
        "footer": f"{shop} · {facility.code} · {_('hitung stok nomor %(number)d', number=take.number)}",
    }


def _row(row: TakeRow, aside: int, expected: bool) -> list[str]:
    piece = row.piece
    title = f"{piece.title} · {piece.variant_title}" if piece.variant_title else piece.title
    hint = _("jangan hitung %(count)d: menunggu dikemas", count=aside) if aside else ""
    cells = [str(row.position), title, piece.sku]
    if expected:
        cells.append(str(piece.on_hand))
    return [*cells, "", hint]
