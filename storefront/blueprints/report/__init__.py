"""Laporkan: report something to the office, read its answer and add to it. For everybody, without a name."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("report", __name__, url_prefix="/report")

from storefront.blueprints.report import routes  # noqa: E402, F401
