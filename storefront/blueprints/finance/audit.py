"""The audit trail: who did what, when, from where, before and after; as a page and as a file."""

from __future__ import annotations

import datetime

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from storefront.audit import trail
from storefront.audit.asked import asked_of, said
from storefront.audit.record import record
from storefront.audit.trail import Asked
from storefront.blueprints.finance import bp, steps
from storefront.errors import Invalid
from storefront.exports import written_table
from storefront.exports.answer import answer
from storefront.exports.audit_table import audit_table
from storefront.exports.download import Part
from storefront.exports.formats import Format
from storefront.exports.manifest import demo_note
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.snapshot import snapshot


@bp.get("/audit")
@access.rule(Action.AUDIT_READ)
def audit() -> ResponseReturnValue:
    """What the reader may see of the trail; with `format` (csv, xlsx, jsonl) all of it as a file."""
    asked, errors = asked_of(request.args, steps.asked_facility())
    ids, with_people = steps.within(Action.AUDIT_READ), steps.may_somewhere(Action.PEOPLE_READ)
    if request.args.get("format") and not errors:
        return file(asked, request.args["format"], ids, with_people)
    found = trail.acts(asked, ids, with_people=with_people, turn=asked_turn())
    page = render_template(
        "finance/audit.html",
        found=found,
        asked=asked,
        query=said(request.args),
        errors=errors,
        actions=trail.known_actions(with_people=with_people),
        facilities=steps.codes(Action.AUDIT_READ),
        with_people=with_people,
    )
    return page, 422 if errors else 200


def file(asked: Asked, wanted: str, ids: frozenset[int] | None, with_people: bool) -> Response:
    """The download, itself in the trail before its first byte leaves."""
    try:
        form, part = Format(wanted), Part(request.args.get("part", "file"))
    except ValueError:
        raise Invalid() from None
    found = audit_table(asked, ids, with_people=with_people, as_of=datetime.datetime.now(datetime.UTC))
    record(
        "audit.exported",
        "export",
        f"{found.name}.{form}",
        person_id=access.person_id(),
        details={**found.filters, "format": form.value, "part": part.value},
    )
    db.session.commit()
    with snapshot(db.engine) as connection:
        download = written_table.download(connection, found, form, part, note=demo_note())
    return answer(download)
