"""The shelf: products with their stock, corrections by hand, and how pieces came and went."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.blueprints.seller.forms import OfferForm, StockForm
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import adjust, shelf
from storefront.stock.levels import store_location_id
from storefront.stock.shelf import ShelfRow

#: Reasons that take pieces away although the number is written without a minus.
TAKES = ("damaged", "given")


@bp.get("/<code>/products")
@access.rule(Action.STOCK_READ)
def products(code: str) -> ResponseReturnValue:
    """The facility's products by status and stock, with a correction in each row."""
    filters = {"status": request.args.get("status", ""), "stock": request.args.get("stock", "")}
    q = request.args.get("q", "").strip()[:100]
    found = shelf.shelf(
        g.facility.id, status=filters["status"], stock=filters["stock"], q=q, page=page_number()
    )
    return render_template("seller/products.html", found=found, filters=filters, q=q, form=blank())


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
    filters = {name: request.form.get(name) or None for name in ("status", "stock", "q", "page")}
    return url_for("seller.products", code=g.facility.code, **filters)  # type: ignore[arg-type]


def own(sku: str) -> ShelfRow:
    """The facility's own variant. Raises `NotFound` for another's, as if it did not exist."""
    row = shelf.find(g.facility.id, sku)
    if row is None:
        raise NotFound()
    return row


def blank() -> StockForm:
    """An empty correction with a key of its own."""
    return StockForm(formdata=None)


def page(row: ShelfRow, *, stock_form: StockForm | None = None, offer_form: OfferForm | None = None) -> str:
    """A variant's page; a refused form keeps what was written."""
    movements = shelf.history(g.facility.id, row.variant_id, page_number())
    return render_template(
        "seller/stock.html",
        row=row,
        movements=movements,
        form=stock_form or blank(),
        offer_form=offer_form or OfferForm(formdata=None, price=row.price, lead_time_days=row.lead_time_days),
    )
