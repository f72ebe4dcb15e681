"""Listings from and to spreadsheets: template, export, upload, dry run, run, error file, history."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from storefront import form_key
from storefront.audit.record import record
from storefront.blueprints.seller import allowed, bp
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.languages import locale
from storefront.listing_files import keeping, lists, undo, write_out
from storefront.listing_files.columns import BY_KEY
from storefront.listing_files.models import ENDED, ImportState, ListingImport
from storefront.listing_files.pictures import BadArchive
from storefront.listing_files.sheet import MOST_BYTES, MOST_ROWS, MOST_ZIP_BYTES, BadListingFile
from storefront.listing_files.written_file import FORMATS, TYPES
from storefront.media.storage import private_files
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

STEPS = "any('run', 'stop', 'discard', 'photos', 'undo')"


@bp.get("/<code>/import")
@access.rule(Action.LISTINGS_READ)
def import_list(code: str) -> ResponseReturnValue:
    """Upload, files to take away, and the imports so far."""
    return list_page(Written())


@bp.post("/<code>/import")
@access.rule(Action.LISTINGS_WRITE)
def upload_import(code: str) -> ResponseReturnValue:
    """Keep a file, and photos with it; a job reads it. Sent twice, the form keeps it once."""
    form = Written(request.form)
    if not form_key.is_key(form["form_key"]):
        form.refusal, form.status = str(form_key.TOO_OLD), 422
        return list_page(form), form.status
    name, content = sent(request.files.get("file"), MOST_BYTES)
    zip_name, photos = sent(request.files.get("photos"), MOST_ZIP_BYTES)

    def keep() -> ListingImport:
        found = keeping.upload(
            g.facility.id,
            name,
            content,
            form_key=form["form_key"],
            language=locale(),
            person_id=who(),
        )
        if photos:
            keeping.add_photos(found, zip_name, photos)
        return found

    found = form.done(keep)
    if found is None:
        of_photos = (
            form.status == BadArchive.status
            and photos
            and form.refusal
            and content
            and is_sound(content, name)
        )
        form.errors["photos" if of_photos else "file"], form.refusal = form.refusal, ""
        return list_page(form), form.status
    return redirect(url_for("seller.import_page", code=code, import_id=found.id), 303)


def is_sound(content: bytes, name: str) -> bool:
    """Whether it is not the file itself that was refused."""
    try:
        keeping.format_of(content, name)
    except BadListingFile:
        return False
    return True


@bp.get("/<code>/import/template")
@access.rule(Action.LISTINGS_READ)
def import_template(code: str) -> ResponseReturnValue:
    """The template as `format` xlsx, ods or csv; `delimiter` of a CSV: `;` or `,`."""
    format, delimiter = wanted()
    return as_file(write_out.template(g.facility, format, delimiter), f"templat-karya-{code.lower()}", format)


@bp.get("/<code>/export/listings")
@access.rule(Action.LISTINGS_READ)
def export_listings(code: str) -> ResponseReturnValue:
    """What the facility lists, in the columns of an import."""
    format, delimiter = wanted()
    details = {"format": format}
    record("listings.exported", "export", code, person_id=who(), facility_id=g.facility.id, details=details)
    db.session.commit()
    return as_file(write_out.listings(g.facility, format, delimiter), f"karya-{code.lower()}", format)


@bp.get("/<code>/import/<int:import_id>")
@access.rule(Action.LISTINGS_READ)
def import_page(code: str, import_id: int) -> ResponseReturnValue:
    """What was read, row by row, before anything is stored; then how it went."""
    return page(keeping.own_import(g.facility.id, import_id), Written())


@bp.get("/<code>/import/<int:import_id>/progress")
@access.rule(Action.LISTINGS_READ)
def import_progress(code: str, import_id: int) -> ResponseReturnValue:
    """The part of an import's page that moves."""
    found = keeping.own_import(g.facility.id, import_id)
    if not lists.is_under_way(found):
        return Response(status=200, headers={"HX-Refresh": "true"})
    return render_template("seller/_import_progress.html", **moving(found))


@bp.get("/<code>/import/<int:import_id>/errors")
@access.rule(Action.LISTINGS_READ)
def import_errors(code: str, import_id: int) -> ResponseReturnValue:
    """The rows that were not stored as they were uploaded, with their reasons; with `all=1` the others too."""
    found = keeping.own_import(g.facility.id, import_id)
    if not found.layout or lists.is_under_way(found):
        raise NotFound()
    content = write_out.error_file(found, all_rows=request.args.get("all") == "1")
    return as_file(content, f"alasan-impor-{found.id}", found.format)


@bp.get("/<code>/import/<int:import_id>/file")
@access.rule(Action.LISTINGS_READ)
def import_file(code: str, import_id: int) -> ResponseReturnValue:
    """The file as it was uploaded."""
    found = keeping.own_import(g.facility.id, import_id)
    try:
        content = private_files().read(found.file_key or "")
    except (FileNotFoundError, ValueError):
        raise NotFound() from None
    return as_file(content, f"impor-{found.id}", found.format)


@bp.post("/<code>/import/<int:import_id>/run")
@access.rule(Action.LISTINGS_WRITE)
def run_import(code: str, import_id: int) -> ResponseReturnValue:
    """Store what the dry run showed."""
    on_fault = request.form.get("on_fault", "")
    return step(import_id, lambda: keeping.begin(g.facility.id, import_id, on_fault, who()))


@bp.post("/<code>/import/<int:import_id>/stop")
@access.rule(Action.LISTINGS_WRITE)
def stop_import(code: str, import_id: int) -> ResponseReturnValue:
    """End a running import; what is stored stays."""
    return step(import_id, lambda: keeping.stop(g.facility.id, import_id, who()))


@bp.post("/<code>/import/<int:import_id>/undo")
@access.rule(Action.LISTINGS_WRITE)
def undo_import(code: str, import_id: int) -> ResponseReturnValue:
    """Take back prices, pieces and lead times that nobody changed since."""
    return step(import_id, lambda: undo.ask(g.facility.id, import_id, who()))


@bp.post("/<code>/import/<int:import_id>/photos")
@access.rule(Action.LISTINGS_WRITE)
def add_import_photos(code: str, import_id: int) -> ResponseReturnValue:
    """Add a ZIP of photos before the run; the rows are looked at anew."""
    name, content = sent(request.files.get("photos"), MOST_ZIP_BYTES)
    return step(
        import_id,
        lambda: keeping.add_photos(keeping.own_import(g.facility.id, import_id, lock=True), name, content),
        field="photos",
    )


@bp.post("/<code>/import/<int:import_id>/discard")
@access.rule(Action.LISTINGS_WRITE)
def discard_import(code: str, import_id: int) -> ResponseReturnValue:
    """Throw away what was not run."""
    form = Written(request.form)
    form.done(lambda: keeping.discard(g.facility.id, import_id, who()))
    if form.refusal:
        return page(keeping.own_import(g.facility.id, import_id), form), form.status
    flash(_("Berkas dibuang. Tidak ada yang disimpan darinya."), "ok")
    return redirect(url_for("seller.import_list", code=code), 303)


def step(import_id: int, act: Callable[[], object], field: str = "") -> ResponseReturnValue:
    """Take a step and show the import again."""
    form = Written(request.form)
    form.done(act)
    if form.refusal:
        if field and form.status == 422:
            form.errors[field], form.refusal = form.refusal, ""
        return page(keeping.own_import(g.facility.id, import_id), form), form.status
    return redirect(url_for("seller.import_page", code=g.facility.code, import_id=import_id), 303)


def sent(file: FileStorage | None, most: int) -> tuple[str, bytes]:
    """Name and content of an uploaded file, one byte more than is taken at most."""
    return ((file.filename or "", file.read(most + 1))) if file else ("", b"")


def wanted() -> tuple[str, str]:
    """Format and delimiter asked for. Raises Invalid."""
    format, delimiter = request.args.get("format", "xlsx"), request.args.get("delimiter", ";")
    if format not in FORMATS or delimiter not in (";", ","):
        raise Invalid()
    return format, delimiter


def as_file(content: bytes, name: str, format: str) -> Response:
    response = Response(content, content_type=TYPES[format])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{format}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def who() -> int:
    """Id of the person who acts."""
    person = access.person()
    assert person is not None  # the door lets nobody else in
    return person.id


def list_page(form: Written) -> str:
    return render_template(
        "seller/imports.html",
        found=lists.history(g.facility.id, page_number()),
        form=form,
        key=form_key.new_key(),
        most_rows=MOST_ROWS,
        may_write=allowed(Action.LISTINGS_WRITE),
    )


def moving(found: ListingImport) -> dict[str, object]:
    return {
        "row": found,
        "counts": lists.counts(found.id),
        "ahead": lists.ahead(found) if found.begun_at else 0,
    }


def page(found: ListingImport, form: Written) -> str:
    kinds = lists.OUTCOMES if found.state in ENDED else lists.VERDICTS
    show = request.args.get("show", "")
    show = show if show in kinds else ""
    under_way = lists.is_under_way(found)
    return render_template(
        "seller/import.html",
        **moving(found),
        found=None if under_way else lists.rows(found, show, page_number()),
        show=show,
        kinds=kinds,
        ended=found.state in ENDED,
        ready=found.state == ImportState.READY,
        under_way=under_way,
        archives=lists.archives(found.id),
        headings={key: column.heading for key, column in BY_KEY.items()},
        form=form,
        kept_days=keeping.KEPT_DAYS,
        may_write=allowed(Action.LISTINGS_WRITE),
    )
