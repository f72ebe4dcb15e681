"""Settlements: what can be paid to facilities, proposals, approvals, payments with the bank's reference."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import settle, settle_paid, settlements, transfer_list
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.books.settlements import SettlementRow
from storefront.errors import NotFound
from storefront.exports import money_out
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/settlements")
@access.rule(Action.SETTLEMENTS_READ)
def settlement_list() -> ResponseReturnValue:
    """All settlements, by state, facility and fund; with `format` as a file."""
    ids, asked = steps.within(Action.SETTLEMENTS_READ), filters()
    file = steps.file("settlements", lambda moment: money_out.settlements_table(ids, moment, **asked))
    return file or list_page(Written())


@bp.get("/settlements/new")
@access.rule(Action.SETTLEMENTS_WRITE)
def new_settlements() -> ResponseReturnValue:
    """What is owed to each facility, to choose from."""
    return proposal_page(Written())


@bp.post("/settlements/new")
@access.rule(Action.SETTLEMENTS_WRITE)
def propose_settlements() -> ResponseReturnValue:
    """Propose the chosen amounts: all of them, or none."""
    form = steps.written()
    rows = {row.name: row for row in settlements.available(steps.within(Action.SETTLEMENTS_WRITE))}
    chosen = [name for name in request.form.getlist("pick") if name in rows]
    wishes = [Wish(rows[name].facility_id, rows[name].fund_id, form.amount(name)) for name in chosen]
    found = form.done(lambda: settle.propose(wishes, person_id=access.person_id(), note=form.line("note")))
    if found is None:
        return proposal_page(form), form.status
    flash(
        ngettext(
            "%(num)d penyaluran diusulkan. Orang kedua yang menyetujuinya.",
            "%(num)d penyaluran diusulkan. Orang kedua yang menyetujuinya.",
            len(found),
        ),
        "ok",
    )
    return redirect(url_for("finance.settlement_list", state="proposed"), 303)


@bp.post("/settlements/approve")
@access.rule(Action.SETTLEMENTS_APPROVE)
def approve_settlements() -> ResponseReturnValue:
    """Approve the chosen proposals of somebody else: all of them, or none."""
    form = steps.written()
    ids = request.form.getlist("pick", type=int)
    for settlement_id in ids:
        own(settlement_id, Action.SETTLEMENTS_APPROVE)
    if not ids:
        form.wrong("pick", _("Pilih setidaknya satu usulan."))
    found = form.done(lambda: settle.approve(ids, access.person_id()))
    if found is None:
        return list_page(form, "proposed"), form.status
    flash(ngettext("%(num)d penyaluran disetujui.", "%(num)d penyaluran disetujui.", len(found)), "ok")
    return redirect(url_for("finance.settlement_list", state="approved"), 303)


@bp.get("/settlements/paid")
@access.rule(Action.SETTLEMENTS_WRITE)
def paste_payments() -> ResponseReturnValue:
    """Many payments at once, pasted from the bank's list."""
    return paste_page(Written())


@bp.post("/settlements/paid")
@access.rule(Action.SETTLEMENTS_WRITE)
def mark_pasted() -> ResponseReturnValue:
    """Write down every pasted payment, or none of them."""
    form = steps.written()
    rows = pasted(form)
    for place, row in enumerate(rows):
        if settlements.find(row.settlement_id, steps.within(Action.SETTLEMENTS_WRITE)) is None:
            form.wrong(f"row-{place}", _("Penyaluran %(number)d tidak ada.", number=row.settlement_id))
    found = form.done(lambda: settle_paid.mark_many_paid(rows, access.person_id()))
    if found is None:
        return paste_page(form), form.status
    flash(ngettext("%(num)d pembayaran dicatat.", "%(num)d pembayaran dicatat.", len(found)), "ok")
    return redirect(url_for("finance.settlement_list", state="paid"), 303)


@bp.get("/settlements/<int:settlement_id>")
@access.rule(Action.SETTLEMENTS_READ)
def settlement(settlement_id: int) -> ResponseReturnValue:
    """One settlement and its next step."""
    return page(own(settlement_id, Action.SETTLEMENTS_READ), Written())


@bp.post("/settlements/<int:settlement_id>/approve")
@access.rule(Action.SETTLEMENTS_APPROVE)
def approve_settlement(settlement_id: int) -> ResponseReturnValue:
    """Agree, as the second person."""
    row, form = own(settlement_id, Action.SETTLEMENTS_APPROVE), steps.written()
    done = form.done(lambda: settle.approve([row.id], access.person_id()))
    if row.connected_account:
        said = _("Penyaluran disetujui dan sedang ditransfer lewat Stripe.")
    else:
        said = _("Penyaluran disetujui. Bayar ke rekening tujuannya, lalu catat di sini.")
    return ended(row, form, done, said)


@bp.post("/settlements/<int:settlement_id>/reject")
@access.rule(Action.SETTLEMENTS_APPROVE)
def reject_settlement(settlement_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = own(settlement_id, Action.SETTLEMENTS_APPROVE), steps.written()
    done = form.done(lambda: settle.reject(row.id, access.person_id(), form.line("reason")))
    return ended(row, form, done, _("Usulan ditolak. Uangnya dapat diusulkan lagi."))


@bp.post("/settlements/<int:settlement_id>/paid")
@access.rule(Action.SETTLEMENTS_WRITE)
def mark_settlement_paid(settlement_id: int) -> ResponseReturnValue:
    """The bank has sent the money."""
    row, form = own(settlement_id, Action.SETTLEMENTS_WRITE), steps.written()
    paid = Paid(row.id, form.line("bank_reference"), form.day("paid_on"))
    done = form.done(lambda: settle_paid.mark_paid(paid, access.person_id()))
    return ended(row, form, done, _("Pembayaran dicatat dan dibukukan."))


@bp.post("/settlements/<int:settlement_id>/reverse")
@access.rule(Action.SETTLEMENTS_WRITE)
def reverse_settlement(settlement_id: int) -> ResponseReturnValue:
    """Undo a payment by a counter-entry."""
    row, form = own(settlement_id, Action.SETTLEMENTS_WRITE), steps.written()
    on, reason = form.day("on"), form.line("reason")
    done = form.done(lambda: settle_paid.reverse(row.id, on=on, reason=reason, person_id=access.person_id()))
    return ended(row, form, done, _("Pembayaran dibatalkan dengan jurnal balik. Uangnya terutang lagi."))


def own(settlement_id: int, action: Action) -> SettlementRow:
    """A settlement in reach for `action`. Raises NotFound for all others."""
    row = settlements.find(settlement_id, steps.within(action))
    if row is None:
        raise NotFound()
    return row


def ended(row: SettlementRow, form: Written, done: object, said: str) -> ResponseReturnValue:
    """After a step: back to the settlement, or its page again with what is wrong."""
    if done is None:
        return page(own(row.id, Action.SETTLEMENTS_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.settlement", settlement_id=row.id), 303)


def page(row: SettlementRow, form: Written) -> str:
    may_write = steps.may(Action.SETTLEMENTS_WRITE, row.facility_id)
    return render_template(
        "finance/settlement.html",
        row=row,
        form=form,
        today=days.today(),
        may_approve=steps.may(Action.SETTLEMENTS_APPROVE, row.facility_id),
        may_write=may_write,
        # Whoever pays must see where to; in lists a number stays masked.
        sees_number=steps.may(Action.BANK_ACCOUNTS_READ, row.facility_id),
        is_proposer=row.proposed_by == access.person_id(),
        is_payer=row.paid_by == access.person_id(),
        transfers=transfer_list.of_settlement(row.id) if row.connected_account else [],
    )


def filters() -> dict[str, str | None]:
    """What of the list this request asks for."""
    return {
        "state": steps.asked("state", settlements.STATES),
        "facility": steps.asked_facility(),
        "fund": request.args.get("fund", "")[:40] or None,
    }


def list_page(form: Written, state: str | None = None) -> str:
    ids = steps.within(Action.SETTLEMENTS_READ)
    asked = filters()
    if state:
        asked["state"] = state
    return render_template(
        "finance/settlements.html",
        form=form,
        counts=settlements.counts(ids),
        found=settlements.listing(ids, turn=asked_turn(), by_bank=False, **asked),
        **asked,
        facilities=steps.codes(Action.SETTLEMENTS_READ),
        troubled=transfer_list.troubled(ids),
        me=access.person_id(),
        may_approve=steps.may_somewhere(Action.SETTLEMENTS_APPROVE),
        may_write=steps.may_somewhere(Action.SETTLEMENTS_WRITE),
    )


def proposal_page(form: Written) -> str:
    rows = settlements.available(steps.within(Action.SETTLEMENTS_WRITE))
    return render_template(
        "finance/new_settlements.html",
        # What can be proposed first, then what still lacks an account.
        rows=sorted(
            (row for row in rows if row.free or row.pending or row.receivable),
            key=lambda row: not ((row.account or row.by_transfer) and row.free > 0),
        ),
        form=form,
        picked=set(request.form.getlist("pick")),
    )


def paste_page(form: Written) -> str:
    waiting = settlements.listing(steps.within(Action.SETTLEMENTS_WRITE), state="approved", by_bank=True)
    return render_template("finance/paste_payments.html", form=form, waiting=waiting, today=days.today())


def pasted(form: Written) -> list[Paid]:
    """The pasted lines: number, bank's reference and day, between tabs, semicolons or commas."""
    rows = []
    lines = [line for line in form["rows"].splitlines() if line.strip()][:500]
    for place, line in enumerate(lines):
        parts = [
            part.strip() for part in line.replace(";", "\t").replace(",", "\t").split("\t") if part.strip()
        ]
        read = Written({"number": parts[0].lstrip("#"), "day": parts[2]} if len(parts) == 3 else {})
        number, on = read.amount("number"), read.day("day")
        if read.errors:
            form.wrong(
                f"row-{place}", _("Baris ini tidak terbaca: tulis nomor, referensi bank, dan tanggal.")
            )
            continue
        rows.append(Paid(number, parts[1], on))
    return rows
