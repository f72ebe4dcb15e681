"""Registered bank accounts: proposed with the permission letter, approved by another."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import bank_accounts
from storefront.errors import NotFound
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import registers
from storefront.reports.registers import AccountRow
from storefront.written import Written


@bp.get("/bank-accounts")
@access.rule(Action.BANK_ACCOUNTS_READ)
def bank_account_list() -> ResponseReturnValue:
    """Accounts of the central office and of facilities."""
    return page(Written())


@bp.post("/bank-accounts")
@access.rule(Action.BANK_ACCOUNTS_WRITE)
def propose_bank_account() -> ResponseReturnValue:
    """Write an account down for a second person to approve."""
    form = steps.written()
    chosen = request.form.get("facility_id", type=int)
    if chosen is None:
        form.wrong("facility_id", _("Pilih pemilik rekeningnya."))
        return page(form), form.status
    facility_id = chosen or None  # 0: the central office
    steps.require(Action.BANK_ACCOUNTS_WRITE, facility_id)
    valid_from, valid_to = form.day("valid_from"), form.day_or_none("valid_to")
    done = form.done(
        lambda: bank_accounts.propose(
            facility_id,
            bank=form.line("bank"),
            number=form["number"],
            holder=form.line("holder"),
            permission_letter=form.line("permission_letter"),
            valid_from=valid_from,
            valid_to=valid_to,
            person_id=access.person_id(),
        )
    )
    return ended(form, done, _("Rekening diusulkan. Orang kedua yang menyetujuinya."))


@bp.post("/bank-accounts/<int:account_id>/approve")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def approve_bank_account(account_id: int) -> ResponseReturnValue:
    """Register it, as the second person."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_APPROVE), steps.written()
    done = form.done(lambda: bank_accounts.approve(row.id, access.person_id()))
    return ended(form, done, _("Rekening terdaftar."))


@bp.post("/bank-accounts/<int:account_id>/reject")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def reject_bank_account(account_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_APPROVE), steps.written()
    done = form.done(lambda: bank_accounts.reject(row.id, access.person_id()))
    return ended(form, done, _("Usulan rekening ditolak."))


@bp.post("/bank-accounts/<int:account_id>/end")
@access.rule(Action.BANK_ACCOUNTS_WRITE)
def end_bank_account(account_id: int) -> ResponseReturnValue:
    """Name its last day."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_WRITE), steps.written()
    last_day = form.day("end_on")
    done = form.done(lambda: bank_accounts.propose_end(row.id, last_day, access.person_id()))
    return ended(form, done, _("Hari terakhir diusulkan. Orang kedua yang menyetujuinya."), row.id)


@bp.post("/bank-accounts/<int:account_id>/approve-end")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def approve_bank_account_end(account_id: int) -> ResponseReturnValue:
    """Agree to its last day, as the second person."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_APPROVE), steps.written()
    done = form.done(lambda: bank_accounts.approve_end(row.id, access.person_id()))
    return ended(form, done, _("Hari terakhir rekening ini ditetapkan."), row.id)


def own(account_id: int, action: Action) -> AccountRow:
    """An account in reach for `action`. Raises NotFound for all others."""
    row = registers.account(account_id, steps.within(action))
    if row is None:
        raise NotFound()
    return row


def ended(form: Written, done: object, said: str, account_id: int | None = None) -> ResponseReturnValue:
    if done is None:
        return page(form, account_id), form.status
    flash(said, "ok")
    return redirect(url_for("finance.bank_account_list"), 303)


def page(form: Written, wrong_account: int | None = None) -> str:
    """The list; a refused form keeps what was written. `wrong_account` is the one whose end was refused."""
    facility = steps.asked_facility()
    return render_template(
        "finance/bank_accounts.html",
        form=form,
        wrong_account=wrong_account,
        rows=registers.accounts(steps.within(Action.BANK_ACCOUNTS_READ), facility=facility),
        facility=facility,
        facilities=steps.codes(Action.BANK_ACCOUNTS_READ),
        writable=steps.choices(Action.BANK_ACCOUNTS_WRITE),
        for_central=steps.may(Action.BANK_ACCOUNTS_WRITE),
        may_approve=steps.may_somewhere(Action.BANK_ACCOUNTS_APPROVE),
        me=access.person_id(),
        today=days.today(),
    )
