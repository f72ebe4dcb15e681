"""The page that sells, the codes that a buyer scans from it, and a fresh token for a page kept in the phone."""

from __future__ import annotations

import datetime

from flask import Response, g, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from storefront.blueprints.counter import bp
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.links import receipt_link
from storefront.orders.models import Order
from storefront.payments.models import Payment
from storefront.people import access
from storefront.people.policy import Action
from storefront.qr_code import as_file

#: Banknotes that people pay with, in rupiah.
BANKNOTES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


@bp.get("/<slug>")
@access.rule(Action.COUNTER_SELL)
def sell(slug: str) -> str:
    """The counter itself. Kept whole in the phone: nothing on it may belong to one moment."""
    return render_template(
        "counter/counter.html", exhibition=g.exhibition, here="sell", banknotes=BANKNOTES, person=access.person()
    )


@bp.get("/<slug>/token")
@access.rule(Action.COUNTER_SELL)
def token(slug: str) -> ResponseReturnValue:
    """Who is signed in and the session's token, for a page that was kept in the phone."""
    who = access.person()
    assert who is not None
    now = datetime.datetime.now(datetime.UTC)
    return jsonify(csrf=generate_csrf(), person={"id": who.id, "name": who.name or who.email}, now=now.isoformat())


@bp.get("/<slug>/qr/<number>-<any(payment, receipt):what>.svg")
@access.rule(Action.COUNTER_SELL)
def qr(slug: str, number: str, what: str) -> ResponseReturnValue:
    """The payment page or the receipt of an order of this stand as a QR code, for the buyer's phone.

    Raises NotFound for an order of anywhere else, and for a payment without a page.
    """
    order = db.session.scalar(
        select(Order).where(Order.number == number, Order.exhibition_id == g.exhibition.id, Order.channel == "counter")
    )
    if order is None:
        raise NotFound
    address = payment_page(order) if what == "payment" else receipt_link(order, locale())
    picture = as_file(address, border=3, scale=6, dark="#1D1B26", light="#FFFFFF", xmldecl=False, nl=False)
    return Response(picture, mimetype="image/svg+xml")


def payment_page(order: Order) -> str:
    """The provider's page of the order's newest payment. Raises NotFound when there is none."""
    url = db.session.scalar(
        select(Payment.url).where(Payment.order_id == order.id).order_by(Payment.created_at.desc()).limit(1)
    )
    if not url:
        raise NotFound
    return url
