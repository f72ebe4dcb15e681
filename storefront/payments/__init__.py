"""Payments: one interface to every gateway, and the inbox of their events."""

from __future__ import annotations

from flask import Flask

from storefront.payments.gateway import Gateway


def init_app(app: Flask) -> None:
    """Make the gateways that the settings allow, under their names in `app.extensions["gateways"]`."""
    from storefront.payments.sandbox import SandboxGateway

    settings = app.extensions["settings"]
    gateways: dict[str, Gateway] = {}
    if settings.demo:
        gateways["sandbox"] = SandboxGateway(settings.base_url, settings.sandbox_webhook_secret)
    # Also while new payments go another way: what was paid here is refunded here.
    if settings.stripe_secret_key and settings.stripe_webhook_secrets:
        from storefront.payments.stripe_gateway import StripeGateway

        gateways["stripe"] = StripeGateway(settings)
    app.extensions["gateways"] = gateways
