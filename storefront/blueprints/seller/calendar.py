"""When the facility packs: its weekdays, its own days off, and pauses in which nothing can be ordered."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.days import today
from storefront.facilities import gallery_hours, rest
from storefront.facilities.working_days import calendar_of, ready_on
from storefront.orders import promised
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/calendar")
@access.rule(Action.LISTINGS_READ)
def calendar(code: str) -> ResponseReturnValue:
    """Pauses, days off and packing days, and what they make of a promise given today."""
    return page(Written())


@bp.post("/<code>/calendar/pause")
@access.rule(Action.LISTINGS_WRITE)
def set_pause(code: str) -> ResponseReturnValue:
    """Rest from a day to a day."""
    form = Written(request.form)
    first, last = form.day("first_day"), form.day("last_day")
    said = form["reason"], form["reason_en"]
    return _done(
        form,
        lambda: promised.pause(g.facility.id, first, last, *said, access.person_id()),
        _(
            "Istirahat dicatat. Pembeli melihatnya di toko; yang sudah memesan diberi tahu bila harinya berubah."
        ),
    )


@bp.post("/<code>/calendar/pause/<int:pause_id>/end")
@access.rule(Action.LISTINGS_WRITE)
def end_pause(code: str, pause_id: int) -> ResponseReturnValue:
    """Call a pause off, or end it today."""
    return _done(
        Written(request.form),
        lambda: promised.end_pause(g.facility.id, pause_id, access.person_id()),
        _("Istirahat diakhiri. Karya dapat dipesan lagi."),
    )


@bp.post("/<code>/calendar/off")
@access.rule(Action.LISTINGS_WRITE)
def take_off(code: str) -> ResponseReturnValue:
    """Pack nothing on some days."""
    form = Written(request.form)
    first = form.day("off_first")
    last = form.day_or_none("off_last") or first
    return _done(
        form,
        lambda: promised.take_off(g.facility.id, first, last, form["note"], access.person_id()),
        _("Hari libur dicatat. Hari yang dijanjikan ikut bergeser."),
    )


@bp.post("/<code>/calendar/off/<int:day_off_id>/remove")
@access.rule(Action.LISTINGS_WRITE)
def remove_day_off(code: str, day_off_id: int) -> ResponseReturnValue:
    """Pack on these days after all."""
    return _done(
        Written(request.form),
        lambda: promised.put_back(g.facility.id, day_off_id, access.person_id()),
        _("Hari libur dihapus."),
    )


@bp.post("/<code>/calendar/packing")
@access.rule(Action.LISTINGS_WRITE)
def set_packing_days(code: str) -> ResponseReturnValue:
    """The weekdays on which parcels are packed."""
    form = Written(request.form)
    chosen = [
        int(day) for day in request.form.getlist("packing_days")[:7] if day in "1234567" and len(day) == 1
    ]
    return _done(
        form,
        lambda: promised.pack_on(g.facility.id, chosen, access.person_id()),
        _("Hari mengemas disimpan."),
        packing=chosen,
    )


def page(form: Written, packing: list[int] | None = None) -> str:
    """The page; a refused form keeps what was written, and which weekdays were ticked in it."""
    day, facility = today(), g.facility
    own = calendar_of(facility.id, day)
    return render_template(
        "seller/calendar.html",
        form=form,
        today=day,
        pauses=rest.pauses_of(facility.id),
        days_off=rest.days_off_of(facility.id),
        weekdays=[(number, gallery_hours.day_name(number)) for number in gallery_hours.WEEKDAYS],
        packing=facility.packing_days if packing is None else packing,
        ready=ready_on(day, None, own),
        waiting=promised.waiting(facility.id),
    )


def _done(
    form: Written, act: Callable[[], object], said: str, packing: list[int] | None = None
) -> ResponseReturnValue:
    if form.done(act) is None:
        return page(form, packing), form.status
    flash(said, "ok")
    return redirect(url_for("seller.calendar", code=g.facility.code), 303)
