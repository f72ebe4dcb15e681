"""A quote, for whoever holds its link: read, accept with name and position, decline, take its papers along."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config import Settings
from storefront.cart.unpaid import network_hash
from storefront.errors import NotFound
from storefront.exports.quote_pdf import paper_pdf
from storefront.extensions import limiter
from storefront.languages import locale
from storefront.orders.payment import order_link
from storefront.orders.place import Address
from storefront.quotes import tokens
from storefront.quotes.accept import Accepted, accept, decline
from storefront.quotes.lists import quote_view
from storefront.quotes.models import Quote
from storefront.quotes.papers import papers_of
from storefront.shipping.addresses import Refused, delivery_address, email_address, phone_number
from storefront.shipping.destinations import provinces
from storefront.written import Written

bp = Blueprint("quotes", __name__)


@bp.after_request
def personal(response: Response) -> Response:
    """What one institution is offered: nobody keeps it, and no other site learns its address."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _own(number: str) -> Quote:
    """The quote that this browser may see. Raises NotFound."""
    token = tokens.tokens(request, _settings()).get(number)
    if token is None:
        raise NotFound()
    return tokens.open_quote(number, token, request.remote_addr)


@bp.get("/quotes/<number>")
def show(number: str) -> ResponseReturnValue:
    """The quote. A link with a token becomes a cookie and the clean address at once."""
    token = request.args.get("token")
    if token is not None:
        quote = tokens.open_quote(number, token, request.remote_addr)
        response: Any = redirect(url_for("quotes.show", number=quote.number), 303)
        tokens.remember(response, request, _settings(), number, token)
        return response
    return _page(_own(number), Written())


@bp.post("/quotes/<number>/accept")
@limiter.limit("10 per minute")
def accept_quote(number: str) -> ResponseReturnValue:
    """Accept it: on to its order, which the same form sent twice finds again."""
    quote, form = _own(number), Written(request.form)
    by = _accepted(form, is_pickup=quote_view(quote).method.kind == "pickup")
    quote_id, language = quote.id, locale()
    order = form.done(lambda: accept(quote_id, by, locale=language))
    if order is None:
        return _page(_own(number), form), form.status
    return redirect(order_link(order), 303)


@bp.post("/quotes/<number>/decline")
def decline_quote(number: str) -> ResponseReturnValue:
    """The buyer does not want it."""
    quote_id, form = _own(number).id, Written(request.form)
    if form.done(lambda: decline(quote_id)) is None:
        return _page(_own(number), form), form.status
    return redirect(url_for("quotes.show", number=number), 303)


@bp.get("/quotes/<number>/papers/<key>")
@limiter.limit("20 per minute")
def paper(number: str, key: str) -> ResponseReturnValue:
    """A paper that was issued, as PDF. Raises NotFound for any other."""
    quote = _own(number)
    found = next((one for one in papers_of(quote) if one.key == key and one.number), None)
    if found is None:
        raise NotFound()
    response = make_response(paper_pdf(quote, found))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{found.number.replace("/", "-")}.pdf"'
    return response


def _accepted(form: Written, *, is_pickup: bool) -> Accepted:
    """Who accepts, as the form says; what cannot be used is said at its field."""
    values: dict[str, str | None] = {}
    for name, read in (("email", email_address), ("phone", phone_number)):
        try:
            values[name] = read(form[name])
        except Refused as refused:
            form.wrong(name, refused.sentence)
    address = None
    if not is_pickup:
        found, errors = delivery_address(form.values)
        for name, sentence in errors.items():
            form.wrong(name, sentence)
        address = Address(**vars(found)) if found else None
    return Accepted(
        form.line("name"), form.line("position"), form.line("institution"), values.get("email"), values.get("phone"),
        address, network_hash(request.remote_addr),
    )  # fmt: skip


def _page(quote: Quote, form: Written) -> str:
    view = quote_view(quote)
    return render_template(
        "quotes/show.html",
        view=view,
        form=form,
        papers=[paper for paper in papers_of(quote) if paper.number],
        provinces=[province.name for province in provinces()],
        order_link=order_link(view.order) if view.order else None,
    )
