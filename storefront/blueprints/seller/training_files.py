"""Training programmes from a spreadsheet: template, upload, dry run, storing, the rows that need work."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.blueprints.seller import allowed, bp
from storefront.errors import Invalid
from storefront.form_key import TOO_OLD, is_key, kept_key, new_key
from storefront.listing_files.sheet import MOST_BYTES, BadListingFile
from storefront.listing_files.written_file import FORMATS, TYPES
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import shelf
from storefront.training import imports, sheet
from storefront.training.models import TrainingImport
from storefront.written import Written

#: Rows of a page of the dry run.
PAGE = 50
SHOWN = ("", "sound", "fault")


@bp.get("/<code>/training/import")
@access.rule(Action.TRAINING_READ)
def training_imports(code: str) -> ResponseReturnValue:
    """The template, the upload, and the files so far."""
    return _list(Written())


@bp.post("/<code>/training/import")
@access.rule(Action.TRAINING_WRITE)
def upload_training(code: str) -> ResponseReturnValue:
    """Keep a file and look at it; nothing is recorded yet."""
    form, sent = Written(request.form), request.files.get("file")
    if not is_key(form["form_key"]):
        form.refusal, form.status = str(TOO_OLD), 422
        return _list(form), form.status
    content, name = (sent.read(MOST_BYTES + 1), sent.filename or "") if sent else (b"", "")
    key, me = form["form_key"], access.person_id()
    try:
        found = form.done(lambda: imports.keep(g.facility.id, content, name, form_key=key, person_id=me))
    except BadListingFile as refusal:  # while its rows are read
        form.refusal, form.status, found = str(refusal.message), refusal.status, None
    if found is None:
        form.errors["file"], form.refusal = form.refusal or form.errors.get("file", ""), ""
        return _list(form), form.status
    return redirect(url_for("seller.training_import", code=code, upload_id=found.id), 303)


@bp.get("/<code>/training/import/template")
@access.rule(Action.TRAINING_READ)
def training_template(code: str) -> ResponseReturnValue:
    """An empty file with the headings, as `format` xlsx, ods or csv."""
    format = request.args.get("format", "xlsx")
    if format not in FORMATS:
        raise Invalid()
    names = [name for _id, name in shelf.workshops(g.facility.id)]
    return _file(sheet.template(names, format), f"templat-pelatihan-{code.lower()}", format)


@bp.get("/<code>/training/import/<int:upload_id>")
@access.rule(Action.TRAINING_READ)
def training_import(code: str, upload_id: int) -> ResponseReturnValue:
    """What each row would become, before anything is recorded; then what became of it."""
    return _page(imports.own(g.facility.id, upload_id), Written())


@bp.get("/<code>/training/import/<int:upload_id>/errors")
@access.rule(Action.TRAINING_READ)
def training_import_errors(code: str, upload_id: int) -> ResponseReturnValue:
    """The rows that are not stored, with their reasons."""
    found = imports.own(g.facility.id, upload_id)
    return _file(imports.error_file(found), f"alasan-pelatihan-{found.id}", found.format)


@bp.post("/<code>/training/import/<int:upload_id>/store")
@access.rule(Action.TRAINING_WRITE)
def store_training_import(code: str, upload_id: int) -> ResponseReturnValue:
    """Record what the dry run promised."""
    form, me = Written(request.form), access.person_id()
    found = form.done(lambda: imports.store(g.facility.id, upload_id, form["digest"], person_id=me))
    if found is None:
        return _page(imports.own(g.facility.id, upload_id), form), form.status
    stored = found.stored or 0
    said = ngettext(
        "%(num)d program tercatat. Kantor pusat memeriksanya.",
        "%(num)d program tercatat. Kantor pusat memeriksanya.",
        stored,
    )
    flash(said, "ok")
    return redirect(url_for("seller.training_import", code=code, upload_id=upload_id), 303)


@bp.post("/<code>/training/import/<int:upload_id>/discard")
@access.rule(Action.TRAINING_WRITE)
def discard_training_import(code: str, upload_id: int) -> ResponseReturnValue:
    """Throw away what was not stored."""
    form, me = Written(request.form), access.person_id()

    def act() -> bool:
        imports.discard(g.facility.id, upload_id, me)
        return True

    if form.done(act) is None:
        return _page(imports.own(g.facility.id, upload_id), form), form.status
    flash(_("Berkas dibuang. Tidak ada yang disimpan darinya."), "ok")
    return redirect(url_for("seller.training_imports", code=code), 303)


def _file(content: bytes, name: str, format: str) -> Response:
    answer = Response(content, content_type=TYPES[format])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _list(form: Written) -> str:
    return render_template(
        "seller/training_imports.html",
        found=imports.history(g.facility.id),
        form=form,
        key=kept_key(form["form_key"]) if form.errors else new_key(),
        formats=FORMATS,
        most=sheet.MOST_ROWS,
        may_write=allowed(Action.TRAINING_WRITE),
    )


def _page(found: TrainingImport, form: Written) -> str:
    verdict = imports.verdict_of(found)
    show = request.args.get("show", "")
    show = show if show in SHOWN else ""
    rows = [row for row in verdict.rows if show in ("", "sound" if row.is_sound else "fault")]
    pages = max(1, -(-len(rows) // PAGE))
    page = min(page_number(), pages)
    return render_template(
        "seller/training_import.html",
        row=found,
        verdict=verdict,
        rows=rows[(page - 1) * PAGE : page * PAGE],
        made=imports.programme_of(found),
        headings={key: heading for key, (heading, _english) in sheet.COLUMNS.items()},
        keys=sheet.KEYS,
        show=show,
        page=page,
        pages=pages,
        form=form,
        may_write=allowed(Action.TRAINING_WRITE),
    )
