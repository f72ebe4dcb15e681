"""Lines of the bank: what is matched, what may be what, and one click for each; transfers that are held."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront.bank import from_line, lists, match, proposals, returns, shoppers_money, transfers
from storefront.bank.known_entries import untied
from storefront.bank.models import BankLine
from storefront.blueprints.finance import bp, steps
from storefront.books import payouts
from storefront.counter import banked
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.payments.transfer import NAME as TRANSFER
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written, day, one_line


@bp.get("/bank-lines")
@access.rule(Action.BANK_READ)
def bank_line_list() -> ResponseReturnValue:
    """Lines by state, account, days and words; each open one with what it might be."""
    steps.for_all(Action.BANK_READ)
    return list_page(Written())


@bp.get("/bank-lines/<int:line_id>")
@access.rule(Action.BANK_READ)
def bank_line(line_id: int) -> ResponseReturnValue:
    """One line and everything that may be done with it."""
    return page(own(line_id, Action.BANK_READ), Written())


@bp.post("/bank-lines/<int:line_id>/tie")
@access.rule(Action.BANK_WRITE)
def tie_bank_line(line_id: int) -> ResponseReturnValue:
    """It is these entries of the books."""
    postings = request.form.getlist("posting_id", type=int)

    def act(form: Written) -> object:
        if not postings:
            form.wrong("posting_id", _("Pilih setidaknya satu jurnal."))
            return None
        return match.tie(match.locked_lines([line_id]), postings, person_id=access.person_id())

    return step(line_id, act, _("Baris dicocokkan dengan jurnalnya."))


@bp.post("/bank-lines/<int:line_id>/untie")
@access.rule(Action.BANK_WRITE)
def untie_bank_line(line_id: int) -> ResponseReturnValue:
    """It is not what it was tied to."""
    return step(
        line_id,
        lambda _form: match.untie(line_id, access.person_id()),
        _("Kecocokannya dilepas. Jurnalnya tetap."),
    )


@bp.post("/bank-lines/<int:line_id>/payment")
@access.rule(Action.BANK_WRITE)
def count_bank_line(line_id: int) -> ResponseReturnValue:
    """It is a shopper's money: for a proposed payment, or for the order that somebody names."""
    payment_id = request.form.get("payment_id", "")[:64]

    def act(form: Written) -> object:
        if payment_id:
            return transfers.take(line_id, payment_id, person_id=access.person_id())
        try:
            return transfers.take_for_order(line_id, form["number"], person_id=access.person_id())
        except NotFound:
            form.wrong("number", _("Pesanan dengan nomor ini tidak ada."))
            return None

    said = _("Uangnya dihitung untuk pesanan itu; bila jumlahnya tidak tepat, uangnya ditahan di bawah.")
    return step(line_id, act, said)


@bp.post("/bank-lines/<int:line_id>/settlement")
@access.rule(Action.BANK_WRITE)
def settle_bank_line(line_id: int) -> ResponseReturnValue:
    """It is an approved settlement's money."""
    settlement_id = request.form.get("id", 0, type=int)
    return step(
        line_id,
        lambda _form: from_line.pay_settlement(line_id, settlement_id, access.person_id()),
        _("Penyaluran dicatat dibayar dan dicocokkan."),
    )


@bp.post("/bank-lines/<int:line_id>/deposit")
@access.rule(Action.BANK_WRITE)
def deposit_bank_line(line_id: int) -> ResponseReturnValue:
    """It is an approved deposit's money, with its NTPN."""
    deposit_id = request.form.get("id", 0, type=int)
    return step(
        line_id,
        lambda form: from_line.pay_deposit(
            line_id, deposit_id, ntpn=form["ntpn"], ntb=form["ntb"], person_id=access.person_id()
        ),
        _("Setoran dicatat dibayar dan dicocokkan. Unggah bukti setornya."),
    )


@bp.post("/bank-lines/<int:line_id>/return")
@access.rule(Action.BANK_WRITE)
def return_bank_line(line_id: int) -> ResponseReturnValue:
    """It is money that went back to a shopper."""
    steps.for_all(Action.RETURNS_WRITE)
    return_id = request.form.get("id", 0, type=int)
    return step(
        line_id,
        lambda _form: from_line.pay_return(line_id, return_id, access.person_id()),
        _("Pengembalian dicatat terkirim. Nomor rekening pembeli dihapus."),
    )


@bp.post("/bank-lines/<int:line_id>/payout")
@access.rule(Action.BANK_WRITE)
def payout_bank_line(line_id: int) -> ResponseReturnValue:
    """It is money that a gateway passed on."""
    return step(
        line_id,
        lambda form: from_line.record_payout(
            line_id, gateway=form["gateway"], reference=form.line("reference"), person_id=access.person_id()
        ),
        _("Pencairan dicatat, dibukukan, dan dicocokkan."),
    )


@bp.post("/bank-lines/<int:line_id>/till")
@access.rule(Action.BANK_WRITE)
def till_bank_line(line_id: int) -> ResponseReturnValue:
    """It is cash that was brought to the bank of a closed till."""
    steps.for_all(Action.TILLS_CLOSE)
    session_id = request.form.get("id", 0, type=int)
    return step(
        line_id,
        lambda _form: banked.bank_line(line_id, session_id, access.person_id()),
        _("Uang kas dicatat disetor, dibukukan, dan dicocokkan."),
    )


@bp.post("/bank-lines/<int:line_id>/set-aside")
@access.rule(Action.BANK_WRITE)
def set_bank_line_aside(line_id: int) -> ResponseReturnValue:
    """It belongs to nothing in the shop, and why."""
    return step(
        line_id,
        lambda form: match.set_aside(line_id, form["reason"], access.person_id()),
        _("Baris disisihkan dengan alasannya."),
    )


@bp.post("/bank-lines/<int:line_id>/bring-back")
@access.rule(Action.BANK_WRITE)
def bring_bank_line_back(line_id: int) -> ResponseReturnValue:
    """Look for what it belongs to after all."""
    return step(
        line_id,
        lambda _form: match.bring_back(line_id, access.person_id()),
        _("Baris terbuka lagi untuk dicocokkan."),
    )


@bp.get("/held-transfers")
@access.rule(Action.BANK_READ)
def held_list() -> ResponseReturnValue:
    """Shoppers' transfers that are not exactly what was asked, by order."""
    steps.for_all(Action.BANK_READ)
    return held_page(Written())


@bp.post("/held-transfers/payments/<payment_id>/count")
@access.rule(Action.BANK_WRITE)
def count_held(payment_id: str) -> ResponseReturnValue:
    """What is held pays the order; what is above its total stays held."""
    steps.for_all(Action.BANK_WRITE)
    form = steps.written()
    done = form.done(lambda: transfers.count(payment_id[:64], access.person_id()))
    return held_ended(form, done, _("Uangnya dihitung untuk pesanan itu."))


@bp.post("/held-transfers/<int:held_id>/return")
@access.rule(Action.RETURNS_WRITE)
def return_held(held_id: int) -> ResponseReturnValue:
    """What is left goes back to the shopper, who is asked for an account."""
    steps.for_all(Action.RETURNS_WRITE)
    form = steps.written()
    done = form.done(lambda: returns.of_held(held_id, access.person_id()))
    return held_ended(form, done, _("Pembeli diminta menuliskan rekeningnya."))


def own(line_id: int, action: Action) -> BankLine:
    """A line, for whoever sees the whole programme. Raises NotFound."""
    steps.for_all(action)
    line = db.session.get(BankLine, line_id, populate_existing=True)
    if line is None:
        raise NotFound()
    return line


def step(line_id: int, act: Callable[[Written], object], said: str) -> ResponseReturnValue:
    """Take a step with a line, then back to it; or its page again with what is wrong."""
    line, form = own(line_id, Action.BANK_WRITE), steps.written()
    done = form.done(lambda: act(form))
    if done is None or form.errors:
        db.session.rollback()
        return page(own(line.id, Action.BANK_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.bank_line", line_id=line_id), 303)


def held_ended(form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return held_page(form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.held_list"), 303)


def list_page(form: Written) -> str:
    state = steps.asked("state", lists.LINE_STATES)
    sides = lists.sides()
    account = request.args.get("account", type=int)
    first, last = (day(request.args.get(name, "")) for name in ("from", "to"))
    words = one_line(request.args.get("q", ""))[:80]
    sort = request.args.get("sort", "")
    sort = sort if sort in lists.LINE_ORDERS else ""
    found = lists.lines(
        state=state, account=account, first=first, last=last, words=words, sort=sort,
        turn=asked_turn(),
    )  # fmt: skip
    open_lines = [row.id for row in found.rows if row.state == "open"]
    return render_template(
        "finance/bank_lines.html",
        form=form,
        found=found,
        counts=lists.counts(),
        sides=sides,
        accounts=[(side.id, side.account) for side in sides],
        proposed=_proposals(open_lines),
        matched=lists.matched([row.match_id for row in found.rows if row.match_id]),
        held=len(shoppers_money.held()),
        state=state,
        states=lists.LINE_STATES,
        account=account,
        words=words,
        sort=sort,
        first=first.isoformat() if first else "",
        last=last.isoformat() if last else "",
        may_write=steps.may(Action.BANK_WRITE),
        may_return=steps.may(Action.RETURNS_WRITE),
    )


def page(line: BankLine, form: Written) -> str:
    row = lists.line(line.id)
    return render_template(
        "finance/bank_line.html",
        row=row,
        form=form,
        proposed=_proposals([line.id])[line.id] if line.state == "open" else [],
        entries=untied(line.bank_account_id, limit=50) if line.state == "open" else [],
        matched=lists.matched([line.match_id])[line.match_id] if line.match_id else [],
        is_fixed=bool(line.match_id and match.is_fixed(line.match_id)),
        held=shoppers_money.held(with_all=True, line_id=line.id),
        ntpn=from_line.ntpn_in(line),
        gateways=[(name, name) for name in payouts.gateways() if name != TRANSFER],
        reference=from_line.reference_of(line),
        may_write=steps.may(Action.BANK_WRITE),
        may_return=steps.may(Action.RETURNS_WRITE),
    )


def held_page(form: Written) -> str:
    return render_template(
        "finance/held_transfers.html",
        form=form,
        rows=shoppers_money.held(),
        may_write=steps.may(Action.BANK_WRITE),
        may_return=steps.may(Action.RETURNS_WRITE),
    )


def _proposals(line_ids: list[int]) -> dict[int, list[proposals.Proposal]]:
    lines = db.session.scalars(select(BankLine).where(BankLine.id.in_(line_ids))).all()
    return proposals.for_lines(lines)
