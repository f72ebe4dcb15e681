"""Papers of the packing room, set by Typst from data alone: slips, pick lists, and address labels.

Slips and pick lists carry order code, parcel number and pieces only. A buyer stands on the label alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.catalogue.short_codes import codes_of
from storefront.days import begins, today
from storefront.display import format_date, language
from storefront.exports.manifest import demo_note
from storefront.exports.typeset import fitting, typeset
from storefront.facilities.models import Facility
from storefront.orders.packing import PackedLine, ParcelRow
from storefront.orders.parcel_sheet import Buyer, ParcelSheet
from storefront.orders.pick_list import PickList
from storefront.qr_code import as_file

SLIPS = Path(__file__).with_name("slips.typ")
LABELS = Path(__file__).with_name("labels.typ")
PICKS = Path(__file__).with_name("picks.typ")
#: `a6`, or the width of a roll of thermal paper in millimetres.
SIZES = ("a6", "80", "58")


def slips_pdf(facility: Facility, parcels: Sequence[tuple[ParcelRow, Sequence[PackedLine]]], size: str) -> bytes:
    """A packing slip for each of the parcels, one to a page."""
    links = _links([parcel.id for parcel, _lines in parcels])
    data = _frame(_("Slip kemasan"), facility) | {
        "size": size,
        "words": {"pieces": _("Buah"), "total": _("Jumlah"), "packed_by": _("Dikemas oleh")},
        "slips": [
            {
                "name": _name(parcel),
                "promised": _("dijanjikan %(day)s", day=format_date(parcel.ready_by)) if parcel.ready_by else "",
                "lines": [[line.sku, _title(line), line.workshop, str(line.to_pack)] for line in lines if line.to_pack],
                "total": str(sum(line.to_pack for line in lines)),
                **links[parcel.id],
            }
            for parcel, lines in parcels
        ],
    }
    return _set(SLIPS, data)


def pick_list_pdf(facility: Facility, found: PickList) -> bytes:
    """What to fetch for many parcels, by workshop, on A4."""
    data = _frame(_("Daftar ambil"), facility) | {
        "about": f"{format_date(today())} · "
        + ngettext("%(num)d buah", "%(num)d buah", found.pieces)
        + " · "
        + ngettext("%(num)d kiriman", "%(num)d kiriman", found.parcels),
        "words": {"page": _("Halaman"), "of": _("dari")},
        "columns": [_("Ada"), "SKU", _("Karya"), _("Buah"), _("Untuk kiriman")],
        "workshops": [
            {
                "name": workshop,
                "picks": [
                    [
                        pick.sku,
                        " · ".join(part for part in (pick.title, pick.variant_title) if part),
                        str(pick.quantity),
                        ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in pick.parcels),
                    ]
                    for pick in picks
                ],
            }
            for workshop, picks in found.by_workshop.items()
        ],
    }
    return _set(PICKS, data)


def labels_pdf(facility: Facility, sheets: Sequence[ParcelSheet], size: str) -> bytes:
    """The address label of each parcel that needs its buyer, and the buyer's card where they wrote one."""
    living = [sheet for sheet in sheets if sheet.buyer is not None]
    links = _links([sheet.id for sheet in living])
    data = _frame(_("Label alamat"), facility) | {
        "size": size,
        "words": {
            "to": _("Kepada"),
            "from": _("Dari"),
            "note": _("Catatan untuk kurir"),
            "by_hand": _("Lengkapi ? dengan pena: huruf aslinya tampak di halaman kiriman."),
        },
        "sender": [facility.name, facility.address, f"{facility.city} {facility.postal_code or ''}".strip()],
        "labels": [_label(sheet, sheet.buyer) | links[sheet.id] for sheet in living if sheet.buyer],
    }
    return _set(LABELS, data)


def _label(sheet: ParcelSheet, buyer: Buyer) -> dict[str, Any]:
    street = [buyer.line1, buyer.district, f"{buyer.city or ''} {buyer.postal_code or ''}".strip(), buyer.province]
    written = [buyer.name, *street, buyer.note, buyer.gift_note]
    return {
        "name": f"{sheet.order_number}/{sheet.position}",
        "by_hand": any(fitting(part).count("?") > part.count("?") for part in written if part),
        "to": buyer.name or "–",
        # Cashiers of a stand are told a name at most.
        "phone": "" if sheet.stand else buyer.phone or "",
        "address": _place(sheet) if sheet.is_pickup else [part for part in street if part],
        "note": buyer.note or "",
        "card": buyer.gift_note or "",
        "about": f"{sheet.method_name} · " + ngettext("%(num)d buah", "%(num)d buah", sheet.pieces_to_pack),
    }


def _place(sheet: ParcelSheet) -> list[str]:
    """Where a parcel is collected."""
    if sheet.stand is None:
        return [_("Diambil di galeri")]
    return [sheet.method_name, *(part for part in (sheet.stand.where, sheet.stand.days) if part)]


def _frame(title: str, facility: Facility) -> dict[str, Any]:
    settings = current_app.extensions["settings"]
    return {
        "lang": language(),
        "shop": settings.shop_name,
        "demo": demo_note(),
        "title": f"{title} · {facility.name}",
        "heading": title,
        "facility": facility.name,
    }


def _links(parcel_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The short link of each parcel as a QR code; only its facility's people get any further with it."""
    base = current_app.extensions["settings"].base_url
    found = {}
    for parcel_id, code in codes_of("parcel", parcel_ids).items():
        found[parcel_id] = {"qr": as_file(f"{base}/p/{code}", border=2, scale=4), "code": code}
    return found


def _name(parcel: ParcelRow) -> str:
    return f"{parcel.order_number}/{parcel.position}"


def _title(line: PackedLine) -> str:
    return f"{line.title} · {line.variant_title}" if line.variant_title else line.title


def _set(template: Path, data: dict[str, Any]) -> bytes:
    shown = json.dumps(fitting(data), ensure_ascii=False)
    return typeset(template, shown, timestamp=int(begins(today()).timestamp()))

