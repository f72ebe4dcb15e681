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
from storefront.payments.sandbox import OUTCOMES, choose_outcome

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
    """The same for scripts: `{"outcome": "succeeded"}`; the event follows by the worker."""
    body = request.get_json(force=True, silent=True)
    _choose(payment_id, body.get("outcome") if isinstance(body, dict) else None)
    db.session.commit()
    return {"accepted": True}, 202


def _choose(payment_id: str, wanted: Any) -> SandboxPayment:
    if not isinstance(wanted, str) or wanted not in OUTCOMES:
        raise Invalid({"outcome": _("Pilih salah satu: %(outcomes)s.", outcomes=", ".join(OUTCOMES))})
    try:
        return choose_outcome(payment_id, wanted)
    except LookupError as error:
        raise NotFound() from error
