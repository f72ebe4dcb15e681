"""Batches of food: written down when they are made, named in parcels, held when one is doubted."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.catalogue.models import Product
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key
from storefront.orders import packed_batches, recall
from storefront.orders.models import Parcel
from storefront.orders.packed_batches import FoodLine
from storefront.orders.parcel_sheet import parcel_sheet
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import batches
from storefront.stock.batches import Made
from storefront.written import Written, whole_number

PAGE = 25


@bp.get("/<code>/batches")
@access.rule(Action.STOCK_READ)
def batch_list(code: str) -> ResponseReturnValue:
    """What there is of each batch, the earliest end first; with a form for what was made."""
    return _list(Written())


@bp.post("/<code>/batches")
@access.rule(Action.STOCK_WRITE)
def make_batch(code: str) -> ResponseReturnValue:
    """Pieces that were made, with their batch."""
    form = Written(request.form)
    key = form["form_key"]
    if not is_key(key):
        form.refusal, form.status = str(TOO_OLD), 422
        return _list(form), form.status
    made = Made(
        form["sku"], form.line("code").upper(), form.day("made_on"), form.day("best_before"), form.amount("pieces")
    )
    batch = form.done(lambda: batches.enter(g.facility.id, made, form_key=key, person_id=access.person_id()))
    if batch is None:
        return _list(form), form.status
    flash(_("Batch %(code)s dicatat; buahnya sudah di rak.", code=batch.code), "ok")
    return redirect(url_for("seller.batch_list", code=code), 303)


@bp.get("/<code>/batches/<int:lot_id>")
@access.rule(Action.STOCK_READ)
def batch(code: str, lot_id: int) -> ResponseReturnValue:
    """One batch: its pieces, the parcels that it went out in, and holding it."""
    return _page(lot_id, Written())


@bp.post("/<code>/batches/<int:lot_id>/hold")
@access.rule(Action.STOCK_WRITE)
def hold_batch(code: str, lot_id: int) -> ResponseReturnValue:
    """Stop selling and sending it, and ask the office."""
    form, me = Written(request.form), access.person_id()

    def act() -> bool:
        found = batches.own(g.facility.id, lot_id, lock=True)
        recall.hold(found, form["reason"], form["reason_en"], person_id=me)
        return True

    if form.done(act) is None:
        return _page(lot_id, form), form.status
    flash(_("Batch ditahan: tidak dijual dan tidak dikirim. Kantor pusat memutuskan penarikannya."), "ok")
    return redirect(url_for("seller.batch", code=code, lot_id=lot_id), 303)


@bp.post("/<code>/batches/<int:lot_id>/gone")
@access.rule(Action.STOCK_WRITE)
def write_off_batch(code: str, lot_id: int) -> ResponseReturnValue:
    """So many pieces of it are gone otherwise."""
    form, me = Written(request.form), access.person_id()
    pieces = form.amount("gone")

    def act() -> bool:
        batches.write_off(g.facility.id, lot_id, form["sku"], pieces, person_id=me)
        return True

    if form.done(act) is None:
        return _page(lot_id, form), form.status
    flash(_("Disimpan."), "ok")
    return redirect(url_for("seller.batch", code=code, lot_id=lot_id), 303)


@bp.get("/<code>/batches/<int:lot_id>/buyers")
@access.rule(Action.BUYERS_READ)
def batch_buyers(code: str, lot_id: int) -> ResponseReturnValue:
    """Who bought of it, for who may see buyers' data, and only while their parcel needs them."""
    found = batches.own(g.facility.id, lot_id)
    rows = []
    for buyer in recall.buyers_of(found.id):
        sheet = parcel_sheet(g.facility.id, buyer.parcel_id, with_buyer=True)
        rows.append((buyer, sheet.buyer if sheet else None))
    return render_template(
        "seller/batch_buyers.html", batch=found, product=db.session.get_one(Product, found.product_id), rows=rows
    )


@bp.get("/<code>/parcels/<int:parcel_id>/batches")
@access.rule(Action.PARCELS_READ)
def parcel_batches(code: str, parcel_id: int) -> ResponseReturnValue:
    """Which batches lie in a parcel."""
    return _parcel_page(parcel_id, Written())


@bp.post("/<code>/parcels/<int:parcel_id>/batches")
@access.rule(Action.PARCELS_WRITE)
def change_parcel_batches(code: str, parcel_id: int) -> ResponseReturnValue:
    """Say otherwise, while it is packed and not sent."""
    form, me = Written(request.form), access.person_id()
    _own_parcel(parcel_id)
    chosen = {}
    for name, written in request.form.items():
        line, _sep, lot_id = name.removeprefix("pieces:").partition(":")
        if name.startswith("pieces:") and line.isdecimal() and lot_id.isdecimal():
            number = whole_number(written) if written.strip() else 0
            if number is None:
                form.wrong(f"batch:{line}", _("Tulis dengan angka bulat, tanpa koma."))
            chosen[int(line[:18]), int(lot_id[:18])] = number or 0

    def act() -> bool:
        packed_batches.change(parcel_id, chosen, person_id=me)
        return True

    if form.done(act) is None:
        return _parcel_page(parcel_id, form), form.status
    flash(_("Batch kiriman disimpan."), "ok")
    return redirect(url_for("seller.parcel", code=code, parcel_id=parcel_id), 303)


def food_of(parcel_id: int) -> list[FoodLine]:
    """For templates that include `_parcel_batches.html`."""
    return packed_batches.food_lines(parcel_id)


def _own_parcel(parcel_id: int) -> Parcel:
    found = db.session.get(Parcel, parcel_id)
    if found is None or found.facility_id != g.facility.id or found.state == "waiting":
        raise NotFound()
    return found


def _parcel_page(parcel_id: int, form: Written) -> str:
    _own_parcel(parcel_id)
    sheet = parcel_sheet(g.facility.id, parcel_id, with_buyer=False)
    return render_template("seller/parcel_batches.html", parcel=sheet, food=food_of(parcel_id), form=form)


def _list(form: Written) -> str:
    only_open = request.args.get("show") != "all"
    page = page_number()
    rows, total = batches.of_facility(g.facility.id, only_open=only_open, page=page, size=PAGE)
    known: dict[str, Any] = {
        "rows": rows,
        "total": total,
        "page": page,
        "pages": max(1, -(-total // PAGE)),
        "only_open": only_open,
        "foods": batches.food_variants(g.facility.id),
        "form_key": kept_key(form["form_key"]),
    }
    return render_template("seller/batches.html", form=form, **known)


def _page(lot_id: int, form: Written) -> str:
    found = batches.own(g.facility.id, lot_id)
    buyers = recall.buyers_of(found.id)
    return render_template(
        "seller/batch.html",
        batch=found,
        product=db.session.get_one(Product, found.product_id),
        rows=batches.rows_of(found.id),
        buyers=buyers,
        told=sum(one.is_told for one in buyers),
        packed=recall.packed_with(found.id),
        may_hold=allowed(Action.STOCK_WRITE) and found.state == "on_sale",
        form=form,
    )
