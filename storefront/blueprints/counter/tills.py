"""Tills: opened with a float, counted and closed; by the phone's page (JSON) or by a form."""

from __future__ import annotations

from typing import Any

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.counter import bp
from storefront.blueprints.counter.sales import body, own_till, rfc3339, till_answer
from storefront.counter import close, counting, tills
from storefront.counter.models import TillSession
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.people import access
from storefront.written import Written


@bp.get("/<slug>/tills")
@access.signed_in
def till_list(slug: str) -> str:
    """The tills of this fair, one's own first, and the form that opens one."""
    return list_page(Written())


@bp.post("/<slug>/tills")
@access.signed_in
def open_till(slug: str) -> ResponseReturnValue:
    """Open a till by `till` (its id or name) with `opening_float` rupiah."""
    if request.is_json:
        return jsonify(till=till_answer(_opened(body()))), 201
    form = Written(request.form)
    opening = form.amount("opening_float")
    done = form.done(
        lambda: tills.open_till(g.exhibition, form.line("name"), opening, access.person_id())
    )
    if done is None:
        return list_page(form), form.status
    flash(_("Kas dibuka. Selamat berjualan."), "ok")
    return redirect(url_for("counter.till_list", slug=slug), 303)


@bp.get("/<slug>/tills/<int:till_id>")
@access.signed_in
def till_page(slug: str, till_id: int) -> ResponseReturnValue:
    """What lies in a till by its sales, and the form in which it is counted and closed."""
    return count_page(till_id, Written())


@bp.post("/<slug>/tills/<int:till_id>/close")
@access.signed_in
def close_till(slug: str, till_id: int) -> ResponseReturnValue:
    """Close it with `notes` (pieces by value) or `counted`; 409 `open_baskets` until `confirmed`."""
    till = tills.the_till(g.exhibition.id, till_id)
    if request.is_json:
        return jsonify(session=_closed(till, body()))
    form = Written(request.form)
    if counting.close(form, till, access.person_id()) is None:
        return count_page(till_id, form), form.status
    flash(_("Kas sudah dihitung dan ditutup."), "ok")
    return redirect(url_for("counter.day_sheet", slug=slug), 303)


def list_page(form: Written) -> str:
    """The tills, with the form as it was sent."""
    every = tills.tills(g.exhibition.id)
    return render_template(
        "counter/tills.html", exhibition=g.exhibition, here="tills", tills=every, mine=own_till(every), form=form
    )


def count_page(till_id: int, form: Written) -> str:
    """The count of an open till. Raises NotFound; a till that is closed says so."""
    till = tills.the_till(g.exhibition.id, till_id)
    now = next(one for one in tills.tills(g.exhibition.id) if one.id == till.id)
    session = db.session.get(TillSession, now.session.id) if now.session else None
    waiting = close.waiting(session.id) if session else (0, 0)
    return render_template(
        "counter/count.html",
        exhibition=g.exhibition,
        here="tills",
        till=now,
        expected=close.expected_now(session) + waiting[1] if session else 0,
        conflicts=waiting[0],
        notes=close.NOTES,
        form=form,
        needs_word=form.status == 409 or "explanation" in form.errors,
    )


def _opened(data: dict[str, Any]) -> tills.TillNow:
    named, opening = data.get("till", data.get("name")), data.get("opening_float", 0)
    errors = {}
    if type(named) not in (int, str):
        errors["till"] = _("Pilih kasnya.")
    if type(opening) is not int:
        errors["opening_float"] = _("Tulis uang awal dalam rupiah bulat; nol boleh.")
    if named is None or type(opening) is not int or errors:
        raise Invalid(errors)
    try:
        session = tills.open_till(g.exhibition, named, opening, access.person_id())
        db.session.commit()
    except DomainError:
        db.session.rollback()
        raise
    return next(till for till in tills.tills(g.exhibition.id) if till.id == session.till_id)


def _closed(till: tills.Till, data: dict[str, Any]) -> dict[str, Any]:
    counted, baskets = data.get("counted"), data.get("open_baskets")
    try:
        session = close.close_till(
            till,
            access.person_id(),
            notes=_notes(data.get("notes")),
            counted=counted if type(counted) is int else None,
            explanation=str(data.get("explanation") or ""),
            open_baskets=[str(name)[:60] for name in baskets[:50]] if isinstance(baskets, list) else [],
            confirmed=data.get("confirmed") is True,
        )
        db.session.commit()
    except DomainError:
        db.session.rollback()
        raise
    return {
        "id": session.id,
        "closed_at": rfc3339(session.closed_at) if session.closed_at else None,
        "counted": session.counted,
        "expected": session.expected,
        "difference": (session.counted or 0) - (session.expected or 0),
    }


def _notes(value: object) -> dict[int, int] | None:
    if not isinstance(value, dict):
        return None
    if not all(str(key).isdecimal() and len(str(key)) < 10 and type(n) is int for key, n in value.items()):
        raise Invalid({"notes": _("Tulis berapa lembar atau keping, angka bulat.")})
    return {int(key): pieces for key, pieces in value.items()}
