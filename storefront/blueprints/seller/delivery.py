"""Couriers of the facility, and from when on it sends free of charge."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.blueprints.seller.forms import COURIERS
from storefront.days import today
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action
from storefront.shipping import offers
from storefront.shipping.models import FreeShipping
from storefront.written import Written, whole_number

PREFIX = "courier-"


@bp.get("/<code>/shipping")
@access.rule(Action.STOCK_READ)
def shipping(code: str) -> ResponseReturnValue:
    """What the facility offers now."""
    return page()


@bp.post("/<code>/shipping/couriers")
@access.rule(Action.STOCK_WRITE)
def save_couriers(code: str) -> ResponseReturnValue:
    """Offer the deliveries that are ticked, carried by whom the fields beside them name."""
    form, ticked = Written(request.form), request.form.getlist("methods")[:20]
    chosen = {method: form.line(PREFIX + method) for method in ticked}
    if form.done(lambda: _offer(chosen)) is None:
        return page(form, ticked), form.status
    return _back(_("Cara kirim disimpan."))


@bp.post("/<code>/shipping/free")
@access.rule(Action.STOCK_WRITE)
def bear_shipping(code: str) -> ResponseReturnValue:
    """From an amount on, bear the delivery."""
    form = Written(request.form)
    minimum, first, last = whole_number(form["minimum"]), form.day("valid_from"), form.day_or_none("valid_to")
    if form.done(lambda: _bear(form["reach"], minimum, first, last)) is None:
        return page(form), form.status
    return _back(_("Gratis ongkir disimpan."))


@bp.post("/<code>/shipping/free/<int:offer_id>/end")
@access.rule(Action.STOCK_WRITE)
def end_free_shipping(code: str, offer_id: int) -> ResponseReturnValue:
    """No longer bear it."""
    row = offers.end(g.facility.id, offer_id)
    _note("shipping.free_ended", offer_id, {"reach": row.reach, "minimum": row.minimum})
    db.session.commit()
    return _back(_("Gratis ongkir diakhiri."))


def page(form: Written | None = None, ticked: Sequence[str] | None = None) -> str:
    """The page; a refused form keeps what was written, and which deliveries were `ticked` in it."""
    return render_template(
        "seller/shipping.html",
        methods=offers.methods(g.facility.id),
        free=offers.free_offers(g.facility.id),
        couriers=COURIERS,
        today=today(),
        form=form or Written(),
        ticked=ticked,
    )


def _offer(chosen: dict[str, str]) -> bool:
    before = {each.method.code: each.courier for each in offers.methods(g.facility.id) if each.is_offered}
    offers.offer(g.facility.id, chosen)
    if chosen != before:
        _note("shipping.couriers_set", g.facility.id, {"before": before, "after": chosen})
    return True


def _bear(reach: str, minimum: int | None, first: datetime.date, last: datetime.date | None) -> FreeShipping:
    row = offers.bear(g.facility.id, reach, minimum, first, last, person_id=access.person_id())
    said = {name: str(getattr(row, name)) for name in ("reach", "minimum", "valid_from", "valid_to")}
    _note("shipping.free_set", row.id, said)
    return row


def _note(action: str, subject: int, details: dict[str, Any]) -> None:
    record(
        action,
        "shipping",
        subject,
        person_id=access.person_id(),
        facility_id=g.facility.id,
        details=details,
    )


def _back(said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("seller.shipping", code=g.facility.code), 303)
