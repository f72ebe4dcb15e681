"""The group `flask export`, and the options that its commands share."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from storefront.exports import moment
from storefront.exports.formats import offered
from storefront.exports.sales import UnknownFacility
from storefront.extensions import db
from storefront.facilities.models import Facility

export = AppGroup("export", help="Figures as files, each with a manifest beside it.")
DAY = click.DateTime(formats=["%Y-%m-%d"])
AS_OF = click.option("--as-of", metavar="TIME", help="What was booked by then (RFC 3339). Default: now.")
OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
FACILITY = click.option("--facility", metavar="CODE", help="Only this facility.")
FORMAT = click.option(
    "--format", "form", type=click.Choice([f.value for f in offered()]), default="csv", show_default=True
)


def moment_of(as_of: str | None) -> datetime.datetime:
    """The moment that `--as-of` names, by default now, with all that was being booked then ended."""
    db.session.rollback()  # our own transaction must not be waited for
    return moment.settle(db.engine, moment.parse_moment(as_of) if as_of else None)


def facility_of(code: str) -> int:
    """Id of the facility that `--facility` names. Raises UnknownFacility."""
    found = db.session.scalar(select(Facility.id).where(Facility.code == code))
    if found is None:
        raise UnknownFacility(code)
    return found


def ids_of(code: str | None) -> list[int]:
    """Ids of the facility that `--facility` names, without it of all. Raises UnknownFacility."""
    if code is not None:
        return [facility_of(code)]
    return list(db.session.scalars(select(Facility.id).order_by(Facility.id)))


def told(out: Path, found: dict[str, Any]) -> None:
    """Say what was written."""
    click.echo(f"{out}: {found['row_count']} baris, per {found['as_of']}")
