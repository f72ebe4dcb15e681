"""Papers of a fair: the packing list of what goes to the stand, and labels with each piece's SKU for its camera.

Pieces only: no buyer stands on any of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from storefront.days import begins, today
from storefront.display import format_date, language
from storefront.exhibitions.models import Exhibition
from storefront.exports.manifest import demo_note
from storefront.exports.typeset import fitting, typeset
from storefront.facilities.models import Facility
from storefront.money import format_rupiah
from storefront.orders.at_stand import ToCollect
from storefront.qr_code import as_file

PACKING = Path(__file__).with_name("packing_list.typ")
LABELS = Path(__file__).with_name("piece_labels.typ")
#: A sheet of labels on A4, or a roll 58 mm wide.
SIZES = ("a4", "58")
#: Most labels in one file.
MOST_LABELS = 2000


@dataclass(frozen=True)
class Packed:
    """So many pieces of a variant; `price` in rupiah as it stands on the label."""

    sku: str
    title: str
    workshop: str
    pieces: int
    price: int = 0


def packing_list_pdf(
    facility: Facility,
    fair: Exhibition,
    number: int | None,
    lines: Sequence[Packed],
    ordered: Sequence[ToCollect] = (),
) -> bytes:
    """What to fetch and tick off, by workshop; `number` of the sending, None for what is still to be sent.

    `ordered`: parcels that go along whole, by their order's code, and are collected at the stand.
    """
    workshops: dict[str, list[Packed]] = {}
    for line in lines:
        workshops.setdefault(line.workshop, []).append(line)
    heading = _("Daftar kemas nomor %(number)d", number=number) if number else _("Daftar kemas, belum dikirim")
    pieces = sum(line.pieces for line in lines) + sum(parcel.pieces for parcel in ordered)
    where = ", ".join(part for part in (fair.venue, fair.city) if part)
    data = _frame(heading, facility) | {
        "about": [
            [pgettext("one", "Pameran"), fair.name],
            [_("Tempat"), where or _("di gerbang tiap lapas")],
            [_("Hari"), f"{format_date(fair.starts_on)} – {format_date(fair.ends_on)}"],
            [_("Isinya"), ngettext("%(num)d buah", "%(num)d buah", pieces)],
        ],
        "words": {"page": _("Halaman"), "of": _("dari")},
        "columns": [_("Ada"), "SKU", _("Karya"), _("Buah"), _("Tiba")],
        "workshops": [
            {"name": name, "rows": [[one.sku, one.title, str(one.pieces)] for one in rows]}
            for name, rows in workshops.items()
        ]
        + ([{"name": _("Pesanan yang diambil di stan"), "rows": [_parcel(one) for one in ordered]}] if ordered else []),
        "write": [_("Dikemas oleh:"), _("Diterima di stan oleh:")],
    }
    return _set(PACKING, data)


def piece_labels_pdf(facility: Facility, fair: Exhibition, lines: Sequence[Packed], size: str) -> bytes:
    """A label for each piece, with its SKU as text and as QR code; on an A4 sheet 3 by 8, or on a roll."""
    codes = {line.sku: as_file(line.sku, border=2, scale=4) for line in lines}
    labels = [
        [line.sku, line.title, format_rupiah(line.price) if line.price else "", codes[line.sku]]
        for line in lines
        for _piece in range(line.pieces)
    ]
    data = _frame(_("Label karya"), facility) | {"size": size, "fair": fair.name, "labels": labels[:MOST_LABELS]}
    return _set(LABELS, data)


def _parcel(parcel: ToCollect) -> list[str]:
    inside = ", ".join(f"{line.title} ×{line.to_pack}" for line in parcel.lines if line.to_pack)
    return [f"{parcel.order_number}/{parcel.position}", inside, str(parcel.pieces)]


def _frame(heading: str, facility: Facility) -> dict[str, Any]:
    shop: str = current_app.extensions["settings"].shop_name
    return {
        "lang": language(), "shop": shop, "demo": demo_note(), "heading": heading, "facility": facility.name,
        "title": f"{heading} · {facility.name}",
    }  # fmt: skip


def _set(template: Path, data: dict[str, Any]) -> bytes:
    shown = json.dumps(fitting(data), ensure_ascii=False)
    return typeset(template, shown, timestamp=int(begins(today()).timestamp()))
