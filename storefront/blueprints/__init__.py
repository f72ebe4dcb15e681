"""The faces of the shop. Each blueprint that exists is listed in `register()`, and only there."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Register every blueprint on `app`."""
    from storefront.blueprints import (
        account,
        admin,
        api,
        cart,
        checkout,
        counter,
        finance,
        mailbox,
        media,
        questions,
        quotes,
        report,
        sandbox,
        seller,
        shop,
        system,
    )
    from storefront.blueprints.webhooks.routes import blueprint as webhooks

    app.register_blueprint(system.bp)
    app.register_blueprint(shop.bp)
    app.register_blueprint(media.bp)
    app.register_blueprint(webhooks)
    app.register_blueprint(sandbox.blueprint)
    app.register_blueprint(cart.bp)
    app.register_blueprint(checkout.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(account.bp)
    app.register_blueprint(seller.bp)
    app.register_blueprint(finance.bp)
    app.register_blueprint(admin.bp)
    app.register_blueprint(counter.bp)
    app.register_blueprint(report.bp)
    app.register_blueprint(mailbox.bp)
    app.register_blueprint(questions.bp)
    app.register_blueprint(quotes.bp)
