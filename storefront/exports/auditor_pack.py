"""Berkas pemeriksa: what an auditor takes along of one facility and period, with an index that says how to check it.

No buyer is in it: sales and refunds name orders by number, approvals name the people of the office and the facility.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from flask_babel import force_locale
from flask_babel import gettext as _

from storefront.books import proof
from storefront.books import span as spans
from storefront.books.span import Span
from storefront.days import begins
from storefront.display import format_datetime
from storefront.exports import cash_book_files, money_out, sales, written_table
from storefront.exports.columns import Column, Kind, amount, number, text
from storefront.exports.formats import Format
from storefront.exports.made_files import Made, Seen, maker
from storefront.exports.manifest import demo_note
from storefront.exports.moment import settle
from storefront.exports.pack import Pack
from storefront.exports.statement_pack import add_statement
from storefront.exports.statement_pdf import CLOSED
from storefront.exports.table import Table
from storefront.extensions import db
from storefront.money import format_rupiah
from storefront.people.policy import Action
from storefront.reports.cash_book import GENERAL, books
from storefront.reports.statement import columns
from storefront.snapshot import snapshot

KIND = "auditor_pack"
#: What was decided on, as the audit trail has it: by whom and when. Details may hold words of anybody, so only the
#: amount and the state go along.
APPROVALS = """
    SELECT e.id AS event_id, e.at, p.name AS person, e.action, e.subject_kind, e.subject_id,
           CASE WHEN e.details ->> 'amount' ~ '^-?[0-9]{1,18}$' THEN (e.details ->> 'amount')::bigint END AS amount,
           e.details -> 'after' ->> 'state' AS state
      FROM audit_events e LEFT JOIN people p ON p.id = e.person_id
     WHERE e.at <= %(as_of)s
       AND ((e.facility_id = %(facility)s
             AND e.subject_kind = ANY ('{settlement,deposit,premium_distribution,bank_account,satker,budget_return,
                                         split_rule,connected_account}')
             AND (e.at >= %(begins)s AND e.at < %(ends)s
                  OR (e.subject_kind, e.subject_id) IN (
                      SELECT 'settlement', s.id::text FROM settlements s
                       WHERE s.facility_id = %(facility)s AND s.paid_on BETWEEN %(first)s AND %(last)s
                      UNION ALL
                      SELECT 'deposit', d.id::text FROM deposits d
                       WHERE d.facility_id = %(facility)s AND d.paid_on BETWEEN %(first)s AND %(last)s
                      UNION ALL
                      SELECT 'premium_distribution', x.id::text FROM premium_distributions x
                       WHERE x.facility_id = %(facility)s AND x.distributed_on BETWEEN %(first)s AND %(last)s)))
            OR (e.subject_kind = 'period' AND e.subject_id = %(month)s))"""
PAID_DEPOSITS = """
    SELECT id, proof_key FROM deposits
     WHERE facility_id = %(facility)s AND paid_on BETWEEN %(first)s AND %(last)s ORDER BY id"""
#: Rows of a list of money out that belong to the period: paid, decided or proposed in it.
IN_PERIOD = """
    SELECT * FROM ({sql}) x
     WHERE x.paid_on BETWEEN %(first)s AND %(last)s OR x.reversed_on BETWEEN %(first)s AND %(last)s
        OR accounting_date(x.proposed_at::timestamptz) BETWEEN %(first)s AND %(last)s"""


@maker(KIND, Action.REVENUE_READ)
def make(draft: Path, parameters: dict[str, Any], seen: Seen) -> Made:
    """Write the archive to `draft`: of the facility `facility_id` and `period`."""
    span = spans.parse(parameters["period"])
    as_of = settle(db.engine)
    with force_locale("id"):  # it is an Indonesian inspectorate's, whoever asks for it
        found = build(draft, parameters["facility_id"], span, as_of, seen)
    name = f"berkas-pemeriksa-{found['facility']}-{span.name}.zip"
    return Made(name=name, mimetype="application/zip", manifest=found)


def build(path: Path, facility_id: int, span: Span, as_of: datetime.datetime, seen: Seen) -> dict[str, Any]:
    """Write the archive to `path`; returns its manifest."""
    with snapshot(db.engine) as connection:
        named = connection.execute(
            "SELECT code, name, city FROM facilities_at(%s) WHERE id = %s", (as_of, facility_id)
        ).fetchone()
        assert named is not None
        code, name, city = named
        closed = connection.execute(CLOSED, {"month": span.first.isoformat(), "as_of": as_of}).fetchone()
        deposits = connection.execute(PAID_DEPOSITS, _period(facility_id, span)).fetchall()
    note, total = demo_note(), 7 + len(deposits)
    with Pack(path, as_of) as pack:
        seen(0, total)
        ends = add_statement(pack, facility_id, span, as_of)
        for done, (about, made) in enumerate(_tables(facility_id, code, name, city, span, as_of), 1):
            seen(done, total)
            with snapshot(db.engine) as connection:
                _add(pack, connection, about, made, note)
        for done, (deposit_id, proof_key) in enumerate(deposits, 7):
            seen(done, total)
            with snapshot(db.engine) as connection:
                lines = money_out.deposit_lines_table(deposit_id, as_of)
                about = _("Setoran %(number)s: setiap baris jurnal yang dibawanya", number=deposit_id)
                _add(pack, connection, about, lines, note, folder="setoran/")
            _add_proof(pack, deposit_id, proof_key)
        seen(total, total)
        if closed and closed[0] == "period.closed" and span.is_month:
            state = _("ditutup %(time)s, sidik %(hash)s", time=format_datetime(closed[1]), hash=closed[2])
        else:
            state = _("belum ditutup")
        heading = [
            (_("UPT"), f"{name} ({code})"),
            (_("Periode"), span.label),
            (_("Data per"), format_datetime(as_of)),
            (_("Saldo awal"), format_rupiah(ends["opening"])),
            (_("Saldo akhir"), format_rupiah(ends["closing"])),
            (_("Buku"), state),
            *([(_("Keterangan"), note)] if note else []),
        ]
        facts = {"facility": code, "period": span.name, "row_count": len(pack.members), "sums": ends}
        title = _("Berkas pemeriksa %(name)s, %(period)s", name=name, period=span.label)
        return pack.finish(title, heading, facts | ({"note": note} if note else {}))


def _tables(
    facility_id: int, code: str, name: str, city: str, span: Span, as_of: datetime.datetime
) -> Iterator[tuple[str, Table]]:
    """The tables of the archive, each with what it is."""
    ids, period = [facility_id], _period(facility_id, span)
    selection = sales.select(db.engine, span.first, span.last, facility=code)
    yield _("Setiap karya yang terjual, dengan pembagiannya"), sales.table(selection, as_of)
    yield (
        _("Setoran PNBP: kode billing, NTB, NTPN, tanggal"),
        _within(money_out.deposits_table(ids, as_of), "setoran", period),
    )
    yield (
        _("Penyaluran ke UPT: dana, jumlah, nomor referensi bank"),
        _within(money_out.settlements_table(ids, as_of), "penyaluran", period),
    )
    passed_on = money_out.distributions_table(ids, as_of)
    sql = f"SELECT * FROM ({passed_on.sql}) x WHERE x.distributed_on BETWEEN %(first)s AND %(last)s"  # noqa: S608
    yield (
        _("Pembagian premi menurut catatan UPT: banyaknya orang, tanpa nama"),
        replace(passed_on, name="pembagian-premi", sql=sql, parameters={**passed_on.parameters, **period}),
    )
    yield _("Siapa mengusulkan, siapa menyetujui, dan kapan (jejak audit)"), _approvals(facility_id, span, as_of)
    with snapshot(db.engine) as connection:
        found = books(connection, facility_id, span, as_of)
        funds = {column.code: column.label for column in columns(connection, found.parts.values())}
    keeper = cash_book_files.Keeper(name, code, city, [])
    yield (
        _("Buku kas umum, dengan saldo berjalan"),
        replace(
            cash_book_files.table(found.book(GENERAL), keeper, cash_book_files.summary(found, funds), as_of),
            name="buku-kas-umum",
        ),
    )


def _approvals(facility_id: int, span: Span, as_of: datetime.datetime) -> Table:
    names: tuple[Column, ...] = (
        number("event_id"), Column("at", Kind.TIME), text("person"), text("action"), text("subject_kind"),
        text("subject_id"), amount("amount"), text("state"),
    )  # fmt: skip
    return Table(
        export="approvals",
        name="persetujuan",
        title=_("Persetujuan"),
        columns=names,
        sql=APPROVALS,
        order="ORDER BY event_id",
        parameters={**_period(facility_id, span), "as_of": as_of},
        filters={"period": span.name},
        as_of=as_of,
    )


def _period(facility_id: int, span: Span) -> dict[str, Any]:
    return {
        "facility": facility_id,
        "first": span.first,
        "last": span.last,
        "begins": begins(span.first),
        "ends": begins(span.last + datetime.timedelta(days=1)),
        "month": span.first.isoformat(),
    }


def _within(made: Table, name: str, period: dict[str, Any]) -> Table:
    """The rows of a list that belong to the period; `facility` of the list is a code, and is not asked for here."""
    parameters = {**made.parameters, "first": period["first"], "last": period["last"]}
    return replace(made, name=name, sql=IN_PERIOD.format(sql=made.sql), parameters=parameters)


def _add(
    pack: Pack,
    connection: psycopg.Connection[Any],
    about: str,
    made: Table,
    note: str | None,
    folder: str = "",
) -> None:
    pack.add(
        f"{folder}{made.name}.csv",
        about,
        lambda draft: written_table.fill(draft, connection, made, Format.CSV, note=note),
    )


def _add_proof(pack: Pack, deposit_id: int, key: str | None) -> None:
    """The slip of a deposit; one that is missing is said to be."""
    try:
        content = proof.read(key)[0] if key else None
    except FileNotFoundError:
        content = None
    if key is None or content is None:
        words = _("Bukti setor untuk setoran %(number)s belum diunggah.", number=deposit_id)
        pack.add_bytes(f"setoran/bukti-{deposit_id}-TIDAK-ADA.txt", words, f"{words}\n".encode())
        return
    about = _("Setoran %(number)s: bukti setor", number=deposit_id)
    pack.add_bytes(f"setoran/bukti-{deposit_id}.{key.rpartition('.')[2]}", about, content)
