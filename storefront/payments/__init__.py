"""Payments: one interface to every gateway, and the inbox of their events."""

from __future__ import annotations

import datetime

from flask import Flask

from storefront.payments.gateway import Gateway


def init_app(app: Flask) -> None:
    """Make the gateways that the settings allow, under their names in `app.extensions["gateways"]`.

    Marketplaces are made by name, since there may be any number. What a gateway knows of transfers to others' accounts
    is `app.extensions["connect"]`, None if none does.
    """
    from storefront.payments.marketplace import MarketplaceGateway
    from storefront.payments.sandbox import SandboxGateway
    from storefront.payments.transfer import TransferGateway

    settings = app.extensions["settings"]
    gateways: dict[str, Gateway] = {}
    app.extensions["connect"] = None
    if settings.demo:
        gateways["sandbox"] = SandboxGateway(settings.base_url, settings.sandbox_webhook_secret)
    # Also while new payments go another way: what was paid here is refunded here.
    if settings.stripe_secret_key and settings.stripe_webhook_secrets:
        from storefront.payments.stripe_connect import StripeConnect
        from storefront.payments.stripe_gateway import StripeGateway

        gateways["stripe"] = StripeGateway(settings)
        app.extensions["connect"] = StripeConnect(settings)
    # Also where it is not offered (any more): a shopper's money may still be on its way.
    hold = datetime.timedelta(days=settings.bank_transfer_days)
    gateways["transfer"] = TransferGateway(settings.base_url, settings.secret_key, hold)
    app.extensions["gateways"] = gateways
    app.extensions["marketplace_gateway"] = MarketplaceGateway
