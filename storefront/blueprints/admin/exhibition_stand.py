"""A fair's special prices and its stand, as the office keeps them."""

from __future__ import annotations

import re

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from storefront.blueprints.admin import allowed, bp
from storefront.days import today
from storefront.errors import NotFound
from storefront.exhibitions import arrive, give_back, set_prices, stand, stand_form, write
from storefront.exhibitions.arrive import What
from storefront.exhibitions.fairs import when
from storefront.exhibitions.models import Exhibition, ExhibitionFacility
from storefront.exhibitions.set_prices import Wish
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/exhibitions/<slug>/prices")
@access.rule(Action.EXHIBITIONS_READ)
def exhibition_prices(slug: str) -> ResponseReturnValue:
    """The fair's special prices, and the form that sets more."""
    return _prices(write.find(slug), Written())


@bp.post("/exhibitions/<slug>/prices")
@access.rule(Action.EXHIBITIONS_WRITE)
def set_exhibition_prices(slug: str) -> ResponseReturnValue:
    """Set prices for many things at once."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    skus = [one.upper() for one in re.split(r"[\s,;]+", form["skus"]) if one][: set_prices.PAGE * 10]
    wish = Wish(
        form["facility"], skus, form["how"], form.amount("amount"), form.day("from_day"), form.day("to_day")
    )
    done = form.done(lambda: set_prices.set_prices(fair, wish, person_id=me))
    if done is None:
        return _prices(write.find(slug), form), form.status
    said = ngettext("Harga khusus %(num)d karya ditetapkan.", "Harga khusus %(num)d karya ditetapkan.", done)
    flash(said, "ok")
    return redirect(url_for("admin.exhibition_prices", slug=slug), 303)


@bp.post("/exhibitions/<slug>/prices/<int:price_id>/end")
@access.rule(Action.EXHIBITIONS_WRITE)
def end_exhibition_price(slug: str, price_id: int) -> ResponseReturnValue:
    """Take a special price back."""
    fair, me = write.find(slug), access.person_id()
    done = set_prices.end(fair, price_id, person_id=me)
    db.session.commit()
    flash(_("Harga khusus itu diakhiri.") if done else _("Harga khusus itu sudah berakhir."), "ok" if done else "info")
    return redirect(url_for("admin.exhibition_prices", slug=slug), 303)


@bp.get("/exhibitions/<slug>/stand")
@access.rule(Action.EXHIBITIONS_READ)
def exhibition_stand(slug: str) -> ResponseReturnValue:
    """What of each facility was sent, counted, is there, and went home."""
    return _stand(write.find(slug), Written())


@bp.post("/exhibitions/<slug>/stand/count")
@access.rule(Action.EXHIBITIONS_WRITE)
def count_at_stand(slug: str) -> ResponseReturnValue:
    """Write down what arrived of a sending."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    number = int(form["number"]) if form["number"].isdecimal() and len(form["number"]) < 7 else 0
    if stand_form.count(form, fair, _facility(fair, form["code"]), What.SENDING, number, person_id=me) is None:
        return _stand(write.find(slug), form), form.status
    return _back(slug, _("Hitungannya dicatat."))


@bp.post("/exhibitions/<slug>/stand/counts/<int:arrival_id>/undo")
@access.rule(Action.EXHIBITIONS_WRITE)
def undo_count_at_stand(slug: str, arrival_id: int) -> ResponseReturnValue:
    """Take back what was counted."""
    fair, form, me = write.find(slug), Written(), access.person_id()
    if stand.counted(fair.id, arrival_id) is not What.SENDING:
        raise NotFound()
    form.done(lambda: (arrive.undo(arrival_id, fair, facility_id=None, person_id=me),))
    said = form.refusal or _("Hitungannya dibatalkan: dapat dihitung lagi.")
    return _back(slug, said, "bad" if form.refusal else "ok")


@bp.post("/exhibitions/<slug>/stand/return")
@access.rule(Action.EXHIBITIONS_WRITE)
def return_from_stand(slug: str) -> ResponseReturnValue:
    """Send pieces home."""
    fair, form, me = write.find(slug), Written(request.form), access.person_id()
    found = stand_form.pack(form, fair, _facility(fair, form["code"]), person_id=me)
    if found is None:
        return _stand(write.find(slug), form), form.status
    return _back(slug, _("Pengembalian nomor %(number)d tercatat. UPT menghitungnya saat tiba.", number=found.number))


@bp.post("/exhibitions/<slug>/stand/returns/<of>/<int:number>/undo")
@access.rule(Action.EXHIBITIONS_WRITE)
def undo_return_from_stand(slug: str, of: str, number: int) -> ResponseReturnValue:
    """All pieces of a return are at the stand again."""
    fair, form, me = write.find(slug), Written(), access.person_id()
    facility_id = _facility(fair, of)
    form.done(lambda: (give_back.call_back(fair, facility_id, number, person_id=me),))
    return _back(slug, form.refusal or _("Dibatalkan: isinya ada lagi di stan."), "bad" if form.refusal else "ok")


def _facility(fair: Exhibition, code: str) -> int:
    """The facility with that code, which takes part. Raises NotFound."""
    found = db.session.scalar(
        select(Facility.id)
        .join(ExhibitionFacility, ExhibitionFacility.facility_id == Facility.id)
        .where(Facility.code == code[:8], ExhibitionFacility.exhibition_id == fair.id)
    )
    if found is None:
        raise NotFound()
    return int(found)


def _back(slug: str, said: str, how: str = "ok") -> ResponseReturnValue:
    flash(said, how)
    return redirect(url_for("admin.exhibition_stand", slug=slug), 303)


def _prices(fair: Exhibition, form: Written) -> str:
    asked = {name: request.args.get(name, "").replace("\0", "")[:100] for name in ("facility", "q", "state")}
    page = page_number()
    if form.errors:
        asked = dict.fromkeys(asked, "")
    found, total = set_prices.prices(fair, page, facility=asked["facility"], q=asked["q"], state=asked["state"])
    return render_template(
        "admin/exhibition_prices.html",
        fair=fair,
        when=when(fair, today()),
        first=max(fair.starts_on, today()).isoformat(),
        found=found,
        total=total,
        asked=asked,
        states=set_prices.STATES,
        page=page,
        pages=max(1, -(-total // set_prices.PAGE)),
        facilities=[(one.code, one.name) for one in stand.stands(fair.id)],
        form=form,
        may_write=allowed(Action.EXHIBITIONS_WRITE),
    )


def _stand(fair: Exhibition, form: Written) -> str:
    code = form["code"] or request.args.get("facility", "")
    return render_template(
        "admin/exhibition_stand.html",
        **stand_form.shown(fair, form, code, page_number()),
        may_write=allowed(Action.EXHIBITIONS_WRITE),
    )
