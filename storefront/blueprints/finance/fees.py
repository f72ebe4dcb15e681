"""Who bears the provider's fees, and the funds that rules and bearers may name."""

from __future__ import annotations

import datetime

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.rule_form import words_of
from storefront.books import fee_bearing
from storefront.books import funds as all_funds
from storefront.errors import NotFound
from storefront.languages import locale
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import journal_lists
from storefront.reports.journal_lists import BearerRow
from storefront.written import Written


@bp.get("/fees")
@access.rule(Action.RULES_READ)
def fee_list() -> ResponseReturnValue:
    """Who bears fees, from which day on."""
    return page(Written())


@bp.post("/fees")
@access.rule(Action.RULES_PROPOSE)
def propose_bearer() -> ResponseReturnValue:
    """Propose another bearer from a day on."""
    steps.require(Action.RULES_PROPOSE, None)
    form = steps.written()
    fund, valid_from = form["fund"].strip(), form.day("valid_from")
    if fund != "operator" and not fund.isdecimal():
        form.wrong("fund", _("Pilih siapa yang menanggung."))
    done = form.done(
        lambda: fee_bearing.propose(
            fund_id=None if fund == "operator" else int(fund[:18]),
            valid_from=valid_from,
            legal_basis=form.line("legal_basis"),
            person_id=access.person_id(),
        )
    )
    return ended(form, done, _("Penanggung biaya diusulkan. Administrator yang menyetujuinya."))


@bp.post("/fees/<int:bearer_id>/approve")
@access.rule(Action.RULES_APPROVE)
def approve_bearer(bearer_id: int) -> ResponseReturnValue:
    """Agree, as the second person."""
    row, form = own(bearer_id), steps.written()
    done = form.done(lambda: fee_bearing.approve(row.id, access.person_id()))
    return ended(form, done, _("Penanggung biaya disetujui."))


@bp.post("/fees/<int:bearer_id>/reject")
@access.rule(Action.RULES_APPROVE)
def reject_bearer(bearer_id: int) -> ResponseReturnValue:
    """Decide against it."""
    row, form = own(bearer_id), steps.written()
    return ended(
        form, form.done(lambda: fee_bearing.reject(row.id, access.person_id())), _("Usulan ditolak.")
    )


@bp.post("/fees/<int:bearer_id>/withdraw")
@access.rule(Action.RULES_PROPOSE)
def withdraw_bearer(bearer_id: int) -> ResponseReturnValue:
    """Take one's own proposal back."""
    row, form = own(bearer_id), steps.written()
    if row.proposed_by != access.person_id():
        raise NotFound()
    done = form.done(lambda: fee_bearing.reject(row.id, access.person_id()))
    return ended(form, done, _("Usulan ditarik kembali."))


@bp.get("/funds")
@access.rule(Action.RULES_READ)
def fund_list() -> ResponseReturnValue:
    """Where shares may go."""
    return fund_page(Written())


@bp.post("/funds")
@access.rule(Action.RULES_PROPOSE)
def add_fund() -> ResponseReturnValue:
    """Add a fund with its names in both languages."""
    steps.require(Action.RULES_PROPOSE, None)
    form = steps.written()
    names = {name: form.line(name) for name in all_funds.NAMES}
    code = form.line("code")
    done = form.done(lambda: all_funds.add_fund(code=code, **names, person_id=access.person_id()))
    if done is None:
        return fund_page(form), form.status
    flash(_("Dana ditambahkan. Aturan yang baru dapat memakainya."), "ok")
    return redirect(url_for("finance.fund_list"), 303)


def own(bearer_id: int) -> BearerRow:
    """A bearer; there is none for some facilities only. Raises NotFound."""
    row = next((row for row in journal_lists.bearers() if row.id == bearer_id), None)
    if row is None or steps.within(Action.RULES_READ) is not None:
        raise NotFound()
    return row


def ended(form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return page(form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.fee_list"), 303)


def page(form: Written) -> str:
    return render_template(
        "finance/fees.html",
        form=form,
        rows=journal_lists.bearers(),
        funds=[("operator", _("Pengelola toko")), *words_of(locale() == "en")],
        may_propose=steps.may(Action.RULES_PROPOSE),
        may_approve=steps.may(Action.RULES_APPROVE),
        me=access.person_id(),
        tomorrow=days.today() + datetime.timedelta(days=1),
    )


def fund_page(form: Written) -> str:
    return render_template(
        "finance/funds.html",
        form=form,
        funds=all_funds.funds(),
        may_add=steps.may(Action.RULES_PROPOSE),
    )
