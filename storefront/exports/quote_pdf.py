"""Papers of a quote, set by Typst on the facility's letterhead: each says what happened, under its own number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import force_locale

from storefront.content.operator import operator
from storefront.days import accounting_day
from storefront.display import format_date
from storefront.exports.in_words import in_words
from storefront.exports.manifest import demo_note
from storefront.exports.typeset import typeset
from storefront.extensions import db
from storefront.money import format_rupiah
from storefront.orders.models import Parcel
from storefront.quotes.lists import QuoteView, quote_view
from storefront.quotes.models import PaperKind, Quote
from storefront.quotes.papers import PaperView

TEMPLATE = Path(__file__).with_name("quote_paper.typ")


def paper_pdf(quote: Quote, paper: PaperView) -> bytes:
    """The PDF of a paper that was issued, in Indonesian as offices need it. Raises ValueError for one that was not."""
    if paper.issued_at is None:
        raise ValueError(f"{paper.key} of quote {quote.id} has no number")
    with force_locale("id"):
        data = document(quote_view(quote), paper)
    return typeset(TEMPLATE, json.dumps(data, ensure_ascii=False), timestamp=int(paper.issued_at.timestamp()))


def document(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    """Everything that the paper says, as texts."""
    assert paper.issued_at is not None
    facility, shop = view.facility, current_app.extensions["settings"].shop_name
    day = format_date(accounting_day(paper.issued_at))
    frame: dict[str, Any] = {
        "lang": "id",
        "shop": shop,
        "demo": demo_note(),
        "operator": operator(accounting_day(paper.issued_at)).name,
        "facility": facility.name,
        "address": ", ".join(part for part in (facility.address, facility.city, facility.postal_code) if part),
        "words": {"page": _said("Halaman"), "of": _said("dari")},
        "number_words": _said("Nomor"),
        "number": paper.number,
        "facts": [
            [_said("Tanggal"), day],
            [_said("Kepada"), _asker(view) if paper.kind is PaperKind.QUOTE else _addressee(view)],
            [_said("Penawaran"), view.quote.number or ""],
        ],
        "opening": [],
        "columns": [],
        "rows": [],
        "widths": [],
        "aligns": [],
        "totals": [],
        "closing": [],
        "signers": [],
        "footer": f"{shop} · {facility.code} · {paper.number} · {day}",
    }
    found = frame | WRITERS[paper.kind](view, paper)
    # Place and day stand above the last signature, as on any letter.
    places = [*[""] * (len(found["signers"]) - 1), f"{facility.city}, {day}" if facility.city else day]
    found["signers"] = [one | {"place": place} for one, place in zip(found["signers"], places, strict=True)]
    return found


def _said(text: str, /, **values: object) -> str:
    """Words of a paper: always Indonesian, as the offices that file it need it, so never translated."""
    return text % values if values else text


def _asker(view: QuoteView) -> str:
    """Who asked, as far as it was known when the quote was sent: a paper with a number stays as it was."""
    city = view.enquiry.city
    return _said("Pemohon penawaran di %(city)s", city=city) if city else _said("Pemohon penawaran")


def _addressee(view: QuoteView) -> str:
    found = view.acceptance
    if found is None or not found.name:
        return _said("Pemohon penawaran")
    return ", ".join(part for part in (found.institution, found.name, found.position) if part)


def _goods(view: QuoteView) -> dict[str, Any]:
    """Lines with prices, and what they come to."""
    quote = view.quote
    return {
        "columns": [_said("Karya"), _said("Buah"), _said("Harga satuan"), _said("Jumlah")],
        "widths": [3, 0, 0, 0],
        "aligns": ["left", "right", "right", "right"],
        "rows": [
            [
                line.title, str(line.quantity), format_rupiah(line.unit_price),
                format_rupiah(line.unit_price * line.quantity),
            ]
            for line in quote.lines
        ],
        "totals": [
            [_said("Ongkos kirim (%(method)s)", method=view.method.name), format_rupiah(quote.shipping_amount)],
            [_said("Jumlah seluruhnya"), format_rupiah(quote.total)],
        ],
    }  # fmt: skip


def _terms(view: QuoteView) -> list[str]:
    quote, found = view.quote, []
    if len(view.amounts) == 2:
        found.append(
            _said(
                "Uang muka %(first)s dibayar paling lambat %(days)d hari setelah disetujui; sisanya %(rest)s paling "
                "lambat %(more)d hari sesudah itu. Barang dikirim setelah lunas.",
                first=format_rupiah(view.amounts[0]), days=quote.first_days,
                rest=format_rupiah(view.amounts[1]), more=quote.rest_days,
            )
        )  # fmt: skip
    else:
        found.append(_said("Dibayar sekaligus paling lambat %(days)d hari setelah disetujui.", days=quote.first_days))
    if view.longest:
        found.append(_said("Waktu pembuatan paling lama %(days)d hari sejak lunas.", days=view.longest))
    return found


def _quote(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    valid = _said("Penawaran ini berlaku sampai %(day)s. Harga sudah final.", day=format_date(view.quote.valid_until))
    return _goods(view) | {
        "title": _said("Surat penawaran"),
        "opening": [_said("Menjawab permintaan Anda, kami menawarkan:")],
        "closing": [*([view.quote.notes] if view.quote.notes else []), *_terms(view), valid],
        "signers": [_for_facility()],
    }


def _order_letter(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    return _goods(view) | {
        "title": _said("Surat pesanan"),
        "opening": [_said("Dengan ini dipesan menurut penawaran %(number)s:", number=view.quote.number)],
        "closing": _terms(view),
        "signers": [_for_buyer(view, _said("Yang memesan")), _for_facility()],
    }


def _part(view: QuoteView, paper: PaperView) -> tuple[int, int, str]:
    """Amount, number of instalments, and last day of the one that a paper is about."""
    found = next(part for part in view.instalments if part.position == paper.part)
    return found.amount, len(view.instalments), format_date(accounting_day(found.due_at))


def _invoice(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    amount, of, due = _part(view, paper)
    words = _said("Tagihan angsuran %(part)d dari %(all)d", part=paper.part, all=of) if of > 1 else _said("Tagihan")
    return _goods(view) | {
        "title": _said("Tagihan"),
        "opening": [words],
        "totals": [*_goods(view)["totals"], [_said("Yang dibayar sekarang"), format_rupiah(amount)]],
        "closing": [
            _said(
                "Dibayar paling lambat %(day)s, hanya lewat halaman pesanan %(order)s: dengan kartu, kode, atau "
                "transfer bank.",
                day=due, order=_number(view),
            ),
        ],
        "signers": [_for_facility()],
    }  # fmt: skip


def _receipt(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    amount, of, _due = _part(view, paper)
    paid = next(part.paid_at for part in view.instalments if part.position == paper.part)
    return {
        "title": _said("Kuitansi"),
        "facts": [
            [_said("Sudah terima dari"), _addressee(view)],
            [_said("Uang sejumlah"), format_rupiah(amount)],
            [_said("Terbilang"), _said("%(words)s rupiah", words=in_words(amount))],
            [
                _said("Untuk pembayaran"),
                _said("angsuran %(part)d dari %(all)d pesanan %(order)s", part=paper.part, all=of, order=_number(view))
                if of > 1
                else _said("pembayaran pesanan %(order)s", order=_number(view)),
            ],
            [_said("Diterima"), format_date(accounting_day(paid)) if paid else ""],
        ],
        "signers": [_for_facility()],
    }  # fmt: skip


def _pieces(paper: PaperView) -> dict[str, Any]:
    parcel = db.session.get_one(Parcel, paper.parcel_id)
    lines = sorted(parcel.lines, key=lambda part: part.line.position)
    return {
        "columns": [_said("Karya"), "SKU", _said("Buah")],
        "widths": [3, 0, 0],
        "aligns": ["left", "left", "right"],
        "rows": [[part.line.title, part.line.sku, str(part.quantity)] for part in lines],
    }


def _delivery_note(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    parcel = db.session.get_one(Parcel, paper.parcel_id)
    sent = " ".join(part for part in (parcel.courier, parcel.tracking) if part)
    return _pieces(paper) | {
        "title": _said("Surat jalan"),
        "opening": [
            _said("Kiriman %(part)d dari pesanan %(order)s.", part=paper.part, order=_number(view)),
            *([sent] if sent else []),
        ],
        "signers": [_for_facility(_said("Yang mengirim")), _for_buyer(view, _said("Yang menerima"))],
    }  # fmt: skip


def _handover(view: QuoteView, paper: PaperView) -> dict[str, Any]:
    parcel = db.session.get_one(Parcel, paper.parcel_id)
    day = format_date(accounting_day(parcel.received_at)) if parcel.received_at else ""
    return _pieces(paper) | {
        "title": _said("Berita acara serah terima"),
        "opening": [
            _said(
                "Pada %(day)s barang berikut dari pesanan %(order)s diserahkan oleh %(facility)s dan diterima oleh "
                "%(buyer)s.",
                day=day, order=_number(view), facility=view.facility.name, buyer=_addressee(view),
            ),
        ],
        "closing": [_said("Barang diterima dalam jumlah yang tertulis di atas.")],
        "signers": [_for_facility(_said("Yang menyerahkan")), _for_buyer(view, _said("Yang menerima"))],
    }  # fmt: skip


def _number(view: QuoteView) -> str:
    return view.order.number if view.order else ""


def _for_facility(role: str = "") -> dict[str, str]:
    return {"role": role or _said("Untuk lapas"), "name": _said("Nama dan tanda tangan")}


def _for_buyer(view: QuoteView, role: str) -> dict[str, str]:
    found = view.acceptance
    name = ", ".join(part for part in (found.name, found.position) if part) if found else ""
    return {"role": role, "name": name or _said("Nama dan tanda tangan")}


WRITERS: dict[PaperKind, Callable[[QuoteView, PaperView], dict[str, Any]]] = {
    PaperKind.QUOTE: _quote,
    PaperKind.ORDER_LETTER: _order_letter,
    PaperKind.INVOICE: _invoice,
    PaperKind.RECEIPT: _receipt,
    PaperKind.DELIVERY_NOTE: _delivery_note,
    PaperKind.HANDOVER: _handover,
}
