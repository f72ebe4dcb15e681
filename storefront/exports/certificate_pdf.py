"""A certificate of sale on paper: A4, from the figures that were kept when it was issued: always the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from storefront.content.operator import operator
from storefront.days import accounting_day
from storefront.display import format_date, language
from storefront.exports.certificates import AMOUNTS, name_of
from storefront.exports.manifest import demo_note
from storefront.exports.models import SaleCertificate
from storefront.exports.typeset import typeset
from storefront.mail.write import address_of
from storefront.money import format_number, format_rupiah
from storefront.qr_code import as_file

TEMPLATE = Path(__file__).with_name("certificate.typ")


def certificate_pdf(certificate: SaleCertificate) -> bytes:
    """The PDF, in the reader's language."""
    data = json.dumps(document(certificate), ensure_ascii=False)
    return typeset(TEMPLATE, data, timestamp=int(certificate.issued_at.timestamp()))


def document(certificate: SaleCertificate) -> dict[str, Any]:
    """Everything that the paper says, as texts."""
    kept, shop = certificate.content, current_app.extensions["settings"].shop_name
    name, link = (
        name_of(certificate, kept["code"]),
        address_of(f"/certificates/{certificate.code}", language()),
    )
    issued_on = accounting_day(certificate.issued_at)
    days = format_date(certificate.first_day)
    if certificate.last_day != certificate.first_day:
        days = f"{days} – {format_date(certificate.last_day)}"
    columns = [name for name in AMOUNTS if name != "other" or kept["sums"]["other"]]
    words = {
        "net_amount": _("Nilai"), "premium": _("Premi"), "working_capital": _("Modal kerja"),
        "state_revenue": "PNBP", "other": _("Lainnya"),
    }  # fmt: skip
    return {
        "lang": language(),
        "shop": shop,
        "demo": demo_note(),
        "title": _("Surat keterangan penjualan"),
        "about": [
            [_("Nomor"), name],
            ["UPT", f"{kept['facility']} ({kept['code']})"],
            [_("Pesanan"), kept["order"]] if kept["order"] else [_("Dibayar pada"), days],
            *([[_("Dibayar pada"), days]] if kept["order"] else []),
            [_("Diterbitkan"), format_date(issued_on)],
            [_("Diselenggarakan oleh"), operator(issued_on).name],
        ],
        "statement": _(
            "Menurut pembukuan toko, UPT ini menjual %(pieces)s buah karya senilai %(amount)s, dibagi seperti di "
            "bawah. Jumlah sebagaimana terjual; pengembalian dana dicatat tersendiri.",
            pieces=format_number(kept["pieces"]),
            amount=format_rupiah(kept["sums"]["net_amount"]),
        ),
        "columns": [_("Karya"), _("Buah"), *(words[column] for column in columns)],
        "works": [
            [f"{work['title']} ({work['sku']})", *_figures(work["pieces"], work, columns)]
            for work in kept["works"]
        ],
        "sums": [_("Jumlah (Rp)"), *_figures(kept["pieces"], kept["sums"], columns)],
        "refunded": _refunded(kept["refunded"]),
        "rules_title": _("Aturan pembagian dan dasar hukumnya"),
        "rules": [
            f"#{rule['id']}: {_shares(rule)}. {_('Dasar hukum')}: {rule['legal_basis']}"
            for rule in kept["rules"]
        ],
        "check": _("Periksa keaslian surat ini di:"),
        "link": link,
        "qr": as_file(link, border=0, xmldecl=False),
        "qr_alt": _("Kode QR ke halaman pemeriksaan"),
        "sign": [_("Kepala UPT"), _("Nama:"), _("NIP:")],
        "words": {"page": _("Halaman"), "of": _("dari")},
        "footer": f"{shop} · {name}",
    }


def _figures(pieces: int, amounts: dict[str, int], columns: list[str]) -> list[str]:
    return [format_number(pieces), *(format_number(amounts[column]) for column in columns)]


def _refunded(amount: int) -> str:
    if not amount:
        return ""
    return _("Dikembalikan kepada pembeli sampai hari terbit: %(amount)s", amount=format_rupiah(amount))


def _shares(rule: dict[str, Any]) -> str:
    """`50 % premi, 35 % modal kerja …` as the rule says."""
    basis = _("dari laba") if rule["basis"] == "profit" else _("dari nilai bersih")
    parts = [f"{points / 100:g}".replace(".", ",") + f" % {name}" for _code, name, points in rule["shares"]]
    return f"{', '.join(parts)} ({basis})"
