"""The treasurer's books as files: tables for CSV and XLSX, and on paper with page numbers and places to sign."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import current_app
from flask_babel import gettext as _

from storefront.display import format_datetime, language
from storefront.exports.columns import amount, day, number, text
from storefront.exports.manifest import demo_note
from storefront.exports.moment import rfc3339
from storefront.exports.statement_pdf import IN_FULL, TEMPLATE
from storefront.exports.statement_table import kind_words
from storefront.exports.table import Sheet, Table, manifest, totals
from storefront.exports.typeset import typeset
from storefront.money import format_number, format_rupiah
from storefront.reports.cash_book import GENERAL, IN_ORDER, Books, CashBook, Line, Sums
from storefront.reports.treasurer_report import TreasurerReport, treasurer_report

#: The monthly report, beside the books.
REPORT = "lpj"
#: Where the treasurer writes by pen.
BY_PEN = "Rp ...................."
#: What entries that only the office's books have are called.
OFFICE_KINDS: dict[str, Callable[[], str]] = {
    "payout": lambda: _("Pencairan dari penyedia"),
    "payment_held": lambda: _("Pembayaran tertahan"),
    "customer_deposit": lambda: _("Angsuran yang menunggu"),
    "deposit_released": lambda: _("Angsuran dikembalikan"),
    "transfer_held": lambda: _("Transfer tertahan"),
    "transfer_counted": lambda: _("Transfer dihitung"),
    "transfer_returned": lambda: _("Transfer dikembalikan"),
}
#: What each book is called; funds have names of their own.
BOOK_WORDS: dict[str, Callable[[], str]] = {
    GENERAL: lambda: _("Buku kas umum"),
    "bank": lambda: _("Buku pembantu bank"),
    "cash": lambda: _("Buku pembantu kas tunai"),
    "provider": lambda: _("Buku pembantu uang di penyedia pembayaran"),
    "state_revenue": lambda: _("Buku pembantu PNBP"),
    "shipping": lambda: _("Buku pembantu ongkos kirim"),
}


@dataclass(frozen=True)
class Keeper:
    """Whose books they are, as papers name them."""

    name: str
    code: str
    #: Where it is signed.
    city: str
    #: What stands at the head of the form, pair by pair: ministry, unit, satker.
    about: list[tuple[str, str]]


def entry_words(line: Line) -> str:
    """What a line says it is for."""
    words = OFFICE_KINDS[line.kind]() if line.kind in OFFICE_KINDS else kind_words(line.kind)
    told = line.order_number or line.reference
    return f"{words} {told}" if told else words


@dataclass(frozen=True)
class Section:
    """A part of the monthly report: its rows with their rupiah; None: written by pen. Without rows: dotted lines."""

    id: str
    title: str
    rows: Sequence[tuple[str, int | None]]


def book_words(code: str, funds: dict[str, str]) -> str:
    """What a book is called; `funds` are the names of funds by code."""
    if code in BOOK_WORDS:
        return BOOK_WORDS[code]()
    return _("Buku pembantu %(fund)s", fund=funds.get(code, code))


def first_part(report: TreasurerReport) -> str:
    """The title of the first part, with the closing balance and the last evidence."""
    return _(
        "I. Keadaan pembukuan bulan pelaporan dengan saldo akhir pada BKU sebesar %(amount)s dan nomor bukti terakhir "
        "%(number)s",
        amount=format_rupiah(report.closing),
        number="–" if report.last_evidence is None else report.last_evidence,
    )


def _printed(found: Sequence[Section]) -> list[dict[str, Any]]:
    """Sections as the paper takes them: what is written by pen is dots."""
    return [
        {
            "title": section.title,
            "rows": [[words, BY_PEN if value is None else format_rupiah(value)] for words, value in section.rows],
        }
        for section in found
    ]


def sections(report: TreasurerReport) -> list[Section]:
    """Parts II to V of the monthly report, in the words of its form."""
    cash = [(_("1. Uang tunai di brankas"), report.cash), (_("2. Uang di rekening bank"), report.bank)]
    if report.held_by_office is not None:
        cash.append((_("   Dipegang kantor pusat untuk UPT ini"), report.held_by_office))
    cash.append((_("3. Jumlah kas"), report.total_cash))
    if report.at_provider is not None:
        cash.append((_("   Di luar kas: masih di penyedia pembayaran"), report.at_provider))
    counted = [
        (_("1. Saldo akhir pada BKU"), report.closing),
        (_("2. Jumlah kas (II.3)"), report.total_cash),
        (_("3. Selisih kas"), report.difference),
    ]
    compared: list[tuple[str, int | None]] = []
    if report.state_revenue is not None:
        compared = [
            (_("1. Penerimaan (PNBP) menurut pembukuan"), report.state_revenue),
            (_("2. Sudah disetor ke kas negara, %(count)s setoran", count=report.deposits), report.deposited),
            (_("3. Belum disetor dari penerimaan bulan ini"), report.not_deposited),
        ]
    number = len(compared)
    compared += [
        (_("%(number)d. Menurut UAKPA", number=number + 1), None),
        (_("%(number)d. Selisih pembukuan", number=number + 2), None),
    ]
    return [
        Section("dua", _("II. Keadaan kas pada akhir bulan pelaporan"), cash),
        Section("tiga", _("III. Selisih kas"), counted),
        Section("empat", _("IV. Hasil rekonsiliasi internal dengan UAKPA"), compared),
        Section("lima", _("V. Penjelasan selisih kas dan/atau selisih pembukuan (apabila ada)"), []),
    ]


def table(book: CashBook, keeper: Keeper, summary: Sheet, as_of: datetime.datetime) -> Table:
    """A book line by line. Its balance runs on, so it is no column to be summed."""
    return Table(
        export="cash_book",
        name=f"{book.code}-{keeper.code}-{book.span.name}",
        title=BOOK_WORDS[book.code]()[:31] if book.code in BOOK_WORDS else book.code,
        columns=(
            day("day"), number("entry_id"), text("kind"), text("part"), text("source"), text("order_number"),
            text("reference"), amount("debit"), amount("credit"), number("balance"),
        ),
        sql=f"{book.sql} ORDER BY {IN_ORDER.sql()}",
        parameters=book.parameters,
        filters={"keeper": keeper.code, "book": book.code, "period": book.span.name},
        as_of=as_of,
        sheets=[summary],
        facts={"opening": book.sums.opening, "closing": book.sums.closing},
    )  # fmt: skip


def summary(found: Books, funds: dict[str, str], report: TreasurerReport | None = None) -> Sheet:
    """All books of the month with what they open and close with; with `report` all parts of the monthly report."""
    rows: list[list[Any]] = [[book_words(one.code, funds), *_sums(one)] for one in found.sums]
    for section in sections(report) if report else []:
        rows += [["", "", "", "", ""], [section.title, "", "", "", ""]]
        rows += [[words, "" if amount_ is None else amount_, "", "", ""] for words, amount_ in section.rows]
    heads = [_("Buku"), _("Saldo awal"), _("Penambahan"), _("Pengurangan"), _("Saldo akhir")]
    return Sheet("LPJ", heads, rows, [40.0, 16.0, 16.0, 16.0, 16.0])


def paper(
    connection: psycopg.Connection[Any],
    found: Books,
    code: str,
    keeper: Keeper,
    funds: dict[str, str],
    as_of: datetime.datetime,
) -> tuple[bytes, dict[str, Any]]:
    """The PDF of a book, or (`lpj`) of the monthly report, and its manifest.

    Up to 1,000 lines stand one by one; of more, the sums of each day.
    """
    book = found.book(GENERAL if code == REPORT else code)
    title = _("Laporan pertanggungjawaban bendahara") if code == REPORT else book_words(code, funds)
    report = treasurer_report(connection, found) if code == REPORT else None
    lines = [] if report else _lines(connection, book)
    data = {
        "lang": language(),
        "shop": current_app.extensions["settings"].shop_name,
        "demo": demo_note(),
        "title": title,
        "subtitle": f"{keeper.name} · {book.span.label}",
        "footer": f"{title} · {keeper.code} · {book.span.label}",
        "about": [*(list(pair) for pair in keeper.about), [_("Data per"), format_datetime(as_of)]],
        "words": {
            "page": _("Halaman"), "of": _("dari"), "distributions": "", "name": _("Nama:"), "number": _("NIP:"),
        },
        "columns": [_("Saldo awal"), _("Penambahan"), _("Pengurangan"), _("Saldo akhir")],
        "figures": [
            {
                "strong": one.code == GENERAL,
                "memo": False,
                "cells": [book_words(one.code, funds), *map(_number, _sums(one))],
            }
            for one in found.sums
        ],
        "figures_title": first_part(report) if report else "",
        "sections": _printed(sections(report)) if report else [],
        "distribution_columns": ["", "", "", ""],
        "distributions": [],
        "signatures": [
            {"above": _("Mengetahui,"), "role": _("Kepala satuan kerja")},
            {"above": f"{keeper.city}, ........................", "role": _("Bendahara penerimaan")},
        ],
        "lines_title": title,
        "line_columns": [_("Tanggal"), _("No. bukti"), _("Uraian"), _("Debet"), _("Kredit"), _("Saldo")],
        "line_widths": ["", "", "rest", "", "", ""],
        "texts": 3,
        "lines": lines,
        "lines_total": ["", "", _("Jumlah"), *map(_number, (book.sums.debit, book.sums.credit, book.sums.closing))],
    }  # fmt: skip
    pdf = typeset(TEMPLATE, json.dumps(data, ensure_ascii=False), timestamp=int(as_of.timestamp()))
    made = table(book, keeper, summary(found, funds, report), as_of)
    told = manifest(
        made, totals(connection, made), file=f"{code}-{keeper.code}-{book.span.name}.pdf", format="pdf",
        sha256=hashlib.sha256(pdf).hexdigest(), note=demo_note(),
    )  # fmt: skip
    return pdf, told | {"as_of": rfc3339(as_of)}


def _lines(connection: psycopg.Connection[Any], book: CashBook) -> list[list[str]]:
    """The lines as texts, what was carried over first; added up by day where they are too many to be turned over."""
    rows = book.lines(connection, limit=IN_FULL + 1)
    first = [book.span.first.isoformat(), "", _("Saldo awal"), "", "", _number(book.sums.opening)]
    if len(rows) <= IN_FULL:
        return [first, *([row.day.isoformat(), str(row.entry_id), entry_words(row), *_of(row)] for row in rows)]
    by_day = connection.execute(
        f"""SELECT day, count(*), sum(debit)::bigint, sum(credit)::bigint,
                   (array_agg(balance ORDER BY entry_id DESC, part DESC))[1]
              FROM ({book.sql}) t GROUP BY day ORDER BY day""",  # noqa: S608
        book.parameters,
    ).fetchall()
    return [
        first,
        *(
            [day_.isoformat(), "", _("%(count)s jurnal", count=format_number(count)), *map(_number, sums)]
            for day_, count, *sums in by_day
        ),
    ]


def _of(line: Line) -> list[str]:
    return [_number(line.debit), _number(line.credit), format_number(line.balance)]


def _sums(one: Sums) -> tuple[int, int, int, int]:
    return one.opening, one.debit, one.credit, one.closing


def _number(amount_: int) -> str:
    return format_number(amount_) if amount_ else "–"
