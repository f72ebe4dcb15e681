"""`flask export settlements | deposits | distributions`: the same files as finance's pages give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from storefront.exports import files, money_out, written_table
from storefront.exports.formats import Format
from storefront.exports.group import AS_OF, FACILITY, FORMAT, OUT, export, ids_of, moment_of, told
from storefront.exports.manifest import demo_note
from storefront.exports.spoken import spoken
from storefront.extensions import db
from storefront.snapshot import snapshot

F = TypeVar("F", bound=Callable[..., Any])
#: States that each may be in.
MONEY_OUT = ("proposed", "rejected", "approved", "paid", "reversed")
PASSED_ON = ("entered", "approved", "rejected")


def _state(states: Sequence[str]) -> Callable[[F], F]:
    return click.option("--state", type=click.Choice(states), help="Only those in this state then.")


TABLES = {
    "settlements": money_out.settlements_table,
    "deposits": money_out.deposits_table,
    "distributions": money_out.distributions_table,
}


@export.command("settlements")
@FACILITY
@_state(MONEY_OUT)
@AS_OF
@FORMAT
@OUT
@spoken()
def export_settlements(
    facility: str | None, state: str | None, as_of: str | None, form: str, out: Path
) -> None:
    """Write what was paid to facilities, or is on its way there."""
    _write("settlements", facility, state, as_of, form, out)


@export.command("deposits")
@FACILITY
@_state(MONEY_OUT)
@AS_OF
@FORMAT
@OUT
@spoken()
def export_deposits(facility: str | None, state: str | None, as_of: str | None, form: str, out: Path) -> None:
    """Write the deposits of state revenue, with their NTPN."""
    _write("deposits", facility, state, as_of, form, out)


@export.command("distributions")
@FACILITY
@_state(PASSED_ON)
@AS_OF
@FORMAT
@OUT
@spoken()
def export_distributions(
    facility: str | None, state: str | None, as_of: str | None, form: str, out: Path
) -> None:
    """Write what facilities say they passed on to makers: counted, never named."""
    _write("distributions", facility, state, as_of, form, out)


def _write(
    which: str, facility: str | None, state: str | None, as_of: str | None, form: str, out: Path
) -> None:
    files.check_target(out)
    ids_of(facility)  # says so when there is no such facility
    made = TABLES[which](None, moment_of(as_of), state=state, facility=facility)
    with snapshot(db.engine) as connection:
        found = written_table.write(connection, made, Format(form), out, note=demo_note())
    told(out, found)
