"""A sale as the phone sends it, and how its till stands (CONTRACT.md, `POST /counter/<slug>/sales`)."""

from __future__ import annotations

import datetime
import json
from typing import Any

from flask import flash, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.blueprints.counter import bp
from storefront.counter import call_off as calling_off
from storefront.counter import sell, tills, wish
from storefront.counter.models import CounterConflict, CounterSale
from storefront.days import today
from storefront.errors import DomainError, IdempotencyKeyRequired, Invalid
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.payment import start_payment
from storefront.orders.tokens import order_token
from storefront.orders.views import order_status
from storefront.payments.models import Payment
from storefront.people import access


def body() -> dict[str, Any]:
    """The JSON object that was sent. Raises Invalid."""
    try:
        data = json.loads(request.get_data() or b"{}")
    except ValueError:
        data = None
    if not isinstance(data, dict) or "\\u0000" in json.dumps(data):
        raise Invalid()
    return data


@bp.post("/<slug>/sales")
@access.signed_in
def sales(slug: str) -> ResponseReturnValue:
    """201 with the order, once for each key; 202 with the conflict that a queued sale has become."""
    key = wish.read_key(request.headers.get("Idempotency-Key"))
    if not key:
        raise IdempotencyKeyRequired()
    try:
        sold = sell.sell(g.exhibition, wish.read_wish(body()), key, access.person_id(), locale=locale())
        db.session.commit()
    except DomainError:
        db.session.rollback()
        raise
    if isinstance(sold, CounterConflict):
        if sold.order_id is None:
            return jsonify(conflict=sold.id), 202
        sold = sell.of_order(sold.order_id)
    answer = sale_answer(slug, sold)
    if sold.payment is not None:
        waiting = sold.payment.state in ("created", "pending", "failed")
        answer["payment"] = payment_answer(start_payment(sold.payment.id) if waiting else sold.payment)
    return jsonify(answer), 201


@bp.post("/<slug>/sales/<number>/cancel")
@access.signed_in
def call_off(slug: str, number: str) -> ResponseReturnValue:
    """Call off a sale by code that waits for its payment: its pieces are free again, and the till is as it was.

    As JSON for the phone's page. Raises NotCalledOff when the money came first, or the page cannot be closed now.
    """
    try:
        order = calling_off.call_off(g.exhibition.id, number, access.person_id())
    except calling_off.NotCalledOff as refused:
        if request.is_json:
            raise
        flash(str(refused.message), "bad")
    else:
        if request.is_json:
            return jsonify(order={"number": number, "status": order_status(order.id)[0]})
        flash(_("Dibatalkan: karyanya bebas lagi di stan."), "ok")
    return redirect(url_for("counter.sale_page", slug=slug, number=number), 303)


def sale_answer(slug: str, sold: sell.Sold) -> dict[str, Any]:
    """The order as the phone is told of it, amounts in rupiah."""
    order = sold.order
    return {
        "order": {
            "number": order.number,
            "token": order_token(order),
            "status": order_status(order.id)[0],
            "total": order.items_total + order.shipping_total,
        },
        "change": sold.sale.change,
        "receipt_url": url_for("counter.receipt", slug=slug, number=order.number),
    }


def payment_answer(payment: Payment) -> dict[str, Any]:
    """A payment; `url` is null while the provider has no page for it."""
    return {"id": payment.id, "url": payment.url, "expires_at": rfc3339(payment.expires_at)}


@bp.get("/<slug>/state")
@access.signed_in
def state(slug: str) -> ResponseReturnValue:
    """The cashier's till (or the one named by `till`), the others, and what waits; never kept by the phone as true."""
    every = tills.tills(g.exhibition.id)
    waiting = select(func.count()).where(
        CounterConflict.exhibition_id == g.exhibition.id, CounterConflict.settled.is_(None)
    )
    late = select(func.count()).where(CounterSale.exhibition_id == g.exhibition.id, CounterSale.is_late)
    mine = own_till(every)
    return jsonify(
        till=None if mine is None else till_answer(mine),
        tills=[till_answer(till) for till in every],
        conflicts=db.session.scalar(waiting),
        late=db.session.scalar(late),
        day=today().isoformat(),
        now=rfc3339(datetime.datetime.now(datetime.UTC)),
    )


def own_till(every: list[tills.TillNow]) -> tills.TillNow | None:
    """The till that a sale without a till would go to, if it is open; or the one that the address names."""
    if named := request.args.get("till", ""):
        return next((till for till in every if str(till.id) == named), None)
    try:
        session = tills.sessions_for(g.exhibition.id, None, access.person_id())[0]
    except DomainError:
        return None
    return next(till for till in every if till.id == session.till_id)


def till_answer(till: tills.TillNow) -> dict[str, Any]:
    """A till with its open session, amounts in rupiah."""
    session = till.session
    return {
        "id": till.id,
        "name": till.name,
        "session": session
        and {
            "id": session.id,
            "opened_at": rfc3339(session.opened_at),
            "opening_float": session.opening_float,
            "cash_sales": session.cash_sales,
            "count": session.count,
        },
    }


def rfc3339(moment: datetime.datetime) -> str:
    """`moment` in UTC."""
    return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
