"""*Simpan pesanan ini*: a guest's order becomes part of an account, by a link to the address it was placed with."""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.order_page import own_order, page
from storefront.errors import DomainError
from storefront.languages import locale
from storefront.orders.join import may_be_kept
from storefront.people import links, sessions


@bp.post("/orders/<number>/keep")
def keep_order(number: str) -> ResponseReturnValue:
    """Mail the link; whoever only holds the order's link gets nothing by it."""
    order = own_order(number)
    back = url_for("checkout.show_order", number=number)
    email = may_be_kept(order.id)
    if email is None:
        return redirect(back, 303)
    try:
        links.ask(email, back=back, locale=locale(), browser=sessions.browser_secret(), address=request.remote_addr)
    except DomainError as refusal:
        return page(own_order(number), refusal=str(refusal.message)), refusal.status
    session[sessions.ASKED] = email
    return redirect(url_for("account.link_sent"), 303)
