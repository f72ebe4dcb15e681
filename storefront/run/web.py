"""What each granian worker imports: the app, tied to the life of granian's master."""

from __future__ import annotations

from flask import Flask

from storefront import create_app
from storefront.catalogue.warm_up import warm_up_beside
from storefront.processes import die_with_parent


def application() -> Flask:
    """The app for one web worker. A killed master would otherwise leave it serving on the old port."""
    die_with_parent()
    app = create_app()
    warm_up_beside(app)
    return app
