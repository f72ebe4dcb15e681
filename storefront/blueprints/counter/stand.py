"""The stand as its cashiers fill and empty it: count what arrives, send home what is left."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.counter import bp
from storefront.errors import NotFound
from storefront.exhibitions import arrive, give_back, stand, stand_form
from storefront.exhibitions.arrive import What
from storefront.exhibitions.stand import Stand
from storefront.extensions import db
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<slug>/stand")
@access.rule(Action.COUNTER_SELL)
def stand_page(slug: str) -> ResponseReturnValue:
    """What of each facility was sent, counted, is there, and went home."""
    return _page(Written())


@bp.post("/<slug>/stand/count")
@access.rule(Action.COUNTER_SELL)
def count_arrived(slug: str) -> ResponseReturnValue:
    """Write down what arrived of a sending."""
    form = Written(request.form)
    number = int(form["number"]) if form["number"].isdecimal() and len(form["number"]) < 7 else 0
    facility = _facility(form["code"])
    done = stand_form.count(form, g.exhibition, facility.id, What.SENDING, number, person_id=access.person_id())
    return _back(slug, _("Hitungannya dicatat.")) if done else (_page(form), form.status)


@bp.post("/<slug>/stand/counts/<int:arrival_id>/undo")
@access.rule(Action.COUNTER_SELL)
def undo_count(slug: str, arrival_id: int) -> ResponseReturnValue:
    """Take back what was counted here; what a store has counted is the store's to undo."""
    moved = stand.counted(g.exhibition.id, arrival_id)
    if moved is not What.SENDING:
        raise NotFound()
    form, me = Written(), access.person_id()
    form.done(lambda: (arrive.undo(arrival_id, g.exhibition, facility_id=None, person_id=me),))
    said = form.refusal or _("Hitungannya dibatalkan: dapat dihitung lagi.")
    return _back(slug, said, "bad" if form.refusal else "ok")


@bp.post("/<slug>/stand/return")
@access.rule(Action.COUNTER_SELL)
def send_home(slug: str) -> ResponseReturnValue:
    """Send pieces home."""
    form = Written(request.form)
    found = stand_form.pack(form, g.exhibition, _facility(form["code"]).id, person_id=access.person_id())
    if found is None:
        return _page(form), form.status
    return _back(slug, _("Pengembalian nomor %(number)d tercatat. UPT menghitungnya saat tiba.", number=found.number))


@bp.post("/<slug>/stand/returns/<of>/<int:number>/undo")
@access.rule(Action.COUNTER_SELL)
def undo_send_home(slug: str, of: str, number: int) -> ResponseReturnValue:
    """All pieces of a return are at the stand again."""
    form, facility, me = Written(), _facility(of), access.person_id()
    form.done(lambda: (give_back.call_back(g.exhibition, facility.id, number, person_id=me),))
    return _back(slug, form.refusal or _("Dibatalkan: isinya ada lagi di stan."), "bad" if form.refusal else "ok")


def _facility(code: str) -> Stand:
    """The facility that takes part under that code. Raises NotFound."""
    found = next((one for one in stand.stands(g.exhibition.id) if one.code == code), None)
    if found is None:
        raise NotFound()
    return found


def _back(slug: str, said: str, how: str = "ok") -> ResponseReturnValue:
    flash(said, how)
    return redirect(url_for("counter.stand_page", slug=slug), 303)


def _page(form: Written) -> str:
    fair = g.exhibition
    db.session.refresh(fair)
    code = form["code"] or request.args.get("facility", "")
    return render_template(
        "counter/stand.html",
        exhibition=fair,
        here="stand",
        **stand_form.shown(fair, form, code, page_number()),
    )
