"""`flask export sales`: the same export as finance's page, as a file; its sisters stand beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from storefront.exports import (
    files,
    money_out_commands,  # noqa: F401 - adds its commands to the group
    report_commands,  # noqa: F401
    rows_command,  # noqa: F401
    sales,
)
from storefront.exports.formats import Format
from storefront.exports.group import AS_OF, DAY, FACILITY, FORMAT, OUT, export, moment_of
from storefront.exports.manifest import demo_note
from storefront.exports.spoken import spoken
from storefront.extensions import db
from storefront.money import format_rupiah


@export.command("sales")
@click.option("--from", "first", type=DAY, required=True, help="First day of payment, in Asia/Jakarta.")
@click.option("--to", "last", type=DAY, required=True, help="Last day of payment, included.")
@FACILITY
@AS_OF
@FORMAT
@OUT
@spoken()
def export_sales(
    first: datetime, last: datetime, facility: str | None, as_of: str | None, form: str, out: Path
) -> None:
    """Write the sales of some days: one row for each line of a paid order.

    With the same --as-of the file has the same bytes for ever.
    """
    files.check_target(out)
    selection = sales.select(db.engine, first.date(), last.date(), facility=facility)
    when = moment_of(as_of)
    with ExitStack() as stack:
        # Counting for a bar costs as much as writing: only where somebody sees it.
        begun = partial(_progress, stack) if sys.stderr.isatty() else None
        found = sales.write(db.engine, selection, when, Format(form), out, note=demo_note(), begun=begun)
    total = format_rupiah(found["sums"]["net_amount"])
    click.echo(f"{out}: {found['row_count']} baris, {total}, per {found['as_of']}")


def _progress(stack: ExitStack, rows: int) -> Callable[[int], object]:
    """What to call with each number of rows written: a bar on the terminal."""
    if not rows:
        return lambda seen: None
    bar = stack.enter_context(click.progressbar(length=rows, label="Baris", file=sys.stderr, show_pos=True))
    return bar.update
