"""Corrections of the books: proposed with a reason, booked by a second person."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.payouts import whole_programme
from storefront.books import corrections
from storefront.errors import NotFound
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import journal_lists
from storefront.reports.journal_lists import CorrectionRow
from storefront.written import Written

STATES = ("proposed", "booked", "rejected")
#: Lines that the form has room for.
LINES = 8


@bp.get("/corrections")
@access.rule(Action.BOOKS_READ)
def correction_list() -> ResponseReturnValue:
    """Corrections by state, proposals first."""
    whole_programme()
    return list_page(Written())


@bp.get("/corrections/new")
@access.rule(Action.BOOKS_WRITE)
def new_correction() -> ResponseReturnValue:
    """A blank proposal."""
    whole_programme(Action.BOOKS_WRITE)
    return form_page(Written())


@bp.post("/corrections/new")
@access.rule(Action.BOOKS_WRITE)
def propose_correction() -> ResponseReturnValue:
    """Propose legs and a reason."""
    whole_programme(Action.BOOKS_WRITE)
    form = steps.written()
    legs, effective_date = legs_of(form), form.day("effective_date")
    done = form.done(
        lambda: corrections.propose(
            reason=form.line("reason"), effective_date=effective_date, legs=legs, person_id=access.person_id()
        )
    )
    if done is None:
        return form_page(form), form.status
    flash(_("Koreksi diusulkan. Orang kedua yang menyetujuinya."), "ok")
    return redirect(url_for("finance.correction_list", state="proposed"), 303)


@bp.post("/corrections/<int:correction_id>/approve")
@access.rule(Action.BOOKS_WRITE)
def approve_correction(correction_id: int) -> ResponseReturnValue:
    """Book it, as the second person."""
    row, form = own(correction_id, Action.BOOKS_WRITE), steps.written()
    done = form.done(lambda: corrections.approve(row.id, access.person_id()))
    return ended(form, done, _("Koreksi disetujui dan dibukukan."))


@bp.post("/corrections/<int:correction_id>/reject")
@access.rule(Action.BOOKS_WRITE)
def reject_correction(correction_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(correction_id, Action.BOOKS_WRITE), steps.written()
    done = form.done(lambda: corrections.reject(row.id, access.person_id()))
    return ended(form, done, _("Usulan koreksi tidak dibukukan."))


def legs_of(form: Written) -> list[tuple[str, int]]:
    """The lines that were filled in: account with rupiah, debit above zero."""
    legs = []
    for number in range(1, LINES + 1):
        code = form.line(f"account-{number}")
        debit, credit = form[f"debit-{number}"].strip(), form[f"credit-{number}"].strip()
        if not code and not debit and not credit:
            continue
        if bool(debit) == bool(credit):
            form.wrong("legs", _("Baris %(number)d: isi debit atau kredit, salah satu.", number=number))
            continue
        amount = form.amount(f"debit-{number}") if debit else -form.amount(f"credit-{number}")
        legs.append((code, amount))
    return legs


def own(correction_id: int, action: Action) -> CorrectionRow:
    """A correction, for whoever may do `action` in the whole programme. Raises NotFound."""
    whole_programme(action)
    row = journal_lists.correction(correction_id)
    if row is None:
        raise NotFound()
    return row


def ended(form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return list_page(form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.correction_list"), 303)


def list_page(form: Written) -> str:
    state = steps.asked("state", STATES)
    return render_template(
        "finance/corrections.html",
        form=form,
        found=journal_lists.corrections(state=state, turn=asked_turn()),
        counts=dict.fromkeys(STATES, 0) | journal_lists.counts("corrections"),
        state=state,
        states=STATES,
        may_write=steps.may(Action.BOOKS_WRITE),
        me=access.person_id(),
    )


def form_page(form: Written) -> str:
    return render_template(
        "finance/new_correction.html",
        form=form,
        lines=range(1, LINES + 1),
        accounts=corrections.account_codes(),
        today=days.today(),
    )
