"""The day's sheet of a stand, by facility, for the screen and for paper."""

from __future__ import annotations

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.counter import bp
from storefront.counter import day_sheet as sheets
from storefront.days import today
from storefront.people import access
from storefront.written import day


@bp.get("/<slug>/day")
@access.signed_in
def day_sheet(slug: str) -> ResponseReturnValue:
    """What was sold on `day`, today by default."""
    wanted = day(request.args.get("day", "")) or today()
    return render_template(
        "counter/day.html",
        exhibition=g.exhibition,
        here="day",
        sheet=sheets.sheet(g.exhibition.id, wanted),
        today=today(),
    )
