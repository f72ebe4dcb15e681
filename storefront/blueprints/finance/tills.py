"""Tills of the fairs: what lies in them, counted where nobody did, brought to the bank, differences booked for good."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books.bank_accounts import find_in_force
from storefront.counter import close, counting, pins, settle
from storefront.counter.models import Till
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key, kept_key, new_key
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/tills")
@access.rule(Action.BOOKS_READ)
def till_list() -> ResponseReturnValue:
    """Sessions of all fairs, those that wait for finance first; by `state`, or of one fair (`fair`)."""
    whole_programme()
    state, fair = steps.asked("state", settle.STATES), request.args.get("fair", "")[:80]
    return render_template(
        "finance/tills.html",
        found=settle.listed(state=state or "", slug=fair, turn=asked_turn()),
        state=state,
        states=settle.STATES,
        fair=fair,
        may_settle=steps.may(Action.TILLS_CLOSE),
        has_pin=pins.has_pin(access.person_id()),
    )


@bp.get("/tills/<int:session_id>")
@access.rule(Action.BOOKS_READ)
def till_session(session_id: int) -> ResponseReturnValue:
    """One session: its count, its sums, and the next step."""
    whole_programme()
    return page(session_id, Written())


@bp.post("/tills/<int:session_id>/settle")
@access.rule(Action.TILLS_CLOSE)
def settle_till(session_id: int) -> ResponseReturnValue:
    """Its cash lies in the bank, or a difference is booked for good."""
    whole_programme(Action.TILLS_CLOSE)
    form = steps.written()
    banked, on = form.amount("banked"), form.day("on")
    left = settle.row_of(session_id).left_in_till
    difference = banked - left if form["rest"] == "difference" else 0
    if not is_key(form["once"]):
        form.wrong("banked", TOO_OLD)
    done = form.done(
        lambda: settle.settle(
            session_id,
            banked=banked,
            difference=difference,
            on=on,
            note=form.line("note"),
            bank_reference=form.line("bank_reference"),
            key=form["once"],
            person_id=access.person_id(),
        )
    )
    if done is None:
        return page(session_id, form), form.status
    flash(_("Tercatat dan dibukukan."), "ok")
    return redirect(url_for("finance.till_session", session_id=session_id), 303)


@bp.post("/tills/<int:session_id>/close")
@access.rule(Action.TILLS_CLOSE)
def count_till(session_id: int) -> ResponseReturnValue:
    """Count and close a session that its cashier left open."""
    whole_programme(Action.TILLS_CLOSE)
    row, form = settle.row_of(session_id), steps.written()
    till = db.session.get_one(Till, row.session.till_id)
    if counting.close(form, till, access.person_id()) is None:
        return page(session_id, form), form.status
    flash(_("Kas sudah dihitung dan ditutup."), "ok")
    return redirect(url_for("finance.till_session", session_id=session_id), 303)


@bp.get("/tills/pin")
@access.rule(Action.TILLS_CLOSE)
def till_pin() -> ResponseReturnValue:
    """Where finance sets the PIN with which they agree to what is given back at a stand."""
    whole_programme(Action.TILLS_CLOSE)
    return render_template("finance/till_pin.html", has_pin=pins.has_pin(access.person_id()), errors={})


@bp.post("/tills/pin")
@access.rule(Action.TILLS_CLOSE)
def set_till_pin() -> ResponseReturnValue:
    """Set it, or set it anew. What was typed is never shown again."""
    whole_programme(Action.TILLS_CLOSE)
    form = steps.written()

    def set_it() -> bool:
        pins.set_pin(access.person_id(), form["pin"].strip(), form["again"].strip())
        return True

    if not form.done(set_it):
        has_pin = pins.has_pin(access.person_id())
        return render_template("finance/till_pin.html", has_pin=has_pin, errors=form.errors), form.status
    flash(_("PIN tersimpan. Jangan beritahukan kepada siapa pun."), "ok")
    return redirect(url_for("finance.till_list"), 303)


def whole_programme(action: Action = Action.BOOKS_READ) -> None:
    """A till holds money of several facilities: for those who may do `action` in all of them. Raises NotFound."""
    if steps.within(action) is not None:
        raise NotFound()


def page(session_id: int, form: Written) -> str:
    """A session, with its form as it was sent."""
    row = settle.row_of(session_id)
    waiting = close.waiting(session_id)
    return render_template(
        "finance/till_session.html",
        row=row,
        settlements=settle.settlements_of(session_id),
        account=find_in_force(None, days.today()),
        notes=close.NOTES,
        expected=close.expected_now(row.session) + waiting[1],
        conflicts=waiting[0],
        form=form,
        needs_word=form.status == 409 or "explanation" in form.errors,
        once=kept_key(form["once"]) if form.values else new_key(),
        to_bank=row.to_bank,
        may_settle=steps.may(Action.TILLS_CLOSE),
        today=days.today(),
    )
