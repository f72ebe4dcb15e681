"""What a shopper does with an order that is paid: the receipt, calling off, buying again, news and thanks."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.aftercare import money_news, thanks
from storefront.blueprints.checkout import bp
from storefront.blueprints.checkout.order_page import opened, own_order, page
from storefront.cart import again, carts, cookie, kept, own_holds
from storefront.counter.models import CounterSale
from storefront.errors import NotFound
from storefront.exhibitions.models import Exhibition
from storefront.exports.receipt_pdf import issuer, receipt_pdf
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders.cancel import cancel
from storefront.orders.models import OrderState
from storefront.orders.views import OrderView, order_view
from storefront.people import access
from storefront.refunds.cancel import cancel_parcels
from storefront.written import Written


class NotPaidYet(NotFound):
    """There is a receipt once the money has come, never before."""

    code = "not_paid_yet"


def paid_view(number: str) -> OrderView:
    """The own order, which is paid. Raises NotFound."""
    view = order_view(own_order(number), locale=locale())
    if view.paid_at is None:
        raise NotPaidYet()
    return view


@bp.get("/orders/<number>/receipt")
def receipt(number: str) -> ResponseReturnValue:
    """The receipt, to be printed; of a sale at a stand, 58 mm wide. A link with a token becomes a cookie at once."""
    token = request.args.get("token")
    if token is not None:
        return opened(number, token, "checkout.receipt")
    view = paid_view(number)
    sale = db.session.get(CounterSale, view.id)
    if sale is not None:
        fair = db.session.get_one(Exhibition, sale.exhibition_id)
        return render_template(
            "checkout/stand_receipt.html", order=view, sale=sale, fair=fair, issuer=issuer(view), language=locale()
        )
    return render_template("checkout/receipt.html", order=view, issuer=issuer(view), language=locale())


@bp.get("/orders/<number>/receipt.pdf")
def receipt_file(number: str) -> ResponseReturnValue:
    """The same as a tagged PDF."""
    view = paid_view(number)
    response = Response(receipt_pdf(view), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{view.number}.pdf"'
    return response


@bp.get("/orders/<number>/cancel")
def cancel_page(number: str) -> ResponseReturnValue:
    """Asks once: which parcels, and what follows. An unpaid order is called off from its own page."""
    view = order_view(own_order(number), locale=locale())
    if not view.may_be_cancelled:
        return redirect(url_for("checkout.show_order", number=number))
    return cancelling(view, Written())


@bp.post("/orders/<number>/cancel")
def cancel_order(number: str) -> ResponseReturnValue:
    """Give an unpaid order up; or call parcels of a paid one off, before they are packed."""
    order = own_order(number)
    back = url_for("checkout.show_order", number=number)
    if order.state != OrderState.PAID:
        cancel(order)
        return redirect(back, 303)
    order_id, form = order.id, Written(request.form)
    positions = [int(value) for value in request.form.getlist("parcels") if value.isdecimal() and len(value) < 6]
    done = form.done(lambda: cancel_parcels(order_id, positions))
    if done is not None:
        return redirect(url_for("checkout.show_order", number=number, _anchor="kembali"), 303)
    view = order_view(own_order(number), locale=locale())
    if view.may_be_cancelled:
        return cancelling(view, form), form.status
    return page(own_order(number), refusal=form.refusal), form.status


def cancelling(view: OrderView, form: Written) -> str:
    chosen = form.values.getlist("parcels") if form.values else None  # type: ignore[attr-defined]
    return render_template("checkout/cancel.html", order=view, form=form, chosen=chosen)


@bp.post("/orders/<number>/again")
def buy_again(number: str) -> ResponseReturnValue:
    """What is still on sale goes into the cart at today's prices; what is not is said line by line."""
    order = own_order(number)
    person_id = access.person_id_or_none()
    settings = current_app.extensions["settings"]
    former, token = cookie.read_token(request, settings), None
    cart = carts.current(former, person_id)
    if cart is None:
        cart, token = kept.begin(former, person_id)
    held = own_holds.pieces_of(own_holds.of_visitor(request, settings, person_id))
    result = again.put_again(cart.id, order.id, english=locale() == "en", own=held)
    if any(line.put for line in result):
        db.session.commit()
    else:
        db.session.rollback()  # nothing of it: no cart is left behind either
        token = None
    if again.missing(result):
        response: Any = Response(render_template("checkout/again.html", number=number, lines=result))
    else:
        response = redirect(url_for("cart.show"), 303)
    if token:
        cookie.set_token(response, token, settings)
    return response


@bp.post("/orders/<number>/news")
def choose_news(number: str) -> ResponseReturnValue:
    """Whether the shopper wants the one message about where the money went."""
    money_news.wants_news(own_order(number), request.form.get("wanted") == "1")
    db.session.commit()
    return redirect(url_for("checkout.show_order", number=number, _anchor="kabar"), 303)


@bp.post("/orders/<number>/thanks")
def thank(number: str) -> ResponseReturnValue:
    """A short thank-you for the workshops; a curator reads it first."""
    order, form = own_order(number), Written(request.form)
    done = form.done(lambda: thanks.thank(order, form["words"]))
    if done is None:
        return page(own_order(number), thanks_form=form), form.status
    return redirect(url_for("checkout.show_order", number=number, _anchor="kabar"), 303)
