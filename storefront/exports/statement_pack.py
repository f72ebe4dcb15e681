"""The statements of all facilities of a period in one archive: each as PDF and XLSX, an index, sums and hashes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from storefront import sources
from storefront.books import span as spans
from storefront.books.span import Span
from storefront.display import format_datetime
from storefront.exports import statement_table, written_table
from storefront.exports.formats import Format
from storefront.exports.from_replica import settled
from storefront.exports.made_files import Made, Seen, maker
from storefront.exports.manifest import demo_note
from storefront.exports.pack import Pack
from storefront.exports.statement_pdf import paper
from storefront.money import format_number, format_rupiah
from storefront.people.policy import Action
from storefront.snapshot import snapshot

KIND = "statement_pack"
FACILITIES = """
    SELECT f.id, f.code FROM facilities f
     WHERE (%(ids)s::bigint[] IS NULL OR f.id = ANY (%(ids)s::bigint[]))
       AND EXISTS (SELECT FROM accounts a JOIN postings p ON p.account_id = a.id
                    WHERE a.facility_id = f.id AND p.effective_date <= %(last)s)
     ORDER BY f.code"""


@maker(KIND, Action.REVENUE_READ)
def make(draft: Path, parameters: dict[str, Any], seen: Seen) -> Made:
    """Write the archive to `draft`: of `period`, and of `facility_ids` alone unless it is None."""
    span = spans.parse(parameters["period"])
    found = settled(None, lambda as_of: build(draft, span, parameters.get("facility_ids"), as_of, seen))
    return Made(name=f"laporan-upt-{span.name}.zip", mimetype="application/zip", manifest=found)


def build(
    path: Path, span: Span, facility_ids: list[int] | None, as_of: datetime.datetime, seen: Seen
) -> dict[str, Any]:
    """Write the archive to `path`; returns its manifest. Facilities that never moved anything have no statement."""
    with snapshot(sources.engine()) as connection:
        facilities = connection.execute(FACILITIES, {"ids": facility_ids, "last": span.last}).fetchall()
    ends: dict[str, dict[str, int]] = {}
    with Pack(path, as_of) as pack:
        for done, (facility_id, code) in enumerate(facilities):
            seen(done, len(facilities))
            ends[code] = add_statement(pack, facility_id, span, as_of)
        seen(len(facilities), len(facilities))
        told = {name: sum(end[name] for end in ends.values()) for name in ("opening", "closing")}
        heading = [
            (_("Periode"), span.label),
            (_("Data per"), format_datetime(as_of)),
            (_("UPT"), format_number(len(facilities))),
            (_("Saldo awal semua UPT"), format_rupiah(told["opening"])),
            (_("Saldo akhir semua UPT"), format_rupiah(told["closing"])),
            *([(_("Keterangan"), note)] if (note := demo_note()) else []),
        ]
        facts = {"period": span.name, "row_count": len(facilities), "sums": told, "facilities": ends}
        note_of = {"note": note} if (note := demo_note()) else {}
        return pack.finish(_("Laporan UPT %(period)s", period=span.label), heading, facts | note_of)


def add_statement(
    pack: Pack, facility_id: int, span: Span, as_of: datetime.datetime, folder: str = ""
) -> dict[str, int]:
    """Add the statement of a facility as PDF and XLSX; what it opens and closes with, in rupiah."""
    note = demo_note()
    with statement_table.opened(sources.engine(), facility_id, span, as_of) as source:
        pdf, told = paper(source, note=note)
        pack.add_bytes(f"{folder}{source.name}.pdf", _("Laporan %(name)s", name=source.facility.name), pdf, told)
        made = statement_table.table(source)
        pack.add(
            f"{folder}{source.name}.xlsx",
            _("Laporan %(name)s, setiap baris", name=source.facility.name),
            lambda draft: written_table.fill(draft, source.connection, made, Format.XLSX, note=note),
        )
        statement = source.statement
        return {"opening": sum(statement.opening.values()), "closing": sum(statement.closing.values())}
