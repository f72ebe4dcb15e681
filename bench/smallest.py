"""The smallest Flask page that makes one query: what every page of the shop is measured against.

A route, one SQL statement through the same pool of the same database, a template of a few lines. It runs on
the same server with the same settings as the shop.
"""

from __future__ import annotations

import os

from flask import Flask, abort, render_template
from flask_sqlalchemy import SQLAlchemy
from jinja2 import DictLoader
from sqlalchemy import text

from config import Settings, sqlalchemy_url
from storefront import engine_options
from storefront.processes import die_with_parent

db = SQLAlchemy()

PAGE = """<!doctype html>
<title>{{ product.title }}</title>
<h1>{{ product.title }}</h1>
<p>{{ product.price }}</p>
"""
QUERY = text(
    "SELECT p.title, v.price FROM products p JOIN variants v ON v.product_id = p.id"
    " WHERE p.slug = :slug ORDER BY v.id LIMIT 1"
)


def application() -> Flask:
    """The app for one granian worker. The database's address is in DATABASE_URL."""
    die_with_parent()
    app = Flask(__name__)
    app.jinja_loader = DictLoader({"page.html": PAGE})  # compiled once, as from a file
    app.config["SQLALCHEMY_DATABASE_URI"] = sqlalchemy_url(os.environ["DATABASE_URL"])
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(Settings.from_env())
    db.init_app(app)

    @app.get("/<slug>")
    def page(slug: str) -> str:
        product = db.session.execute(QUERY, {"slug": slug}).one_or_none()
        return render_template("page.html", product=product) if product else abort(404)

    return app
