"""`/sandbox/`: the provider's desk, where its money is sent to our bank, and its news are delivered badly.

For people in the demo, and as JSON for scripts.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.blueprints.sandbox import blueprint
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.languages import DEFAULT, LOCALES
from storefront.payments.models import SandboxLine, SandboxPayout, SandboxSettings
from storefront.payments.sandbox_books import fail_payout, fail_refund, pay_out
from storefront.payments.sandbox_delivery import Delivery, set_delivery

MOST_SHOWN = 20
LONGEST_WAIT = 7 * 24 * 60 * 60
DELIVERIES = (
    (Delivery.AT_ONCE.value, _l("Segera")),
    (Delivery.LATE.value, _l("Terlambat")),
    (Delivery.TWICE.value, _l("Dua kali")),
    (Delivery.OUT_OF_ORDER.value, _l("Tidak berurutan")),
    (Delivery.NEVER.value, _l("Tidak pernah")),
)


@blueprint.get("/")
def desk() -> ResponseReturnValue:
    """What the provider holds for us, what it sent to our bank, and how it delivers its news."""
    held = select(func.coalesce(func.sum(SandboxLine.amount - SandboxLine.fee), 0)).where(
        SandboxLine.payout_id.is_(None)
    )
    payouts = select(SandboxPayout).order_by(SandboxPayout.created_at.desc()).limit(MOST_SHOWN)
    # Another party's page: the shop's language where one comes from there, else the browser's.
    asked = request.args.get("lang")
    language = asked if asked in LOCALES else request.accept_languages.best_match(LOCALES) or DEFAULT
    with force_locale(language):
        return render_template(
            "sandbox/desk.html",
            held=db.session.execute(held).scalar_one(),
            payouts=db.session.scalars(payouts).all(),
            rules=db.session.get_one(SandboxSettings, True),
            deliveries=DELIVERIES,
            page_locale=language,
        )


@blueprint.post("/delivery")
def deliver_all() -> ResponseReturnValue:
    """How news of all payments are delivered: `{"delivery": "late", "late_seconds": 300}`."""
    given = _given()
    _set(given)
    db.session.commit()
    return redirect(url_for("sandbox.desk"), 303) if request.form else (_answer(given), 200)


@blueprint.post("/payments/<payment_id>/delivery")
def deliver(payment_id: str) -> ResponseReturnValue:
    """How news of one payment are delivered; empty: as those of all."""
    given = _given()
    _set(given, payment_id)
    db.session.commit()
    if request.form:
        return redirect(url_for("sandbox.payment_page", payment_id=payment_id), 303)
    return _answer(given), 200


@blueprint.post("/refunds/<refund_id>/outcome")
def refund_outcome(refund_id: str) -> ResponseReturnValue:
    """The shopper's bank sends a refund back: `{"outcome": "failed"}`."""
    _only_failed()
    try:
        fail_refund(refund_id)
    except LookupError as error:
        raise NotFound() from error
    db.session.commit()
    return {"accepted": True}, 202


@blueprint.post("/payouts")
def send_payout() -> ResponseReturnValue:
    """All that lies there goes to our bank."""
    payout = pay_out()
    db.session.commit()
    if request.form:
        return redirect(url_for("sandbox.desk"), 303)
    if payout is None:
        raise Invalid(message=_("Tidak ada uang yang dapat dicairkan."))
    return {"id": payout.id, "amount": payout.amount, "arrives_on": payout.arrives_on.isoformat()}, 201


@blueprint.post("/payouts/<payout_id>/outcome")
def payout_outcome(payout_id: str) -> ResponseReturnValue:
    """Our bank sends a payout back: `{"outcome": "failed"}`."""
    _only_failed()
    try:
        fail_payout(payout_id)
    except LookupError as error:
        raise NotFound() from error
    db.session.commit()
    return redirect(url_for("sandbox.desk"), 303) if request.form else ({"accepted": True}, 202)


def _given() -> dict[str, Any]:
    if request.form:
        return {name: value for name, value in request.form.items() if value}
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _only_failed() -> None:
    if _given().get("outcome") != "failed":
        raise Invalid({"outcome": _("Pilih salah satu: %(outcomes)s.", outcomes="failed")})


def _set(given: dict[str, Any], payment_id: str | None = None) -> None:
    delivery, seconds = given.get("delivery"), given.get("late_seconds")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds)
    if delivery is not None and delivery not in [code for code, _label in DELIVERIES]:
        raise Invalid({"delivery": _("Pilih salah satu: %(outcomes)s.", outcomes=", ".join(Delivery))})
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool)
    if seconds is not None and not (is_number and 1 <= seconds <= LONGEST_WAIT):
        raise Invalid({"late_seconds": _("Tulis lamanya dalam detik, 1 sampai 604800.")})
    try:
        set_delivery(delivery, payment_id=payment_id, late_seconds=seconds)
    except LookupError as error:
        raise NotFound() from error


def _answer(given: dict[str, Any]) -> dict[str, Any]:
    return {"delivery": given.get("delivery") or Delivery.AT_ONCE.value}
