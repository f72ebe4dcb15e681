"""Stock-takes: the list of them, how one begins and ends, its sheet, and its differences."""

from __future__ import annotations

import datetime
from typing import Any

import psycopg
from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import allowed, bp
from storefront.errors import DomainError
from storefront.exports.answer import answer, table_file
from storefront.exports.stock_take_sheet import sheet_pdf
from storefront.exports.stock_take_table import differences_table
from storefront.exports.table import Table
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key
from storefront.orders.set_aside import set_aside
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import settle_take, shelf, take_rows, takes
from storefront.stock.take_models import StockTake, TakeState
from storefront.stock.take_rows import TakeRow
from storefront.written import Written

#: What of the differences is shown: only rows that differ, those that wait for somebody, not counted ones, all.
SHOWN = ("different", "open", "uncounted", "all")
#: Rows of a page of the differences.
PAGE = 100


@bp.get("/<code>/stock-takes")
@access.rule(Action.STOCK_READ)
def take_list(code: str) -> ResponseReturnValue:
    """The facility's stock-takes, and the form that begins one."""
    return _list(Written())


@bp.post("/<code>/stock-takes")
@access.rule(Action.STOCK_WRITE)
def begin_take(code: str) -> ResponseReturnValue:
    """Begin a stock-take of the whole store, a workshop's or a category's pieces."""
    written = Written(request.form)
    workshop = _known(written, "workshop", shelf.workshops(g.facility.id))
    category = _known(written, "category", shelf.categories(g.facility.id))
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
    begun = written.done(
        lambda: takes.begin(
            g.facility.id,
            workshop_id=workshop,
            category_id=category,
            person_id=access.person_id(),
            key=written["once"],
        )
    )
    if begun is None:
        return _list(written), written.status
    flash(_("Hitung stok nomor %(number)d dimulai. Daftarnya tidak berubah lagi.", number=begun.number), "ok")
    return redirect(url_for("seller.take", code=code, number=begun.number), 303)


def _known(written: Written, name: str, options: list[tuple[int, str]]) -> int | None:
    if not written[name]:
        return None
    found = next((id_ for id_, _name in options if str(id_) == written[name]), None)
    if found is None:
        written.wrong(name, _("Pilih dari daftar."))
    return found


def _list(written: Written) -> str:
    state = request.args.get("state", "")
    return render_template(
        "seller/takes.html",
        found=takes.listed(g.facility.id, state, page_number()),
        state=state if state in set(TakeState) else "",
        workshops=shelf.workshops(g.facility.id),
        categories=shelf.categories(g.facility.id),
        written=written,
        key=kept_key(written["once"]),
    )


@bp.get("/<code>/stock-takes/<int:number>/sheet")
@access.rule(Action.STOCK_READ)
def take_sheet(code: str, number: int) -> ResponseReturnValue:
    """The list on paper, with room for the pen; what is expected stands on it only when asked for."""
    take = takes.own(g.facility.id, number)
    return render_template("seller/take_sheet.html", **_sheet(take))


@bp.get("/<code>/stock-takes/<int:number>/sheet.pdf")
@access.rule(Action.STOCK_READ)
def take_sheet_pdf(code: str, number: int) -> ResponseReturnValue:
    """The same as a file."""
    told = _sheet(takes.own(g.facility.id, number))
    pdf = sheet_pdf(g.facility, told["take"], told["rows"], told["aside"], expected=told["expected"])
    name = f"hitung-stok-{g.facility.code}-{number}.pdf"
    return Response(
        pdf, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def _sheet(take: StockTake) -> dict[str, Any]:
    return {
        "take": takes.shown(take),
        "rows": take_rows.rows(take),
        "aside": set_aside(g.facility.id),
        "expected": request.args.get("expected") == "1",
    }


@bp.get("/<code>/stock-takes/<int:number>/differences")
@access.rule(Action.STOCK_READ)
def take_differences(code: str, number: int) -> ResponseReturnValue:
    """Expected, counted, difference and its value; before finishing, what would move and what could not."""
    take = takes.own(g.facility.id, number)
    every = take_rows.rows(take)
    asked = request.args.get("show", "")
    show = asked if asked in SHOWN else "different"
    found = [row for row in every if _is_shown(row, show)]
    whole = request.args.get("print") == "1"
    page = 1 if whole else page_number()
    first = (page - 1) * PAGE
    return render_template(
        "seller/take_differences.html",
        take=takes.shown(take),
        rows=found if whole else found[first : first + PAGE],
        page=page,
        pages=1 if whole else max(1, -(-len(found) // PAGE)),
        show=show,
        numbers={name: sum(_is_shown(row, name) for row in every) for name in SHOWN},
        sums=take_rows.sums(every),
        counted=sum(row.counted is not None for row in every),
        key=kept_key(""),
        may_count=allowed(Action.STOCK_WRITE) and take.state == TakeState.COUNTING.value,
    )


def _is_shown(row: TakeRow, show: str) -> bool:
    return {
        "different": bool(row.difference) or row.problem is not None,
        "open": row.problem is not None,
        "uncounted": row.counted is None,
        "all": True,
    }[show]


@bp.get("/<code>/stock-takes/<int:number>/differences/file")
@access.rule(Action.STOCK_READ)
def take_file(code: str, number: int) -> ResponseReturnValue:
    """The differences as `format` csv, xlsx or jsonl, with their manifest (`part`)."""
    take = takes.own(g.facility.id, number)
    take_id, facility = take.id, g.facility.code
    form = request.args.get("format", "csv")
    record(
        "stock_take.exported",
        "stock_take",
        take_id,
        person_id=access.person_id(),
        facility_id=g.facility.id,
        details={"number": number, "format": form},
    )
    db.session.commit()

    def make(connection: psycopg.Connection[Any], moment: datetime.datetime) -> Table:
        return differences_table(take_id, facility, number, moment)

    return answer(table_file(make, form))


@bp.post("/<code>/stock-takes/<int:number>/finish")
@access.rule(Action.STOCK_WRITE)
def finish_take(code: str, number: int) -> ResponseReturnValue:
    """Move all differences in one transaction; rows that cannot move are named and stay open."""
    take = takes.own(g.facility.id, number)
    try:
        done = settle_take.finish(
            take, person_id=access.person_id(), leave_rest=request.form.get("leave") == "1"
        )
        finished = take.state == TakeState.FINISHED.value
        db.session.commit()
    except takes.TakeEnded as refusal:
        return _refused(refusal, code, number)
    if done.refused and not finished:
        flash(
            _(
                "%(moved)d baris diubah. %(refused)d baris belum bisa dan tetap terbuka: alasannya ada di bawah.",
                moved=done.moved,
                refused=len(done.refused),
            ),
            "warn",
        )
        return redirect(url_for("seller.take_differences", code=code, number=number, show="open"), 303)
    flash(_("Hitung stok selesai: %(moved)d baris diubah.", moved=done.moved), "ok")
    return redirect(url_for("seller.take_differences", code=code, number=number), 303)


@bp.post("/<code>/stock-takes/<int:number>/call-off")
@access.rule(Action.STOCK_WRITE)
def call_off_take(code: str, number: int) -> ResponseReturnValue:
    """End it without moving anything; it can be taken up again."""
    try:
        takes.call_off(takes.own(g.facility.id, number), person_id=access.person_id())
        db.session.commit()
    except takes.TakeEnded as refusal:
        return _refused(refusal, code, number)
    flash(_("Hitung stok nomor %(number)d dibatalkan. Tidak ada stok yang berubah.", number=number), "ok")
    return redirect(url_for("seller.take", code=code, number=number), 303)


@bp.post("/<code>/stock-takes/<int:number>/take-up")
@access.rule(Action.STOCK_WRITE)
def take_up(code: str, number: int) -> ResponseReturnValue:
    """Go on with one that was called off."""
    try:
        takes.take_up(takes.own(g.facility.id, number), person_id=access.person_id())
        db.session.commit()
    except (takes.TakeEnded, takes.AlreadyCounting) as refusal:
        return _refused(refusal, code, number)
    flash(_("Hitung stok nomor %(number)d dilanjutkan.", number=number), "ok")
    return redirect(url_for("seller.take", code=code, number=number), 303)


def _refused(refusal: DomainError, code: str, number: int) -> ResponseReturnValue:
    """Back to the stock-take, with what was refused."""
    db.session.rollback()
    flash(str(refusal.message), "bad")
    return redirect(url_for("seller.take", code=code, number=number), 303)
