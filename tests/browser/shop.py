"""The running shop that a browser visits, and what its database says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg.rows import dict_row
from sqlalchemy import select

from storefront import create_app
from storefront.embedded import OWNER, WEB
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.tokens import order_token
from tests.clones import SECRETS, Clone, settings_for
from tests.drills.running_shop import NotRunning, Shop


@dataclass(frozen=True, eq=False)
class LiveShop:
    """A shop that answers at `address`, on the database of `clone`."""

    address: str
    clone: Clone
    #: The running processes.
    shop: Shop
    #: An app with the same secrets and database, for what only code can say.
    app: Flask

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """What the database says now."""
        with psycopg.connect(self.clone.addresses[OWNER], row_factory=dict_row) as connection:
            return connection.execute(query, parameters or None).fetchall()  # type: ignore[call-overload]

    def value(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row."""
        return next(iter(self.rows(query, *parameters)[0].values()))

    def order_link(self, number: str) -> str:
        """The path that opens an order in any browser."""
        with self.app.app_context():
            order = db.session.scalars(select(Order).where(Order.number == number)).one()
            return f"/orders/{number}?token={order_token(order)}"


@contextmanager
def serve(clone: Clone, media: Path, var_dir: Path, **env: str) -> Iterator[LiveShop]:
    """Run the shop on `clone`, with the pictures in `media` and everything else it writes in `var_dir`.

    `env` are further settings of it.
    """
    addresses = {"DATABASE_URL": clone.addresses[WEB], "DATABASE_OWNER_URL": clone.addresses[OWNER]}
    shop = Shop(var_dir, env={**addresses, **SECRETS, "MEDIA_URL": str(media), **env})
    app = create_app(settings_for(clone.addresses, var_dir, **env))
    try:
        shop.start()
    except NotRunning:  # on a machine so busy that a minute was too short for it
        shop.start()
    try:
        yield LiveShop(shop.address, clone, shop, app)
    finally:
        shop.stop()
