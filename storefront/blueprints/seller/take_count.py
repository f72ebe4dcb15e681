"""Counting: the list of a stock-take, or one piece after another; saved as it goes, from a page or by its script."""

from __future__ import annotations

import datetime
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.display import format_datetime
from storefront.errors import DomainError, NotFound, wants_json
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key, new_key
from storefront.orders.set_aside import set_aside
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import counting, take_rows, takes
from storefront.stock.take_models import StockTake, TakeState
from storefront.stock.take_rows import TakeRow
from storefront.written import Written, whole_number

#: A count that is sent within so many seconds was counted now.
NOW = 5


@bp.get("/<code>/stock-takes/<int:number>")
@access.rule(Action.STOCK_READ)
def take(code: str, number: int) -> ResponseReturnValue:
    """The list in the order of the sheet, with a box in each row."""
    return _page(takes.own(g.facility.id, number), Written(), page_number())


@bp.post("/<code>/stock-takes/<int:number>")
@access.rule(Action.STOCK_WRITE)
def save_counts(code: str, number: int) -> ResponseReturnValue:
    """Save the rows that were written or changed; an empty box is not counted, 0 is none.

    To a script that sends single rows (JSON) it answers what is known of each now.
    """
    found = takes.own(g.facility.id, number)
    written, page = Written(request.form), request.form.get("page", 1, type=int)
    counted = _counted(written)
    saved = _save(found, written, counted)
    if wants_json():
        return _told(found, written, sorted(counted)), written.status
    if saved is None:
        return _page(found, written, max(1, page)), written.status
    flash(_("%(count)d baris tersimpan.", count=len(saved)) if saved else _("Tidak ada yang berubah."), "ok")
    return redirect(url_for("seller.take", code=code, number=number, page=page if page > 1 else None), 303)


@bp.get("/<code>/stock-takes/<int:number>/rows/<int:position>")
@access.rule(Action.STOCK_READ)
def take_row(code: str, number: int, position: int) -> ResponseReturnValue:
    """One row alone, for a phone between the shelves."""
    return _row_page(takes.own(g.facility.id, number), position, Written())


@bp.post("/<code>/stock-takes/<int:number>/rows/<int:position>")
@access.rule(Action.STOCK_WRITE)
def save_row(code: str, number: int, position: int) -> ResponseReturnValue:
    """Save one row, and on to the next one that nobody has counted."""
    found, written = takes.own(g.facility.id, number), Written(request.form)
    counted = {place: one for place, one in _counted(written).items() if place == position}
    if not written.errors and not written[f"c-{position}"].strip():
        written.wrong(
            f"c-{position}", _("Tulis jumlahnya; 0 bila tidak ada. Untuk melewati, pilih “Lewati”.")
        )
    if _save(found, written, counted) is None:
        return _row_page(found, position, written), written.status
    (row,) = take_rows.rows(found, positions=[position])
    if row.differ:
        return redirect(url_for("seller.take_row", code=code, number=number, position=position), 303)
    return redirect(_next(found, position), 303)


@bp.post("/<code>/stock-takes/<int:number>/rows/<int:position>/choose")
@access.rule(Action.STOCK_WRITE)
def choose_count(code: str, number: int, position: int) -> ResponseReturnValue:
    """Of two people's counts of a row, let one hold."""
    found, chosen = takes.own(g.facility.id, number), request.form.get("count", type=int)
    written = Written(request.form)
    if chosen is None:
        raise NotFound()
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
    done = written.done(
        lambda: counting.decide(found, position, chosen, person_id=access.person_id(), key=written["once"])
    )
    if done is None:
        flash(written.refusal or written.errors.get("once", ""), "bad")
    else:
        flash(_("Baris %(row)d: hitungan yang dipilih dipakai.", row=position), "ok")
    return redirect(
        url_for("seller.take_differences", code=code, number=number, show="open")
        if request.form.get("back") == "differences"
        else _next(found, position),
        303,
    )


def _next(found: StockTake, position: int) -> str:
    """The address of the next row that nobody has counted; the list when all are."""
    where = {"code": g.facility.code, "number": found.number}
    following = take_rows.next_uncounted(found, position)
    if following is None:
        flash(_("Semua baris sudah dihitung. Lihat selisihnya, lalu selesaikan."), "ok")
        return url_for("seller.take", **where)
    return url_for("seller.take_row", position=following, **where)


def _counted(written: Written) -> dict[int, int | None]:
    """What is written beside rows and was not there when the page was opened; wrong ones get a sentence."""
    counted: dict[int, int | None] = {}
    for name, text in written.values.items():
        place = name.removeprefix("c-")
        if not name.startswith("c-") or not (place.isascii() and place.isdecimal() and len(place) < 6):
            continue
        text = text.strip()
        if text == written[f"was-{place}"].strip():
            continue
        number = whole_number(text) if text else None
        if text and (number is None or number > counting.MOST_PIECES):
            written.wrong(name, _("Tulis dengan angka bulat, misalnya 12; 0 bila tidak ada."))
        else:
            counted[int(place)] = number
    return counted


def _save(found: StockTake, written: Written, counted: dict[int, int | None]) -> list[int] | None:
    """Save and commit; None, with sentences in `written`, when something was refused.

    Rows that are well are saved although others are not.
    """
    if not is_key(written["once"]):
        written.wrong("once", TOO_OLD)
        return None
    at = _asked_moment(written)
    if "counted_at" in written.errors:
        return None
    try:
        saved: list[int] = []
        for moment, rows in _by_moment(found, written, counted, at).items():
            saved += counting.count(
                found, rows, person_id=access.person_id(), key=written["once"], counted_at=moment
            )
        db.session.commit()
    except NotFound:
        raise
    except DomainError as refusal:
        db.session.rollback()
        written.status = refusal.status
        for name, sentence in refusal.extra.get("errors", {}).items():
            written.wrong(name, sentence)
        written.refusal = "" if written.errors else str(refusal.message)
        return None
    return None if written.errors else saved


def _asked_moment(written: Written) -> datetime.datetime | None:
    """When a sheet was counted, in the facility's own time; None when it is left empty."""
    text = written["counted_at"].strip()
    if not text:
        return None
    try:
        read = datetime.datetime.fromisoformat(text)
    except ValueError:
        written.wrong("counted_at", _("Tulis tanggal dan jamnya, atau kosongkan."))
        return None
    return read.replace(tzinfo=ZoneInfo(g.facility.time_zone)) if read.tzinfo is None else read


def _by_moment(
    found: StockTake, written: Written, counted: dict[int, int | None], at: datetime.datetime | None
) -> dict[datetime.datetime | None, dict[int, int | None]]:
    """The rows by when they were counted: a script says how many seconds a row has waited for a line (`age-<row>`)."""
    groups: dict[datetime.datetime | None, dict[int, int | None]] = defaultdict(dict)
    now = takes.moment()
    for position, number in counted.items():
        age, moment = written[f"age-{position}"], at
        if at is None and age.isascii() and age.isdecimal() and int(age[:9]) >= NOW:
            moment = max(found.begun_at, now - datetime.timedelta(seconds=int(age[:9])))
        groups[moment][position] = number
    return groups


def _told(found: StockTake, written: Written, positions: list[int]) -> Any:
    """What a script is answered: each row as it is known now, what is wrong, and how far the list is."""
    rows = take_rows.rows(found, positions=positions)
    done = takes.shown(found)
    return jsonify(
        rows={
            str(row.position): {"counted": row.counted, "own": own_count(row), "note": note(row)}
            for row in rows
        },
        errors=written.errors,
        refusal=written.refusal,
        progress=progress(done.done, done.rows),
    )


def own_count(row: TakeRow) -> int | None:
    """What the reader themselves counted in a row, else what holds."""
    mine = next((one.counted for one in row.counts if one.person_id == access.person_id()), None)
    return row.counted if mine is None else mine


def note(row: TakeRow) -> str:
    """Who else has counted a row, and what."""
    others = [one for one in row.counts if one.person_id != access.person_id()]
    told = [
        _(
            "%(name)s menghitung %(count)d (%(time)s).",
            name=one.person_name,
            count=one.counted,
            time=format_datetime(one.counted_at, g.facility.time_zone),
        )
        for one in others
    ]
    if row.differ:
        told.append(_("Angkanya berbeda: pilih yang benar."))
    return " ".join(told)


def progress(done: int, rows: int) -> str:
    """How far the list is."""
    return _("%(done)d dari %(rows)d baris sudah dihitung", done=done, rows=rows)


def _page(found: StockTake, written: Written, page: int) -> str:
    shown = takes.shown(found)
    pages = max(1, -(-shown.rows // take_rows.PAGE))
    page = min(page, pages)
    rows = take_rows.rows(found, first=(page - 1) * take_rows.PAGE + 1, limit=take_rows.PAGE)
    return render_template(
        "seller/take.html",
        take=shown,
        rows=[(row, own_count(row), note(row)) for row in rows],
        page=page,
        pages=pages,
        progress=progress(shown.done, shown.rows),
        aside=set_aside(g.facility.id),
        written=written,
        key=kept_key(written["once"]),
        next=take_rows.next_uncounted(found),
        may_count=_may_count(found),
        who=access.person_id(),
    )


def _row_page(found: StockTake, position: int, written: Written) -> str:
    rows = take_rows.rows(found, positions=[position])
    if not rows:
        raise NotFound()
    shown = takes.shown(found)
    following = take_rows.next_uncounted(found, position)
    return render_template(
        "seller/take_row.html",
        take=shown,
        row=rows[0],
        own=own_count(rows[0]),
        progress=progress(shown.done, shown.rows),
        aside=set_aside(g.facility.id).get(rows[0].piece.variant_id, 0),
        written=written,
        key=kept_key(written["once"]) if written.errors else new_key(),
        next=following if following != position else None,
        may_count=_may_count(found),
    )


def _may_count(found: StockTake) -> bool:
    return allowed(Action.STOCK_WRITE) and found.state == TakeState.COUNTING.value
