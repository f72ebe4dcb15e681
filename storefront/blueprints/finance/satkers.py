"""Paying units as the treasury knows them, and how long a deposit may take."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import satkers
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import registers
from storefront.written import Written

CODES = ("ministry_code", "unit_code", "office_code", "tax_number", "revenue_account")


@bp.get("/satkers")
@access.rule(Action.BOOKS_READ)
def satker_list() -> ResponseReturnValue:
    """Paying units by facility, and the deadlines."""
    return page(Written(), Written())


@bp.post("/satkers")
@access.rule(Action.DEPOSITS_WRITE)
def register_satker() -> ResponseReturnValue:
    """Write down a facility's codes from a day on."""
    form = steps.written()
    facility_id = request.form.get("facility_id", type=int)
    if facility_id is None:
        form.wrong("facility_id", _("Pilih UPT-nya."))
        return page(form, Written()), form.status
    steps.require(Action.DEPOSITS_WRITE, facility_id)
    valid_from = form.day("valid_from")
    codes = {name: form.line(name) for name in CODES}
    done = form.done(
        lambda: satkers.register(
            facility_id,
            **codes,
            treasurer=form.line("treasurer"),
            valid_from=valid_from,
            person_id=access.person_id(),
        )
    )
    if done is None:
        return page(form, Written()), form.status
    flash(_("Data satker tersimpan."), "ok")
    return redirect(url_for("finance.satker_list"), 303)


@bp.post("/satkers/deadlines")
@access.rule(Action.SETTINGS_WRITE)
def set_deadline() -> ResponseReturnValue:
    """From a day on, deposits are due so many days after the money arrived."""
    form = steps.written()
    valid_from, number = form.day("valid_from"), form.amount("days")
    done = form.done(
        lambda: satkers.set_deadline(valid_from, number, form.line("legal_basis"), access.person_id())
    )
    if done is None:
        return page(Written(), form), form.status
    flash(_("Batas waktu setor tersimpan."), "ok")
    return redirect(url_for("finance.satker_list"), 303)


def page(form: Written, deadline_form: Written) -> str:
    return render_template(
        "finance/satkers.html",
        form=form,
        deadline_form=deadline_form,
        rows=registers.satkers(steps.within(Action.BOOKS_READ)),
        deadlines=registers.deadlines(),
        writable=steps.choices(Action.DEPOSITS_WRITE),
        may_set=steps.may_somewhere(Action.SETTINGS_WRITE),
        today=days.today(),
    )
