"""Deposits of state revenue: what is due, proposals, approvals, billing codes, NTPN, slips."""

from __future__ import annotations

import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import deposit, deposit_paid, deposits, proof, simponi
from storefront.books.deposits import DepositRow
from storefront.days import ACCOUNTING_ZONE
from storefront.errors import NotFound
from storefront.exports import money_out
from storefront.exports.answer import attachment
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/deposits")
@access.rule(Action.DEPOSITS_READ)
def deposit_list() -> ResponseReturnValue:
    """What must still be deposited and until when, and all deposits: the late ones first; or a file of them."""
    ids, facility = steps.within(Action.DEPOSITS_READ), steps.asked_facility()
    state = steps.asked("state", deposits.STATES[1:])
    file = steps.file(
        "deposits", lambda moment: money_out.deposits_table(ids, moment, state=state, facility=facility)
    )
    return file or list_page(Written())


@bp.post("/deposits")
@access.rule(Action.DEPOSITS_WRITE)
def propose_deposits() -> ResponseReturnValue:
    """Propose a deposit for each of the chosen facilities: all of them, or none."""
    form = steps.written()
    ids = request.form.getlist("pick", type=int)
    for facility_id in ids:
        steps.require(Action.DEPOSITS_WRITE, facility_id)
    until = form.day_or_none("until")
    if not ids:
        form.wrong("pick", _("Pilih setidaknya satu UPT."))
    found = form.done(lambda: deposit.propose_many(ids, person_id=access.person_id(), until=until))
    if found is None:
        return list_page(form), form.status
    flash(_("Setoran diusulkan. Orang kedua yang menyetujuinya."), "ok")
    if len(found) == 1:
        return redirect(url_for("finance.deposit_page", deposit_id=found[0].id), 303)
    return redirect(url_for("finance.deposit_list", state="proposed"), 303)


@bp.get("/deposits/simponi")
@access.rule(Action.DEPOSITS_READ)
def simponi_forms() -> ResponseReturnValue:
    """The fields of SIMPONI's billing form for each approved deposit, or one (`deposit`); with `format` as a file."""
    ids, one = steps.within(Action.DEPOSITS_READ), request.args.get("deposit", type=int)
    forms = simponi.forms(ids, one)
    file = steps.file("simponi", lambda moment: money_out.simponi_table(forms, moment))
    return file or render_template("finance/simponi.html", forms=forms, deposit=one)


@bp.get("/deposits/<int:deposit_id>")
@access.rule(Action.DEPOSITS_READ)
def deposit_page(deposit_id: int) -> ResponseReturnValue:
    """One deposit, its next step, and every posting that it carries; with `format` these as a file."""
    row = own(deposit_id, Action.DEPOSITS_READ)
    file = steps.file("deposit_lines", lambda moment: money_out.deposit_lines_table(row.id, moment))
    return file or page(row, Written())


@bp.get("/deposits/<int:deposit_id>/proof")
@access.rule(Action.DEPOSITS_READ)
def deposit_proof(deposit_id: int) -> ResponseReturnValue:
    """The slip of a deposit."""
    row = own(deposit_id, Action.DEPOSITS_READ)
    return attachment(row.proof_key, f"bukti-setor-{row.id}")


@bp.post("/deposits/<int:deposit_id>/approve")
@access.rule(Action.DEPOSITS_APPROVE)
def approve_deposit(deposit_id: int) -> ResponseReturnValue:
    """Agree, as the second person."""
    row, form = own(deposit_id, Action.DEPOSITS_APPROVE), steps.written()
    done = form.done(lambda: deposit.approve(row.id, access.person_id()))
    return ended(row, form, done, _("Setoran disetujui. Buat kode billing di SIMPONI, lalu catat di sini."))


@bp.post("/deposits/<int:deposit_id>/reject")
@access.rule(Action.DEPOSITS_APPROVE)
def reject_deposit(deposit_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(deposit_id, Action.DEPOSITS_APPROVE), steps.written()
    done = form.done(lambda: deposit.reject(row.id, access.person_id(), form.line("reason")))
    return ended(row, form, done, _("Usulan ditolak. Uangnya dapat diusulkan lagi."))


@bp.post("/deposits/<int:deposit_id>/billing-code")
@access.rule(Action.DEPOSITS_WRITE)
def bill_deposit(deposit_id: int) -> ResponseReturnValue:
    """SIMPONI has given a billing code; it holds until its last moment in the accounting zone."""
    row, form = own(deposit_id, Action.DEPOSITS_WRITE), steps.written()
    expires_at = moment(form, "billing_expires_at")
    done = form.done(
        lambda: deposit.set_billing_code(row.id, form["billing_code"], expires_at, access.person_id())
    )
    return ended(row, form, done, _("Kode billing tersimpan. Bayar sebelum kedaluwarsa."))


@bp.post("/deposits/<int:deposit_id>/paid")
@access.rule(Action.DEPOSITS_WRITE)
def mark_deposit_paid(deposit_id: int) -> ResponseReturnValue:
    """The bank has sent the money: NTB, NTPN and the day."""
    row, form = own(deposit_id, Action.DEPOSITS_WRITE), steps.written()
    paid_on, booked_on = form.day("paid_on"), form.day_or_none("booked_on")
    done = form.done(
        lambda: deposit_paid.mark_paid(
            row.id,
            ntpn=form["ntpn"],
            ntb=form["ntb"],
            paid_on=paid_on,
            booked_on=booked_on,
            person_id=access.person_id(),
        )
    )
    return ended(row, form, done, _("Setoran dicatat dan dibukukan. Unggah bukti setornya."))


@bp.post("/deposits/<int:deposit_id>/booked")
@access.rule(Action.DEPOSITS_WRITE)
def mark_deposit_booked(deposit_id: int) -> ResponseReturnValue:
    """The treasury has booked it."""
    row, form = own(deposit_id, Action.DEPOSITS_WRITE), steps.written()
    booked_on = form.day("booked_on")
    done = form.done(lambda: deposit_paid.set_booked_on(row.id, booked_on, access.person_id()))
    return ended(row, form, done, _("Tanggal buku tersimpan."))


@bp.post("/deposits/<int:deposit_id>/upload")
@access.rule(Action.DEPOSITS_WRITE)
def upload_proof(deposit_id: int) -> ResponseReturnValue:
    """Keep the slip."""
    row, form = own(deposit_id, Action.DEPOSITS_WRITE), steps.written()
    file = request.files.get("proof")
    content = file.read(proof.MAX_BYTES + 1) if file else b""
    done = form.done(lambda: deposit_paid.attach_proof(row.id, content, access.person_id()))
    if form.refusal and form.status == proof.BadProof.status:
        form.errors["proof"], form.refusal = form.refusal, ""
    return ended(row, form, done, _("Bukti setor tersimpan."))


@bp.post("/deposits/<int:deposit_id>/reverse")
@access.rule(Action.DEPOSITS_WRITE)
def reverse_deposit(deposit_id: int) -> ResponseReturnValue:
    """Undo a deposit by a counter-entry."""
    row, form = own(deposit_id, Action.DEPOSITS_WRITE), steps.written()
    on, reason = form.day("on"), form.line("reason")
    done = form.done(lambda: deposit_paid.reverse(row.id, on=on, reason=reason, person_id=access.person_id()))
    return ended(row, form, done, _("Setoran dibatalkan dengan jurnal balik. Uangnya terutang lagi."))


def own(deposit_id: int, action: Action) -> DepositRow:
    """A deposit in reach for `action`. Raises NotFound for all others."""
    row = deposits.find(deposit_id, steps.within(action))
    if row is None:
        raise NotFound()
    return row


def ended(row: DepositRow, form: Written, done: object, said: str) -> ResponseReturnValue:
    """After a step: back to the deposit, or its page again with what is wrong."""
    if done is None:
        return page(own(row.id, Action.DEPOSITS_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.deposit_page", deposit_id=row.id), 303)


def moment(form: Written, name: str) -> datetime.datetime:
    """A field such as `2026-11-30T17:00` as a moment in the accounting zone; a day alone counts to its end."""
    text = form[name].strip()
    try:
        if "T" in text or " " in text:
            return datetime.datetime.fromisoformat(text.replace(" ", "T")).replace(tzinfo=ACCOUNTING_ZONE)
    except ValueError:
        form.wrong(name, _("Tulis tanggal dan jamnya, seperti di SIMPONI."))
    return datetime.datetime.combine(form.day(name), datetime.time(23, 59, 59), ACCOUNTING_ZONE)


def page(row: DepositRow, form: Written) -> str:
    return render_template(
        "finance/deposit.html",
        row=row,
        form=form,
        lines=deposits.lines(row.id, asked_turn()),
        today=days.today(),
        may_approve=steps.may(Action.DEPOSITS_APPROVE, row.facility_id),
        may_write=steps.may(Action.DEPOSITS_WRITE, row.facility_id),
        is_proposer=row.proposed_by == access.person_id(),
        is_payer=row.paid_by == access.person_id(),
    )


def list_page(form: Written) -> str:
    ids = steps.within(Action.DEPOSITS_READ)
    state, facility = steps.asked("state", deposits.STATES), steps.asked_facility()
    return render_template(
        "finance/deposits.html",
        form=form,
        picked=request.form.getlist("pick", type=int),
        waiting=deposits.waiting(ids),
        counts=deposits.counts(ids),
        found=deposits.listing(ids, state=state, facility=facility, turn=asked_turn()),
        state=state,
        facility=facility,
        facilities=steps.codes(Action.DEPOSITS_READ),
        may_write=steps.may_somewhere(Action.DEPOSITS_WRITE),
        today=days.today(),
    )
