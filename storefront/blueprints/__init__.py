"""The faces of the shop. Each blueprint that exists is listed in `register()`, and only there."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Register every blueprint on `app`."""
    from storefront.blueprints import system
    from storefront.blueprints.sandbox.routes import blueprint as sandbox
    from storefront.blueprints.webhooks.routes import blueprint as webhooks

    app.register_blueprint(system.bp)
    app.register_blueprint(webhooks)
    app.register_blueprint(sandbox)
