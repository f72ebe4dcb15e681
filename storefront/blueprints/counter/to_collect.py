"""Orders that their buyers collect at this stand: what has arrived, what lies ready, handed over by one press."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.counter import bp
from storefront.extensions import db
from storefront.orders import at_stand
from storefront.orders.ship import WrongParcelState
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action

#: A number as it is typed, scanned, or kept in an address.
LONGEST = 120


@bp.get("/<slug>/orders")
@access.rule(Action.COUNTER_SELL)
def to_collect(slug: str) -> ResponseReturnValue:
    """Parcels that are collected here; `q` is an order's number, typed or scanned."""
    kept = _kept()
    return render_template(
        "counter/to_collect.html",
        exhibition=g.exhibition,
        here="to_collect",
        found=at_stand.listed(g.exhibition.id, kept.get("state", ""), kept.get("q", ""), page_number()),
        counts=at_stand.counts(g.exhibition.id),
        q=kept.get("q", ""),
        state=kept.get("state", ""),
        kept=kept,
    )


@bp.post("/<slug>/orders/<int:parcel_id>/arrived")
@access.rule(Action.COUNTER_SELL)
def parcel_arrived(slug: str, parcel_id: int) -> ResponseReturnValue:
    """It has come to the stand: it lies ready, and its buyer is told."""
    return _press(
        lambda: at_stand.mark_arrived(g.exhibition.id, parcel_id, access.person_id()),
        _("Dicatat: sudah di stan. Pembeli diberi tahu lewat surel."),
        _("Kiriman ini sudah dicatat tiba."),
    )


@bp.post("/<slug>/orders/<int:parcel_id>/handed-over")
@access.rule(Action.COUNTER_SELL)
def parcel_handed_over(slug: str, parcel_id: int) -> ResponseReturnValue:
    """It was given to whoever came with its order's code."""
    return _press(
        lambda: at_stand.hand_out(g.exhibition.id, parcel_id, access.person_id()),
        _("Diserahkan."),
        _("Kiriman ini sudah diserahkan sebelumnya. Jangan serahkan lagi."),
    )


def _press(act: Callable[[], bool], said: str, before: str) -> ResponseReturnValue:
    """Do it, or say that it was done before."""
    try:
        is_new = act()
        db.session.commit()
    except WrongParcelState as refusal:
        db.session.rollback()
        flash(str(refusal.message), "bad")
    else:
        flash(said if is_new else before, "ok" if is_new else "info")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("counter.to_collect", slug=g.exhibition.slug, **_kept()), 303)


def _kept() -> dict[str, Any]:
    """What of the list is shown, from the address."""
    state, q = request.args.get("state", ""), request.args.get("q", "").strip()[:LONGEST]
    kept = {"state": state if state in at_stand.STATES and not q else "", "q": q}
    return {name: value for name, value in kept.items() if value}
