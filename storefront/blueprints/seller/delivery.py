"""Couriers of the facility, and from when on it sends free of charge."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.blueprints.seller.forms import COURIERS, one_line
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action
from storefront.shipping import offers

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
    ticked = request.form.getlist("methods")[:20]
    chosen = {method: one_line(request.form.get(PREFIX + method)) for method in ticked}
    try:
        before = {each.method.code: each.courier for each in offers.methods(g.facility.id) if each.is_offered}
        offers.offer(g.facility.id, chosen)
    except Invalid as refusal:
        db.session.rollback()
        return page(refusal.errors, request.form), 422
    if chosen != before:
        _note("shipping.couriers_set", g.facility.id, {"before": before, "after": chosen})
    db.session.commit()
    return _back(_("Cara kirim disimpan."))


@bp.post("/<code>/shipping/free")
@access.rule(Action.STOCK_WRITE)
def bear_shipping(code: str) -> ResponseReturnValue:
    """From an amount on, bear the delivery."""
    form = request.form
    try:
        row = offers.bear(
            g.facility.id,
            form.get("reach", ""),
            _whole(form.get("minimum", "")),
            _day(form, "valid_from"),
            _day(form, "valid_to"),
            person_id=access.person_id(),
        )
    except Invalid as refusal:
        db.session.rollback()
        return page(refusal.errors, form), 422
    said = {name: str(getattr(row, name)) for name in ("reach", "minimum", "valid_from", "valid_to")}
    _note("shipping.free_set", row.id, said)
    db.session.commit()
    return _back(_("Gratis ongkir disimpan."))


@bp.post("/<code>/shipping/free/<int:offer_id>/end")
@access.rule(Action.STOCK_WRITE)
def end_free_shipping(code: str, offer_id: int) -> ResponseReturnValue:
    """No longer bear it."""
    row = offers.end(g.facility.id, offer_id)
    _note("shipping.free_ended", offer_id, {"reach": row.reach, "minimum": row.minimum})
    db.session.commit()
    return _back(_("Gratis ongkir diakhiri."))


@bp.get("/<code>/shipping/couriers")
@bp.get("/<code>/shipping/free")
@access.rule(Action.STOCK_READ)
def after_shipping(code: str) -> ResponseReturnValue:
    """A refused form's address, opened again."""
    return redirect(url_for("seller.shipping", code=code))


def page(errors: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None) -> str:
    """The page; a refused form keeps what was written."""
    return render_template(
        "seller/shipping.html",
        methods=offers.methods(g.facility.id),
        free=offers.free_offers(g.facility.id),
        couriers=COURIERS,
        today=today(),
        typed=typed or {},
        e=errors or {},
    )


def _whole(text: str) -> int | None:
    digits = "".join(text.removeprefix("Rp").split()).replace(".", "")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 15 else None


def _day(form: Mapping[str, str], name: str) -> datetime.date | None:
    """The day in a field, None when it is empty. Raises `Invalid` for what is no day."""
    text = form.get(name, "").strip()
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid({name: _("Tulis tanggalnya.")}) from None


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
