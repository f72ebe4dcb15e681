"""A stand's sales found again, and one of them undone with the yes of a second person; and one's own PIN for that."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.counter import bp
from storefront.counter import pins, sale_list, voids
from storefront.counter.models import CounterSale
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key, new_key
from storefront.orders.models import Order
from storefront.orders.views import order_status
from storefront.pages import page_number
from storefront.people import access
from storefront.refunds.refundable import LineLeft, refundable
from storefront.written import Written, day, whole_number


@bp.get("/<slug>/sales")
@access.signed_in
def sale_list_page(slug: str) -> str:
    """Sales of this fair, the latest first; of one day (`day`), late ones (`late`), by number (`q`)."""
    wanted = day(request.args.get("day", ""))
    late, q = request.args.get("late") == "1", request.args.get("q", "").strip()[:20]
    return render_template(
        "counter/sales.html",
        exhibition=g.exhibition,
        here="sales",
        found=sale_list.listed(g.exhibition.id, day=wanted, late=late, q=q, page=page_number()),
        day=wanted.isoformat() if wanted else "",
        late=late,
        q=q,
    )


@bp.get("/<slug>/sales/<number>")
@access.signed_in
def sale_page(slug: str, number: str) -> str:
    """One sale: its lines, what of it can still be given back, and the form that does."""
    return page(voids.sale_of(g.exhibition.id, number), Written())


@bp.post("/<slug>/sales/<number>/void")
@access.signed_in
def void_sale(slug: str, number: str) -> ResponseReturnValue:
    """Give back pieces of it; the second person writes their PIN on this very phone."""
    sale = voids.sale_of(g.exhibition.id, number)
    form = Written(request.form)
    pieces = _pieces(sale, form)
    if not is_key(form["once"]):
        form.wrong("lines", TOO_OLD)
    second = whole_number(form["second"])

    def act() -> object:
        agreed = pins.agree(g.exhibition.id, access.person_id(), second, form["pin"].strip(), request.remote_addr)
        return voids.give_back(
            g.exhibition,
            voids.sale_of(g.exhibition.id, number),
            pieces,
            reason=form["reason"],
            note=form.line("note"),
            restock=form["what"] != "write_off",
            asked_by=access.person_id(),
            agreed_by=agreed,
            key=form["once"],
        )

    if form.done(act) is None:
        return page(voids.sale_of(g.exhibition.id, number), form), form.status
    said = _("Berikan uangnya kepada pembeli.") if sale.payment == "cash" else _("Uangnya kembali lewat penyedia.")
    flash(_("Pengembalian tercatat.") + " " + said, "ok")
    return redirect(url_for("counter.sale_page", slug=slug, number=number), 303)


@bp.get("/<slug>/pin")
@access.signed_in
def pin_page(slug: str) -> str:
    """Where a cashier sets the PIN with which they agree to what others give back."""
    return _pin(Written())


@bp.post("/<slug>/pin")
@access.signed_in
def set_pin(slug: str) -> ResponseReturnValue:
    """Set it, or set it anew. What was typed is never shown again."""
    form = Written(request.form)

    def set_it() -> bool:
        pins.set_pin(access.person_id(), form["pin"].strip(), form["again"].strip())
        return True

    if not form.done(set_it):
        return _pin(form), form.status
    flash(_("PIN tersimpan. Jangan beritahukan kepada siapa pun."), "ok")
    return redirect(url_for("counter.pin_page", slug=slug), 303)


def page(sale: CounterSale, form: Written) -> str:
    """A sale with its form as it was sent."""
    order = db.session.get_one(Order, sale.order_id)
    lines = {line.id: line for line in _left(order)}
    return render_template(
        "counter/sale.html",
        exhibition=g.exhibition,
        here="sales",
        sale=sale,
        order=order,
        status=order_status(order.id)[0],
        lines=lines,
        seconds=[(one.id, one.name) for one in pins.agreeing(g.exhibition.id, access.person_id())],
        has_pin=pins.has_pin(access.person_id()),
        reasons=voids.REASONS,
        once=kept_key(form["once"]) if form.values else new_key(),
        form=form,
    )


def _left(order: Order) -> list[LineLeft]:
    found = refundable(order)
    return list(found.lines.values()) if found else []


def _pieces(sale: CounterSale, form: Written) -> dict[int, int]:
    found = {}
    for line in _left(db.session.get_one(Order, sale.order_id)):
        written = form[f"quantity-{line.id}"].strip()
        number = whole_number(written) if written else 0
        if number is None:
            form.wrong(f"quantity-{line.id}", _("Tulis dengan angka bulat, tanpa koma."))
        else:
            found[line.id] = number
    return found


def _pin(form: Written) -> str:
    return render_template(
        "counter/pin.html",
        exhibition=g.exhibition,
        here="pin",
        has_pin=pins.has_pin(access.person_id()),
        errors=form.errors,
    )
