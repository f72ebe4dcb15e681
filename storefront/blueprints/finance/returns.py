"""Money back by bank: who must still give an account, batches that two people agree on, and what was paid."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.bank import return_batches, returns, shoppers_money
from storefront.bank.models import BankReturn
from storefront.bank.shoppers_money import BatchRow
from storefront.blueprints.finance import bp, steps
from storefront.books.bank_accounts import find_in_force
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/returns")
@access.rule(Action.RETURNS_READ)
def return_list() -> ResponseReturnValue:
    """Returns by state, and the batches."""
    steps.for_all(Action.RETURNS_READ)
    return list_page(Written())


@bp.post("/returns")
@access.rule(Action.RETURNS_WRITE)
def propose_returns() -> ResponseReturnValue:
    """Propose to pay the chosen ones together."""
    steps.for_all(Action.RETURNS_WRITE)
    form = steps.written()
    ids = request.form.getlist("pick", type=int)
    batch = form.done(lambda: return_batches.propose(ids, access.person_id()))
    if batch is None:
        return list_page(form), form.status
    flash(_("Diusulkan untuk dibayar. Orang kedua dari keuangan menyetujuinya."), "ok")
    return redirect(url_for("finance.return_batch", batch_id=batch.id), 303)


@bp.post("/returns/<int:return_id>/ask-again")
@access.rule(Action.RETURNS_WRITE)
def ask_again(return_id: int) -> ResponseReturnValue:
    """The account was wrong, or never came: write to the shopper once more."""
    steps.for_all(Action.RETURNS_WRITE)
    form = steps.written()
    done = form.done(lambda: returns.ask_again(return_id, access.person_id()))
    if done is None:
        return list_page(form), form.status
    flash(_("Pembeli diminta lagi menuliskan rekeningnya. Rekening yang lama dihapus."), "ok")
    return redirect(url_for("finance.return_list"), 303)


@bp.post("/refunds/<int:refund_id>/by-bank")
@access.rule(Action.RETURNS_WRITE)
def refund_by_bank(refund_id: int) -> ResponseReturnValue:
    """A refund that the gateway refused goes back by bank instead."""
    steps.for_all(Action.RETURNS_WRITE)
    form = steps.written()
    done = form.done(lambda: returns.of_refund(refund_id, access.person_id()))
    flash(_("Pembeli diminta menuliskan rekeningnya.") if done else form.refusal, "ok" if done else "bad")
    return redirect(url_for("finance.refund_page", refund_id=refund_id), 303)


@bp.get("/returns/batches/<int:batch_id>")
@access.rule(Action.RETURNS_READ)
def return_batch(batch_id: int) -> ResponseReturnValue:
    """One batch, the accounts to pay to, and its next step."""
    return page(own(batch_id, Action.RETURNS_READ), Written())


@bp.post("/returns/batches/<int:batch_id>/approve")
@access.rule(Action.RETURNS_WRITE)
def approve_returns(batch_id: int) -> ResponseReturnValue:
    """Agree, as the second person."""
    row, form = own(batch_id, Action.RETURNS_WRITE), steps.written()
    done = form.done(lambda: return_batches.approve(row.id, access.person_id()))
    return ended(row, form, done, _("Disetujui. Kirim uangnya, lalu catat nomor referensi bank di sini."))


@bp.post("/returns/batches/<int:batch_id>/reject")
@access.rule(Action.RETURNS_WRITE)
def reject_returns(batch_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(batch_id, Action.RETURNS_WRITE), steps.written()
    done = form.done(lambda: return_batches.reject(row.id, access.person_id()))
    return ended(row, form, done, _("Tidak jadi dibayar. Pengembaliannya dapat diusulkan lagi."))


@bp.post("/returns/<int:return_id>/paid")
@access.rule(Action.RETURNS_WRITE)
def mark_return_paid(return_id: int) -> ResponseReturnValue:
    """The bank has sent the money of one return."""
    steps.for_all(Action.RETURNS_WRITE)
    form = steps.written()
    found = db.session.get(BankReturn, return_id)
    if found is None or found.batch_id is None:
        raise NotFound()
    row = own(found.batch_id, Action.RETURNS_WRITE)
    reference, paid_on = form.line("bank_reference"), form.day("paid_on")
    done = form.done(
        lambda: return_batches.mark_paid(
            return_id, reference=reference, paid_on=paid_on, person_id=access.person_id()
        )
    )
    return ended(
        row, form, done, _("Dicatat terkirim dan dibukukan. Nomor rekening pembeli dihapus."), return_id
    )


def own(batch_id: int, action: Action) -> BatchRow:
    """A batch, for whoever sees the whole programme. Raises NotFound."""
    steps.for_all(action)
    found = shoppers_money.batches(batch_id)
    if not found:
        raise NotFound()
    return found[0]


def ended(
    row: BatchRow, form: Written, done: object, said: str, return_id: int | None = None
) -> ResponseReturnValue:
    if done is None:
        return page(own(row.id, Action.RETURNS_READ), form, return_id), form.status
    flash(said, "ok")
    return redirect(url_for("finance.return_batch", batch_id=row.id), 303)


def list_page(form: Written) -> str:
    state = steps.asked("state", shoppers_money.RETURN_STATES)
    return render_template(
        "finance/returns.html",
        form=form,
        found=shoppers_money.returns(state=state, turn=asked_turn()),
        counts=shoppers_money.return_counts(),
        batches=shoppers_money.batches(),
        state=state,
        states=shoppers_money.RETURN_STATES,
        picked=request.form.getlist("pick", type=int),
        may_write=steps.may(Action.RETURNS_WRITE),
    )


def page(row: BatchRow, form: Written, wrong_return: int | None = None) -> str:
    return render_template(
        "finance/return_batch.html",
        row=row,
        form=form,
        wrong_return=wrong_return,
        found=shoppers_money.returns(batch_id=row.id),
        account=find_in_force(None, days.today()),
        today=days.today(),
        is_proposer=row.proposed_by == access.person_id(),
        may_write=steps.may(Action.RETURNS_WRITE),
    )
