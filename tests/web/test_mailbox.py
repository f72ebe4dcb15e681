"""The demo's letters can be read, and only in the demo."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from storefront.mail.transport import Letter, send


def test_a_letter_can_be_read_with_its_link(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        send(
            Letter(
                "order:1:order_paid",
                "sari@example.test",
                "Sudah dibayar\nBcc: x@example.test",
                "<b> http://a.test/",
            )
        )
    listed = client.get("/demo/mail").get_data(as_text=True)
    assert "Sudah dibayar Bcc: x@example.test" in listed
    page = client.get("/demo/mail/order.1.order_paid").get_data(as_text=True)
    assert "&lt;b&gt;" in page
    assert 'href="http://a.test/"' in page


def test_odd_names_lead_nowhere(client: FlaskClient) -> None:
    for name in ("..%2f..%2fconfig", "%2e%2e", "x" * 300, "nothing"):
        assert client.get(f"/demo/mail/{name}").status_code == 404


def test_no_mailbox_outside_the_demo(make_app: Callable[..., Flask]) -> None:
    settings = {
        "DEMO": "off",
        "SECRET_KEY": "x" * 40,
        "PAYMENT_GATEWAY": "stripe",
        "BASE_URL": "https://shop.example",
    }
    stripe = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    assert make_app(**settings, **stripe).test_client().get("/demo/mail").status_code == 404
