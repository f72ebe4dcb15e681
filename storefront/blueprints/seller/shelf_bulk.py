"""Several variants at once: some of the list (made, low-stock mark), or a short form of what was made today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp, shelf_asked
from storefront.blueprints.seller.forms import MOST_PIECES
from storefront.blueprints.seller.shelf import TAKES, listed
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import adjust, low_marks, shelf, undo
from storefront.stock.adjust import NotEnoughStock
from storefront.stock.levels import store_location_id
from storefront.stock.shelf import ShelfRow
from storefront.written import Written, whole_number

#: Rows of the short form; more are reached by its filters.
MOST_ROWS = 200
#: What the short form is for. Counting has the stock-take, corrections the variant's own page.
TOGETHER = ("made", "damaged", "given")


@bp.post("/<code>/products/bulk")
@access.rule(Action.STOCK_WRITE)
def change_several(code: str) -> ResponseReturnValue:
    """For the variants that are ticked, or all that the filters show: pieces made, or the low-stock mark."""
    written, act = Written(request.form), request.form.get("act", "")
    rows = shelf.own(g.facility.id, request.form.getlist("sku")[:1000])
    everything = act == "mark" and request.form.get("all") == "1"
    ids = (
        shelf.matching(g.facility.id, shelf_asked.wanted(request.form))
        if everything
        else [row.variant_id for row in rows if not row.made_to_order]
    )
    number = _checked(written, act, ids)
    changed = written.done(lambda: _change(act, ids, number))
    if changed is None:
        return listed(request.form, bulk=written, chosen=[row.sku for row in rows]), written.status
    kept = shelf_asked.kept(request.form)
    if act == "mark":
        flash(
            _("Batas stok tipis %(mark)d dipasang pada %(count)d varian.", mark=number, count=len(ids)), "ok"
        )
    else:
        kept["done"] = request.form["once"]
    return redirect(url_for("seller.products", code=code, **kept), 303)


def _checked(written: Written, act: str, ids: Sequence[int]) -> int:
    number = written.amount("number")
    if act not in ("made", "mark"):
        written.wrong("act", _("Pilih apa yang diubah."))
    elif act == "made" and not 1 <= number <= MOST_PIECES:
        written.wrong("number", _("Tulis berapa buah, mulai dari 1."))
    elif number > low_marks.MOST and act == "mark":
        written.wrong("number", _("Tulis angka dari 0 sampai %(most)d.", most=low_marks.MOST))
    if not ids:
        written.wrong("sku", _("Centang dahulu barisnya. Karya yang dibuat sesuai pesanan tidak punya stok."))
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
    return number


def _change(act: str, ids: Sequence[int], number: int) -> int:
    if act == "mark":
        return low_marks.set_marks(g.facility.id, ids, number, person_id=access.person_id())
    return _move(dict.fromkeys(ids, number), "made", "")


def _move(pieces: Mapping[int, int], reason: str, note: str) -> int:
    """Move signed pieces by variant with the form's key; returns how many variants moved."""
    moved = adjust.move_several(
        store_location_id(g.facility.id),
        pieces,
        reason,
        key=request.form["once"],
        person_id=access.person_id(),
        note=note,
    )
    for variant_id in moved:
        details = {"reason": reason, "quantity": pieces[variant_id], "note": note}
        record(
            "stock.moved",
            "variant",
            variant_id,
            person_id=access.person_id(),
            facility_id=g.facility.id,
            details=details,
        )
    return len(moved)


@bp.get("/<code>/made")
@access.rule(Action.STOCK_READ)
def made(code: str) -> ResponseReturnValue:
    """The short form: a number beside each variant, by workshop."""
    return _short_form(Written())


@bp.post("/<code>/made")
@access.rule(Action.STOCK_WRITE)
def save_made(code: str) -> ResponseReturnValue:
    """Move what was written beside the variants, all or nothing. Sent twice, the same form moves once."""
    written = Written(request.form)
    rows = {row.sku: row for row in shelf.own(g.facility.id, _named()) if not row.made_to_order}
    numbers = _numbers(written, rows)
    reason, note = written["reason"], written.line("note")
    if reason not in TOGETHER:
        written.wrong("reason", _("Pilih alasannya."))
    if len(note) > 200:
        written.wrong("note", _("Catatan paling panjang 200 huruf."))
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
    if not written.errors and not numbers:
        written.wrong("pieces", _("Tulis jumlahnya di sebelah karya yang dibuat."))
    sign = -1 if reason in TAKES else 1
    pieces = {rows[sku].variant_id: sign * number for sku, number in numbers.items()}
    if written.done(lambda: _move_or_name(pieces, rows, reason, note)) is None:
        return _short_form(written), written.status
    kept = shelf_asked.kept(request.form, leave=("page",))
    return redirect(url_for("seller.made", code=code, done=request.form["once"], **kept), 303)


def _move_or_name(pieces: Mapping[int, int], rows: Mapping[str, ShelfRow], reason: str, note: str) -> int:
    """Move, or refuse beside the variant of which too few are free."""
    try:
        return _move(pieces, reason, note)
    except NotEnoughStock as refusal:
        sku = next(sku for sku, row in rows.items() if row.variant_id == refusal.extra["variant_id"])
        refusal.extra["errors"] = {f"n-{sku}": refusal.message}
        raise


def _named() -> list[str]:
    """SKUs beside which something is written."""
    return [name[2:] for name, text in request.form.items() if name.startswith("n-") and text.strip()][:1000]


def _numbers(written: Written, rows: Mapping[str, ShelfRow]) -> dict[str, int]:
    numbers = {}
    for sku in rows:
        text = written[f"n-{sku}"]
        number = whole_number(text)
        if number is None or number > MOST_PIECES:
            written.wrong(f"n-{sku}", _("Tulis dengan angka bulat, misalnya 12."))
        elif number:
            numbers[sku] = number
    return numbers


def _short_form(written: Written) -> str:
    asked = request.values
    key = request.args.get("done", "")
    found = shelf.countable(g.facility.id, shelf_asked.wanted(asked), limit=MOST_ROWS + 1)
    shown = {row.sku for row in found}
    # What was written stays in sight, whatever the filters show.
    found += [
        row for row in shelf.own(g.facility.id, _named()) if row.sku not in shown and not row.made_to_order
    ]
    return render_template(
        "seller/made.html",
        rows=found[: MOST_ROWS + len(written.errors)],
        more=len(found) > MOST_ROWS,
        filters=shelf_asked.wanted(asked),
        kept=shelf_asked.kept(asked, leave=("page", "sort", "status", "stock")),
        workshops=shelf.workshops(g.facility.id),
        written=written,
        key=kept_key(written["once"]),
        done_key=key,
        done=undo.moved_together(g.facility.id, key) if is_key(key) else [],
    )


@bp.post("/<code>/made/undo")
@access.rule(Action.STOCK_WRITE)
def undo_several(code: str) -> ResponseReturnValue:
    """Take back all that one form with several variants moved."""
    key = request.form.get("done", "")
    moved = undo.moved_together(g.facility.id, key) if is_key(key) else []
    try:
        undone = (
            undo.undo(g.facility.id, [one.id for one in moved], person_id=access.person_id()) if moved else 0
        )
        db.session.commit()
    except NotEnoughStock as refusal:
        db.session.rollback()
        flash(str(refusal.message), "bad")
    else:
        flash(
            _("%(count)d perubahan dibatalkan.", count=undone)
            if undone
            else _("Perubahan ini sudah dibatalkan sebelumnya."),
            "ok" if undone else "info",
        )
    where = "seller.products" if request.form.get("back") == "products" else "seller.made"
    return redirect(url_for(where, code=code, **shelf_asked.kept(request.form)), 303)
