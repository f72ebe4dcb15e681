"""The receipt of a paid order on paper: what was bought, what was paid and when, and where the money goes.

A tagged PDF, set by Typst from data alone. Whoever calls it has made sure that the order is paid.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from storefront.content.operator import Operator, operator
from storefront.days import accounting_day
from storefront.display import format_date, format_datetime, language
from storefront.exports.manifest import demo_note
from storefront.exports.typeset import typeset
from storefront.money import format_rupiah
from storefront.orders.parcel_views import ParcelView
from storefront.orders.views import OrderView

TEMPLATE = Path(__file__).with_name("receipt.typ")


def issuer(order: OrderView) -> Operator:
    """Who ran the shop on the day on which the order was paid."""
    assert order.paid_at is not None
    return operator(accounting_day(order.paid_at))


def receipt_pdf(order: OrderView) -> bytes:
    """The PDF of a paid order's receipt. Raises ValueError for one that is not paid."""
    if order.paid_at is None:
        raise ValueError("there is no receipt before the money has come")
    data = json.dumps(document(order), ensure_ascii=False)
    return typeset(TEMPLATE, data, timestamp=int(order.paid_at.timestamp()))


def document(order: OrderView) -> dict[str, Any]:
    """Everything that the paper says, as texts."""
    assert order.paid_at is not None
    settings = current_app.extensions["settings"]
    by, contact = issuer(order), order.contact
    about = [
        [_("Pesanan"), order.number],
        [_("Dibayar pada"), format_datetime(order.paid_at)],
        [_("Diselenggarakan oleh"), by.name],
        ["", by.address],
    ]
    if contact is not None and contact.name:
        about.append([_("Pembeli"), contact.name])
    return {
        "lang": language(),
        "shop": settings.shop_name,
        "demo": demo_note(),
        "title": _("Kuitansi %(number)s", number=order.number),
        "about": about,
        "words": {"page": _("Halaman"), "of": _("dari")},
        "columns": [_("Karya"), _("Buah"), _("Harga"), _("Jumlah")],
        "parcels": [_parcel(parcel) for parcel in order.parcels],
        "sums": [
            [_("Jumlah karya"), format_rupiah(order.items_total)],
            [_("Ongkos kirim"), format_rupiah(order.shipping_total)],
            [_("Sudah dibayar"), format_rupiah(order.total)],
        ],
        "refunds": [
            [_("Dikembalikan %(date)s", date=format_date(refund.finished_at)), format_rupiah(refund.amount)]
            for refund in order.refunds
            if refund.finished_at
        ],
        "money_title": _("Ke mana uang Anda"),
        "money_note": _(
            "%(total)s untuk karyanya dibagi begini; ongkos kirim untuk pengirimannya.",
            total=format_rupiah(order.money.total),
        ),
        "money_columns": [_("Bagian"), _("Jumlah")],
        "money": [[part.label, format_rupiah(part.amount)] for part in order.money.parts],
        "fee_note": order.money.fee_note or "",
        "footer": f"{settings.shop_name} · {order.number}",
    }


def _parcel(parcel: ParcelView) -> dict[str, Any]:
    return {
        "title": f"{_('Kiriman')} {parcel.position}: {parcel.facility_name}",
        "lines": [
            [
                f"{line.title} · {line.variant_title}" if line.variant_title else line.title,
                str(line.quantity),
                format_rupiah(line.unit_price),
                format_rupiah(line.net_amount),
            ]
            for line in parcel.lines
        ],
        "shipping": [parcel.method_name, "", "", format_rupiah(parcel.shipping_amount)],
    }
