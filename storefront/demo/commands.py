"""`flask --app wsgi demo`."""

from __future__ import annotations

import dataclasses

import click
from flask import current_app
from flask.cli import with_appcontext

from config import Settings
from storefront.snapshot import database_needed


@click.command()
@click.option(
    "--seed", default="1", show_default=True, help="The same seed gives the same rows on the same day."
)
@click.option("--products", type=click.IntRange(min=0), help="How many products; at least those of the file.")
@click.option("--orders", type=click.IntRange(min=0), help="How many paid orders; those beyond 1000 are copies.")
@click.option(
    "--facility", metavar="CODE", help="With more than 1000 orders: this facility alone gets the others."
)
@click.option("--reset", "from_empty", is_flag=True, help="Empty the database first. Only while DEMO is on.")
@with_appcontext
@database_needed()
def demo(
    seed: str, products: int | None, orders: int | None, facility: str | None, from_empty: bool
) -> None:
    """Load demo data: facilities, people, products, and a year of orders."""
    from storefront import create_app
    from storefront.demo import files
    from storefront.demo.load import Size, default_size, load
    from storefront.demo.multiply import BY_RULE
    from storefront.demo.reset import is_filled, reset

    settings: Settings = current_app.extensions["settings"]
    if not settings.demo:
        raise click.ClickException("Demo data are loaded only while DEMO is on. Set DEMO=on to try the shop.")
    least = default_size()
    if products is not None and products < least.products:
        raise click.ClickException(
            f"The demo has {least.products} products of its own; ask for as many or more."
        )
    if facility is not None and facility not in {row["code"] for row in files.rows("facilities.csv")}:
        raise click.ClickException(f"The demo has no facility {facility}.")
    if facility is not None and (orders or 0) <= BY_RULE:
        raise click.ClickException(f"Only orders beyond {BY_RULE} are copied: ask for more with --orders.")
    if from_empty:
        click.echo("· Emptying the database")
        reset()
    elif is_filled():
        raise click.ClickException(
            "The database is not empty. To begin anew and lose what is in it: demo --reset"
        )
    size = Size(products or least.products, least.orders if orders is None else orders, facility)
    # The web's role may neither write the past nor take jobs away: the demo works as the owner.
    owner = create_app(dataclasses.replace(settings, database_url=settings.database_owner_url))
    with owner.app_context():
        load(seed, size, say=lambda words: click.echo(f"· {words}"))
