"""`/sandbox/payments/<id>`: a provider's payment page where the outcome is chosen, not paid for."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from storefront.errors import Invalid, NotFound
from storefront.extensions import csrf, db
from storefront.payments.models import SandboxPayment
from storefront.payments.sandbox import DISPUTE_OUTCOMES, OUTCOMES, choose_outcome, dispute

#: No provider keeps more of a payment, in rupiah; a fee above the payment itself is refused when it is booked.
MOST_FEE = 10**9

blueprint = Blueprint("sandbox", __name__, url_prefix="/sandbox")
# Like a provider's own site: no cookie of ours is read here, so there is nothing to forge with.
csrf.exempt(blueprint)


@blueprint.before_request
def only_in_use() -> None:
    """The sandbox exists only where it may take payments."""
    if "sandbox" not in current_app.extensions["gateways"]:
        raise NotFound()


@blueprint.get("/payments/<payment_id>")
def payment_page(payment_id: str) -> ResponseReturnValue:
    """The page a shopper is sent to."""
    payment = db.session.get(SandboxPayment, payment_id)
    if payment is None:
        raise NotFound()
    with force_locale(payment.locale):
        return render_template("sandbox/payment.html", payment=payment, page_locale=payment.locale)


@blueprint.post("/payments/<payment_id>")
def choose(payment_id: str) -> ResponseReturnValue:
    """A button of the page: choose, then go back to the shop."""
    payment = _choose(payment_id, request.form.get("outcome"))
    return_url = payment.return_url
    db.session.commit()
    return redirect(return_url, 303)


@blueprint.post("/payments/<payment_id>/outcome")
def outcome(payment_id: str) -> ResponseReturnValue:
    """The same for scripts: `{"outcome": "succeeded"}`, optionally `"fee": 4000`; the event follows by the worker."""
    body = _json()
    _choose(payment_id, body.get("outcome"), body.get("fee", 0))
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


def _choose(payment_id: str, wanted: Any, fee: Any = 0) -> SandboxPayment:
    if not isinstance(wanted, str) or wanted not in OUTCOMES:
        raise _not_among(OUTCOMES)
    if isinstance(fee, bool) or not isinstance(fee, int) or not 0 <= fee <= MOST_FEE:
        raise Invalid({"fee": _("Tulis biayanya dalam rupiah, mulai dari 0.")})
    try:
        return choose_outcome(payment_id, wanted, fee=fee)
    except LookupError as error:
        raise NotFound() from error
