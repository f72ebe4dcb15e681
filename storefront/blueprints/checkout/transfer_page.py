"""Paying by bank transfer: the account, the exact total, the code for the note, and until when."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from storefront import days
from storefront.blueprints.checkout import bp
from storefront.books.bank_accounts import find_in_force
from storefront.books.models import BankAccount
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.orders.views import PaymentView
from storefront.payments.models import Payment, PaymentState
from storefront.payments.transfer import NAME
from storefront.payments.transfer_models import Transfer


@dataclass(frozen=True)
class TransferView:
    """What a shopper writes into their bank's form."""

    payment_id: str
    order_number: str
    code: str
    amount: int
    expires_at: datetime.datetime
    #: The office's account in force today; None: nobody can pay by transfer now.
    account: BankAccount | None
    #: `open`, `paid`, or `ended`: not paid in time, or paid otherwise.
    state: str

    @property
    def spaced_code(self) -> str:
        """In groups that are easy to type."""
        return f"{self.code[:2]} {self.code[2:5]} {self.code[5:]}"


def of_payment(payment: PaymentView | Payment | None) -> TransferView | None:
    """What the pages show of a payment by transfer; None for any other."""
    if payment is None or payment.gateway != NAME:
        return None
    transfer = db.session.get(Transfer, payment.id)
    if transfer is None or transfer.code is None:
        return None
    living = payment.state in (PaymentState.CREATED, PaymentState.PENDING)
    in_time = payment.expires_at > datetime.datetime.now(datetime.UTC)
    return TransferView(
        payment.id,
        transfer.description,
        transfer.code,
        transfer.amount,
        payment.expires_at,
        find_in_force(None, days.today()),
        "paid" if payment.state == PaymentState.SUCCEEDED else "open" if living and in_time else "ended",
    )


@bp.get("/transfer/<payment_id>")
def transfer(payment_id: str) -> ResponseReturnValue:
    """The payment's page. Its id is known to whoever placed the order alone; it shows nothing of the buyer."""
    payment = db.session.get(Payment, payment_id[:64]) if payment_id.isascii() else None
    view = of_payment(payment)
    if payment is None or view is None:
        raise NotFound()
    order = db.session.get_one(Order, payment.order_id)
    return render_template("checkout/transfer.html", transfer=view, order_number=order.number)

