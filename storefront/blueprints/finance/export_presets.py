"""Exports under a name: kept from the export page, shared, and made by the clock."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.export_form import asked_for
from storefront.exports import presets
from storefront.exports.datasets import DATASETS
from storefront.exports.formats import offered
from storefront.exports.models import ExportPreset
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/export-presets")
@access.rule(Action.REVENUE_READ)
def export_presets() -> ResponseReturnValue:
    """One's own and those that colleagues share."""
    return _page(Written())


@bp.post("/export-presets")
@access.rule(Action.EXPORTS_WRITE)
def save_export_preset() -> ResponseReturnValue:
    """Keep what the export page asks for under a name."""
    form = steps.written()
    asked = asked_for(MultiDict(request.form))
    saved = form.done(
        lambda: presets.save(access.person_id() or 0, form.line("name"), asked.dataset.name, asked.query)
    )
    if saved is None:
        return _page(form), form.status
    flash(_("Pilihan disimpan sebagai %(name)s.", name=saved.name), "ok")
    return redirect(url_for("finance.export_presets"), 303)


@bp.post("/export-presets/<int:preset_id>/<any('share', 'unshare', 'schedule', 'delete'):step>")
@access.rule(Action.EXPORTS_WRITE)
def change_export_preset(preset_id: int, step: str) -> ResponseReturnValue:
    """Share one's own or no longer, have it made by the clock, or delete it."""
    form = steps.written()
    acts: dict[str, Callable[[ExportPreset], None]] = {
        "share": lambda found: presets.share(found, shared=True),
        "unshare": lambda found: presets.share(found, shared=False),
        "schedule": lambda found: presets.schedule(found, form["every"], form["format"]),
        "delete": presets.delete,
    }
    form.done(lambda: acts[step](presets.own(access.person_id() or 0, preset_id)))
    if form.refusal:
        return _page(form), form.status
    return redirect(url_for("finance.export_presets"), 303)


def _page(form: Written) -> str:
    person = access.person()
    assert person is not None  # the door lets nobody else in
    return render_template(
        "finance/export_presets.html",
        rows=[
            (row, name, {"dataset": row.dataset, **row.query}) for row, name in presets.shown_to(person, person.id)
        ],
        titles={name: one.title for name, one in DATASETS.items()},
        form=form,
        me=person.id,
        formats=offered(),
        email=person.email,
    )
