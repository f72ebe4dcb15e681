"""Files that jobs make: mine and what colleagues share, how far each is, and the file itself."""

from __future__ import annotations

import datetime

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import or_, select

from storefront.audit.record import record
from storefront.blueprints.finance import bp
from storefront.errors import NotFound
from storefront.exports import made_files
from storefront.exports.download import pieces
from storefront.exports.manifest import as_json
from storefront.exports.models import MadeFile
from storefront.extensions import db
from storefront.keyset import Order, asked_turn, select_page
from storefront.media.storage import private_files
from storefront.people import access
from storefront.people.models import Person
from storefront.people.policy import Action

PAGE = 30
LATEST = Order((("made_files.id", "bigint"),))


@bp.get("/files")
@access.rule(Action.REVENUE_READ)
def made_file_list() -> ResponseReturnValue:
    """The newest first."""
    who = access.person()
    query = (
        select(MadeFile, Person.name)
        .join(Person, Person.id == MadeFile.asked_by)
        .where(or_(MadeFile.asked_by == access.person_id(), MadeFile.shared_at.is_not(None)))
    )
    # Few are shared and each is kept a month: what is out of reach is left out here, by the rule that fetching has.
    found = select_page(query, LATEST, asked_turn(), size=PAGE)
    rows = [row for row in found.rows if made_files.may_fetch(who, row[0])]
    return render_template("finance/files.html", found=found.of(rows), me=access.person_id())


@bp.get("/files/<int:file_id>")
@access.rule(Action.REVENUE_READ)
def made_file(file_id: int) -> ResponseReturnValue:
    """How far it is; when it is ready, its sums and the file."""
    found = _own(file_id)
    asker = db.session.get_one(Person, found.asked_by)
    return render_template("finance/file.html", row=found, asker=asker.name, mine=asker.id == access.person_id())


@bp.get("/files/<int:file_id>/progress")
@access.rule(Action.REVENUE_READ)
def made_file_progress(file_id: int) -> ResponseReturnValue:
    """The part of its page that moves."""
    found = _own(file_id)
    if found.state not in ("waiting", "making"):
        return Response(status=200, headers={"HX-Refresh": "true"})
    return render_template("finance/_file_progress.html", row=found)


@bp.get("/files/<int:file_id>/file")
@access.rule(Action.REVENUE_READ)
def fetch_made_file(file_id: int) -> ResponseReturnValue:
    """The file itself, or with `part=manifest` what stands beside it; in pieces, so that memory stays flat."""
    found = _own(file_id)
    if found.state != "ready" or found.file_key is None:
        raise NotFound()
    if request.args.get("part") == "manifest":
        response = Response(as_json(found.manifest or {}), content_type="application/json")
        name = f"{found.file_name}.manifest.json"
    else:
        try:
            file = private_files().open(found.file_key)
        except FileNotFoundError:
            raise NotFound() from None
        record(
            "made_file.fetched",
            "made_file",
            found.id,
            person_id=access.person_id(),
            details={"file": found.file_name, "sha256": found.sha256},
        )
        response = Response(pieces(file), content_type=found.mimetype)
        response.headers["Content-Length"] = str(found.bytes)
        response.headers["X-Accel-Buffering"] = "no"
        name = found.file_name or "berkas"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    db.session.commit()
    return response


@bp.post("/files/<int:file_id>/share")
@access.rule(Action.EXPORTS_WRITE)
def share_made_file(file_id: int) -> ResponseReturnValue:
    """Show it to colleagues who may read as much, or to nobody again (`off`)."""
    found = _own(file_id)
    if found.asked_by != access.person_id():
        raise NotFound()
    off = request.form.get("off") == "1"
    if off != (found.shared_at is None):
        found.shared_at = None if off else datetime.datetime.now(datetime.UTC)
        verb = "unshared" if off else "shared"
        record(f"made_file.{verb}", "made_file", found.id, person_id=access.person_id())
    db.session.commit()
    said = _("Rekan yang boleh melihat angkanya kini dapat mengambilnya.")
    flash(_("Berkas ini tidak lagi dibagikan.") if off else said, "ok")
    return redirect(url_for("finance.made_file", file_id=file_id), 303)


def _own(file_id: int) -> MadeFile:
    """A file that the reader may see. Raises NotFound."""
    found = db.session.get(MadeFile, file_id)
    if found is None or not made_files.may_fetch(access.person(), found):
        raise NotFound()
    return found
