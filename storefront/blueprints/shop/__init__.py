"""The shop's public face: home, listing, product, facilities, impact, help, pages. Touches no session."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("shop", __name__)

from storefront.blueprints.shop import (  # noqa: E402, F401
    app,
    certificates,
    delivery,
    exhibitions,
    finding,
    fragments,
    impact,
    letters,
    machines,
    pages,
    places,
    product,
    routes,
    sharing,
    structured,
    tell,
    voices,
    wishes,
)
