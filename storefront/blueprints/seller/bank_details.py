"""The facility's account for its money: what is registered, and another one asked for. Finance agrees."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.books import bank_accounts
from storefront.days import today
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import registers
from storefront.written import Written


@bp.get("/<code>/bank-details")
@access.rule(Action.BANK_ACCOUNTS_PROPOSE)
def bank_details(code: str) -> ResponseReturnValue:
    """The registered accounts with masked numbers, what waits for finance, and a form for another."""
    return page(Written())


@bp.post("/<code>/bank-details")
@access.rule(Action.BANK_ACCOUNTS_PROPOSE)
def propose_bank_account(code: str) -> ResponseReturnValue:
    """Ask finance to register another account."""
    form = Written(request.form)
    first = form.day("valid_from")
    row = form.done(
        lambda: bank_accounts.propose(
            g.facility.id,
            bank=form.line("bank"),
            number=form["number"],
            holder=form.line("holder"),
            permission_letter=form.line("permission_letter"),
            valid_from=first,
            person_id=access.person_id(),
            from_facility=True,
        )
    )
    if row is None:
        return page(form), form.status
    flash(
        _("Usulan rekening dikirim. Keuangan memeriksanya; sampai itu rekening yang lama tetap dipakai."),
        "ok",
    )
    return redirect(url_for("seller.bank_details", code=code), 303)


def page(form: Written) -> str:
    rows = registers.accounts([g.facility.id])
    if not allowed(Action.BANK_ACCOUNTS_READ):
        rows = [replace(row, number=bank_accounts.mask(row.number)) for row in rows]
    return render_template(
        "seller/bank_details.html",
        form=form,
        rows=rows,
        today=today(),
        decides=allowed(Action.BANK_ACCOUNTS_APPROVE),
    )
