"""What became of a facility's money: owed, on its way, paid, deposited. The head approves what is its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp, waits
from storefront.books import bank_accounts, deposit, deposits, distributions, settle, settlements
from storefront.books.deposits import DepositRow
from storefront.books.settlements import SettlementRow
from storefront.errors import NotFound
from storefront.exports.answer import attachment
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import registers
from storefront.reports.registers import AccountRow
from storefront.written import Written


@bp.get("/<code>/money")
@access.rule(Action.REVENUE_READ)
def money(code: str) -> ResponseReturnValue:
    """What is owed to the facility by fund, what was paid to it, and what waits for its head."""
    return render_template("seller/money.html", **overview(), form=Written())


@bp.get("/<code>/settlements/<int:settlement_id>")
@access.rule(Action.SETTLEMENTS_READ)
def settlement(code: str, settlement_id: int) -> ResponseReturnValue:
    """One settlement, for the head to read before signing."""
    return settlement_page(own_settlement(settlement_id), Written())


@bp.post("/<code>/settlements/<int:settlement_id>/approve")
@access.rule(Action.SETTLEMENTS_APPROVE)
def approve_settlement(code: str, settlement_id: int) -> ResponseReturnValue:
    """The head agrees, as the second person."""
    row, form = own_settlement(settlement_id), Written(request.form)
    if form.done(lambda: settle.approve([row.id], access.person_id())) is None:
        return settlement_page(own_settlement(row.id), form), form.status
    return back(_("Penyaluran disetujui. Keuangan membayarnya ke rekening UPT."))


@bp.post("/<code>/settlements/<int:settlement_id>/reject")
@access.rule(Action.SETTLEMENTS_APPROVE)
def reject_settlement(code: str, settlement_id: int) -> ResponseReturnValue:
    """The head decides against it."""
    row, form = own_settlement(settlement_id), Written(request.form)
    if form.done(lambda: settle.reject(row.id, access.person_id(), form.line("reason"))) is None:
        return settlement_page(own_settlement(row.id), form), form.status
    return back(_("Usulan penyaluran ditolak."))


@bp.get("/<code>/deposits/<int:deposit_id>")
@access.rule(Action.DEPOSITS_READ)
def deposit_page(code: str, deposit_id: int) -> ResponseReturnValue:
    """One deposit with every posting that it carries."""
    return deposit_sheet(own_deposit(deposit_id), Written())


@bp.get("/<code>/deposits/<int:deposit_id>/proof")
@access.rule(Action.DEPOSITS_READ)
def deposit_proof(code: str, deposit_id: int) -> ResponseReturnValue:
    """The slip of a deposit, to be saved: it is never shown inside the shop."""
    row = own_deposit(deposit_id)
    return attachment(row.proof_key, f"bukti-setor-{row.id}")


@bp.post("/<code>/deposits/<int:deposit_id>/approve")
@access.rule(Action.DEPOSITS_APPROVE)
def approve_deposit(code: str, deposit_id: int) -> ResponseReturnValue:
    """The head agrees, as the second person."""
    row, form = own_deposit(deposit_id), Written(request.form)
    if form.done(lambda: deposit.approve(row.id, access.person_id())) is None:
        return deposit_sheet(own_deposit(row.id), form), form.status
    return back(_("Setoran disetujui. Bendahara menyetorkannya ke kas negara."))


@bp.post("/<code>/deposits/<int:deposit_id>/reject")
@access.rule(Action.DEPOSITS_APPROVE)
def reject_deposit(code: str, deposit_id: int) -> ResponseReturnValue:
    """The head decides against it."""
    row, form = own_deposit(deposit_id), Written(request.form)
    if form.done(lambda: deposit.reject(row.id, access.person_id(), form.line("reason"))) is None:
        return deposit_sheet(own_deposit(row.id), form), form.status
    return back(_("Usulan setoran ditolak."))


@bp.get("/<code>/bank-accounts")
@access.rule(Action.BANK_ACCOUNTS_READ)
def bank_account_list(code: str) -> ResponseReturnValue:
    """The facility's registered accounts."""
    return account_page(Written())


@bp.post("/<code>/bank-accounts/<int:account_id>/<any('approve', 'reject', 'approve-end'):step>")
@access.rule(Action.BANK_ACCOUNTS_APPROVE)
def decide_bank_account(code: str, account_id: int, step: str) -> ResponseReturnValue:
    """The head agrees to an account or its end, as the second person, or decides against it."""
    row, form = own_account(account_id), Written(request.form)
    steps: dict[str, tuple[Callable[[int, int], object], str]] = {
        "approve": (partial(bank_accounts.approve, in_facility=True), _("Rekening terdaftar.")),
        "reject": (bank_accounts.reject, _("Usulan rekening ditolak.")),
        "approve-end": (bank_accounts.approve_end, _("Hari terakhir rekening ini ditetapkan.")),
    }
    act, said = steps[step]
    if form.done(lambda: act(row.id, access.person_id())) is None:
        return account_page(form), form.status
    flash(said, "ok")
    return redirect(url_for("seller.bank_account_list", code=code), 303)


def own_settlement(settlement_id: int) -> SettlementRow:
    """The facility's own. Raises NotFound for another's, as if it did not exist."""
    row = settlements.find(settlement_id, [g.facility.id])
    if row is None:
        raise NotFound()
    return row


def own_deposit(deposit_id: int) -> DepositRow:
    """The facility's own. Raises NotFound for another's, as if it did not exist."""
    row = deposits.find(deposit_id, [g.facility.id])
    if row is None:
        raise NotFound()
    return row


def own_account(account_id: int) -> AccountRow:
    """The facility's own. Raises NotFound for another's, as if it did not exist."""
    row = registers.account(account_id, [g.facility.id])
    if row is None:
        raise NotFound()
    return row


def back(said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("seller.money", code=g.facility.code), 303)


def overview() -> dict[str, object]:
    """Everything that the page of a facility's money shows."""
    ids = [g.facility.id]
    state = request.args.get("state", "")
    reads_deposits = allowed(Action.DEPOSITS_READ)
    sums = distributions.sums(ids)
    return {
        "available": settlements.available(ids),
        "to_deposit": deposits.waiting(ids),
        "premium": sums[0] if sums else None,
        "waits": waits(),
        "counts": settlements.counts(ids),
        "state": state if state in settlements.STATES else None,
        "found": settlements.listing(
            ids, state=state if state in settlements.STATES else None, turn=asked_turn()
        ),
        "deposits": deposits.listing(ids) if reads_deposits else None,
        "reads_settlements": allowed(Action.SETTLEMENTS_READ),
        "reads_accounts": allowed(Action.BANK_ACCOUNTS_READ),
    }


def settlement_page(row: SettlementRow, form: Written) -> str:
    return render_template(
        "seller/settlement.html",
        row=row,
        form=form,
        sees_number=allowed(Action.BANK_ACCOUNTS_READ),
        may_approve=allowed(Action.SETTLEMENTS_APPROVE),
        is_proposer=row.proposed_by == access.person_id(),
    )


def deposit_sheet(row: DepositRow, form: Written) -> str:
    return render_template(
        "seller/deposit.html",
        row=row,
        form=form,
        lines=deposits.lines(row.id, asked_turn()),
        may_approve=allowed(Action.DEPOSITS_APPROVE),
        is_proposer=row.proposed_by == access.person_id(),
    )


def account_page(form: Written) -> str:
    return render_template(
        "seller/bank_accounts.html",
        form=form,
        rows=registers.accounts([g.facility.id]),
        may_approve=allowed(Action.BANK_ACCOUNTS_APPROVE),
        me=access.person_id(),
    )
