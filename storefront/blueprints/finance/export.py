"""Exports: choose rows, filters and columns, see the sums, take the file or have a job make it."""

from __future__ import annotations

import datetime
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from storefront.audit.record import record
from storefront.blueprints.finance import bp
from storefront.blueprints.finance.export_form import Asked, asked_for, choices, readable
from storefront.blueprints.finance.period import facilities
from storefront.errors import Invalid
from storefront.exports import datasets, export_jobs
from storefront.exports.answer import answer
from storefront.exports.download import Part
from storefront.exports.formats import Format, offered
from storefront.exports.manifest import demo_note
from storefront.exports.moment import parse_moment, rfc3339, settle
from storefront.exports.table import Tally, totals
from storefront.exports.workbook import SHEET_ROWS
from storefront.exports.written_table import download_made
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action
from storefront.snapshot import snapshot

#: With more rows a job makes the file: nobody waits for it with a page open.
AT_ONCE = 50_000


@bp.get("/export")
@access.rule(Action.REVENUE_READ)
def export() -> ResponseReturnValue:
    """Without `format` the form with its sums as they are now; with one the file itself.

    `as_of` makes the same bytes again; `part` is `file`, `manifest` or `zip`.
    """
    asked = asked_for(request.args)
    form = request.args.get("format", "")
    if form and asked.wish is not None:
        return _file(asked, form)
    if "col" in request.args and asked.wish is not None:
        return redirect(url_for("finance.export", **dict[str, Any](asked.query)))
    found, as_of = None, None
    known, choose = facilities(), choices(asked.dataset)
    if asked.wish is not None:
        found, as_of = _counted(asked)
    shown = {name: place for place, name in enumerate(asked.columns, 1)}
    page = render_template(
        "finance/export.html",
        asked=asked,
        choice=asked.choice,
        datasets=[(one.name, one.title) for one in readable()],
        choices=choose,
        columns=[
            (column.name, shown.get(column.name, place), not shown or column.name in shown)
            for place, column in enumerate(asked.dataset.columns, 1)
        ],
        totals=found,
        as_of=as_of,
        as_of_text=rfc3339(as_of) if as_of else "",
        facilities=known,
        formats=[one for one in offered() if one is not Format.XLSX or not found or found.rows < SHEET_ROWS],
        by_job=found is not None and found.rows > AT_ONCE,
    )
    return page, 422 if asked.errors else 200


@bp.post("/export")
@access.rule(Action.EXPORTS_WRITE)
def make_export() -> ResponseReturnValue:
    """Have a job make the file that the page has counted."""
    asked = asked_for(MultiDict(request.form))
    try:
        form = Format(request.form.get("format", ""))
    except ValueError:
        raise Invalid() from None
    if asked.wish is None:
        raise Invalid(dict(asked.errors))
    as_of = rfc3339(parse_moment(request.form.get("as_of", "")))
    title = f"{asked.dataset.title}, {asked.wish.first}–{asked.wish.last}"
    made = export_jobs.ask(
        asked.wish,
        form,
        as_of=as_of,
        rows=request.form.get("rows", type=int),
        person_id=access.person_id() or 0,
        title=f"{title}, {asked.wish.facility}" if asked.wish.facility else title,
    )
    db.session.commit()
    return redirect(url_for("finance.made_file", file_id=made.id), 303)


def _counted(asked: Asked) -> tuple[Tally, datetime.datetime]:
    wish = asked.wish
    assert wish is not None
    db.session.commit()  # our own transaction must not be waited for
    as_of = settle(db.engine)
    with snapshot(db.engine) as connection:
        # Sums of all amounts, whichever columns are chosen.
        whole = datasets.Wish(wish.dataset, wish.first, wish.last, wish.facility_ids, wish.facility, wish.filters)
        return totals(connection, datasets.table(connection, whole, as_of)), as_of


def _file(asked: Asked, form: str) -> Response:
    """The download, recorded before its first byte leaves."""
    try:
        wanted, part = Format(form), Part(request.args.get("part", "file"))
    except ValueError:
        raise Invalid() from None
    wish = asked.wish
    assert wish is not None  # no errors
    moment = request.args.get("as_of", "")
    as_of = parse_moment(moment) if moment else None
    one = f"-{wish.facility}" if wish.facility else ""
    record(
        f"{asked.dataset.name}.exported",
        "export",
        f"{asked.dataset.file}-{wish.first}-{wish.last}{one}.{wanted.ending}",
        person_id=access.person_id(),
        details={
            **(asked.choice.selection.filters if asked.choice.selection else {}),
            **asked.filters,
            **({"columns": list(asked.columns)} if asked.columns else {}),
            "format": wanted.value,
            "part": part.value,
            "as_of": moment or None,
        },
    )
    db.session.commit()
    settled = settle(db.engine, as_of)
    made = download_made(
        db.engine, lambda connection: datasets.table(connection, wish, settled), wanted, part, note=demo_note()
    )
    return answer(made)
