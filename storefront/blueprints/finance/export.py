"""The sales export: choose, see the sums, take the file with its manifest."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from storefront.audit.record import record
from storefront.blueprints.finance import bp
from storefront.blueprints.finance.period import Choice, chosen, facilities
from storefront.errors import Invalid
from storefront.exports import sales as exports
from storefront.exports.download import Download, Part, sales_download
from storefront.exports.formats import Format
from storefront.exports.moment import parse_moment, rfc3339, settle
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action


@bp.get("/export")
@access.rule(Action.REVENUE_READ)
def export() -> ResponseReturnValue:
    """Without `format` the form with its sums as they are now; with one (csv, xlsx, jsonl) the file itself.

    `as_of` makes the same bytes again; `part` is `file`, `manifest` or `zip`.
    """
    choice = chosen(request.args)
    form = request.args.get("format", "")
    if form and not choice.errors:
        return _file(choice, form)
    found, as_of = None, None
    choices = facilities()
    if choice.selection is not None:
        db.session.commit()  # our own transaction must not be waited for
        as_of = settle(db.engine)
        with exports.opened(db.engine, choice.selection, as_of) as source:
            found = source.totals
    page = render_template(
        "finance/export.html",
        choice=choice,
        totals=found,
        as_of=as_of,
        as_of_text=rfc3339(as_of) if as_of else "",
        facilities=choices,
        formats=list(Format),
    )
    return page, 422 if choice.errors else 200


def _file(choice: Choice, form: str) -> Response:
    """The download, recorded before its first byte leaves."""
    try:
        wanted, part = Format(form), Part(request.args.get("part", "file"))
    except ValueError:
        raise Invalid() from None
    asked = request.args.get("as_of", "")
    as_of = parse_moment(asked) if asked else None
    assert choice.selection is not None  # no errors
    record(
        "sales.exported",
        "export",
        choice.selection.name(wanted.value),
        person_id=access.person_id(),
        details={
            **choice.selection.filters,
            "format": wanted.value,
            "part": part.value,
            "as_of": asked or None,
        },
    )
    db.session.commit()
    return respond(sales_download(choice.selection, wanted, as_of=as_of, part=part))


def respond(download: Download) -> Response:
    """The answer that a browser saves as a file."""
    response = Response(download.blocks, content_type=download.mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy passes the pieces on as they come
    return response
