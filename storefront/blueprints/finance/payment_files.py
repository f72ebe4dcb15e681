"""Files of payments for the bank: made from what was approved, downloaded, taken to the bank, discarded."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.audit.record import record
from storefront.bank import payment_files, payment_lists, payment_shapes
from storefront.bank.payment_lists import FileRow
from storefront.bank.payment_models import PaymentFile
from storefront.blueprints.finance import bp, steps
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/payment-files")
@access.rule(Action.SETTLEMENTS_READ)
def payment_file_list() -> ResponseReturnValue:
    """What is approved and waits for the bank, and all files."""
    steps.for_all(Action.SETTLEMENTS_READ)
    return list_page(Written())


@bp.post("/payment-files")
@access.rule(Action.SETTLEMENTS_WRITE)
def make_payment_file() -> ResponseReturnValue:
    """Make a file of the chosen payments."""
    steps.for_all(Action.SETTLEMENTS_WRITE)
    form = steps.written()
    settlements = request.form.getlist("settlement", type=int)
    returns = request.form.getlist("return", type=int)
    if returns:
        steps.for_all(Action.RETURNS_WRITE)
    pay_on = form.day("pay_on")
    made = form.done(
        lambda: payment_files.make(settlements, returns, pay_on=pay_on, person_id=access.person_id())
    )
    if made is None:
        return list_page(form), form.status
    flash(_("Berkas dibuat. Unduh, unggah di bank, lalu tandai sudah dibawa."), "ok")
    return redirect(url_for("finance.payment_file", file_id=made.id), 303)


@bp.get("/payment-files/<int:file_id>")
@access.rule(Action.SETTLEMENTS_READ)
def payment_file(file_id: int) -> ResponseReturnValue:
    """One file, what it pays, and its next step."""
    return page(own(file_id, Action.SETTLEMENTS_READ), Written())


@bp.get("/payment-files/<int:file_id>/file")
@access.rule(Action.SETTLEMENTS_WRITE)
def download_payment_file(file_id: int) -> ResponseReturnValue:
    """The bytes that were made, or why they cannot be written again."""
    row, form = own(file_id, Action.SETTLEMENTS_WRITE), Written()
    if row.returns:
        steps.for_all(Action.RETURNS_READ)
    file = db.session.get_one(PaymentFile, row.id)
    content = form.done(lambda: payment_files.content(file))
    if content is None:
        return page(row, form), form.status
    record("payment_file.downloaded", "payment_file", row.id, person_id=access.person_id(), details={"hash": row.hash})
    db.session.commit()
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="pembayaran-{row.id}-{row.pay_on}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/payment-files/<int:file_id>/taken")
@access.rule(Action.SETTLEMENTS_WRITE)
def take_payment_file(file_id: int) -> ResponseReturnValue:
    """It was brought to the bank."""
    row, form = own(file_id, Action.SETTLEMENTS_WRITE), steps.written()
    done = form.done(lambda: payment_files.take(row.id, access.person_id()))
    said = _("Ditandai sudah dibawa ke bank. Yang dibayar dicatat dari mutasi bank seperti biasa.")
    return ended(row, form, done, said)


@bp.post("/payment-files/<int:file_id>/discard")
@access.rule(Action.SETTLEMENTS_WRITE)
def discard_payment_file(file_id: int) -> ResponseReturnValue:
    """It is not used; its payments may go into another."""
    row, form = own(file_id, Action.SETTLEMENTS_WRITE), steps.written()
    reason = form.line("reason")
    done = form.done(lambda: payment_files.discard(row.id, reason, access.person_id()))
    return ended(row, form, done, _("Berkas dibatalkan. Pembayarannya dapat masuk berkas lain."))


def own(file_id: int, action: Action) -> FileRow:
    """A file, for whoever sees the whole programme. Raises NotFound."""
    steps.for_all(action)
    row = payment_lists.file(file_id)
    if row is None:
        raise NotFound()
    return row


def ended(row: FileRow, form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return page(own(row.id, Action.SETTLEMENTS_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.payment_file", file_id=row.id), 303)


def list_page(form: Written) -> str:
    state = steps.asked("state", payment_lists.FILE_STATES)
    sent = request.method == "POST"
    return render_template(
        "finance/payment_files.html",
        form=form,
        agreed=payment_lists.agreed(with_returns=steps.may(Action.RETURNS_READ)),
        picked=(request.form.getlist("settlement", type=int), request.form.getlist("return", type=int))
        if sent
        else None,
        found=payment_lists.files(state=state, turn=asked_turn()),
        state=state,
        states=payment_lists.FILE_STATES,
        shape=payment_shapes.find_in_force(),
        today=days.today(),
        may_write=steps.may(Action.SETTLEMENTS_WRITE),
    )


def page(row: FileRow, form: Written) -> str:
    may_write = steps.may(Action.SETTLEMENTS_WRITE)
    return render_template(
        "finance/payment_file.html",
        row=row,
        form=form,
        lines=payment_lists.of_file(row.id),
        may_write=may_write,
        sees_shoppers=steps.may(Action.RETURNS_READ),
    )
