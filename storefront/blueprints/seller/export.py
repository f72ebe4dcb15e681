"""The facility's own sales as a file, with its manifest."""

from __future__ import annotations

import datetime

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from storefront import days
from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.errors import Invalid
from storefront.exports import sales
from storefront.exports.answer import answer
from storefront.exports.download import Part
from storefront.exports.formats import Format
from storefront.exports.moment import parse_moment
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action


@bp.get("/<code>/export")
@access.rule(Action.REVENUE_READ)
def export(code: str) -> ResponseReturnValue:
    """Sales paid on the days `from` to `to` (default: this month) as `format` csv, xlsx or jsonl.

    `part` is `file`, `manifest` or `zip`; `as_of` makes the same bytes again. Without a format: the page that
    offers them.
    """
    if not request.args.get("format"):
        return redirect(url_for("seller.sales", code=code))
    today = days.today()
    first, last = _day("from", today.replace(day=1)), _day("to", today)
    try:
        wanted, part = Format(request.args["format"]), Part(request.args.get("part", "file"))
    except ValueError:
        raise Invalid() from None
    asked = request.args.get("as_of", "")
    as_of = parse_moment(asked) if asked else None
    record(
        "sales.exported",
        "export",
        code,
        person_id=access.person_id(),
        facility_id=g.facility.id,
        details={
            "from": first.isoformat(),
            "to": last.isoformat(),
            "format": wanted.value,
            "part": part.value,
            "as_of": asked or None,
        },
    )
    db.session.commit()
    selection = sales.select(db.engine, first, last, facility=code)
    return answer(sales.download_of(selection, wanted, as_of=as_of, part=part))


def _day(name: str, otherwise: datetime.date) -> datetime.date:
    """The day in the query string; raises `Invalid` for what is none."""
    text = request.args.get(name, "")
    try:
        return datetime.date.fromisoformat(text) if text else otherwise
    except ValueError:
        raise Invalid({name: _("Tulis tanggal seperti 2026-11-30.")}) from None
