"""Facilities' own accounts at the provider: as bank accounts are, and only while transfers are on (STRIPE_CONNECT)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import connected_accounts
from storefront.errors import NotFound
from storefront.payments import connect
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import registers
from storefront.reports.registers import ConnectedRow
from storefront.written import Written


def require_on() -> None:
    """Return only while transfers are on; else none of this exists. Raises NotFound."""
    if not connect.is_on():
        raise NotFound()


@bp.get("/connected-accounts")
@access.rule(Action.BANK_ACCOUNTS_READ)
def connected_account_list() -> ResponseReturnValue:
    """The accounts of facilities, and what waits for a second person."""
    require_on()
    return page(Written())


@bp.post("/connected-accounts")
@access.rule(Action.BANK_ACCOUNTS_WRITE)
def propose_connected_account() -> ResponseReturnValue:
    """Write an account down for a second person to approve."""
    require_on()
    form = steps.written()
    facility_id = request.form.get("facility_id", type=int)
    if facility_id is None:
        form.wrong("facility_id", _("Pilih pemilik akunnya."))
        return page(form), form.status
    steps.require(Action.BANK_ACCOUNTS_WRITE, facility_id)
    valid_from = form.day("valid_from")
    done = form.done(
        lambda: connected_accounts.propose(
            facility_id,
            account=form.line("account"),
            permission_letter=form.line("permission_letter"),
            valid_from=valid_from,
            person_id=access.person_id(),
        )
    )
    return ended(form, done, _("Akun diusulkan. Orang kedua yang menyetujuinya."))


@bp.post("/connected-accounts/<int:account_id>/approve")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def approve_connected_account(account_id: int) -> ResponseReturnValue:
    """Register it, as the second person."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_APPROVE), steps.written()
    done = form.done(lambda: connected_accounts.approve(row.id, access.person_id()))
    return ended(form, done, _("Akun terdaftar."))


@bp.post("/connected-accounts/<int:account_id>/reject")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def reject_connected_account(account_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_APPROVE), steps.written()
    done = form.done(lambda: connected_accounts.reject(row.id, access.person_id()))
    return ended(form, done, _("Usulan akun ditolak."))


@bp.post("/connected-accounts/<int:account_id>/end")
@access.rule(Action.BANK_ACCOUNTS_WRITE)
def end_connected_account(account_id: int) -> ResponseReturnValue:
    """Name its last day."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_WRITE), steps.written()
    last_day = form.day("end_on")
    done = form.done(lambda: connected_accounts.propose_end(row.id, last_day, access.person_id()))
    return ended(form, done, _("Hari terakhir diusulkan. Orang kedua yang menyetujuinya."), row.id)


@bp.post("/connected-accounts/<int:account_id>/approve-end")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def approve_connected_account_end(account_id: int) -> ResponseReturnValue:
    """Agree to its last day, as the second person."""
    row, form = own(account_id, Action.BANK_ACCOUNTS_APPROVE), steps.written()
    done = form.done(lambda: connected_accounts.approve_end(row.id, access.person_id()))
    return ended(form, done, _("Hari terakhir akun ini ditetapkan."), row.id)


def own(account_id: int, action: Action) -> ConnectedRow:
    """An account in reach for `action`. Raises NotFound for all others, and while transfers are off."""
    require_on()
    rows = registers.connected(steps.within(action), account_id=account_id)
    if not rows:
        raise NotFound()
    return rows[0]


def ended(form: Written, done: object, said: str, wrong_account: int | None = None) -> ResponseReturnValue:
    """After a step: back to the accounts, or their page again with what is wrong."""
    if done is None:
        return page(form, wrong_account), form.status
    flash(said, "ok")
    return redirect(url_for("finance.connected_account_list"), 303)


def page(form: Written, wrong_account: int | None = None) -> str:
    """The list; a refused form keeps what was written. `wrong_account` is the one whose end was refused."""
    return render_template(
        "finance/connected_accounts.html",
        form=form,
        wrong_account=wrong_account,
        rows=registers.connected(steps.within(Action.BANK_ACCOUNTS_READ)),
        writable=steps.choices(Action.BANK_ACCOUNTS_WRITE),
        may_approve=steps.may_somewhere(Action.BANK_ACCOUNTS_APPROVE),
        me=access.person_id(),
        today=days.today(),
    )
