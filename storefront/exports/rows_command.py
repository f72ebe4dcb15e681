"""`flask export rows`: any set of rows that finance's page offers, with its filters and columns, as a file."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from storefront.exports import datasets, files, written_table
from storefront.exports.formats import Format
from storefront.exports.group import AS_OF, DAY, FACILITY, FORMAT, OUT, export, facility_of, moment_of, told
from storefront.exports.manifest import demo_note
from storefront.exports.sales import BadRange
from storefront.exports.spoken import spoken
from storefront.extensions import db
from storefront.snapshot import snapshot


@export.command("rows")
@click.argument("dataset", type=click.Choice(sorted(datasets.DATASETS)))
@click.option("--from", "first", type=DAY, required=True, help="First day, in Asia/Jakarta.")
@click.option("--to", "last", type=DAY, required=True, help="Last day, included.")
@FACILITY
@click.option(
    "--filter", "filters", multiple=True, metavar="NAME=VALUE",
    help=f"One of {', '.join(datasets.FILTERS)}, as far as the rows have it. May be given again.",
)
@click.option("--columns", default="", metavar="A,B,…", help="Which, in their order. Default: all.")
@AS_OF
@FORMAT
@OUT
@spoken()
def export_rows(
    dataset: str, first: datetime.datetime, last: datetime.datetime, facility: str | None, filters: tuple[str, ...],
    columns: str, as_of: str | None, form: str, out: Path,
) -> None:  # fmt: skip
    """Write a set of rows as the page Ekspor does."""
    files.check_target(out)
    if last < first:
        raise BadRange()
    ids = (facility_of(facility),) if facility else None
    wish = datasets.Wish(
        dataset, first.date(), last.date(), ids, facility or "", _filters(dataset, filters),
        tuple(name for name in columns.split(",") if name),
    )  # fmt: skip
    when = moment_of(as_of)
    with snapshot(db.engine) as connection:
        made = datasets.table(connection, wish, when)
        found = written_table.write(connection, made, Format(form), out, note=demo_note())
    told(out, found)


def _filters(dataset: str, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, _, value = one.partition("=")
        if name not in datasets.DATASETS[dataset].filters or not value:
            known = ", ".join(datasets.DATASETS[dataset].filters) or "none"
            raise click.BadParameter(f"{one}: these rows have the filters {known}.", param_hint="--filter")
        found[name] = value
    return found
