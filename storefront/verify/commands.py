"""`flask verify`: every invariant on the live database, and the rows that break one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from storefront.books.span import BadSpan, parse
from storefront.extensions import db
from storefront.snapshot import database_needed, snapshot
from storefront.verify import system
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import Finding, check
from storefront.verify.month import prove


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option(
    "--period", metavar="MONTH", help="Prove that this closed month (2026-10) is unchanged, instead."
)
@with_appcontext
def verify(as_json: bool, period: str | None) -> None:
    """Check every invariant on the live database; exit 1 with the rows that break one.

    Exits 2 when the database is away.
    """
    if period is not None:
        with database_needed():
            sys.exit(_prove(period, as_json))
    with database_needed(), snapshot(db.engine) as connection:
        findings = check(connection, INVARIANTS)
    broken = [finding for finding in findings if not finding.holds]
    _write_down(findings, broken)
    click.echo(_as_json(findings) if as_json else "\n".join(_lines(findings)))
    sys.exit(1 if broken else 0)


def _write_down(findings: Sequence[Finding], broken: Sequence[Finding]) -> None:
    """For the page *Sistem*. That it was not written down takes nothing from what was found."""
    said = ", ".join(finding.invariant.name for finding in broken) or f"{len(findings)} invariants hold"
    try:
        system.note("verify", is_good=not broken, said=said)
        db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        click.echo(f"Not written down: {type(error).__name__}", err=True)


def _prove(text: str, as_json: bool) -> int:
    """Reckon a closed month's hash again and tell; 0 when it is what the month was closed with, else 1."""
    try:
        span = parse(text)
    except BadSpan:
        raise click.BadParameter("write a month such as 2026-10", param_hint="--period") from None
    if not span.is_month:
        raise click.BadParameter("write a month such as 2026-10", param_hint="--period")
    proof = prove(span.first)
    if proof is None:
        raise click.ClickException(f"{span.name} is not closed.")
    told = {
        "period": span.name,
        "holds": proof.holds,
        "closed_with": proof.period.hash.hex(),
        "now": proof.hash.hex(),
        "entries": proof.period.entries,
        "closed_at": proof.period.closed_at,
        "follows_the_month_before": proof.base == proof.period.previous_hash,
    }
    if as_json:
        click.echo(json.dumps(told, indent=2, default=str))
        return 0 if proof.holds else 1
    verdict = "unchanged since it was closed" if proof.holds else "NOT what it was when it was closed"
    click.echo(f"{span.name} is {verdict}.")
    click.echo(
        "\n".join(f"    {key}: {value}" for key, value in told.items() if key not in ("period", "holds"))
    )
    return 0 if proof.holds else 1


def _lines(findings: list[Finding]) -> list[str]:
    width = max(len(finding.invariant.name) for finding in findings)
    lines = []
    for finding in findings:
        invariant = finding.invariant
        verdict = "ok" if finding.holds else f"BROKEN ({finding.count})"
        lines.append(f"{invariant.number:>2}  {invariant.name:<{width}}  {verdict}")
        if finding.holds:
            continue
        lines.append(f"    {invariant.promise}")
        lines += [
            "    - " + ", ".join(f"{key}={value}" for key, value in row.items()) for row in finding.rows
        ]
        if finding.count > len(finding.rows):
            lines.append(f"    … and {finding.count - len(finding.rows)} more")
    broken = sum(not finding.holds for finding in findings)
    lines.append(
        f"{len(findings)} invariants, {broken} broken" if broken else f"{len(findings)} invariants hold"
    )
    return lines


def _as_json(findings: list[Finding]) -> str:
    found: dict[str, Any] = {
        "holds": all(finding.holds for finding in findings),
        "invariants": [
            {
                "name": finding.invariant.name,
                "number": finding.invariant.number,
                "promise": finding.invariant.promise,
                "count": finding.count,
                "rows": finding.rows,
            }
            for finding in findings
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=2, default=str)
