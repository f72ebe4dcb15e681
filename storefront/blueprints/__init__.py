"""The faces of the shop. Each blueprint that exists is listed in `register()`, and only there."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Register every blueprint on `app`."""
    from storefront.blueprints import system

    app.register_blueprint(system.bp)
