"""Files of the bank: upload, look at what was read, say which column holds what, take in or throw away."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.audit.record import record
from storefront.bank import files, lists
from storefront.bank.models import BankFile
from storefront.bank.shape import STYLES, Shape
from storefront.bank.text import MAX_BYTES, BadBankFile
from storefront.blueprints.finance import bp, steps
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

#: Read lines shown on one page.
SHOWN = 200


@bp.get("/bank-files")
@access.rule(Action.BANK_READ)
def bank_file_list() -> ResponseReturnValue:
    """Files that were uploaded, and the account as the bank and as the books see it."""
    steps.for_all(Action.BANK_READ)
    return list_page(Written())


@bp.post("/bank-files")
@access.rule(Action.BANK_WRITE)
def upload_bank_file() -> ResponseReturnValue:
    """Keep a file; nothing of it is taken in before somebody has looked at it."""
    steps.for_all(Action.BANK_WRITE)
    form = steps.written()
    sent = request.files.get("file")
    content = sent.read(MAX_BYTES + 1) if sent else b""
    account_id = request.form.get("bank_account_id", type=int) or 0
    name = (sent.filename if sent else "") or ""
    found = form.done(lambda: files.upload(account_id, name, content, access.person_id()))
    if found is None:
        if form.refusal and form.status == BadBankFile.status:
            form.errors["file"], form.refusal = form.refusal, ""
        return list_page(form), form.status
    file, is_new = found
    if not is_new:
        flash(_("Berkas ini sudah pernah diunggah, jadi tidak ada yang ditambahkan."), "info")
    return redirect(url_for("finance.bank_file", file_id=file.id), 303)


@bp.get("/bank-files/<int:file_id>")
@access.rule(Action.BANK_READ)
def bank_file(file_id: int) -> ResponseReturnValue:
    """What was read of a file, each fault with its line, and what taking it in adds."""
    return page(own(file_id, Action.BANK_READ), Written())


@bp.get("/bank-files/<int:file_id>/content")
@access.rule(Action.BANK_READ)
def bank_file_content(file_id: int) -> ResponseReturnValue:
    """The file as it was uploaded, to be saved; who took it away is written down."""
    file = own(file_id, Action.BANK_READ)
    try:
        content = files.content_of(file)
    except BadBankFile:
        raise NotFound() from None
    record("bank_file.downloaded", "bank_file", file.id, person_id=access.person_id())
    db.session.commit()
    response = Response(content, mimetype="application/octet-stream")
    ending = "csv" if file.format == "csv" else "sta"
    response.headers["Content-Disposition"] = f'attachment; filename="bank-{file.id}.{ending}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@bp.post("/bank-files/<int:file_id>/columns")
@access.rule(Action.BANK_WRITE)
def set_bank_columns(file_id: int) -> ResponseReturnValue:
    """Say which column holds what; kept for the account's next files."""
    file, form = own(file_id, Action.BANK_WRITE), steps.written()
    shape = Shape(
        **{
            name: form[name]
            for name in ("day", "style", "out", "into", "amount", "mark", "reference", "balance")
        },
        day_order=form["day_order"],
        texts=tuple(request.form.getlist("texts")),
    )
    done = form.done(lambda: files.keep_shape(file.id, shape, access.person_id()))
    return ended(
        file, form, done, _("Kolomnya tersimpan untuk rekening ini. Periksa hasil bacanya di bawah.")
    )


@bp.post("/bank-files/<int:file_id>/take")
@access.rule(Action.BANK_WRITE)
def take_bank_file(file_id: int) -> ResponseReturnValue:
    """Take in what no earlier file had."""
    file, form = own(file_id, Action.BANK_WRITE), steps.written()
    alike = form["alike"] or None
    done = form.done(lambda: files.take_in(file.id, access.person_id(), alike=alike))
    if done is None:
        return page(own(file.id, Action.BANK_READ), form), form.status
    added = done.lines_added or 0
    flash(
        ngettext(
            "%(num)d baris baru diambil. Pencocokannya berjalan sendiri sebentar lagi.",
            "%(num)d baris baru diambil. Pencocokannya berjalan sendiri sebentar lagi.",
            added,
        ),
        "ok",
    )
    return redirect(url_for("finance.bank_line_list"), 303)


@bp.post("/bank-files/<int:file_id>/discard")
@access.rule(Action.BANK_WRITE)
def discard_bank_file(file_id: int) -> ResponseReturnValue:
    """Throw a file away that was not taken in."""
    file, form = own(file_id, Action.BANK_WRITE), steps.written()
    done = form.done(lambda: files.discard(file.id, access.person_id()))
    if done is None:
        return page(own(file.id, Action.BANK_READ), form), form.status
    flash(_("Berkas dibuang. Tidak ada yang diambil darinya."), "ok")
    return redirect(url_for("finance.bank_file_list"), 303)


def own(file_id: int, action: Action) -> BankFile:
    """A file that was not discarded, for whoever sees the whole programme. Raises NotFound."""
    steps.for_all(action)
    file = db.session.get(BankFile, file_id, populate_existing=True)
    if file is None or file.state == "discarded":
        raise NotFound()
    return file


def ended(file: BankFile, form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return page(own(file.id, Action.BANK_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.bank_file", file_id=file.id), 303)


def list_page(form: Written) -> str:
    return render_template(
        "finance/bank_files.html",
        form=form,
        found=lists.files(asked_turn()),
        sides=lists.sides(),
        accounts=[(account.id, f"{account.bank} {account.number}") for account in files.accounts()],
        may_write=steps.may(Action.BANK_WRITE),
    )


def page(file: BankFile, form: Written) -> str:
    unreadable = ""
    run = None
    try:
        run = files.dry_run(file)
    except BadBankFile as refusal:
        unreadable = str(refusal.message)
    new = {line.number for line, _mark in run.compared.new} if run else set()
    alike = {line.number for line, _mark in run.compared.alike} if run else set()
    return render_template(
        "finance/bank_file.html",
        file=file,
        form=form,
        run=run,
        unreadable=unreadable,
        new=new,
        alike=alike,
        shown=SHOWN,
        shape=_shape(form, run) if run and run.table else None,
        styles=STYLES,
        may_write=steps.may(Action.BANK_WRITE),
    )


def _shape(form: Written, run: files.DryRun) -> Shape:
    """The columns to show in the form: as they were just chosen, else as the file is read by."""
    assert run.table is not None
    if "style" not in request.form:
        return run.table.shape
    names = ("day", "out", "into", "amount", "mark", "reference", "balance")
    style = form["style"] if form["style"] in STYLES else STYLES[0]
    return Shape(
        **{name: form[name] for name in names},
        style=style,
        day_order=form["day_order"],
        texts=tuple(request.form.getlist("texts")),
    )
