"""The shelf: products with their stock, corrections by hand, and how pieces came and went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp, shelf_asked
from storefront.blueprints.seller.forms import OfferForm, StockForm
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import is_key, kept_key, new_key
from storefront.orders.movement_sources import of_orders
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import adjust, low_marks, movements, shelf, takes, undo
from storefront.stock.levels import store_location_id
from storefront.stock.movements import HistoryFilter
from storefront.stock.shelf import ShelfRow
from storefront.written import Written, day

#: Reasons that take pieces away although the number is written without a minus.
TAKES = ("damaged", "given")
#: What the address of a variant's history may carry.
HISTORY = ("reason", "person", "place", "from", "to", "page")


@bp.get("/<code>/products")
@access.rule(Action.STOCK_READ)
def products(code: str) -> ResponseReturnValue:
    """The facility's products by status, stock, workshop, category and words, with a correction in each row."""
    return listed(request.args)


def listed(asked: Mapping[str, str], bulk: Written | None = None, chosen: Sequence[str] = ()) -> str:
    """The list as `asked`; with `bulk`, a change of several rows that was refused, and the SKUs chosen for it."""
    facility_id = g.facility.id
    key = request.args.get("done", "")
    return render_template(
        "seller/products.html",
        found=shelf.shelf(
            facility_id, shelf_asked.wanted(asked), shelf_asked.sort(asked), shelf_asked.page(asked)
        ),
        filters=shelf_asked.wanted(asked),
        sort=shelf_asked.sort(asked),
        kept=shelf_asked.kept(asked),
        workshops=shelf.workshops(facility_id),
        categories=shelf.categories(facility_id),
        form=blank(),
        bulk=bulk or Written(),
        chosen=chosen,
        bulk_key=kept_key(request.form.get("once", "")) if bulk else new_key(),
        done_key=key,
        done=undo.moved_together(facility_id, key) if is_key(key) else [],
    )


@bp.get("/<code>/stock/<sku>")
@access.rule(Action.STOCK_READ)
def stock(code: str, sku: str) -> ResponseReturnValue:
    """One variant: price, pieces, a correction, and its movements."""
    return page(own(sku))


@bp.post("/<code>/stock/<sku>")
@access.rule(Action.STOCK_WRITE)
def correct_stock(code: str, sku: str) -> ResponseReturnValue:
    """Move pieces by hand, with a reason. Sent twice, the same form moves them once."""
    row = own(sku)
    form = StockForm()
    if row.made_to_order:
        raise NotFound()
    if not form.validate():
        return page(row, stock_form=form), 422
    try:
        moved = correct(row, form)
    except adjust.NotEnoughStock as refusal:
        form.quantity.errors = [refusal.message]
        db.session.rollback()
        return page(own(sku), stock_form=form), 409
    db.session.commit()
    flash(said(row, moved), "ok" if moved else "info")
    return redirect(back_to(row), 303)


@bp.post("/<code>/stock/<sku>/undo")
@access.rule(Action.STOCK_WRITE)
def undo_movement(code: str, sku: str) -> ResponseReturnValue:
    """Take one movement of a variant back by its counter-movement; the history tells both."""
    row = own(sku)
    movement = request.form.get("movement", type=int)
    if movement is None or not movements.is_of(movement, row.variant_id):
        raise NotFound()
    try:
        done = undo.undo(g.facility.id, [movement], person_id=access.person_id())
        db.session.commit()
    except (adjust.NotEnoughStock, undo.CannotUndo) as refusal:
        db.session.rollback()
        flash(str(refusal.message), "bad")
    else:
        flash(
            _("Dibatalkan. Stok %(sku)s sekarang %(on_hand)d.", sku=sku, on_hand=own(sku).on_hand)
            if done
            else _("Perubahan ini sudah dibatalkan sebelumnya."),
            "ok" if done else "info",
        )
    kept = {name: value for name in HISTORY if (value := request.form.get(name))}
    return redirect(url_for("seller.stock", code=code, sku=row.sku, **kept) + "#gerak", 303)  # type: ignore[arg-type]


@bp.post("/<code>/stock/<sku>/mark")
@access.rule(Action.STOCK_WRITE)
def set_mark(code: str, sku: str) -> ResponseReturnValue:
    """From how many pieces down the variant is shown as running out."""
    row, written = own(sku), Written(request.form)
    pieces = written.amount("mark")
    if not written.errors and pieces > low_marks.MOST:
        written.wrong("mark", _("Tulis angka dari 0 sampai %(most)d.", most=low_marks.MOST))
    changed = written.done(
        lambda: low_marks.set_marks(g.facility.id, [row.variant_id], pieces, person_id=access.person_id())
    )
    if changed is None:
        return page(own(sku), mark=written), written.status
    flash(_("Batas stok tipis %(sku)s sekarang %(mark)d.", sku=sku, mark=pieces), "ok")
    return redirect(url_for("seller.stock", code=code, sku=row.sku), 303)


def correct(row: ShelfRow, form: StockForm) -> int:
    """Move the pieces that a valid form names; returns by how many what is on hand changed."""
    location, who = store_location_id(g.facility.id), access.person_id()
    reason, quantity, note = form.reason.data, form.quantity.data, form.note.data or ""
    source = f"form:{row.variant_id}:{form.once.data}"
    if reason == "counted":
        moved = adjust.count(row.variant_id, location, quantity, person_id=who, note=note, source=source)
    else:
        signed = -quantity if reason in TAKES else quantity
        done = adjust.move(row.variant_id, location, signed, reason, person_id=who, note=note, source=source)
        moved = signed if done else 0
    if moved:
        details = {"sku": row.sku, "reason": reason, "quantity": moved, "note": note}
        record(
            "stock.moved",
            "variant",
            row.variant_id,
            person_id=who,
            facility_id=g.facility.id,
            details=details,
        )
    return moved


def said(row: ShelfRow, moved: int) -> str:
    """What the reader is told of a correction."""
    if not moved:
        return _("Stok %(sku)s tidak berubah.", sku=row.sku)
    return _(
        "Stok %(sku)s berubah %(change)s, sekarang %(on_hand)d.",
        sku=row.sku,
        change=f"{moved:+d}".replace("-", "\N{MINUS SIGN}"),
        on_hand=own(row.sku).on_hand,
    )


def back_to(row: ShelfRow) -> str:
    """The list with its filters when the form stood there, else the variant's own page."""
    if request.form.get("back") != "products":
        return url_for("seller.stock", code=g.facility.code, sku=row.sku)
    return url_for("seller.products", code=g.facility.code, **shelf_asked.kept(request.form))


def own(sku: str) -> ShelfRow:
    """The facility's own variant. Raises `NotFound` for another's, as if it did not exist."""
    row = shelf.find(g.facility.id, sku)
    if row is None:
        raise NotFound()
    return row


def blank() -> StockForm:
    """An empty correction with a key of its own."""
    return StockForm(formdata=None)


def page(
    row: ShelfRow,
    *,
    stock_form: StockForm | None = None,
    offer_form: OfferForm | None = None,
    mark: Written | None = None,
) -> str:
    """A variant's page; a refused form keeps what was written."""
    wanted = history_filter()
    found = movements.history(row.variant_id, g.facility.time_zone, wanted, page_number())
    sources = [m.source for m in found.rows]
    return render_template(
        "seller/stock.html",
        row=row,
        movements=found,
        wanted=wanted,
        kept={name: value for name in HISTORY if (value := request.args.get(name))},
        keepers=movements.keepers(row.variant_id),
        places=movements.places(row.variant_id),
        orders=of_orders(g.facility.id, sources),
        takes=takes.numbers(g.facility.id, sources),
        mark=mark or Written(),
        form=stock_form or blank(),
        offer_form=offer_form or OfferForm(formdata=None, price=row.price, lead_time_days=row.lead_time_days),
    )


def history_filter() -> HistoryFilter:
    """What of a variant's history the address asks for; a day that is none does not narrow."""
    asked = request.args
    return HistoryFilter(
        reason=asked.get("reason", ""),
        person=asked.get("person", ""),
        place=asked.get("place", "")[:100],
        first=day(asked.get("from", "")),
        last=day(asked.get("to", "")),
    )
