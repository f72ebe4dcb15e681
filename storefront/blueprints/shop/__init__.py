"""The shop's public face: home, listing, product, facilities, impact, help. Touches no session."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("shop", __name__)

from storefront.blueprints.shop import fragments, impact, machines, places, routes  # noqa: E402, F401
