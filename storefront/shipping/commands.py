"""`flask places`: the country's cities, districts and postal codes."""

from __future__ import annotations

import click
import psycopg
from flask import current_app
from flask.cli import AppGroup

from config import Settings
from storefront.shipping import load_places
from storefront.snapshot import database_needed

places = AppGroup("places", help="Cities, districts and postal codes.")


@places.command("load")
@database_needed()
def load() -> None:
    """Bring the places of the data file into the database. May be repeated; places that stay keep their ids."""
    settings: Settings = current_app.extensions["settings"]
    with psycopg.connect(settings.database_owner_url or "") as connection:
        counts = load_places.load(connection)
    click.echo(
        f"{counts.cities} cities and regencies, {counts.districts} districts, {counts.postal_codes} postal codes"
    )
