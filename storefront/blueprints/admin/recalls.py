"""Batches of food that a facility holds: the office recalls them, or lets them go."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp, overview
from storefront.orders import recall
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@overview.queue(Action.PUBLISH)
def waiting() -> overview.Queue:
    """Batches that nobody has decided on."""
    note = _("Selama ditahan, batch tidak dijual; pembelinya belum tahu.")
    return overview.Queue(recall.count_held(), _("batch pangan ditahan"), note, url_for("admin.recall_list"))


@bp.get("/recalls")
@access.rule(Action.PUBLISH)
def recall_list() -> ResponseReturnValue:
    """What is held, and what was recalled."""
    return _page(Written())


@bp.post("/recalls/<int:batch_id>/<any('confirm', 'let-go'):step>")
@access.rule(Action.PUBLISH)
def decide_recall(batch_id: int, step: str) -> ResponseReturnValue:
    """Recall it and tell its buyers, or let it be sold again."""
    form, me = Written(request.form), access.person_id()
    decide = recall.confirm if step == "confirm" else recall.let_go
    if form.done(lambda: decide(batch_id, person_id=me)) is None:
        return _page(form), form.status
    said = {
        "confirm": _("Ditarik. Setiap pembelinya diberi tahu sekali."),
        "let-go": _("Dilepas: batch ini dijual lagi."),
    }[step]
    flash(said, "ok")
    return redirect(url_for("admin.recall_list"), 303)


def _page(form: Written) -> str:
    held, recalled = recall.held(), recall.held(is_decided=True)
    return render_template("admin/recalls.html", held=held, recalled=recalled, form=form, me=access.person_id())
