"""The minute of a handover on paper, for signing: what was open, what lay in the store, what the books said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from storefront.display import format_datetime, language
from storefront.exports.manifest import demo_note
from storefront.exports.typeset import typeset
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.money import format_rupiah
from storefront.people.models import Person
from storefront.teams.handover import Counts, counts_of
from storefront.teams.models import Handover

TEMPLATE = Path(__file__).with_name("handover.typ")


def handover_pdf(row: Handover) -> bytes:
    """The PDF of a handover's minute. Raises ValueError for one that is not done."""
    if row.done_at is None:
        raise ValueError("there is no minute before the work has passed on")
    return typeset(TEMPLATE, json.dumps(document(row), ensure_ascii=False), timestamp=int(row.done_at.timestamp()))


def document(row: Handover) -> dict[str, Any]:
    """Everything that the paper says, as texts."""
    assert row.done_at is not None
    facility = db.session.get_one(Facility, row.facility_id)
    head = db.session.get_one(Person, row.made_by)
    shop = current_app.extensions["settings"].shop_name
    when = format_datetime(row.done_at, facility.time_zone)
    return {
        "lang": language(),
        "shop": shop,
        "demo": demo_note(),
        "facility": f"{facility.name} ({facility.code})",
        "title": _("Berita acara serah terima koordinator"),
        "opening": _(
            "Pada %(when)s pekerjaan koordinator %(facility)s di %(shop)s diserahkan oleh %(before)s kepada %(after)s. "
            "Yang diserahkan, menurut catatan toko pada saat itu:",
            when=when,
            facility=facility.name,
            shop=shop,
            before=row.from_name,
            after=row.to_name,
        ),
        "columns": [_("Yang diserahkan"), _("Jumlah atau nilai")],
        "rows": rows_of(counts_of(row)),
        "closing": _(
            "Tugas %(before)s berakhir dan semua sesi masuknya ditutup pada saat yang sama. Usulan yang menunggu tetap "
            "bernama yang mengusulkannya.",
            before=row.from_name,
        ),
        "signers": [
            {"role": _("Yang menyerahkan"), "name": row.from_name},
            {"role": _("Yang menerima"), "name": row.to_name},
            {"role": _("Mengetahui, kepala UPT"), "name": head.name},
        ],
        "footer": f"{shop} · {facility.code} · {when}",
    }


def rows_of(found: Counts) -> list[list[str]]:
    """What passes on, line by line, with its number or amount."""
    money = {
        "premium": _("Saldo upah pembuat (premi)"),
        "working_capital": _("Saldo modal kerja"),
        "state_revenue": _("Saldo PNBP"),
        "shipping": _("Saldo ongkos kirim"),
        "other": _("Saldo dana lain"),
    }
    return [
        [_("Kiriman yang perlu dikemas"), str(found.to_pack)],
        [_("Kiriman yang sudah dikemas, belum dikirim"), str(found.packed)],
        [_("Kiriman siap diambil"), str(found.ready)],
        [_("Kumpulan label yang belum dicetak"), str(found.label_batches)],
        [_("Pertanyaan yang belum dijawab"), str(found.questions)],
        [_("Laporan pembeli yang belum dijawab"), str(found.problems)],
        [_("Permintaan pengembalian dana yang menunggu keuangan"), str(found.refunds)],
        [_("Draf karya"), str(found.drafts)],
        [_("Karya yang sudah disetujui dan menunggu waktunya"), str(found.scheduled)],
        [_("Impor karya yang belum selesai"), str(found.imports)],
        [_("Hitung stok yang belum selesai"), str(found.stock_takes)],
        [_("Pernyataan kerja layak yang menunggu kantor pusat"), str(found.declarations)],
        [_("Rekening yang menunggu persetujuan"), str(found.bank_accounts)],
        [_("Tampilan tersimpan"), str(found.views)],
        [_("Buah dalam stok"), str(found.pieces)],
        [_("Nilai stok menurut harga jual"), format_rupiah(found.pieces_value)],
        *([money.get(code, code), format_rupiah(amount)] for code, amount in found.owed.items()),
    ]
