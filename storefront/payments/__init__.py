"""Payments: one interface to every gateway, and the inbox of their events."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Make the gateways that the settings allow, under their names in `app.extensions["gateways"]`."""
    from storefront.payments.sandbox import SandboxGateway

    settings = app.extensions["settings"]
    gateways = {}
    if settings.demo:
        gateways["sandbox"] = SandboxGateway(settings.base_url, settings.sandbox_webhook_secret)
    app.extensions["gateways"] = gateways
