"""The statement of a facility on paper: A4, black and white, page numbers, a place to sign.

Up to `IN_FULL` lines stand one by one; above it they are added up by day, and where even the days are too
many, by month: a PDF that nobody can turn the pages of proves less than a sum with its file of lines.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from psycopg.rows import dict_row

from storefront.display import format_date, format_datetime, format_month, language
from storefront.exports.manifest import demo_note
from storefront.exports.statement_table import ORDER, Source, kind_words, rows_of, table
from storefront.exports.table import manifest, totals
from storefront.exports.typeset import typeset
from storefront.money import format_number

TEMPLATE = Path(__file__).with_name("statement.typ")
#: Most lines, or days, that a statement prints.
IN_FULL = 1000

#: Lines added up by day or month, and by kind. `e` is joined because a file always speaks of a moment.
SUMMED = """
    SELECT {day} AS effective_date, e.kind, count(DISTINCT p.entry_id) AS entries, {sums} {postings}
     GROUP BY 1, 2 ORDER BY 1, 2"""

#: How its month stood at the moment, by the audit trail: the month's own row forgets what was when it is opened again.
CLOSED = """
    SELECT action, at, details ->> 'hash' FROM audit_events
     WHERE subject_kind = 'period' AND subject_id = %(month)s AND at <= %(as_of)s
       AND action IN ('period.closed', 'period.reopened')
     ORDER BY at DESC, id DESC LIMIT 1"""


def paper(source: Source, *, note: str | None) -> tuple[bytes, dict[str, Any]]:
    """The PDF of an opened statement, and the manifest of it: rows and sums of the lines that it speaks of."""
    pdf, made = statement_pdf(source), table(source)
    sha256 = hashlib.sha256(pdf).hexdigest()
    found = totals(source.connection, made)
    return pdf, manifest(made, found, file=f"{made.name}.pdf", format="pdf", sha256=sha256, note=note)


def statement_pdf(source: Source) -> bytes:
    """The PDF of an opened statement. With the same moment it shows the same."""
    data = json.dumps(document(source), ensure_ascii=False)
    return typeset(TEMPLATE, data, timestamp=int(source.as_of.timestamp()))


def document(source: Source) -> dict[str, Any]:
    """Everything that the paper says, as texts."""
    told, shop = source.statement, current_app.extensions["settings"].shop_name
    columns = [*(column.label for column in told.columns), _("Jumlah")]
    return {
        "lang": language(),
        "shop": shop,
        "demo": demo_note(),
        "title": _("Laporan %(name)s", name=source.facility.name),
        "subtitle": told.span.label,
        "footer": f"{shop} · {source.facility.code} · {told.span.label}",
        "about": _about(source),
        "words": {
            "page": _("Halaman"),
            "of": _("dari"),
            "distributions": _("Premi yang dibagikan UPT (menurut catatan UPT)"),
            "name": _("Nama:"),
            "number": _("NIP:"),
        },
        "columns": columns,
        "figures": _figures(source),
        "distribution_columns": [_("Tanggal"), _("Bengkel"), _("Orang"), _("Jumlah")],
        "distributions": [
            [format_date(d.distributed_on), d.workshop, format_number(d.people), format_number(d.amount)]
            for d in told.distributions
        ],
        "signatures": [
            {"above": _("Mengetahui,"), "role": _("Kepala %(name)s", name=source.facility.name)},
            {"above": f"{source.facility.city}, ........................", "role": _("Bendahara penerimaan")},
        ],
        **_lines(source),
    }


def _about(source: Source) -> list[list[str]]:
    """What stands below the title, pair by pair."""
    pairs = [
        [_("UPT"), f"{source.facility.name} ({source.facility.code}), {source.facility.regional_office}"],
        [_("Data per"), format_datetime(source.as_of)],
        [_("Satuan"), _("rupiah; yang menambah hak UPT positif, yang mengurangi negatif")],
    ]
    span = source.statement.span
    act = source.connection.execute(
        CLOSED, {"month": span.first.isoformat(), "as_of": source.as_of}
    ).fetchone()
    if act and act[0] == "period.closed" and span.is_month:
        closed = _("ditutup %(time)s, sidik %(hash)s", time=format_datetime(act[1]), hash=act[2][:16])
        pairs.append([_("Buku"), closed])
    return pairs


def _figures(source: Source) -> list[dict[str, Any]]:
    """The rows of the statement; the first and the closing stand out, what follows is a memo."""
    rows = rows_of(source.statement)
    closing = 1 + len(source.statement.movements)
    return [
        {
            "strong": place in (0, closing),
            "memo": place > closing,
            "cells": [
                words,
                *(_number(amounts.get(column.code, 0)) for column in source.statement.columns),
                _number(sum(amounts.values())),
            ],
        }
        for place, (words, amounts) in enumerate(rows)
    ]


def _lines(source: Source) -> dict[str, Any]:
    """The lines one by one, or added up."""
    query = source.lines()
    with source.connection.cursor(row_factory=dict_row) as cursor:
        sql = f"{query.rows()} {ORDER} LIMIT {IN_FULL + 1:d}"
        rows = cursor.execute(sql, query.parameters).fetchall()
    labels = [*(column.label for column in query.columns), _("Jumlah")]
    if len(rows) > IN_FULL:
        return _summed(source, labels)
    return {
        "lines_title": _("Baris menurut tanggal"),
        "line_columns": [_("Tanggal"), _("Uraian"), _("Rujukan"), _("Karya"), _("Buah"), *labels],
        "line_widths": ["", "", "", "rest", "", *[""] * len(labels)],
        "texts": 4,
        "lines": [
            [
                row["effective_date"].isoformat(),
                _described(row),
                row["order_number"] or row["reference"] or "–",
                row["product"] or _origin(row),
                "" if row["quantity"] is None else format_number(row["quantity"]),
                *(_number(row[name]) for name in query.names),
            ]
            for row in rows
        ],
        "lines_total": [_("Jumlah"), "", "", "", "", *_totals(rows, query.names)],
    }


def _described(row: dict[str, Any]) -> str:
    if row["happened_on"] is None:
        return kind_words(row["kind"])
    return _("%(kind)s (terjadi %(day)s)", kind=kind_words(row["kind"]), day=row["happened_on"].isoformat())


def _origin(row: dict[str, Any]) -> str:
    """What a line without a piece of work comes from; what has no words is named by its source."""
    number = row["source"].split(":")[1]
    if row["order_number"]:
        return _("Ongkos kirim")
    if row["kind"] == "settlement":
        return _("Penyaluran %(number)s", number=number)
    return _("Setoran %(number)s", number=number) if row["kind"] == "deposit" else str(row["source"])


def _summed(source: Source, labels: list[str]) -> dict[str, Any]:
    rows = _by(source, "p.effective_date")
    by_day = len(rows) <= IN_FULL
    if not by_day:
        rows = _by(source, "date_trunc('month', p.effective_date)::date")
    names = source.lines().names
    return {
        "lines_title": _("Jumlah menurut hari") if by_day else _("Jumlah menurut bulan"),
        "line_columns": [_("Tanggal") if by_day else _("Bulan"), _("Uraian"), _("Transaksi"), *labels],
        "line_widths": ["", "rest", "", *[""] * len(labels)],
        "texts": 2,
        "lines": [
            [
                format_date(row["effective_date"]) if by_day else format_month(row["effective_date"]),
                kind_words(row["kind"]),
                format_number(row["entries"]),
                *(_number(row[name]) for name in names),
            ]
            for row in rows
        ],
        "lines_total": [_("Jumlah"), "", _totals(rows, ["entries"])[0], *_totals(rows, names)],
    }


def _by(source: Source, day: str) -> list[dict[str, Any]]:
    query = source.lines()
    sql = SUMMED.format(day=day, sums=query.sums, postings=query.postings)
    with source.connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql, query.parameters).fetchall()


def _totals(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    return [_number(sum(row[name] for row in rows)) for name in names]


def _number(amount: int) -> str:
    return format_number(amount) if amount else "–"
