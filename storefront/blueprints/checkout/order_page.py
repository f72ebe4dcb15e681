"""The page of an order: what becomes of each parcel, paying, cancelling, saying that it arrived."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from config import Settings
from storefront.aftercare import lists, money_news, thanks
from storefront.bank import returns
from storefront.bank.transfers import held_for_shopper
from storefront.blueprints.checkout import bp, transfer_page
from storefront.cart import ways
from storefront.days import accounting_day
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.languages import locale
from storefront.orders import collect_code, order_cookie
from storefront.orders.ask import ask_soon
from storefront.orders.extend import extend_hold, hold_of
from storefront.orders.held import is_held
from storefront.orders.instalments import next_unpaid
from storefront.orders.join import may_be_kept
from storefront.orders.links import open_by_link
from storefront.orders.models import Order, OrderState
from storefront.orders.payment import open_payment, order_link, payments_of, start_payment
from storefront.orders.ship import WrongParcelState, mark_received
from storefront.orders.views import OrderView, order_status, order_view, payment_view
from storefront.payments.models import PaymentState
from storefront.payments.transfer import NAME as TRANSFER
from storefront.people import access
from storefront.reviews.lists import of_order
from storefront.written import Written

#: Without JavaScript the page looks again by itself so many times after the payment page, then it stands still.
MOST_LOOKS = 6
#: Looks without JavaScript after which the provider is asked.
LOOKS_TO_ASK = 2
#: Seconds after which a page that waits has the provider asked, and after which it stops saying that it checks.
ASK_AFTER, STOP_AFTER = 5, 60
#: With less than this left a payment page is no longer opened anew, while the pieces are held longer than it lives.
SHORT_LIFE = datetime.timedelta(minutes=10)
#: A page that stays open longer waits for the provider's own word alone.
ASK_UNTIL = 180


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def own_order(number: str) -> Order:
    """The order, for whoever placed it signed in or holds its token in the cookie. Raises `NotFound`.

    The person comes first: a link ends one day, their own order does not.
    """
    person = access.person()
    if person is not None and len(number) <= 20:
        own = select(Order).where(Order.number == number, Order.person_id == person.id)
        found = db.session.scalar(own)
        if found is not None:
            return found
    token = order_cookie.tokens(request, _settings()).get(number)
    if token is not None:
        return open_by_link(number, token, request.remote_addr)
    raise NotFound()


@bp.get("/orders/<number>")
def show_order(number: str) -> ResponseReturnValue:
    """The order. A link with a token becomes a cookie and the clean address at once."""
    token = request.args.get("token")
    if token is not None:
        return opened(number, token, "checkout.show_order", waited=request.args.get("waited"))
    return page(own_order(number))


def opened(number: str, token: str, endpoint: str, **more: Any) -> ResponseReturnValue:
    """Keep the token of a link in a cookie and go to the page without it. Raises NotFound for a wrong one."""
    order = open_by_link(number, token, request.remote_addr)
    response: Any = redirect(url_for(endpoint, number=order.number, **more), 303)
    order_cookie.remember(response, request, _settings(), order.number, token)
    return response


def page(order: Order, *, refusal: str = "", thanks_form: Written | None = None) -> str:
    """The order's page; `refusal`: a step that did not happen, in a sentence."""
    view = order_view(order, locale=locale())
    now = datetime.datetime.now(datetime.UTC)
    waited = request.args.get("waited", type=int)
    may_pay = view.status == OrderState.AWAITING_PAYMENT and view.expires_at > now
    page_url = _living_page(view)
    if may_pay and waited is not None and LOOKS_TO_ASK <= waited < MOST_LOOKS and ask_soon(order.id):
        db.session.commit()
    problems = lists.of_order(order.id)
    thanked = thanks.of_order(order.id)
    return render_template(
        "checkout/order.html",
        order=view,
        language=locale(),
        minutes_left=max(0, int((view.expires_at - now).total_seconds() // 60)),
        may_pay=may_pay,
        payment_url=page_url,
        transfer=transfer_page.of_payment(view.payment),
        other_ways=_other_ways(view),
        returns=[(found, returns.shown_account(found.id)) for found in returns.of_order(order.id)],
        held=held_for_shopper(order.id) if view.status == OrderState.AWAITING_PAYMENT else 0,
        provider_is_down=request.args.get("pay") == "later",
        hold=hold_of(order),
        looks=waited + 1 if waited is not None and 0 <= waited < MOST_LOOKS else None,
        no_news=waited is not None and waited >= MOST_LOOKS,
        opened=int(now.timestamp()),
        may_be_kept=bool(may_be_kept(order.id)),
        is_held=not view.paid_at and is_held(order.id),
        said=of_order(order) if view.paid_at else [],
        refusal=refusal,
        today=accounting_day(now),
        problems=problems,
        reported={row.position for row in problems if row.waits},
        news=money_news.news_of(order.id),
        thanks=thanked,
        thanks_fate=thanks.fate(thanked.id) if thanked and not thanked.erased_at else None,
        thanks_form=thanks_form or Written(),
        whatsapp=whatsapp_link(order, view),
        code=collect_code.picture(order.number) if view.paid_at and view.at_stands else None,
    )


def whatsapp_link(order: Order, view: OrderView) -> str | None:
    """A message to oneself with the order's link, where a number was given: there is no messenger yet."""
    phone = view.contact.phone if view.contact else None
    if not phone:
        return None
    words = _("Pesanan saya %(number)s: %(link)s", number=order.number, link=order_link(order))
    return f"https://wa.me/{phone.lstrip('+')}?text={quote(words, safe='')}"


@bp.get("/orders/<number>/status")
def watch_order(number: str) -> ResponseReturnValue:
    """For a page that waits: reload when order or payment are no longer what it shows.

    After some seconds the provider is asked, by a job: all that can come of it is what the provider says.
    """
    order = own_order(number)
    status, _paid, _refunded = order_status(order.id)
    payment = payment_view(order)
    state = payment.state if payment else ""
    if status != request.args.get("shown") or state != request.args.get("payment", state):
        return Response(status=200, headers={"HX-Refresh": "true"})
    now = datetime.datetime.now(datetime.UTC).timestamp()
    seconds = now - request.args.get("opened", now, type=int)
    if ASK_AFTER <= seconds <= ASK_UNTIL and ask_soon(order.id):
        db.session.commit()
    if request.args.get("checking") and seconds > STOP_AFTER:
        stopped = url_for("checkout.show_order", number=number, waited=MOST_LOOKS)
        return Response(status=200, headers={"HX-Redirect": stopped})
    return Response(status=204)


@bp.post("/orders/<number>/pay")
def pay(number: str) -> ResponseReturnValue:
    """Go to a payment page for what is unpaid."""
    order = own_order(number)
    due = next_unpaid(order.id)
    total = due.amount if due else order.items_total + order.shipping_total
    wanted = ways.chosen(request.form.get("payment_method") or None, total)
    payment_id = _usable(order, wanted)
    if payment_id is None:
        payment_id = open_payment(order, wanted).id
        db.session.commit()
    payment = start_payment(payment_id)
    if payment.state == PaymentState.EXPIRED:
        # The provider opens no page any more for what was asked long ago: ask anew.
        payment_id = open_payment(own_order(number), wanted).id
        db.session.commit()
        payment = start_payment(payment_id)
    back = url_for("checkout.show_order", number=number, pay="later")
    return redirect(payment.url or back, 303)


@bp.post("/orders/<number>/hold")
def extend(number: str) -> ResponseReturnValue:
    """Hold an unpaid order longer, once. Raises HoldNotExtended."""
    extend_hold(own_order(number))
    db.session.commit()
    return redirect(url_for("checkout.show_order", number=number, _anchor="h-pay"), 303)


@bp.post("/orders/<number>/parcels/<int:position>/received")
def parcel_received(number: str, position: int) -> ResponseReturnValue:
    """The shopper says that a parcel has arrived. Raises `NotFound` for a parcel of another order."""
    order = own_order(number)
    parcel = next((parcel for parcel in order.parcels if parcel.position == position), None)
    if parcel is None:
        raise NotFound()
    try:
        mark_received(parcel.id, None)
    except WrongParcelState as refused:
        db.session.rollback()
        return page(own_order(number), refusal=str(refused.message)), refused.status
    db.session.commit()
    return redirect(url_for("checkout.show_order", number=number, _anchor=f"parcel-{position}"), 303)


def _other_ways(view: OrderView) -> list[ways.Way]:
    """Ways to pay beside the one that is under way, while the order is held."""
    now = datetime.datetime.now(datetime.UTC)
    if view.status != OrderState.AWAITING_PAYMENT or view.expires_at <= now:
        return []
    current = view.payment.gateway if view.payment else None
    return [way for way in ways.ways(view.due) if way.is_open and way.code != current]


def _usable(order: Order, gateway_name: str) -> str | None:
    """A payment of that gateway that may still be used: one without a page yet, or a transfer's page and code."""
    now, due = datetime.datetime.now(datetime.UTC), next_unpaid(order.id)
    for payment in reversed(payments_of(order)):
        if due is not None and payment.instalment_id != due.id:
            continue
        if payment.gateway != gateway_name or payment.expires_at <= now:
            continue
        # The provider was down when it was asked: the same payment gets its page now.
        if payment.state == PaymentState.CREATED and payment.url is None:
            return payment.id
        if payment.state == PaymentState.PENDING and payment.gateway == TRANSFER:
            return payment.id
    return None


def _living_page(view: OrderView) -> str | None:
    """The provider's page of the payment under way, where it can still be used."""
    payment = view.payment
    if payment is None or payment.state not in (PaymentState.CREATED, PaymentState.PENDING):
        return None
    # A page that ends before the hold does is not given out again shortly before: a new one lives as long.
    left = payment.expires_at - datetime.datetime.now(datetime.UTC)
    return None if payment.expires_at < view.expires_at and left < SHORT_LIFE else payment.url
