"""The running shop that a browser visits, and what its database says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg.rows import dict_row
from sqlalchemy import select

from storefront.embedded import OWNER
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.tokens import order_token
from tests.clones import Clone


@dataclass(frozen=True)
class LiveShop:
    """A shop that answers at `address`, on the database of `clone`."""

    address: str
    clone: Clone
    var_dir: Path
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
