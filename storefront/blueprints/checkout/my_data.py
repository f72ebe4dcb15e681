"""*Data saya*: what is held about the owner of an address, or of an order, to download and to erase."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.order_page import own_order
from storefront.errors import NotFound
from storefront.exports.my_data import zip_of
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.models import OrderContact
from storefront.people import data_requests, personal_data
from storefront.people.models import DataRequest
from storefront.shipping.addresses import required_email
from storefront.written import Written

PAIR = re.compile(r"([0-9]{1,18})\.([A-Za-z0-9_-]{43})")


def cookie_name() -> str:
    """`mydata`, or with the `__Host-` prefix where cookies are Secure."""
    return "__Host-mydata" if current_app.extensions["settings"].secure else "mydata"


@bp.get("/my-data")
def my_data() -> ResponseReturnValue:
    """Asks for the address; after it was sent the same answer for every one."""
    return ask_page(Written(), is_sent=request.args.get("sent") == "1")


@bp.post("/my-data")
def ask_for_data() -> ResponseReturnValue:
    """Have the link sent to the address."""
    form = Written(request.form)
    return _sent() if _ask(form, form["email"]) else (ask_page(form), form.status)


@bp.get("/my-data/<int:request_id>")
def show_data(request_id: int) -> ResponseReturnValue:
    """What can be done. A link with a token becomes a cookie and the clean address at once."""
    token = request.args.get("token")
    if token is not None:
        found = data_requests.opened(request_id, token)
        return _remember(redirect(url_for("checkout.show_data", request_id=found.id), 303), found)
    found = own_request(request_id)
    who = data_requests.subject(found)
    return render_template(
        "checkout/my_data.html",
        request_id=found.id,
        who=who,
        rooms=[(personal_data.HOLDERS[name].title, len(rows)) for name, rows in personal_data.export(who).items()],
        waits=personal_data.waits(who),
        is_remembered=found.erase_at is not None,
    )


@bp.get("/my-data/<int:request_id>/file")
def data_file(request_id: int) -> Response:
    """Everything, as JSON and as a page to read, in a ZIP."""
    found = own_request(request_id)
    response = Response(zip_of(data_requests.subject(found)), mimetype="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="data-saya.zip"'
    return response


@bp.get("/my-data/<int:request_id>/erase")
def erase_page(request_id: int) -> ResponseReturnValue:
    """Asks once, and says what stays and what waits."""
    found = own_request(request_id)
    who = data_requests.subject(found)
    return render_template(
        "checkout/erase.html", request_id=found.id, who=who, waits=personal_data.waits(who)
    )


@bp.post("/my-data/<int:request_id>/erase")
def erase_data(request_id: int) -> ResponseReturnValue:
    """Erase what is not needed any more; the rest follows by itself."""
    found = own_request(request_id)
    waits = data_requests.erase(found)
    db.session.commit()
    return render_template("checkout/erased.html", waits=waits)


@bp.post("/orders/<number>/my-data")
def order_data(number: str) -> ResponseReturnValue:
    """From an order: by its address, to which the link goes; without one, for this order alone."""
    order = own_order(number)
    contact = db.session.get(OrderContact, order.id)
    if contact is not None and contact.email:
        form = Written()
        return _sent() if _ask(form, contact.email) else (ask_page(form), form.status)
    found = data_requests.of_order(order.id, locale=locale())
    db.session.commit()
    return _remember(redirect(url_for("checkout.show_data", request_id=found.id), 303), found)


def own_request(request_id: int) -> DataRequest:
    """The request that this browser's cookie opens. Raises NotFound."""
    pair = PAIR.fullmatch(request.cookies.get(cookie_name(), "")[:100])
    if pair is None or int(pair[1]) != request_id:
        raise NotFound()
    return data_requests.opened(request_id, pair[2])


def _ask(form: Written, email: str) -> bool:
    """Whether the letter was asked for; else the form says why not."""

    def ask() -> bool:
        data_requests.ask(required_email(email), locale=locale(), address=request.remote_addr)
        return True

    return bool(form.done(ask))


def _sent() -> Any:
    return redirect(url_for("checkout.my_data", sent=1), 303)


def _remember(response: Any, found: DataRequest) -> Any:
    settings = current_app.extensions["settings"]
    response.set_cookie(
        cookie_name(), f"{found.id}.{data_requests.token(found)}", max_age=data_requests.VALID, path="/",
        secure=settings.secure, httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def ask_page(form: Written, *, is_sent: bool = False) -> str:
    return render_template("checkout/ask_data.html", form=form, is_sent=is_sent)
