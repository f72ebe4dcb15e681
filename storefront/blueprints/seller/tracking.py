"""Tracking numbers of many parcels: pasted or from a file, tried out first, then written down."""

from __future__ import annotations

from flask import flash, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.forms import COURIER_OPTIONS, OTHER
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.orders import tracking_rows
from storefront.orders.tracking_rows import Verdict
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/parcels/tracking")
@access.rule(Action.PARCELS_WRITE)
def tracking(code: str) -> ResponseReturnValue:
    """The empty form."""
    return page(Written(), "", [])


@bp.post("/<code>/parcels/tracking")
@access.rule(Action.PARCELS_WRITE)
def save_tracking(code: str) -> ResponseReturnValue:
    """Try the rows out, or write down the good ones; what was refused stays in the form."""
    form = Written(request.form)
    courier = form.line("other_courier") if form["courier"] == OTHER else form["courier"]
    text = form["rows"]
    try:
        file = request.files.get("file")
        if file is not None and file.filename:
            read = tracking_rows.text_of_file(file.stream.read(tracking_rows.MOST_BYTES + 1))
            text = "\n".join(part for part in (text.strip("\r\n"), read) if part.strip())
        rows = tracking_rows.rows_of(text, courier)
        if not rows:
            form.wrong("rows", _("Tempel barisnya, atau pilih berkasnya."))
            return page(form, text, []), form.status
    except Invalid as refusal:
        for name, sentence in refusal.errors.items():
            form.wrong(name, sentence)
        return page(form, text, []), form.status
    if form["step"] != "save":
        return page(form, text, tracking_rows.check(g.facility.id, rows))
    verdicts = tracking_rows.save(g.facility.id, rows, access.person_id())
    db.session.commit()
    written = sum(verdict.is_good for verdict in verdicts)
    flash(ngettext("%(num)d resi tercatat.", "%(num)d resi tercatat.", written), "ok")
    rest = "\n".join(verdict.row.written for verdict in verdicts if not verdict.is_good)
    return page(form, rest, verdicts, is_saved=True)


def page(form: Written, text: str, verdicts: list[Verdict], *, is_saved: bool = False) -> str:
    return render_template(
        "seller/tracking.html",
        form=form,
        text=text,
        verdicts=verdicts,
        is_saved=is_saved,
        couriers=COURIER_OPTIONS,
        most=tracking_rows.MOST_ROWS,
    )
