"""`/sandbox/payments/<id>`: a provider's payment page where the outcome is chosen, not paid for."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from storefront.blueprints.sandbox import blueprint
from storefront.blueprints.sandbox.desk import DELIVERIES
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.payments.models import SandboxPayment
from storefront.payments.sandbox import DISPUTE_OUTCOMES, OUTCOMES, choose_outcome, dispute

#: No provider keeps more of a payment, in rupiah; a fee above the payment itself is refused when it is booked.
MOST_FEE = 10**9


@blueprint.get("/payments/<payment_id>")
def payment_page(payment_id: str) -> ResponseReturnValue:
    """The page a shopper is sent to."""
    payment = db.session.get(SandboxPayment, payment_id)
    if payment is None:
        raise NotFound()
    with force_locale(payment.locale):
        return render_template(
            "sandbox/payment.html", payment=payment, deliveries=DELIVERIES, page_locale=payment.locale
        )


@blueprint.post("/payments/<payment_id>")
def choose(payment_id: str) -> ResponseReturnValue:
    """A button of the page: choose, then go back to the shop."""
    payment = _choose(payment_id, request.form.get("outcome"), can_refund="no_refunds" not in request.form)
    return_url = payment.return_url
    db.session.commit()
    return redirect(return_url, 303)


@blueprint.post("/payments/<payment_id>/outcome")
def outcome(payment_id: str) -> ResponseReturnValue:
    """The same for scripts: `{"outcome": "succeeded"}`; the event follows by the worker.

    Optionally `"fee": 4000`, and `"can_refund": false` for a way of paying that knows no refunds.
    """
    body = _json()
    _choose(
        payment_id, body.get("outcome"), body.get("fee", 0), can_refund=body.get("can_refund") is not False
    )
    db.session.commit()
    return {"accepted": True}, 202


@blueprint.post("/payments/<payment_id>/dispute")
def dispute_payment(payment_id: str) -> ResponseReturnValue:
    """The payer's bank, for scripts: `{"outcome": "opened"}`, then `won` or `lost`; optionally `"amount"`."""
    body = _json()
    wanted, amount = body.get("outcome"), body.get("amount")
    if wanted not in DISPUTE_OUTCOMES or isinstance(amount, bool) or not isinstance(amount, int | None):
        raise _not_among(DISPUTE_OUTCOMES)
    try:
        dispute(payment_id, wanted, amount=amount)
    except LookupError as error:
        raise NotFound() from error
    except ValueError as error:
        raise Invalid({"amount": _("Jumlah ini bukan bagian dari pembayarannya.")}) from error
    db.session.commit()
    return {"accepted": True}, 202


def _json() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _not_among(outcomes: tuple[str, ...]) -> Invalid:
    return Invalid({"outcome": _("Pilih salah satu: %(outcomes)s.", outcomes=", ".join(outcomes))})


def _choose(payment_id: str, wanted: Any, fee: Any = 0, *, can_refund: bool) -> SandboxPayment:
    if not isinstance(wanted, str) or wanted not in OUTCOMES:
        raise _not_among(OUTCOMES)
    if isinstance(fee, bool) or not isinstance(fee, int) or not 0 <= fee <= MOST_FEE:
        raise Invalid({"fee": _("Tulis biayanya dalam rupiah, mulai dari 0.")})
    try:
        return choose_outcome(payment_id, wanted, fee=fee, can_refund=can_refund)
    except LookupError as error:
        raise NotFound() from error
