"""What shipping costs: taken away as a file, changed, looked at row by row, applied as one act."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from storefront.blueprints.admin import allowed, bp
from storefront.days import today
from storefront.errors import NotFound
from storefront.listing_files.sheet import MOST_BYTES, BadListingFile
from storefront.listing_files.written_file import TYPES
from storefront.people import access
from storefront.people.policy import Action
from storefront.shipping_files import apply, sheets
from storefront.shipping_files.judge import judge
from storefront.written import Written

FORMATS = ("xlsx", "csv")


@bp.get("/shipping")
@access.rule(Action.RATES_READ)
def rates_page() -> ResponseReturnValue:
    """Files to take away, one to bring, and what was applied."""
    return _page(Written())


@bp.get("/shipping/<any(rates, zones):kind>.<any(xlsx, csv):format>")
@access.rule(Action.RATES_READ)
def download_rates(kind: str, format: str) -> ResponseReturnValue:
    """What holds now, to be changed and brought back."""
    name = f"{'tarif' if kind == 'rates' else 'zona'}-{today().isoformat()}.{format}"
    answer = Response(sheets.download(kind, format), content_type=TYPES[format])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/shipping")
@access.rule(Action.RATES_WRITE)
def upload_rates() -> ResponseReturnValue:
    """Keep a file and look at it; nothing changes yet."""
    form, sent = Written(request.form), request.files.get("file")
    content = sent.read(MOST_BYTES + 1) if sent else b""
    name = (sent.filename or "") if sent else ""
    try:
        file = form.done(lambda: apply.keep(content, name, person_id=access.person_id()))
    except BadListingFile as refusal:  # while its rows are read
        form.refusal, form.status, file = str(refusal.message), refusal.status, None
    if file is None:
        form.errors["file"], form.refusal = form.refusal or form.errors.get("file", ""), ""
        return _page(form), form.status
    return redirect(url_for("admin.rate_file", file_id=file.id), 303)


@bp.get("/shipping/<int:file_id>")
@access.rule(Action.RATES_READ)
def rate_file(file_id: int) -> ResponseReturnValue:
    """What each row would change, old and new; or what it has changed."""
    return _file(file_id, Written())


@bp.post("/shipping/<int:file_id>/<any(apply, revert):step>")
@access.rule(Action.RATES_WRITE)
def apply_rates(file_id: int, step: str) -> ResponseReturnValue:
    """Let it hold from now on; or bring back what held before it, by a file to look at first."""
    form, me = Written(request.form), access.person_id()
    if step == "revert":
        back = form.done(lambda: apply.bring_back(file_id, person_id=me))
        if back is None:
            raise NotFound()
        return redirect(url_for("admin.rate_file", file_id=back.id), 303)
    number = form.done(lambda: apply.apply(file_id, form["digest"], person_id=me))
    if number is None:
        return _file(file_id, form), form.status
    said = ngettext(
        "%(num)d baris berubah dan berlaku mulai sekarang. Pesanan yang sudah ada tidak berubah.",
        "%(num)d baris berubah dan berlaku mulai sekarang. Pesanan yang sudah ada tidak berubah.",
        number,
    )
    flash(said, "ok")
    return redirect(url_for("admin.rates_page"), 303)


def _page(form: Written) -> str:
    return render_template(
        "admin/rates.html", form=form, applied=apply.applied(), formats=FORMATS, may_write=allowed(Action.RATES_WRITE)
    )


def _file(file_id: int, form: Written) -> str:
    file = apply.file_of(file_id)
    verdict = judge(file)
    shown = [row for row in verdict.rows if row.verdict != "same"]
    return render_template(
        "admin/rate_file.html",
        file=file,
        verdict=verdict,
        shown=shown[:500],
        headings=list(sheets.COLUMNS[file.kind].values()),
        form=form,
        may_write=allowed(Action.RATES_WRITE),
        words=sheets.REACH_WORDS,
    )
