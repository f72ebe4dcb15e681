"""The shopper says into which bank account their money shall go back. Opened from the order, so by its link alone."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.bank import returns
from storefront.bank.models import BankReturn
from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.order_page import own_order
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.written import Written


@bp.get("/orders/<number>/returns/<int:return_id>")
def return_account(number: str, return_id: int) -> ResponseReturnValue:
    """The form, or what was given before."""
    order = own_order(number)
    return page(order, own(order, return_id), Written())


@bp.post("/orders/<number>/returns/<int:return_id>")
def give_return_account(number: str, return_id: int) -> ResponseReturnValue:
    """Keep the account until the money has gone."""
    order = own_order(number)
    found = own(order, return_id)
    form = Written(request.form)
    done = form.done(
        lambda: returns.give_account(
            order, found.id, bank=form["bank"], number=form["number"], holder=form["holder"]
        )
    )
    if done is None:
        order = own_order(number)
        return page(order, own(order, return_id), form), form.status
    return redirect(url_for("checkout.show_order", number=number, _anchor="kembali"), 303)


def own(order: Order, return_id: int) -> BankReturn:
    """A return of this order. Raises NotFound for any other."""
    found = db.session.get(BankReturn, return_id)
    if found is None or found.order_id != order.id:
        raise NotFound()
    return found


def page(order: Order, found: BankReturn, form: Written) -> str:
    return render_template(
        "checkout/return_account.html",
        number=order.number,
        back=found,
        account=returns.shown_account(found.id),
        form=form,
        kept_days=returns.KEPT_DAYS,
    )
