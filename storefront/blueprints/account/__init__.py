"""Signing in and out, and what belongs to a person: orders, name, language, password, sessions."""

from __future__ import annotations

from flask import Blueprint

from storefront.blueprints.account.device import device
from storefront.people import access

bp = Blueprint("account", __name__)
access.guard(bp)
bp.add_app_template_filter(device)

from storefront.blueprints.account import (  # noqa: E402, F401  (they add their routes)
    addresses,
    by_link,
    factor,
    invitation,
    letters,
    login,
    proof,
    routes,
)
